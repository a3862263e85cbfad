/** The parts that alerters share: the time of an alert, the caller's context, errors, and the console. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { Alert, type Severity } from "../../Alert.ts"
import { type AlerterError, isAlerterError } from "../model/alerterError.ts"
import { StepContext } from "../model/context.ts"
import { CurrentGuard } from "../model/secrets.ts"
import { textSymbols } from "../model/severity.ts"
import { withoutUrls } from "../text/addresses.ts"
import { errorMessage } from "../text/errors.ts"
import { printable, printableLine } from "../text/printable.ts"
import { colorsOn } from "../text/terminal.ts"
import * as Writer from "../text/writer.ts"

/** Posts an alert without secrets, and with the current time if it has none. */
export const timed = <E, R>(
  input: Alert | string,
  post: (alert: Alert) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, E, R> =>
  Effect.withFiber((fiber) => {
    const given = Alert.make(input)
    const alert = fiber.getRef(CurrentGuard)?.alert(given) ?? given
    if (alert.at !== undefined) return Effect.asVoid(post(alert))
    const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
    return Effect.asVoid(post(alert.with({ at: DateTime.makeUnsafe(now) })))
  })

// The services that an alerter takes from its caller and not from its layer: the parent
// span, log annotations, and the context by which a step that runs in a hook is known.
// The casts to keys of `never` are sound, since no layer promises these services.
const ofCaller = [
  StepContext,
  Tracer.ParentSpan,
  References.CurrentLogAnnotations,
  References.CurrentLogSpans
] as ReadonlyArray<Context.Key<unknown, unknown>> as ReadonlyArray<Context.Key<never, unknown>>

/** Merges the services of a layer over those of a caller, except for those that are always the caller's. */
export const calledFrom = <R>(layer: Context.Context<R>) => (caller: Context.Context<never>): Context.Context<R> =>
  ofCaller.reduce<Context.Context<R>>(
    (context, key) => Context.addOrOmit(context, key, Context.getOption(caller, key)),
    Context.merge(caller, layer)
  )

/** Fails with the cause's error, or with one made of its message if it is no `AlerterError`. Keeps an interruption. */
export const failWith = (
  cause: Cause.Cause<unknown>,
  otherwise: (detail: string) => AlerterError
): Effect.Effect<never, AlerterError> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
  const error = Cause.squash(cause)
  if (isAlerterError(error)) return Effect.fail(error)
  const message = errorMessage(error)
  return Effect.flatMap(
    CurrentGuard,
    (guard) => Effect.fail(otherwise(withoutUrls(guard === undefined ? message : guard.text(message))))
  )
}

// -----------------------------------------------------------------------------
// console
// -----------------------------------------------------------------------------

// SGR codes of ECMA-48, which all terminals know
const colors: Record<Severity, number> = { info: 36, success: 32, warning: 33, error: 31, critical: 35 }

/** Makes a title or a name one line: otherwise a title could look like several alerts. */
const line = (text: string): string => printableLine(text.trim())

/** Writes an alert to the console. */
export const print = (alert: Alert): Effect.Effect<void> =>
  Effect.suspend(() => Writer.print(render(alert, colorsOn("stdout"))))

/** The longest name of a field, and the longest that makes the column of names wider, in UTF-16 code units. */
const maxName = 200
const maxColumn = 40

// not `fitEnd`, which would make every program with an alerter larger
const short = (name: string): string => name.length <= maxName ? name : `${name.slice(0, maxName - 1).toWellFormed()}…`

/** Renders an alert as lines of text. */
export const render = (alert: Alert, colored: boolean): string => {
  const paint = (code: number, text: string) => colored ? `\u001b[${code}m${text}\u001b[0m` : text
  const time = alert.at === undefined ? "" : ` ${paint(2, DateTime.formatIso(alert.at))}`
  const lines = [
    `${paint(colors[alert.severity], `${textSymbols[alert.severity]} ${alert.severity.toUpperCase()}`)} ${
      paint(1, line(alert.title))
    }${time}`
  ]
  if (alert.body !== undefined) lines.push(indent(printable(alert.body), "  "))
  const fields = [
    ...alert.fields,
    ...alert.attachments.map(({ name }) => ({ name: "not attached", value: name }))
  ].map(({ name, value }) => ({ name: short(line(name)), value: printable(value) }))
  // one long name does not move the values of all others
  const width = fields.reduce((most, { name }) => name.length > maxColumn ? most : Math.max(most, name.length), 0)
  const below = " ".repeat(width + 4)
  for (const { name, value } of fields) lines.push(`  ${paint(2, name.padEnd(width))}  ${indent(value, below).trim()}`)
  if (alert.detail !== undefined) lines.push(indent(printable(alert.detail), "  │ "))
  return lines.join("\n")
}

const indent = (text: string, by: string): string => text.split("\n").map((line) => by + line).join("\n")
