/** Watches the recorded runs of a folder. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Recorded } from "../../Recorded.ts"
import type { RecordError } from "../../RecordError.ts"
import { list } from "../record/list.ts"
import type { RunJson } from "./data.ts"

/** The runs as they are now, and then what changes. */
export interface Runs {
  /** Gives all runs first, the newest first, and then those that are new or have changed, and the ids of removed ones. */
  readonly changes: Stream.Stream<Change>
}

/** @internal */
export interface Change {
  readonly all: boolean
  readonly runs: ReadonlyArray<RunJson>
  readonly removed: ReadonlyArray<string>
}

const toJson = (
  { duration, hookFailures, pipelineName, runId, runName, startedAt, status, steps }: Recorded
): RunJson => ({
  id: runId,
  pipeline: pipelineName,
  name: runName,
  status,
  at: DateTime.toEpochMillis(startedAt),
  millis: Math.round(Duration.toMillis(duration)),
  steps,
  hookFailures: hookFailures ?? 0
})

/** Looks at a folder once a second, as long as the scope is open and somebody receives the changes. */
export const watchRuns = (
  folder: string,
  lookEvery: Duration.Input = "1 second"
): Effect.Effect<Runs, RecordError, Scope.Scope> =>
  Effect.gen(function*() {
    /** The runs that were found last. A run that changes gets a new object. */
    const known = new Map<string, RunJson>()
    const wakes = yield* PubSub.sliding<void>(1)
    let receivers = 0
    const look = Effect.gen(function*() {
      const found = (yield* list(folder, Infinity)).map(toJson)
      const ids = new Set(found.map(({ id }) => id))
      const removed = [...known.keys()].filter((id) => !ids.has(id))
      for (const id of removed) known.delete(id)
      const changed = found.filter((run) => isChanged(known.get(run.id), run))
      for (const run of changed) known.set(run.id, run)
      if (changed.length + removed.length > 0) yield* PubSub.publish(wakes, undefined)
    })
    yield* look
    // a folder that can't be read for a while is looked at again
    const lookAgain = Effect.suspend(() => receivers === 0 ? Effect.void : Effect.ignore(look))
    yield* Effect.forkScoped(Effect.repeat(lookAgain, Schedule.spaced(lookEvery)))
    const received = Effect.acquireRelease(
      Effect.sync(() => void receivers++),
      () => Effect.sync(() => void receivers--)
    )
    return {
      changes: Stream.unwrap(Effect.gen(function*() {
        yield* received
        // subscribed before the first look, so that nothing between the two is missed
        const woken = yield* PubSub.subscribe(wakes)
        yield* Effect.ignore(look)
        // What was sent is kept for each receiver: a slow one gets one change in place of several, and misses none.
        let sent: ReadonlyMap<string, RunJson> = new Map()
        const next = (all: boolean) =>
          Effect.sync((): Change => {
            const before = sent
            sent = new Map(known)
            return {
              all,
              runs: [...sent.values()].filter((run) => before.get(run.id) !== run).toSorted((a, b) => b.at - a.at),
              removed: [...before.keys()].filter((id) => !sent.has(id))
            }
          })
        return Stream.concat(
          Stream.fromEffect(next(true)),
          Stream.fromSubscription(woken).pipe(
            Stream.mapEffect(() => next(false)),
            Stream.filter(({ removed, runs }) => runs.length + removed.length > 0)
          )
        )
      }))
    }
  })

const isChanged = (before: RunJson | undefined, run: RunJson): boolean =>
  // the duration of a run that goes on is counted by the page
  before === undefined || before.status !== run.status || before.steps !== run.steps ||
  (run.status !== "running" && before.millis !== run.millis)
