/** Finds the exception of an alert: the error and its stack that begin the detail. */
import { fitEnd } from "../../../internal/text/fit.ts"
import type { Dated } from "../channel/channel.ts"

/** A frame as https://develop.sentry.dev/sdk/foundations/transport/event-payloads/stacktrace/ describes it. */
export interface Frame {
  readonly function?: string
  readonly filename: string
  readonly lineno: number
  readonly colno?: number
  /** Whether it is of the user's code. */
  readonly in_app: boolean
}

/** An exception as https://develop.sentry.dev/sdk/foundations/transport/event-payloads/exception/ describes it. */
export interface Exception {
  readonly type: string
  readonly value: string
  readonly mechanism: { readonly type: "generic"; readonly handled: true }
  /** From the oldest call to that which failed. */
  readonly stacktrace: { readonly frames: ReadonlyArray<Frame> }
}

const maxFrames = 100
const maxName = 256
const maxValue = 4_000
/** The lines of a detail that are read. */
const maxLines = 300

const isFrame = (line: string): boolean => /^\s+at \S/.test(line)

/** A line in place of frames that were left out. */
const isFold = (line: string): boolean => /^\s+… \d/.test(line)

const frameOf = (line: string): Frame | undefined => {
  const text = line.trim().slice("at ".length)
  const open = text.endsWith(")") ? text.lastIndexOf("(") : -1
  const [caller, location] = open < 0
    ? ["", text.replace(/^async /, "")]
    : [text.slice(0, open).trim(), text.slice(open + 1, -1)]
  const [, file, row, column] = /^(.+?):(\d{1,9})(?::(\d{1,9}))?$/.exec(location) ?? []
  if (file === undefined) return undefined
  const filename = fitEnd(file.replace(/^file:\/\//, ""), maxName)
  return {
    ...(caller === "" ? {} : { function: fitEnd(caller, maxName) }),
    filename,
    lineno: Number(row),
    ...(column === undefined ? {} : { colno: Number(column) }),
    in_app: !/(^|[/\\])node_modules[/\\]|^(node|bun|ext|deno):/.test(filename)
  }
}

/** Returns the exception, or `undefined` where the detail begins with none, or with one that has no stack. */
export const exceptionOf = ({ detail }: Dated): Exception | undefined => {
  if (detail === undefined) return undefined
  const lines = detail.split("\n", maxLines)
  const from = lines.findIndex(isFrame)
  const [, type, message] = /^([A-Za-z_$][\w$.]*)(?:: ([^]*))?$/.exec(lines.slice(0, from).join("\n")) ?? []
  if (from < 1 || type === undefined) return undefined
  const rest = lines.slice(from)
  const end = rest.findIndex((line) => !isFrame(line) && !isFold(line))
  const frames = (end < 0 ? rest : rest.slice(0, end)).flatMap((line) =>
    (isFrame(line) ? frameOf(line) : undefined) ?? []
  )
  return frames.length === 0 ? undefined : {
    type: fitEnd(type, maxName),
    value: fitEnd(message ?? "", maxValue),
    mechanism: { type: "generic", handled: true },
    stacktrace: { frames: frames.slice(0, maxFrames).toReversed() }
  }
}
