/** Watches the durable runs of an engine, and their open questions. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { DurableRuns, DurableRunsError } from "../../../../internal/model/durableRuns.ts"
import { CurrentGuard } from "../../../../internal/model/secrets.ts"
import { newToken } from "../../../../internal/text/token.ts"
import * as Writer from "../../../../internal/text/writer.ts"
import { list } from "../../record/list.ts"
import { type Watch, watch } from "../watch.ts"
import type { DurableItem, DurableRunDetails } from "./data.ts"
import { detailsJson, questionJson, runJson } from "./json.ts"

/** The durable runs as the page shows them. */
export interface Durable {
  readonly runs: DurableRuns.Shape
  /** The token that a request needs which changes something; `undefined` where the page only shows. */
  readonly actionToken: string | undefined
  /** Makes a failure of a defect, as of a database that can't be read. */
  readonly guarded: <A>(effect: Effect.Effect<A, DurableRunsError>) => Effect.Effect<A, DurableRunsError>
  /** Removes secrets from what is shown. */
  readonly scrub: <A>(value: A) => A
  readonly items: Watch<DurableItem>
  readonly show: (runId: string) => Reading<DurableRunDetails>
  /** Gives a run as it is, and again whenever it has changed. */
  readonly details: (runId: string) => Stream.Stream<DurableRunDetails, DurableRunsError>
}

type Reading<A> = Effect.Effect<A, DurableRunsError>

/** Says that the runs can't be read, in place of a defect, whose text may hold the address of a database. */
const unreadable: DurableRunsError = {
  _tag: "Unreadable",
  reason: "Unreadable",
  message: "the durable runs can't be read: the log of the page says why"
}

const timeOf = (item: DurableItem): number => item.kind === "problem" ? 0 : item.at

/** Looks at the runs once a second, as long as the scope is open and somebody receives the changes. */
export const watchDurable = (
  runs: DurableRuns.Shape,
  folder: string,
  lookEvery: Duration.Input = "1 second"
): Effect.Effect<Durable, never, Scope.Scope> =>
  Effect.gen(function*() {
    const guard = yield* CurrentGuard
    // what others have written: names, reasons, payloads
    const scrub = guard === undefined ? identity : <A>(value: A): A => guard.value(value) as A // the cast: same shape
    const recorded = Effect.match(list(folder, Infinity), {
      onSuccess: (found) => new Set(found.map(({ runId }) => runId)),
      onFailure: () => new Set<string>()
    })
    const actor = runs.actions?.by
    let told = false
    /** Makes a failure of a defect, as of a database that can't be read, and logs it once until all is well again. */
    const withoutDefects = <A>(read: Reading<A>): Reading<A> =>
      read.pipe(
        Effect.tap(() =>
          Effect.sync(() => {
            told = false
          })
        ),
        Effect.catchDefect((defect) =>
          Effect.gen(function*() {
            if (!told) yield* Writer.logWarning("effect-epilogue: the durable runs can't be read", defect)
            told = true
            return yield* Effect.fail(unreadable)
          })
        )
      )
    let last: ReadonlyArray<DurableItem> = []
    const look = withoutDefects(Effect.all([runs.list, runs.questions, recorded])).pipe(
      Effect.map(([runs, questions, records]): ReadonlyArray<DurableItem> => [
        ...runs.map((run) => runJson(run, records.has(run.runId))),
        ...questions.map((question) => questionJson(question, actor))
      ]),
      Effect.map((items) => {
        last = items.map(scrub)
        return last
      }),
      Effect.catch(() => Effect.sync(() => [...last, { kind: "problem", id: "problem" } as const]))
    )
    const show = (runId: string) =>
      withoutDefects(
        Effect.map(
          Effect.all([runs.show(runId), recorded]),
          ([run, records]) => scrub(detailsJson(run, records.has(run.runId), actor))
        )
      )
    return {
      runs,
      actionToken: runs.actions === undefined ? undefined : newToken(),
      guarded: withoutDefects,
      scrub,
      items: yield* watch({
        look,
        isChanged: (before, now) => JSON.stringify(before) !== JSON.stringify(now),
        order: (a, b) => timeOf(b) - timeOf(a),
        lookEvery
      }),
      show,
      details: (runId) =>
        Stream.fromEffectSchedule(show(runId), Schedule.spaced(lookEvery)).pipe(
          Stream.changesWith((before, now) => JSON.stringify(before) === JSON.stringify(now))
        )
    }
  })
