/**
 * Renders errors for people: for alerts, records, progress, logs and the command alike.
 *
 * **Details**
 *
 * Nothing that an error holds makes this throw, and the result has a bounded length: what can't be read is shown as
 * `<unreadable: why>`, long texts are cut, of chains of causes and of the members of an `AggregateError` the first ten
 * are shown. Secrets in fields are redacted as in parameters. The text is that of the errors: it has to be made
 * printable where it is shown.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import {
  causeOf,
  describe,
  type Described,
  type ErrorField,
  longestField,
  membersOf,
  messageOf,
  missingService,
  most,
  refusalOf,
  rejection
} from "./errorParts.ts"
import { foldedFrames } from "./frames.ts"
import { isError, isProxy, property, readOr, tagOf, Unreadable, unreadableWhy } from "./read.ts"
import { count, cut, joinLines } from "./words.ts"

export type { ErrorField }

/** The number of errors that are shown in all. */
const mostErrors = 50

/** How far a chain of causes is followed to say how many there are more. */
const mostCounted = 100_000

const longestText = 40_000

// -----------------------------------------------------------------------------
// one error
// -----------------------------------------------------------------------------

/**
 * Messages that say what failed and not why, which is in the cause: those of `fetch` on Node and Deno, of effect's clients
 * of HTTP, sockets and databases, of `Promise.any`, and of a required hook.
 */
const withoutReason =
  /^(?:fetch failed|(?:Transport|Encode|Decode) error \(.*|An error occurred during [A-Z].*|All promises were rejected|(?:\w+: )?Failed to [^:]*|required hook .* failed)$/

/** Returns the message of an error, and the reason for it where it says none; without one its fields, on one line. */
export const messageText = (described: Described, depth = 0): string => {
  const message = described.message.trim()
  if (message === "") return [inline(described.fields), because(described, depth)].filter(Boolean).join("; ")
  const reason = withoutReason.test(message) ? because(described, depth) : ""
  return reason === "" ? message : `${message}: ${reason}`
}

/** Returns the name of an error, with its {@link messageText}. */
const head = (described: Described, brief: boolean, depth = 0): string => {
  const { name } = described
  const told = messageText(described, depth)
  if (name === undefined) return told || "unknown failure"
  if (told === "") return name
  return brief && (name === "Error" || told.startsWith(name)) ? told : `${name}: ${told}`
}

/** Returns the reason for an error without one of its own: its cause, or its first member, on one line. */
const because = ({ message, value }: Described, depth: number): string => {
  const cause = depth < 3 ? causeOf(value) ?? property(membersOf(value), "0") : undefined
  if (cause === undefined) return ""
  const described = describe(cause)
  // as that of a `SqlError`, which says what it is of
  return message !== "" && described.message === message
    ? because(described, depth + 1)
    : lineOfError(described, true, depth + 1)
}

/** The fields that an error without a message is told by, on one line. */
const longestInline = 300

const inline = (fields: ReadonlyArray<ErrorField>): string => {
  const parts = fields.map(({ name, value }) => `${name} ${value}`)
  if (areInline(fields)) return parts.join(", ")
  return `${parts.join(", ").slice(0, longestInline).split("\n", 1)[0]}…`
}

const areInline = (fields: ReadonlyArray<ErrorField>): boolean =>
  fields.every(({ value }) => !value.includes("\n")) &&
  fields.reduce((length, { name, value }) => length + name.length + value.length + 3, 0) <= longestInline

/** Returns the fields that the head of an error does not show. */
const otherFields = ({ fields, message }: Described): ReadonlyArray<ErrorField> =>
  message.trim() === "" && areInline(fields) ? [] : fields

interface Options {
  /** Whether the name `Error`, which says nothing, is left out. */
  readonly brief: boolean
  readonly frames: boolean
  /** Whether the fields of the first error are shown, and not only those of its causes. */
  readonly fields: boolean
}

interface Budget {
  errors: number
  characters: number
}

const linesOf = (described: Described, options: Options, annotated: ReadonlyArray<string> = []): Array<string> => [
  head(described, options.brief),
  ...(options.fields ? otherFields(described).map(({ name, value }) => `    ${name} ${value}`) : []),
  ...(options.frames ? framesOf(described, annotated) : [])
]

const framesOf = (
  { hasFrames, message, name, value }: Described,
  annotated: ReadonlyArray<string>
): ReadonlyArray<string> => {
  if (!hasFrames || typeof value !== "object" || value === null) return annotated
  const stack = property(value, "stack")
  if (Unreadable.is(stack)) return [`    stack ${unreadableWhy(stack)}`, ...annotated]
  if (typeof stack !== "string") return annotated
  const original = property(value, "message")
  const frames: ReadonlyArray<string> = readOr(
    [],
    () =>
      foldedFrames(
        stack,
        typeof original === "string" ? original : message,
        tagOf(value) !== undefined || name === undefined
      )
  )
  const added = annotated.filter((line) => !frames.includes(line))
  const own = frames.filter((line) => !line.startsWith("    …"))
  return [...own, ...added, ...frames.slice(own.length)]
}

/** Renders an error, its members and its causes as lines. */
const render = (
  error: unknown,
  options: Options,
  left: Budget,
  annotated: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const add = (more: ReadonlyArray<string>) => {
    for (const line of more) {
      if (left.characters <= 0) return
      left.characters -= line.length + 1
      lines.push(line)
    }
  }
  const seen = new Set<unknown>()
  let described = describe(error)
  add(linesOf(described, options, annotated))
  add(renderMembers(described.value, options, left))
  let told = lines[0]!
  for (let i = 0;; i++) {
    const { value } = described
    seen.add(value)
    const cause = causeOf(value)
    if (cause === undefined || value === undefined) break
    if (seen.has(cause)) {
      add(["[cause]: an error from above, again"])
      break
    }
    if (i === most || left.errors-- <= 0) {
      add([`… and ${moreCauses(cause, seen)}`])
      break
    }
    described = describe(cause)
    // without frames a cause says nothing that a message that quotes it has not said
    if (!options.frames && told.includes(described.message) && described.message !== "") continue
    const [first = "", ...rest] = linesOf(described, { ...options, fields: true })
    add([`[cause]: ${first}`, ...rest])
    add(renderMembers(described.value, options, left))
    told += `\n${first}`
  }
  return lines
}

/**
 * Counts the causes from one on. Only those that are held, and not those that a getter makes: it may make a new one each
 * time, which costs a stack.
 */
const moreCauses = (from: unknown, seen: Set<unknown>): string => {
  let n = 0
  let at = from
  while (at !== undefined && !seen.has(at) && n < mostCounted) {
    seen.add(at)
    n++
    const held = heldCause(at)
    if (held === undefined && causeOf(at) !== undefined) return `at least ${count(n + 1)} more`
    at = held
  }
  return n === mostCounted ? `more than ${count(n)} more` : `${count(n)} more`
}

const heldCause = (error: unknown): unknown =>
  typeof error !== "object" || error === null || isProxy(error)
    ? undefined
    : readOr(undefined, () => Object.getOwnPropertyDescriptor(error, "cause")?.value ?? undefined)

const renderMembers = (error: unknown, options: Options, left: Budget): ReadonlyArray<string> => {
  const members = membersOf(error)
  const length = readOr(0, () => members.length)
  const lines: Array<string> = []
  let i = 0
  for (; i < Math.min(length, most) && left.errors > 0 && left.characters > 0; i++) {
    left.errors--
    const member = property(members, String(i))
    const [first = "", ...rest] = member === error
      ? ["the same error"]
      : render(member, { ...options, fields: true }, left)
    lines.push(`  [${i + 1} of ${length}]: ${first}`, ...rest.map((line) => `  ${line}`))
  }
  return length > i ? [...lines, `  … and ${count(length - i)} more errors`] : lines
}

/** Returns the message of an error, without its name; the name, or the fields, of one that has none. */
export const errorMessage = (error: unknown): string => {
  const described = describe(error)
  return described.message === "" ? head(described, true) : messageText(described)
}

/** Renders an error on one line, without its stack and without the name `Error`, which says nothing. */
export const errorText = (error: unknown): string => lineOfError(describe(error), true)

/** Errors of effect that say on their further lines which value they are about. */
const ofSeveralLines: ReadonlySet<string | undefined> = new Set(["SchemaError", "ConfigError"])

/** A first line that says nothing, as of issues in JSON. */
const isBracket = /^[[{]\r?\n/

const lineOfError = (described: Described, brief: boolean, depth = 0): string => {
  const text = head(described, brief, depth)
  if (isBracket.test(described.message)) return firstLine(joinLines(text))
  return firstLine(ofSeveralLines.has(described.name) ? joinLines(text, "; ").replaceAll("; at [", " at [") : text)
}

const firstLine = (text: string): string => cut(text.trimStart().split(/[\r\n]/, 1)[0]!.trim(), longestField)

// -----------------------------------------------------------------------------
// causes
// -----------------------------------------------------------------------------

type Failed = Cause.Fail<unknown> | Cause.Die

const failedOf = (cause: Cause.Cause<unknown>): ReadonlyArray<Failed> =>
  cause.reasons.filter((reason): reason is Failed => reason._tag !== "Interrupt")

const errorOf = (reason: Failed): unknown => reason._tag === "Fail" ? reason.error : reason.defect

const renderCause = (
  cause: Cause.Cause<unknown>,
  optionsOf: (reason: Failed, index: number) => Options
): string => {
  const reasons = failedOf(cause)
  const left = { errors: mostErrors, characters: longestText }
  const blocks = reasons.slice(0, most).map((reason, i) => {
    const options = optionsOf(reason, i)
    return render(errorOf(reason), options, left, options.frames ? spansOf(reason) : []).join("\n")
  })
  const more = reasons.length > most ? [`… and ${count(reasons.length - most)} more errors`] : []
  return [...new Set([...blocks, ...more])].filter(Boolean).join("\n")
}

/** Renders a cause with all that is known of it: fields, stacks, causes. For records, and as an alert's detail. */
export const causeDetail = (cause: Cause.Cause<unknown>, { fields = true } = {}): string =>
  renderCause(cause, (_, i) => ({ brief: false, frames: true, fields: fields || i > 0 })) || interrupted(cause)

/** Renders a cause for who runs the program: its errors without their stacks, and its defects with them. */
export const causeText = (cause: Cause.Cause<unknown>): string =>
  renderCause(cause, (reason) => {
    const isDefect = reason._tag === "Die" && missingServiceOf(reason) === undefined
    return { brief: !isDefect, frames: isDefect, fields: true }
  }) || interrupted(cause)

/** Renders a cause as one line: its first error, and how many there are besides. */
export const causeLine = (cause: Cause.Cause<unknown>): string => lineOf(cause, true)

/** As {@link causeLine}, with the name of any error, for the text of an alert. */
export const causeHeadline = (cause: Cause.Cause<unknown>): string => lineOf(cause, false)

const lineOf = (cause: Cause.Cause<unknown>, brief: boolean): string => {
  const reasons = failedOf(cause)
  const [first] = reasons
  if (first === undefined) return interrupted(cause)
  const line = lineOfError(describe(errorOf(first)), brief && first._tag === "Fail")
  return reasons.length === 1 ? line : `${line} (and ${count(reasons.length - 1)} more)`
}

const interrupted = (cause: Cause.Cause<unknown>): string =>
  cause.reasons.length === 0 ? "unknown failure" : "interrupted"

const missingServiceOf = (reason: Failed): string | undefined => {
  const error = errorOf(reason)
  return isError(error) ? missingService(messageOf(error)) : undefined
}

/**
 * Returns how a step is called that did not run since nobody approved it: somebody said no, or the time for an answer was
 * up. `undefined` for all other causes.
 */
export const refusalIn = (cause: Cause.Cause<unknown>): "not approved" | "not approved in time" | undefined => {
  const errors = failedOf(cause).map(errorOf)
  const decisions = errors.map(refusalOf)
  if (errors.length === 0 || decisions.includes(undefined)) return undefined
  return decisions.includes("Denied") ? "not approved" : "not approved in time"
}

/** Returns the fields of the first error that its headline does not show. */
export const causeFields = (cause: Cause.Cause<unknown>): ReadonlyArray<ErrorField> => {
  const [first] = failedOf(cause)
  return first === undefined ? [] : otherFields(describe(errorOf(first)))
}

/** Returns the tags of the tagged errors in a cause. */
export const causeTags = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => [
  ...new Set(failedOf(cause).slice(0, mostErrors).flatMap((reason) => tagOf(rejection(errorOf(reason))) ?? []))
]

/** Returns the frames of the spans and functions of effect that an error passed through. */
const spansOf = (reason: Failed): ReadonlyArray<string> =>
  readOr([], () => {
    const lines: Array<string> = []
    let frame = Context.getOrUndefined(
      Cause.reasonAnnotations(reason) as Context.Context<Cause.StackTrace>,
      Cause.StackTrace
    ) // any may lack it
    for (let i = 0; frame !== undefined && i < most; frame = frame.parent, i++) {
      const place = frame.stack()?.split("\n", 1)[0]?.trim().replace(/^at /, "") ?? ""
      const location = place.slice(place.lastIndexOf("(") + 1).replace(/\)$/, "").slice(0, 500)
      if (location !== "") lines.push(`    at ${frame.name} (${location})`)
    }
    return lines
  })
