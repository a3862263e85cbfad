/** The logger of the command. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Logger from "effect/Logger"
import { isRedacted } from "effect/Redacted"
import * as References from "effect/References"
import { inspect } from "node:util"
import { causeDetail } from "../../internal/text/errors.ts"
import { isError, readOr } from "../../internal/text/read.ts"
import { text } from "../../internal/text/redact.ts"
import { errBlock } from "../terminal.ts"

/** Whether what is logged has been written to standard error already, by something else. */
export const CurrentIsShown: Context.Reference<boolean> = Context.Reference<boolean>("effect-epilogue/cli/IsShown", {
  defaultValue: () => false
})

/**
 * Writes what `Effect.log` and its kind are given to standard error, in the format of effect's default logger. That one
 * prints text as it is, with the escape sequences in the message of an error.
 */
export const logger: Logger.Logger<unknown, void> = Logger.make(({ cause, date, fiber, logLevel, message }) => {
  if (fiber.getRef(CurrentIsShown)) return
  const parts = Array.isArray(message) ? [...message] : [message]
  if (cause.reasons.length > 0) parts.push(cause)
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  if (Object.keys(annotations).length > 0) parts.push(annotations)
  const spans = fiber.getRef(References.CurrentLogSpans).map(([label, start]) =>
    ` ${label.replace(/[\s="]/g, "_")}=${date.getTime() - start}ms`
  )
  errBlock(
    `[${timeOf(date)}] ${logLevel.toUpperCase()} (#${fiber.id})${spans.join("")}: ${parts.map(textOf).join(" ")}`
  )
})

const timeOf = (date: Date): string =>
  `${[date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":")}.${
    String(date.getMilliseconds()).padStart(3, "0")
  }`

const textOf = (part: unknown): string => {
  if (typeof part === "string") return part
  if (readOr(undefined, () => Cause.isCause(part))) return causeDetail(part as Cause.Cause<unknown>) // it is one
  if (isError(part)) return causeDetail(Cause.fail(part))
  return readOr(undefined, () => isRedacted(part) ? String(part) : inspect(part)) ?? text(part)
}
