/** The parts that alerters share: the time of an alert, the caller's context, errors, and the console. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { Alert, type Severity } from "../../Alert.ts"
import { AlerterError, AlerterErrorReason, isAlerterError } from "../model/alerterError.ts"
import { isOwnInterruption } from "../model/asked.ts"
import { StepContext } from "../model/context.ts"
import { CurrentGuard } from "../model/secrets.ts"
import { rank, textSymbols } from "../model/severity.ts"
import { withoutUrls } from "../text/addresses.ts"
import type { Words } from "../text/alertWords.ts"
import { errorMessage } from "../text/errors.ts"
import { returnedNoEffect } from "../text/noEffect.ts"
import { printable, printableLine } from "../text/printable.ts"
import { colorsOn } from "../text/terminal.ts"
import { utc } from "../text/utc.ts"
import { cut } from "../text/words.ts"
import * as Writer from "../text/writer.ts"
import { CurrentLedger, entered } from "./ledger.ts"
import { reportExit, reporting, reportOf } from "./reports.ts"
import { CurrentWords } from "./words.ts"

/**
 * Posts an alert without secrets, with the current time if it has none, and with `address` if it has none. What is no
 * severity counts as an error. The ledger learns of a failure.
 */
export const timed = <E extends AlerterError, R>(
  input: Alert | string,
  post: (alert: Alert) => Effect.Effect<unknown, E, R>,
  channel = "alerter",
  address: (alert: Alert) => string | undefined = () => undefined
): Effect.Effect<void, E, R> =>
  Effect.withFiber((fiber) => {
    const made = Alert.make(input)
    // a program without types may give any text, of which no channel has a colour
    const given = rank(made.severity) < 0 ? made.with({ severity: "error" }) : made
    const shown = fiber.getRef(CurrentGuard)?.alert(given) ?? given
    const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
    const at = shown.at ?? utc(now)
    const url = shown.url ?? address(shown)
    const alert = at === shown.at && url === shown.url ? shown : shown.with({ at, url })
    return reporting((reported) => {
      if (reported !== undefined) reported.isSeen = true
      return entered(alert, channel, Effect.asVoid(post(alert)))
    })
  })

// The services that an alerter takes from its caller and not from its layer: the ledger of the post around, the parent
// span, log annotations, and the context by which a step that runs in a hook is known.
// The casts to keys of `never` are sound, since no layer promises these services.
const ofCaller = [
  CurrentLedger,
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

/**
 * Fails with the cause's error, or with one made of its message if it is no `AlerterError`. Keeps an interruption of the
 * fiber that runs it, and not that of something it waited for.
 */
export const failWith = (
  cause: Cause.Cause<unknown>,
  otherwise: (detail: string) => AlerterError
): Effect.Effect<never, AlerterError> => {
  if (Cause.hasInterruptsOnly(cause)) {
    return Effect.withFiber((fiber) =>
      isOwnInterruption(fiber, cause) ? Effect.interrupt : Effect.fail(otherwise("what it waited for was interrupted"))
    )
  }
  const error = Cause.squash(cause)
  if (isAlerterError(error)) return Effect.fail(error)
  const message = errorMessage(error)
  return Effect.flatMap(
    CurrentGuard,
    (guard) => Effect.fail(otherwise(withoutUrls(guard === undefined ? message : guard.text(message))))
  )
}

/** Posts so that every failure is an `AlerterError`. The message of an alerter that dies may contain an address. */
export const explained = <R>(
  channel: string,
  post: () => Effect.Effect<unknown, unknown, R>
): Effect.Effect<void, AlerterError, R> =>
  Effect.catchCause(
    Effect.asVoid(Effect.suspend(() => {
      const posting = post()
      return Effect.isEffect(posting)
        ? posting
        : returnedNoEffect("the function of the alerter returned", posting)
    })),
    (cause) =>
      failWith(cause, (detail) => new AlerterError({ channel, reason: AlerterErrorReason.Rejected({ detail }) }))
  )

/** Posts an alert to an alerter, which may be one of the user's own. The ledger learns of a failure. */
export const posted = (
  alert: Alert,
  alerter: { readonly post: (alert: Alert) => Effect.Effect<unknown, unknown> }
): Effect.Effect<void, AlerterError> =>
  reporting((reported) =>
    Effect.withFiber((fiber) =>
      Effect.onExit(
        entered(alert, "alerter", explained("alerter", () => alerter.post(alert))),
        (exit) =>
          Effect.sync(() => {
            // by an alerter of the user's own
            if (reported?.isSeen === false) reportExit(reportOf(alert, "alerter", fiber.context), exit)
          })
      )
    )
  )

// -----------------------------------------------------------------------------
// console
// -----------------------------------------------------------------------------

// SGR codes of ECMA-48, which all terminals know
const colors: Record<Severity, number> = { info: 36, success: 32, warning: 33, error: 31, critical: 35 }

/** Makes a title or a name one line: otherwise a title could look like several alerts. */
const line = (text: string): string => printableLine(text.trim())

/** Writes an alert to the console. */
export const print = (alert: Alert): Effect.Effect<void> =>
  Effect.flatMap(CurrentWords, (words) => Writer.print(render(alert, colorsOn("stdout"), words)))

/** The longest name of a field, and the longest that makes the column of names wider, in UTF-16 code units. */
const maxName = 200
const maxColumn = 40

// not `fitEnd`, which would make every program with an alerter larger
const short = (name: string): string => cut(name, maxName)

/** Renders an alert as lines of text. */
export const render = (alert: Alert, colored: boolean, words: Words): string => {
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
    ...(alert.url === undefined ? [] : [{ name: words.address, value: alert.url }]),
    ...alert.actions.map(({ label, url }) => ({ name: label, value: url })),
    ...alert.attachments.map(({ name }) => ({ name: words.notAttached, value: name }))
  ].map(({ name, value }) => ({ name: short(line(name)), value: printable(value) }))
  // one long name does not move the values of all others
  const width = fields.reduce((most, { name }) => name.length > maxColumn ? most : Math.max(most, name.length), 0)
  const below = " ".repeat(width + 4)
  for (const { name, value } of fields) lines.push(`  ${paint(2, name.padEnd(width))}  ${indent(value, below).trim()}`)
  if (alert.detail !== undefined) lines.push(indent(printable(alert.detail), "  │ "))
  return lines.join("\n")
}

const indent = (text: string, by: string): string => text.split("\n").map((line) => by + line).join("\n")
