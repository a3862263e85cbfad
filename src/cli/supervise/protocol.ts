/**
 * The messages of a supervised child to its supervisor: one JSON object a line, of at most `maxLine` bytes.
 *
 * Events are encoded as in records, without secrets.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AlertJson, SeverityJson } from "../../internal/alerts/json.ts"
import { bytes, fitEnd, fitMiddle } from "../../internal/text/fit.ts"
import { stopCodes } from "../../main/internal/signals.ts"
import { type EventJson, members } from "../../report/internal/events/eventJson.ts"
import { ExitCode } from "../request.ts"
import { cutPath, fitAlert } from "./fitAlert.ts"
import { fitPing, PingJson } from "./pingJson.ts"

/** The environment variable of the child with the number of the file descriptor to write to. */
export const variable = "EPILOGUE_SUPERVISOR_FD"

/** The environment variable of the child that says whether the supervisor has an alerter. */
export const postsVariable = "EPILOGUE_SUPERVISOR_POSTS"

/** The environment variable of the child that says whether the supervisor shows its runs. */
export const showsVariable = "EPILOGUE_SUPERVISOR_SHOWS"

/** Less than a pipe holds (64 KiB on Linux), so that writing seldom blocks. */
export const maxLine = 32 * 1024

/**
 * Exit code 240 + i means: the child came to its end with codes[i], but had lost the pipe on which
 * to report that, because something in it closed the pipe. Programs rarely use codes in this range.
 */
const lostCodes: { readonly first: number; readonly codes: ReadonlyArray<number> } = {
  first: 240,
  codes: [...new Set([...Object.values(ExitCode), ...stopCodes])]
}

/** Returns the exit code of a child that ended with `code` after it had lost the pipe. */
export const toLostCode = (code: number): number => {
  const index = lostCodes.codes.indexOf(code)
  return index < 0 ? code : lostCodes.first + index
}

/** Returns the `code` that such an exit code stands for, or `undefined` for others. */
export const fromLostCode = (code: number | undefined): number | undefined =>
  lostCodes.codes[(code ?? 0) - lostCodes.first]

const maxCause = 8 * 1024
// of a message with an alert, what is not the alert
const maxRest = 2 * 1024
// a character may take six bytes as JSON: `\u0000`
const maxName = 200

const Message = Schema.Union([
  ...members,
  /** An alert was delivered. `named`: the alert has a `source`, which names its step or run. */
  Schema.TaggedStruct("Alerted", {
    runId: Schema.String,
    stepLabels: Schema.Array(Schema.String),
    severity: SeverityJson,
    named: Schema.Boolean,
    /** Whether it tells of an interruption. */
    interrupted: Schema.optionalKey(Schema.Boolean)
  }),
  /** The name of the pipeline, before its run begins. */
  Schema.TaggedStruct("Loaded", { pipelineName: Schema.String }),
  /** Where the child records its runs. */
  Schema.TaggedStruct("Recording", { path: Schema.String, isFile: Schema.Boolean }),
  /** A durable run is being evaluated in this process, until `RunReleased`. */
  Schema.TaggedStruct("RunHeld", { pipelineName: Schema.String, runId: Schema.String, at: Schema.Finite }),
  Schema.TaggedStruct("RunReleased", { runId: Schema.String }),
  /** The answer to a signal that asks the child to stop: what becomes of its runs then. */
  Schema.TaggedStruct("Answer", { text: Schema.String }),
  /** The child has heard of a signal that asks it to stop. */
  Schema.TaggedStruct("Stopping", {}),
  /** The child has failed by itself, and interrupts its runs: by an error that nothing catches, for example. */
  Schema.TaggedStruct("Failing", { why: Schema.String, at: Schema.Finite }),
  /** A text that must not be shown, in none of its forms. */
  Schema.TaggedStruct("Secret", { value: Schema.String }),
  /** A hook has begun. Its `id` is unique in this process. */
  Schema.TaggedStruct("HookOpened", { id: Schema.Int, title: Schema.String, at: Schema.Finite }),
  Schema.TaggedStruct("HookClosed", { id: Schema.Int }),
  /**
   * Somebody in the child has taken an alert, and is responsible for it: a policy that holds it, or a channel that is to
   * deliver it. Its `id` is unique in this process.
   */
  Schema.TaggedStruct("AlertTaken", { id: Schema.Int, by: Schema.String, alert: AlertJson }),
  /** The alert was delivered, or is kept in a store; with `lost`, neither. */
  Schema.TaggedStruct("AlertSettled", {
    id: Schema.Int,
    lost: Schema.optionalKey(
      Schema.Struct({ channel: Schema.String, reason: Schema.String, message: Schema.String })
    )
  }),
  /** The ping of an end is on its way to a monitor, by its position. Its `id` is unique in this process. */
  Schema.TaggedStruct("PingTaken", { id: Schema.Int, monitor: Schema.Int, ping: PingJson }),
  /** The ping has arrived, or is lost. */
  Schema.TaggedStruct("PingSettled", { id: Schema.Int }),
  /**
   * The body of a step, or of the run where `index` is left out, runs, and these are its limits. They stand in for those
   * of an earlier message. Times are in milliseconds, `dueAt` since 1970; a deadline is in ISO 8601, with its zone.
   */
  Schema.TaggedStruct("OverdueWatched", {
    runId: Schema.String,
    index: Schema.optionalKey(Schema.Int),
    limits: Schema.Array(Schema.Struct({
      dueAt: Schema.Finite,
      limitMillis: Schema.Finite,
      every: Schema.optionalKey(Schema.Finite),
      deadline: Schema.optionalKey(Schema.String)
    }))
  }),
  /** The child has come late to a limit, and leaves it to the supervisor to post the alert. */
  Schema.TaggedStruct("OverdueLeft", {
    runId: Schema.String,
    index: Schema.optionalKey(Schema.Int),
    limitMillis: Schema.Finite,
    deadline: Schema.optionalKey(Schema.String)
  }),
  /** The main of the child has ended: an exit after this is no crash. */
  Schema.TaggedStruct("Closed", {})
])

/** A message to the supervisor. */
export type Message = typeof Message.Type

const events: ReadonlySet<string> = new Set(members.map(({ fields }) => fields._tag.schema.literal))

/** Returns whether a message is an event of a run. */
export const isEvent = (message: Message): message is Extract<Message, EventJson> => events.has(message._tag)

export {
  /** Encodes an event as a message. */
  toEventJson as toMessage
} from "../../report/internal/events/eventJson.ts"

const cutName = (name: string): string => fitEnd(name, maxName)

/** Shortens a message; with `spare`, it also drops parameters, annotations and most of the cause. */
const fit = (message: Message, spare: boolean): object => {
  // a text that is cut could not be found any more
  if (message._tag === "Secret") return message
  if (message._tag === "Failing") return { ...message, why: fitEnd(message.why, maxRest / 2) }
  if (message._tag === "Answer") return { ...message, text: fitEnd(message.text, maxRest / 2) }
  if (message._tag === "AlertTaken") {
    return { ...message, by: cutName(message.by), alert: fitAlert(message.alert, spare, maxLine - maxRest) }
  }
  if (message._tag === "PingTaken") return { ...message, ping: fitPing(message.ping, spare) }
  const entries = Object.entries(message).flatMap(([key, value]: [string, unknown]): Array<[string, unknown]> => {
    if (key === "params" || key === "annotations") return spare ? [] : [[key, value]]
    if (key === "message" && "logLevel" in message) return [[key, fitEnd(String(value), spare ? 512 : maxCause)]]
    if (key === "cause") return [[key, fitMiddle(String(value), spare ? 512 : maxCause)]]
    return [[key, cut(value)]]
  })
  return Object.fromEntries(entries)
}

const cut = (value: unknown): unknown => {
  if (typeof value === "string") return cutName(value)
  if (Array.isArray(value)) {
    return value.every((part) => typeof part === "string") ? cutPath(value, cutName) : value.map(cut)
  }
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cut(part)]))
}

/** Encodes a message as a line, with its line break. */
export const toLine = (message: Message): string => {
  const line = `${JSON.stringify(fit(message, false))}\n`
  return bytes(line) <= maxLine ? line : `${JSON.stringify(fit(message, true))}\n`
}

const decode = Schema.decodeUnknownOption(Message)

/** Decodes a line. Returns `undefined` if the line is torn, or written by something else. */
export const fromLine = (line: string): Message | undefined => {
  try {
    return Option.getOrUndefined(decode(JSON.parse(line)))
  } catch {
    return undefined
  }
}

/** Returns a function that takes text in pieces, as it arrives, and calls `onMessage` for the message of each whole line. */
export const reader = (onMessage: (message: Message) => void): (piece: string) => void => {
  let rest = ""
  return (piece) => {
    const lines = (rest + piece).split("\n")
    // a longer line is not a message: keeping its beginning bounds the memory
    rest = lines.pop()!.slice(0, maxLine + 1)
    for (const line of lines) {
      const message = fromLine(line)
      if (message !== undefined) onMessage(message)
    }
  }
}
