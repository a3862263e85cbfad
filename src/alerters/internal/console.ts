/** Alerts on a terminal. */
import * as Console from "effect/Console"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Alert } from "../../Alert.ts"
import { render } from "../../internal/alerts/alerter.ts"
import { localTime } from "../../internal/text/localTime.ts"

/** @internal */
export interface ConsoleOptions {
  readonly colors?: "auto" | "always" | "never" | undefined
  readonly stream?: "stdout" | "stderr" | undefined
  readonly timeZone?: DateTime.TimeZone | undefined
}

interface Process {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly stdout?: { readonly isTTY?: boolean }
  readonly stderr?: { readonly isTTY?: boolean }
}

/** Asked anew each time, as a console may be replaced. */
const colored = ({ colors, stream = "stdout" }: ConsoleOptions): boolean => {
  if (colors === "always" || colors === "never") return colors === "always"
  // a cast, since Node, Deno and Bun have it, and other runtimes do not
  const { process } = globalThis as { process?: Process }
  return process?.[stream]?.isTTY === true && !process.env?.["NO_COLOR"]
}

/** With the time in a zone at the end of the first line, where a zone is given. */
const text = (alert: Alert, { timeZone }: ConsoleOptions, colored: boolean): string => {
  if (timeZone === undefined || alert.at === undefined) return render(alert, colored)
  const time = localTime(alert.at, timeZone)
  const [first, ...others] = render(alert.with({ at: undefined }), colored).split("\n")
  return [`${first} ${colored ? `\u001b[2m${time}\u001b[0m` : time}`, ...others].join("\n")
}

/** @internal */
export const print = (alert: Alert, options: ConsoleOptions): Effect.Effect<void> =>
  Effect.suspend(() => {
    const shown = text(alert, options, colored(options))
    return options.stream === "stderr" ? Console.error(shown) : Console.log(shown)
  })
