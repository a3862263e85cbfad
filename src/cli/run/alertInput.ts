/** Makes an alert of the command line and of standard input. */
import * as Effect from "effect/Effect"
import process from "node:process"
import { Alert, type Field, type Severity } from "../../Alert.ts"
import type { ConfigIssue } from "../../config/internal/file/positions.ts"
import { severities } from "../../internal/model/severity.ts"
import { didYouMean, listed } from "../../internal/text/closest.ts"
import { clean, fitMiddle, oneLine } from "../../internal/text/fit.ts"
import type { AlertRequest } from "../request.ts"
import { err } from "../terminal.ts"

const commandLine = "the command line"

/** Makes an issue of a mistake on the command line. */
export const wrongFlag = (flag: string, found: string, expected: string): ConfigIssue => ({
  path: [flag],
  file: commandLine,
  position: undefined,
  found,
  expected
})

/** The parts of an alert that the command line has. The title is missing where that of a text is meant. */
interface Given {
  readonly title: string | undefined
  readonly severity: Severity
  readonly fields: ReadonlyArray<Field>
}

const isSeverity = (text: string): text is Severity => severities.some((severity) => severity === text)

/** Returns the parts of the alert, and all that is wrong with the command line. What is shown of it may be no secret. */
export const checked = (
  request: AlertRequest
): { readonly given: Given; readonly issues: ReadonlyArray<ConfigIssue> } => {
  const { body, dedupeKey, fields, flush, severity = "info", tags, test, title, url } = request
  const issues: Array<ConfigIssue> = []
  const others = [
    ...(title === undefined ? [] : ["--title"]),
    ...(body === undefined ? [] : ["--body"]),
    ...(request.severity === undefined ? [] : ["--severity"]),
    ...(tags.length === 0 ? [] : ["--tag"]),
    ...(fields.length === 0 ? [] : ["--field"]),
    ...(dedupeKey === undefined ? [] : ["--dedupe-key"]),
    ...(url === undefined ? [] : ["--url"]),
    ...(test ? ["--test"] : [])
  ]
  if (flush && others.length > 0) {
    issues.push(
      wrongFlag("--flush", others.join(", "), "no flag for an alert beside it, since it sends none of its own")
    )
  }
  if (!isSeverity(severity)) {
    const found = `${JSON.stringify(severity)}${didYouMean(severity, severities)}`
    issues.push(wrongFlag("--severity", found, `one of ${listed(severities)}`))
  }
  if (title?.trim() === "") issues.push(wrongFlag("--title", "an empty text", "a title"))
  if (dedupeKey?.trim() === "") issues.push(wrongFlag("--dedupe-key", "an empty text", "a key"))
  if (tags.some((tag) => tag.trim() === "")) issues.push(wrongFlag("--tag", "an empty text", "a tag"))
  // not shown, since an address may be a secret
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    issues.push(wrongFlag("--url", "another text", "an address that begins with https:// or http://"))
  }
  const parsed = fields.map((field): Field | undefined => {
    const equals = field.indexOf("=")
    const name = field.slice(0, Math.max(0, equals)).trim()
    return name === "" ? undefined : { name, value: field.slice(equals + 1) }
  })
  const wrong = parsed.indexOf(undefined)
  // not shown, since it may be a value without its name
  if (wrong >= 0) issues.push(wrongFlag("--field", `no name in the ${ordinal(wrong)} of them`, "NAME=VALUE"))
  return {
    given: {
      title: title === undefined ? undefined : oneLine(title),
      severity: isSeverity(severity) ? severity : "info",
      fields: parsed.filter((field) => field !== undefined)
    },
    issues
  }
}

const ordinal = (index: number): string => ["first", "second", "third"][index] ?? `${index + 1}th`

/** The most of a text that is sent: more than any channel takes. */
const longestText = 64 * 1024

/** The most that is kept of standard input while it is read. */
const longestInput = 32 * longestText

/** How long nothing may arrive before a line says that it is waited for, in milliseconds. */
const patience = 3_000

const waiting =
  "epilogue: waiting for the text of the alert on standard input. --body gives it, and < /dev/null an alert without one"

/**
 * Reads standard input to its end, unless it is a terminal. Of more than {@link longestInput} characters it keeps the
 * beginning and the end: a program that writes to it must not be stopped by a closed pipe.
 */
const readInput: Effect.Effect<string> = Effect.callback((resume) => {
  const half = longestInput / 2
  let head = ""
  let tail = ""
  let left = 0
  // a script that starts the command with a pipe, and writes nothing to it, would wait without knowing for what
  const hint = setTimeout(() => err(waiting), patience)
  const done = () => {
    clearTimeout(hint)
    resume(Effect.succeed(left === 0 ? head + tail : `${head}\n… ${left} characters left out …\n${tail}`))
  }
  const add = (chunk: string): void => {
    clearTimeout(hint)
    const room = half - head.length
    head += chunk.slice(0, Math.max(0, room))
    tail += chunk.slice(Math.max(0, room))
    if (tail.length <= 2 * half) return
    left += tail.length - half
    tail = tail.slice(-half)
  }
  // one that is closed, as of some services, or can't be read has no text; of a folder Bun throws where others have an event
  try {
    const { stdin } = process
    if (stdin.isTTY) return done()
    stdin.setEncoding("utf8")
    stdin.on("data", add).once("end", done).once("error", done)
    return Effect.sync(() => {
      clearTimeout(hint)
      stdin.destroy()
    })
  } catch {
    return done()
  }
})

/** The texts that `--test` sends unless the command line has others. */
const testTexts = {
  title: "Test of an alerter",
  body: "Sent by `epilogue alert --test`, to see whether alerts arrive here. Nothing has happened."
}

/** Makes the alert. `scrub` removes secrets from its text, before that is cut. Fails where there is nothing to send. */
export const alertOf = (
  request: AlertRequest,
  { fields, severity, title }: Given,
  scrub: (text: string) => string
): Effect.Effect<Alert, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function*() {
    const { dedupeKey, tags, test, url } = request
    const text = request.body ?? (test ? testTexts.body : yield* readInput)
    const whole = fitMiddle(clean(scrub(text)).trim(), longestText)
    const lines = whole.split("\n")
    const named = title ?? (test ? testTexts.title : oneLine(lines[0] ?? ""))
    if (named === "") {
      const none = wrongFlag(
        "--title",
        "neither a title nor a text",
        "a title, or a text by --body or on standard input"
      )
      // an empty title is a mistake that is known
      return yield* Effect.fail(title === undefined ? [none] : [])
    }
    const body = title === undefined && !test ? lines.slice(1).join("\n").trim() : whole
    return Alert.make({
      title: named,
      body: body === "" ? undefined : body,
      severity,
      fields,
      tags: [...tags.map((tag) => tag.trim()), ...(test ? ["test"] : [])],
      dedupeKey: dedupeKey?.trim(),
      url,
      // by which the places that it goes to are known
      idempotencyKey: globalThis.crypto.randomUUID()
    })
  })
