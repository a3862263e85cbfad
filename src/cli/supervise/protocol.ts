/**
 * What a supervised child tells its supervisor: one JSON object a line.
 *
 * Events are told as they are recorded, with no secrets in them. A line has at most
 * `maxLine` bytes.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SeverityJson } from "../../internal/alerts/json.ts"
import { bytes, fitEnd, fitMiddle } from "../../internal/text/fit.ts"
import { members } from "../../report/internal/events/eventJson.ts"
import { ExitCode } from "../request.ts"

/** In the child's environment: the number of the file descriptor to tell on. */
export const variable = "EPILOGUE_SUPERVISOR_FD"

/** Less than a pipe holds (64 KiB on Linux), so that telling seldom waits. */
export const maxLine = 32 * 1024

/**
 * Exit code 240 + i means: the child came to its end with codes[i], but had lost the pipe on which
 * to report that, because something in it closed the pipe. Programs rarely use codes in this range.
 */
const unheard: { readonly first: number; readonly codes: ReadonlyArray<number> } = {
  first: 240,
  codes: Object.values(ExitCode)
}

/** The exit code that says so. */
export const toUnheard = (code: number): number => {
  const index = unheard.codes.indexOf(code)
  return index < 0 ? code : unheard.first + index
}

/** What it stands for, if it is one of these. */
export const fromUnheard = (code: number | undefined): number | undefined => unheard.codes[(code ?? 0) - unheard.first]

const maxCause = 8 * 1024
// as JSON, a character may take six bytes
const maxName = 200
const maxDepth = 16

const Told = Schema.Union([
  ...members,
  /** An alert was delivered. `named`: the alert itself says which step (or run) it is about. */
  Schema.TaggedStruct("Alerted", {
    runId: Schema.String,
    stepPath: Schema.Array(Schema.String),
    severity: SeverityJson,
    named: Schema.Boolean
  }),
  /** What the pipeline is called, before its run begins. */
  Schema.TaggedStruct("Loaded", { pipelineName: Schema.String }),
  /** A hook runs. Its `id` is of this process. */
  Schema.TaggedStruct("HookOpened", { id: Schema.Int, title: Schema.String, at: Schema.Finite }),
  Schema.TaggedStruct("HookClosed", { id: Schema.Int }),
  /** The child's main is over: what follows is no crash. */
  Schema.TaggedStruct("Closed", {})
])

export type Told = typeof Told.Type

export {
  /** An event as it is told. */
  toEventJson as toTold
} from "../../report/internal/events/eventJson.ts"

/** Always in the same way, so that paths stay comparable. */
const cutPath = (path: ReadonlyArray<string>): ReadonlyArray<string> =>
  (path.length > maxDepth ? [...path.slice(0, maxDepth - 2), "…", path.at(-1)!] : path).map(cutName)

const cutName = (name: string): string => fitEnd(name, maxName)

/** Where a line would be too long, what matters less goes: parameters, annotations, most of the cause. */
const fit = (told: Told, spare: boolean): object => {
  const entries = Object.entries(told).flatMap(([key, value]: [string, unknown]): Array<[string, unknown]> => {
    if (key === "params" || key === "annotations") return spare ? [] : [[key, value]]
    if (key === "cause") return [[key, fitMiddle(String(value), spare ? 512 : maxCause)]]
    return [[key, cut(value)]]
  })
  return Object.fromEntries(entries)
}

const cut = (value: unknown): unknown =>
  typeof value === "string"
    ? cutName(value)
    : Array.isArray(value)
    ? cutPath(value)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cut(part)]))
    : value

/** A line with its end. */
export const toLine = (told: Told): string => {
  const line = `${JSON.stringify(fit(told, false))}\n`
  return bytes(line) <= maxLine ? line : `${JSON.stringify(fit(told, true))}\n`
}

const decode = Schema.decodeUnknownOption(Told)

/** What a line says. Nothing where it is torn, or not ours. */
export const fromLine = (line: string): Told | undefined => {
  try {
    return Option.getOrUndefined(decode(JSON.parse(line)))
  } catch {
    return undefined
  }
}

/** Takes text in pieces, as it arrives, and gives on what each whole line says. */
export const reader = (onTold: (told: Told) => void): (piece: string) => void => {
  let rest = ""
  return (piece) => {
    const lines = (rest + piece).split("\n")
    // what is longer than any line is not ours, and need not be kept
    rest = lines.pop()!.slice(0, maxLine + 1)
    for (const line of lines) {
      const told = fromLine(line)
      if (told !== undefined) onTold(told)
    }
  }
}
