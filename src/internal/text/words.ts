/** Short texts for people: counted nouns, and what went wrong. */
import * as Cause from "effect/Cause"
import { clean, oneLine } from "./fit.ts"
import { text } from "./redact.ts"

/** @internal */
export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

/** An error as text, without its stack and without secrets in its fields. */
export const errorText = (error: unknown): string => {
  if (!(error instanceof Error)) return text(error)
  const { message, name } = error
  if (message === "") return name
  return name === "Error" || message.startsWith(name) ? message : `${name}: ${message}`
}

const missing = /^Service not found: ([^\n(]+)/

/**
 * A cause as text: the messages of errors that were foreseen, and the stacks of those
 * that were not.
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
  return clean([...new Set(reasons)].join("\n")) || "interrupted"
}

/** The first line of {@link causeText}, for where there is little room. */
export const causeLine = (cause: Cause.Cause<unknown>): string => {
  const [first = ""] = causeText(cause).split("\n")
  return oneLine(first)
}
