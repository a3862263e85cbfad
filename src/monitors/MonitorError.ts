/**
 * The error of a monitor whose options are wrong.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import { selfExplained } from "../internal/text/selfExplained.ts"

/**
 * A mistake in the options of a monitor. It does not show the value that was given, which may be a secret.
 *
 * @see {@link MonitorError} for the error that lists them
 *
 * @category errors
 * @since 0.1.0
 */
export interface MonitorMistake {
  /** The name of the option, as in `"url"`. */
  readonly option: string
  /** Completes "expected …". */
  readonly expected: string
}

/**
 * The fields of a {@link MonitorError}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface MonitorErrorFields {
  /** The name of the monitor: `"healthchecks"`, `"sentry"`, …. */
  readonly monitor: string
  /** All mistakes in its options. */
  readonly mistakes: Arr.NonEmptyReadonlyArray<MonitorMistake>
}

const MonitorErrorBase: new(
  fields: MonitorErrorFields
) => Cause.YieldableError & { readonly _tag: "MonitorError" } & MonitorErrorFields = selfExplained(
  Data.TaggedError("MonitorError")<MonitorErrorFields>
)

/**
 * The error of a monitor that can't be built, with everything that is wrong with its options.
 *
 * @example
 * ```ts
 * import { Healthchecks } from "effect-epilogue/monitors"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const built = Layer.build(Healthchecks.layer({ url: Redacted.make("hc-ping.com/7f6c2b9e"), every: 0 })).pipe(
 *   Effect.catchTag("MonitorError", ({ message }) => Effect.log(message)),
 *   Effect.scoped
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class MonitorError extends MonitorErrorBase {
  /** Names the monitor, and says which option is wrong and what it expects. */
  override get message(): string {
    return `${this.monitor}: ${
      this.mistakes.map(({ expected, option }) => `${option}: expected ${expected}`).join("; ")
    }`
  }
}
