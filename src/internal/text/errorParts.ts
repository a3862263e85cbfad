/** Reads the parts of an error: its name, its message, its fields, its causes. Nothing that it holds makes this throw. */
import * as Cause from "effect/Cause"
import {
  attempt,
  isError,
  isProxy,
  nameOf,
  property,
  readOr,
  suppressedBy,
  tagOf,
  textProperty,
  Unreadable,
  unreadableWhy
} from "./read.ts"
import { type Left, ownParts, text } from "./redact.ts"
import { isSelfExplained } from "./selfExplained.ts"
import { count } from "./words.ts"

/** A field of an error, as text. */
export interface ErrorField {
  readonly name: string
  readonly value: string
}

/** The number of causes, of members and of parallel errors that are shown. */
export const most = 10

const mostFields = 20
export const longestMessage = 10_000
export const longestField = 1_000

/** An error as far as it can be read. */
export interface Described {
  readonly name: string | undefined
  /** May be empty. */
  readonly message: string
  readonly fields: ReadonlyArray<ErrorField>
  /** The error, or the value that a promise was rejected with. */
  readonly value: unknown
  readonly hasFrames: boolean
}

/** Describes a value by a message alone. */
const messageAlone = (message: string, value?: unknown): Described => ({
  name: undefined,
  message,
  fields: [],
  value,
  hasFrames: false
})

export const describe = (error: unknown): Described => {
  const value = rejection(error)
  const described = Unreadable.is(value) ? value : attempt(() => describeValue(value))
  return Unreadable.is(described) ? messageAlone(unreadableWhy(described)) : described
}

/**
 * Returns what a promise was rejected with, where effect has wrapped it in an error that says nothing, and the error of
 * a `Cause` that was taken for one.
 */
export const rejection = (error: unknown): unknown => {
  for (let at = error, i = 0; i < most; i++) {
    if (isCause(at)) at = squash(at)
    if (typeof at !== "object" || at === null || tagOf(at) !== "UnknownError") return at
    const message = property(at, "message")
    const wraps = !message || (typeof message === "string" && message.startsWith("An error occurred in Effect."))
    const cause = property(at, "cause")
    if (!wraps || Unreadable.is(cause)) return at
    at = cause
  }
  return error
}

const isCause = (value: unknown): value is Cause.Cause<unknown> => readOr(false, () => Cause.isCause(value))

/** Returns the error of a reason, if it has one. */
export const errorsOf = (reason: Cause.Reason<unknown>): ReadonlyArray<unknown> =>
  reason._tag === "Fail" ? [reason.error] : reason._tag === "Die" ? [reason.defect] : []

/** Returns the error of a cause, or one whose members are its errors. */
const squash = (cause: Cause.Cause<unknown>): unknown => {
  const errors = cause.reasons.flatMap(errorsOf)
  // without a stack, which would be that of this function
  return errors.length > 1
    ? Object.assign(new AggregateError(errors), { stack: "" })
    : [...errors, "interrupted"][0]
}

const describeValue = (value: unknown): Described => {
  const isOpaque = typeof value !== "object" || value === null
  if (isOpaque || !isErrorLike(value)) return messageAlone(shortened(shown(value)), value)
  const tag = tagOf(value)
  const ofError = isError(value)
  // a plain object may have a field `name` that is no error's
  const given = ofError || tag !== undefined ? nameOf(value) : undefined
  // a class of `Schema` has its identifier, as `effect/sql/SqlError`
  const name = tag !== undefined && (given === undefined || given === "Error" || given.endsWith(`/${tag}`))
    ? tag.slice(0, 200)
    : given ?? (ofError ? "Error" : undefined)
  const original = messageOf(value)
  // what engines and compilers write there
  const message = original.startsWith("An error was suppressed") ? "" : variablesOf(tag, original) ?? original
  const service = missingService(message)
  // a decision of a person, whose message is a sentence, and whose stack says nothing
  if (refusalOf(value) !== undefined) return messageAlone(message, value)
  return {
    name: service === undefined ? name : undefined,
    message: service === undefined ? message : `it needs the service ${service}, which nothing provides`,
    fields: isSelfExplained(value) ? [] : fieldsOf(value, ofError && tag === undefined),
    value,
    hasFrames: true
  }
}

/** Whether a value has the parts of an error. Of all others the whole value is shown. */
const isErrorLike = (value: object): boolean => {
  if (isError(value) || tagOf(value) !== undefined) return true
  const message = property(value, "message")
  return Unreadable.is(message) || (typeof message === "string" && message !== "")
}

export const messageOf = (error: object): string => {
  const message = property(error, "message")
  if (message === undefined) return ""
  if (Unreadable.is(message)) return unreadableWhy(message)
  return shortened(typeof message === "string" ? message : shown(message))
}

const missing = /^Service not found: ([^\n(]+)/

export const missingService = (message: string): string | undefined => missing.exec(message)?.[1]?.trim()

/**
 * Returns which variables a `ConfigError` is about, and `undefined` for any other error. Effect says `Expected string` of
 * one that is not set, inside of the name of the error that is the cause.
 */
const variablesOf = (tag: string | undefined, message: string): string | undefined => {
  const lines = message.slice("SchemaError(".length, -1).split("\n")
  if (tag !== "ConfigError" || !lines[1]?.startsWith("  at [\"")) return undefined
  return lines.map((line, i) =>
    i % 2 === 1
      ? "; "
      // the path, joined as effect does for the environment
      : `${lines[i + 1]?.slice("  at [\"".length, -2).replaceAll("\"][\"", "_")}${
        line === "Expected string" || line === "Missing key" ? " is not set" : `: ${line}`
      }`
  ).join("").slice(0, -2)
}

/** Returns the tag of the decision in an error of a step that nobody approved: `Denied` or `TimedOut`. */
export const refusalOf = (error: unknown): string | undefined => {
  if (tagOf(error) !== "NotApproved" || !isSelfExplained(error as object)) return undefined
  return tagOf(property(error as object, "decision")) // a tagged value is an object
}

/**
 * Returns the fields of an error. Of an untagged one only texts and numbers, as `code` and `syscall` of system errors:
 * clients of HTTP add requests and responses to theirs.
 */
const fieldsOf = (error: object, simpleOnly: boolean): ReadonlyArray<ErrorField> => {
  // those of a DOMException are Bun's, which say where it was made
  if (isProxy(error) || error instanceof DOMException) return []
  const keys = attempt(() => [...placed(error), ...Object.keys(error)])
  if (Unreadable.is(keys)) return [{ name: "fields", value: unreadableWhy(keys) }]
  const fields: Array<ErrorField> = []
  let more = 0
  for (const key of keys) {
    if (ownParts.has(key) || key.startsWith("~") || key === "errors" && isError(error)) continue
    if (fields.length === mostFields) {
      more++
      continue
    }
    const value = property(error, key)
    if (simpleOnly && typeof value === "object" && value !== null) continue
    if (typeof value === "function" || value === undefined) continue
    // of one that is told by its reason, as a `SqlError`, only which it is
    const its = isError(value) && textProperty(value, "message")
    const told = its && its === textProperty(error, "message") && (tagOf(value) ?? nameOf(value))
    fields.push({ name: key.slice(0, 100), value: shortened(told || shown(value, [error]), longestField) })
  }
  return more === 0 ? fields : [...fields, { name: "…", value: `and ${more} more` }]
}

/**
 * Returns `line` and `column` where they are fields. Bun gives each error the place where it was made under these names,
 * which are not enumerable, and stay so when a field of that name takes another value.
 */
const placed = (error: object): ReadonlyArray<string> => {
  const [file, stack] = [property(error, "sourceURL"), property(error, "stack")]
  if (typeof file !== "string" || typeof stack !== "string" || !stack.includes(`${file}:`)) return []
  const place = stack.slice(stack.indexOf(`${file}:`) + file.length + 1).split(/[:)\n]/, 2)
  return ["line", "column"].filter((key, i) =>
    Object.getOwnPropertyDescriptor(error, key)?.enumerable === false && String(property(error, key)) !== place[i]
  )
}

/** Converts a value to bounded text, without its secrets. */
const shown = (value: unknown, within: ReadonlyArray<object> = []): string =>
  Unreadable.is(value)
    ? unreadableWhy(value)
    : readOr("<unreadable>", () => text(value, within, bounds()))

export const bounds = (): Left => ({ objects: 1_000, characters: longestMessage })

export const shortened = (text: string, limit = longestMessage): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}… ${count(text.length - limit)} characters left out`

/** Returns the next error of a chain, or `undefined` at its end. */
export const causeOf = (error: unknown): unknown => {
  if (typeof error !== "object" || error === null) return undefined
  const cause = property(error, "cause")
  if (cause === undefined || cause === null || variablesOf(tagOf(error), messageOf(error)) !== undefined) {
    return undefined
  }
  return rejection(cause)
}

/** Returns the first causes of an error. */
export const causesOf = (error: unknown, limit: number): ReadonlyArray<unknown> => {
  const causes: Array<unknown> = []
  let at = causeOf(rejection(error))
  for (; at !== undefined && causes.length < limit; at = causeOf(at)) causes.push(at)
  return causes
}

/** Returns the members of an `AggregateError`, or of a `SuppressedError`. */
export const membersOf = (error: unknown): ReadonlyArray<unknown> => {
  if (!isError(error)) return []
  const errors = suppressedBy(error) ?? property(error, "errors")
  return readOr(false, () => Array.isArray(errors)) ? errors as ReadonlyArray<unknown> : []
}
