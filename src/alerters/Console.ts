/**
 * Alerts on the console.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Layer from "effect/Layer"
import { Alerter } from "../Alerter.ts"
import * as internal from "./internal/console.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ConsoleOptions {
  /**
   * `"auto"` unless set: on a terminal, unless `NO_COLOR` is set
   * (https://no-color.org).
   */
  readonly colors?: "auto" | "always" | "never" | undefined
  /** `"stdout"` unless set. A script whose output is read by another says `"stderr"`. */
  readonly stream?: "stdout" | "stderr" | undefined
  /** In which times are shown. Without it they are shown as ISO 8601 has them, in UTC. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Writes to effect's `Console`, as `Alerter.layerConsole` does. Control characters are
 * left out, and what is for machines alone: `dedupeKey`, `idempotencyKey`, `tags` and
 * `source`.
 *
 * @example
 * ```ts
 * import { Console } from "effect-epilogue/alerters"
 * import { DateTime } from "effect"
 *
 * const alerter = Console.layer({ stream: "stderr", timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: ConsoleOptions = {}): Layer.Layer<Alerter> =>
  Alerter.layer((alert) => internal.print(alert, options), { channel: "console" })
