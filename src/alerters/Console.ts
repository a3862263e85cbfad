/**
 * Prints alerts to the console.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Alert } from "../Alert.ts"
import { Alerter } from "../Alerter.ts"
import { render } from "../internal/alerts/alerter.ts"
import { CurrentWords } from "../internal/alerts/words.ts"
import { zoneMistakes } from "../internal/alerts/zone.ts"
import { checked, type Known } from "../internal/model/options.ts"
import type { Words } from "../internal/text/alertWords.ts"
import { localTime } from "../internal/text/localTime.ts"
import { colorsOn } from "../internal/text/terminal.ts"
import * as Writer from "../internal/text/writer.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsoleOptions {
  /**
   * Whether to print in colours. `"auto"` unless set: on a terminal, unless `NO_COLOR` is set
   * (https://no-color.org) or `TERM` is `dumb`. `FORCE_COLOR` turns colours on everywhere, and off with `0`.
   */
  readonly colors?: "auto" | "always" | "never" | undefined
  /** `"stdout"` unless set. Use `"stderr"` in a script whose output another program reads. */
  readonly stream?: "stdout" | "stderr" | undefined
  /** The time zone of the times in alerts. Unless set, they are shown as ISO 8601, in UTC. */
  readonly timeZone?: DateTime.TimeZone | undefined
}

/**
 * Prints alerts with effect's `Console`, as `Alerter.layerConsole` does, with options.
 *
 * **Details**
 *
 * Control characters, controls of the direction of text and invisible characters are shown, as `\u{1b}`, and in GitHub
 * Actions no line becomes a workflow command. Keys, tags and the source (`dedupeKey`, `idempotencyKey`,
 * `tags`, `source`) are not printed: they are for machines.
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
  Layer.suspend(() => {
    checked("console", options, optionNames)
    return Alerter.layer((alert) => print(alert, options), { channel: "console" })
  })

const optionNames: Known<ConsoleOptions> = { colors: 0, stream: 0, timeZone: zoneMistakes }

/** Renders the alert, with its time at the end of the first line where a time zone is set. */
const textOf = (alert: Alert, { timeZone }: ConsoleOptions, colored: boolean, words: Words): string => {
  if (timeZone === undefined || alert.at === undefined) return render(alert, colored, words)
  const time = localTime(alert.at, timeZone)
  const [first, ...others] = render(alert.with({ at: undefined }), colored, words).split("\n")
  return [`${first} ${colored ? `\u001b[2m${time}\u001b[0m` : time}`, ...others].join("\n")
}

const print = (alert: Alert, options: ConsoleOptions): Effect.Effect<void> =>
  Effect.flatMap(CurrentWords, (words) => {
    const { colors, stream = "stdout" } = options
    return Writer.print(textOf(alert, options, colorsOn(stream, colors), words), stream)
  })
