/** Watches the recorded runs of a folder. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Recorded } from "../../Recorded.ts"
import type { RecordError } from "../../RecordError.ts"
import { list } from "../record/list.ts"
import type { RunJson } from "./data.ts"
import { watch } from "./watch.ts"

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
  Effect.map(
    watch({
      look: Effect.map(list(folder, Infinity), (runs) => runs.map(toJson)),
      isChanged,
      order: (a, b) => b.at - a.at,
      lookEvery
    }),
    ({ changes }) => ({ changes: Stream.map(changes, ({ items, ...change }) => ({ ...change, runs: items })) })
  )

const isChanged = (before: RunJson, run: RunJson): boolean =>
  // the duration of a run that goes on is counted by the page
  before.status !== run.status || before.steps !== run.steps ||
  (run.status !== "running" && before.millis !== run.millis)
