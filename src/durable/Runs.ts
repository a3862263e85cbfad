/**
 * Looks after stored runs: lists and shows them, runs failed ones again, removes old ones, and lets the code change while
 * they are under way.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { checked, durationMistakes, optionalText, refuse, wholeMistakes } from "../internal/model/options.ts"
import type { Prune, RunFilter, StoredRun, StoredRunDetails } from "../internal/model/storedRun.ts"
import * as versions from "./internal/run/version.ts"
import { type RunRefused, withRuns } from "./internal/runs/runs.ts"

export type * from "../internal/model/storedRun.ts"

const ofFilter: Record<keyof RunFilter, 0> = { pipelines: 0, statuses: 0, limit: 0 }

/**
 * Lists stored runs, the newest first.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 *
 * const failed = Durable.list({ statuses: ["failure"], pipelines: ["nightly"] }).pipe(
 *   Effect.provide(Durable.layerSqliteClient({ filename: ".epilogue/durable.db" }))
 * )
 * ```
 *
 * @see {@link show} for the steps of one
 * @category runs
 * @since 0.1.0
 */
export const list = (
  filter: RunFilter = {}
): Effect.Effect<ReadonlyArray<StoredRun>, RunRefused, WorkflowEngine> =>
  withRuns("listing", (runs) => runs.list(checked("Durable.list", filter, ofFilter)))

/**
 * Returns a stored run with its steps, hooks and questions. The id may be cut short, as long as it names one run.
 *
 * @see {@link list} for many
 * @category runs
 * @since 0.1.0
 */
export const show = (runId: string): Effect.Effect<StoredRunDetails, RunRefused, WorkflowEngine> =>
  withRuns("showing", (runs) => runs.show(runId))

/**
 * Submits a failed or interrupted run again, as a new run that reuses what the steps that succeeded have stored. Returns
 * the new run, which a process with its pipeline runs.
 *
 * **Details**
 *
 * Steps that succeeded do not run again, and neither do their hooks. All others run again with their hooks, also those
 * whose failure the body has handled; with `from`, that step, as {@link StoredStep} names it, and all that began after it
 * as well. The hooks of the run run again. The payload is that of the first run. The new run has the annotation
 * `retryOf`, with the id of the run that it repeats, so its alerts and records show it.
 *
 * **Gotchas**
 *
 * Questions that the body asked outside of steps are asked again. A run of another pipeline that the body executed is not
 * repeated: its result is reused, also a failure. A submission of the same payload still gets the result of the first run.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 *
 * const retryAll = Durable.list({ statuses: ["failure"] }).pipe(
 *   Effect.flatMap(Effect.forEach(({ runId }) => Durable.retry(runId)))
 * )
 * ```
 *
 * @category runs
 * @since 0.1.0
 */
export const retry = (
  runId: string,
  options?: { readonly from?: string | undefined }
): Effect.Effect<StoredRun, RunRefused, WorkflowEngine> =>
  withRuns(
    "retrying",
    (runs) => runs.retry(runId, checked("Durable.retry", options ?? {}, { from: optionalText }).from)
  )

/**
 * Asks a stored run to end, without the code of its pipeline, and returns it as it is stored. With `now` the bodies of its
 * steps that are running are interrupted, too, as by `Durable.interruptNow`; otherwise they come to their end first.
 *
 * **Details**
 *
 * The request is stored: a run that no process evaluates at the moment ends as soon as one does. Its interrupt hooks run.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 *
 * const stopWaiting = Durable.list({ statuses: ["waiting"] }).pipe(
 *   Effect.flatMap(Effect.forEach(({ runId }) => Durable.interrupt(runId)))
 * )
 * ```
 *
 * @category runs
 * @since 0.1.0
 */
export const interrupt = (
  runId: string,
  options?: { readonly now?: boolean | undefined }
): Effect.Effect<StoredRun, RunRefused, WorkflowEngine> =>
  withRuns(
    "interrupting",
    (runs) => runs.interrupt(runId, checked("Durable.interrupt", options ?? {}, { now: 0 }).now === true)
  )

/**
 * Removes runs that have ended, with their records, questions, and delivered alerts of the outbox. Returns how many.
 *
 * **Details**
 *
 * Alerts that are not delivered stay, and so does a run that an unfinished run has started and waits for.
 *
 * **Gotchas**
 *
 * A payload whose run was removed runs again when it is submitted again.
 *
 * @example
 * ```ts
 * import { Durable } from "effect-epilogue/durable"
 *
 * const pruned = Durable.prune({ olderThan: "30 days", keep: 100 })
 * ```
 *
 * @see `keep` of `SqliteOptions` for doing so all the time
 * @category runs
 * @since 0.1.0
 */
export const prune = (options: Prune): Effect.Effect<number, RunRefused, WorkflowEngine> =>
  withRuns("pruning", (runs) => {
    const { keep, olderThan } = checked("Durable.prune", options, { olderThan: 0, keep: 0, pipelines: 0 })
    refuse(
      "Durable.prune",
      durationMistakes("olderThan", olderThan),
      wholeMistakes("keep", keep, 0)
    )
    return runs.prune(options)
  })

export {
  /**
   * The error of {@link list}, {@link show}, {@link interrupt}, {@link retry} and {@link prune}.
   *
   * **Details**
   *
   * `reason` is `Unsupported` (the engine can't do it), `NotFound`, `Ambiguous` (several ids begin so), `NotEnded` (a
   * run that has not ended can't be retried), `Ended` (one that has can't be interrupted), `Succeeded` (a run that
   * succeeded is retried only from a step on), or `NoStep` (the run has no such step).
   *
   * @category errors
   * @since 0.1.0
   */
  RunRefused
} from "./internal/runs/runs.ts"

/**
 * Returns which version of a part of the body a run has: `latest` for a run that comes to the part from now on, and 0 for
 * one that had passed its place before this call was there.
 *
 * **When to use**
 *
 * Where steps of a pipeline are added, renamed, removed or moved while runs may be under way: these take the old branch,
 * and later runs the new one. Without it, runs that are under way fail with {@link CodeChanged}.
 *
 * **Details**
 *
 * The version is recorded, so a run keeps it. A later change of the same part takes a higher number: runs that have
 * recorded 1 get 1, when `latest` is 2. When no run of an old version is left, its branch can go.
 *
 * **Gotchas**
 *
 * It belongs in the body of a durable pipeline. Inside a step, and in a pipeline in memory, it is `latest`.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Durable } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 *
 * const step = (name: string) => Durable.step(Step.make(name, Effect.log(name)))
 *
 * const body = Effect.gen(function*() {
 *   yield* step("extract")
 *   const version = yield* Durable.version("two-loads", 1)
 *   if (version === 0) yield* step("load")
 *   else {
 *     yield* step("load-orders")
 *     yield* step("load-customers")
 *   }
 * })
 * ```
 *
 * @category versions
 * @since 0.1.0
 */
export const version = (
  id: string,
  latest = 1
): Effect.Effect<number, never, WorkflowEngine | WorkflowInstance> => versions.version(id, latest)

export {
  /**
   * The defect of a run that resumes with code whose body asks for other steps than those that are recorded of it. The
   * step that the code asks for does not run; the hooks of the run do.
   *
   * **Details**
   *
   * Steps that the body evaluates one after another are compared, by name, key and number. Those of one name without keys
   * are compared by their annotations and parameters, too, where these show that one would get the result of another.
   * Steps of other fibers, as in `Effect.forEach` with concurrency, find their results by name and key, in any order.
   *
   * @see {@link version} for changing the code while runs are under way
   * @category errors
   * @since 0.1.0
   */
  CodeChanged
} from "./internal/runs/codeChanged.ts"
export type {
  /**
   * The fields of a {@link CodeChanged}.
   *
   * @category errors
   * @since 0.1.0
   */
  CodeChangedFields
} from "./internal/runs/codeChanged.ts"
