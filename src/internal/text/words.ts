/** Short texts for people: counted nouns, errors and causes. */
import * as Cause from "effect/Cause"
import { text } from "./redact.ts"

/** Counts a noun, as in `1 step` and `2 steps`. */
export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

/** Formats an error without its stack, and without secrets in its fields. */
export const errorText = (error: unknown): string => {
  if (!(error instanceof Error)) return text(error)
  const { message, name } = error
  if (message === "") return name
  return name === "Error" || message.startsWith(name) ? message : `${name}: ${message}`
}

const missing = /^Service not found: ([^\n(]+)/

/**
 * Formats a cause: its errors by their messages, and its defects with their stacks. The text is that of the errors: it
 * has to be made printable where it is shown.
 */
export const causeText = (cause: Cause.Cause<unknown>): string => {
  const reasons = cause.reasons.flatMap((reason) => {
    if (reason._tag === "Fail") return [errorText(reason.error)]
    if (reason._tag === "Interrupt") return []
    const { defect } = reason
    const service = defect instanceof Error ? missing.exec(defect.message)?.[1]?.trim() : undefined
    if (service !== undefined) return [`it needs the service ${service}, which nothing provides`]
    return [defect instanceof Error ? Cause.pretty(Cause.die(defect)) : errorText(defect)]
  })
  return [...new Set(reasons)].join("\n") || "interrupted"
}

/** Formats a cause as one line: the first of {@link causeText}. */
export const causeLine = (cause: Cause.Cause<unknown>): string => {
  const [first = ""] = causeText(cause).trim().split(/[\r\n]/, 1)
  return first.trim()
}
