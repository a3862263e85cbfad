/**
 * Keeps the last lines that each step has logged, for the alert about it, and tells observers of all that steps log.
 *
 * **Details**
 *
 * The command `epilogue` provides this to its runs, unless the config file has `logs: false`.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as internal from "./internal/engine/stepLogs.ts"
import { CurrentStepLogs } from "./internal/model/stepLogs.ts"

/**
 * Options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepLogsOptions {
  /** How many lines an alert ends with at most, from 0 to 100. 20 unless set. */
  readonly lines?: number | undefined
}

/**
 * Ends the alerts of the standard hooks about failures, interruptions and what is overdue with the last lines that the
 * step has logged, and tells observers of all lines: records keep them.
 *
 * **When to use**
 *
 * To see in the alert of a step what it did before it failed.
 *
 * **Details**
 *
 * - A line belongs to the step on whose fiber, or on a child of whose fiber, it was logged. Alerts about the steps
 *   around it, and about the run, have it, too, after the name of the step.
 * - A line has the level, unless that is `Info`, the message, the first line of a cause and the annotations of the log. Levels
 *   below `References.MinimumLogLevel` are not logged.
 * - An alert shows the last lines: at most 200 characters of each, and 1,500 in all. Redacted values, and the secrets of
 *   `Secrets`, are replaced.
 * - Observers get `StepLogged`, or `RunLogged` for lines that no step has logged, with messages of at most 4,000
 *   characters.
 *
 * **Gotchas**
 *
 * - What a program prints, with `Console.log` for example, is not logged and not kept.
 * - The runs inside add a logger to those that they find. `Logger.layer` inside of a run, without `mergeWithExisting`,
 *   removes it there.
 * - A durable step that is not executed again, since its exit is recorded, logs nothing. So the alert of a durable run has
 *   the lines since it went on last, after a wait or a crash.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step, StepLogs } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.andThen(Effect.log("412 rows of prices.csv"), Effect.fail("no such table: prices")))
 *
 * const nightly = Pipeline.make("nightly", load).pipe(
 *   Pipeline.stepHooks(AlerterHooks.failure),
 *   Effect.provide(StepLogs.layer())
 * )
 * // the alert's detail:
 * // last lines logged:
 * //   412 rows of prices.csv
 * ```
 *
 * @see `Report.layerRecord` of `effect-epilogue/report`, which keeps the lines, for `epilogue show --logs`
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: StepLogsOptions = {}): Layer.Layer<never> => {
  const { lines = 20 } = options
  if (!(Number.isInteger(lines) && lines >= 0 && lines <= 100)) {
    throw new RangeError(`StepLogs.layer: lines must be a whole number from 0 to 100, not ${String(lines)}`)
  }
  return Layer.succeed(CurrentStepLogs, internal.make(lines))
}

/**
 * Keeps nothing of what steps log, and tells observers of none of it, where a {@link layer} is around.
 *
 * @example
 * ```ts
 * import { Pipeline, Step, StepLogs } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const login = Pipeline.make("login", Step.make("ask", Effect.log("a question"))).pipe(Effect.provide(StepLogs.layerOff))
 * ```
 *
 * @see {@link layer} for keeping it
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOff: Layer.Layer<never> = Layer.succeed(CurrentStepLogs, undefined)
