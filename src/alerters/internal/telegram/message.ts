/** Renders alerts as Telegram's HTML, and reads answers of its Bot API, with the types of grammY's package. */
import type { ApiMethods, ResponseParameters } from "@grammyjs/types"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Field, Severity } from "../../../Alert.ts"
import { AlerterErrorReason } from "../../../Alerter.ts"
import { withoutTrailingSlashes } from "../../../internal/text/baseUrl.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import type { Dated } from "../channel/channel.ts"
import { type Answer, type Failure, failure, type Http, type Read } from "../channel/http.ts"
import { symbols } from "../channel/severity.ts"

/** The parameters of `sendMessage`. */
export type Message = Parameters<ApiMethods<never>["sendMessage"]>[0]

// -----------------------------------------------------------------------------
// messages
// -----------------------------------------------------------------------------

/**
 * The longest text: https://core.telegram.org/bots/api#sendmessage says 4,096 characters after entities parsing, that
 * is, without the tags. Counted here in UTF-16 code units, of which there are at least as many as characters.
 */
const maxText = 4096
const maxTitle = 256
const maxName = 64
/** The most fields. Telegram renders 100 entities of a message (https://limits.tginfo.me/en), and each name is one. */
const maxFields = 60
/** The length that each part keeps, which is enough to say how much is missing. */
const least = { detail: 120, body: 240 }
const valueLimits = [2048, 1024, 512, 256, 128, 64]

/** Escapes a text for HTML (https://core.telegram.org/bots/api#html-style). */
const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

/**
 * Keeps an `@` from being a mention, by a zero-width space after it. Telegram makes a mention of each `@` without a
 * letter or digit before it. What follows does not matter, since Telegram first drops some characters (U+202E, for
 * one). Hashtags, commands and links, which Telegram finds too, notify nobody and look as they were written.
 */
const literal = (text: string): string => text.replace(/(?<![A-Za-z0-9_])@/g, "@\u200b")

const shown = (text: string): number => literal(text).length

interface Row {
  readonly name: string
  readonly value: string
}

const rowOf = ({ name, value }: Field): Row => ({
  name: literal(fitEnd(oneLine(name), maxName, shown)),
  value: clean(value)
})

const rowsLength = (rows: ReadonlyArray<Row>): number =>
  rows.reduce((sum, { name, value }) => sum + name.length + shown(value) + ": \n".length, 0)

interface Rows {
  readonly rows: ReadonlyArray<Row>
  /** How many fields are left out. */
  readonly more: number
}

/** Fits the fields into the room: first by cutting their values, then by leaving fields out. */
const fitRows = (fields: ReadonlyArray<Field>, room: number): Rows => {
  const all = fields.slice(0, maxFields).map(rowOf)
  const more = fields.length - all.length
  if (more === 0 && rowsLength(all) <= room) return { rows: all, more }
  const withNote = room - noteOf(fields.length).length
  const cut = (max: number) => all.map(({ name, value }) => ({ name, value: fitMiddle(value, max, shown) }))
  for (const max of valueLimits) {
    const rows = cut(max)
    if (rowsLength(rows) <= withNote) return { rows, more }
  }
  const rows = cut(valueLimits.at(-1)!)
  while (rowsLength(rows) > withNote) rows.pop()
  return { rows, more: fields.length - rows.length }
}

const noteOf = (more: number): string => more === 0 ? "" : `… and ${more} more\n`

/** The text of a message: the detail is cut first, then the body, then the fields. */
const textOf = (alert: Dated, time: (at: DateTime.Utc) => string): string => {
  const title = literal(fitEnd(oneLine(alert.title), maxTitle, shown))
  const at = time(alert.at)
  const body = clean(alert.body ?? "").trim()
  const detail = clean(alert.detail ?? "")
  // the parts are separated by empty lines
  const frame = `${symbols[alert.severity]} `.length + title.length + at.length + 4 * "\n\n".length
  const leastOf = (text: string, room: number) => Math.min(shown(text), room)
  const room = maxText - frame
  const { more, rows } = fitRows(alert.fields, room - leastOf(detail, least.detail) - leastOf(body, least.body))
  const note = noteOf(more)
  const roomForTexts = room - rowsLength(rows) - note.length
  const shownBody = literal(fitMiddle(body, roomForTexts - leastOf(detail, least.detail), shown))
  const shownDetail = fitMiddle(detail, roomForTexts - shownBody.length)
  const fields = rows.map(({ name, value }) => `<b>${escape(name)}:</b> ${escape(literal(value))}\n`).join("") + note
  return [
    `${symbols[alert.severity]} <b>${escape(title)}</b>`,
    escape(shownBody),
    fields.trimEnd(),
    // nothing is a mention in it, nor a link
    shownDetail === "" ? "" : `<pre>${escape(shownDetail)}</pre>`,
    `<i>${escape(at)}</i>`
  ].filter((part) => part !== "").join("\n\n")
}

/** The parts of a message besides the alert. */
export interface Settings {
  readonly messageThreadId?: number | undefined
  readonly silent?: ReadonlyArray<Severity> | undefined
}

const silentUnlessSet: ReadonlyArray<Severity> = ["info", "success"]

/** @internal */
export const message = (
  alert: Dated,
  chatId: string | number,
  { messageThreadId, silent }: Settings,
  time: (at: DateTime.Utc) => string
): Message => ({
  chat_id: chatId,
  ...(messageThreadId === undefined ? {} : { message_thread_id: messageThreadId }),
  text: textOf(alert, time),
  parse_mode: "HTML",
  link_preview_options: { is_disabled: true },
  disable_notification: (silent ?? silentUnlessSet).includes(alert.severity)
})

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

/** @internal */
export const methodUrl = (baseUrl: string, token: string, method: string): string =>
  `${withoutTrailingSlashes(baseUrl)}/bot${token}/${method}`

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> => typeof u === "object" && u !== null

const numberOf = (u: unknown): number | undefined => typeof u === "number" && Number.isFinite(u) ? u : undefined

const parametersOf = (json: unknown): Readonly<Record<keyof ResponseParameters, unknown>> | undefined => {
  const parameters = isRecord(json) ? json["parameters"] : undefined
  return isRecord(parameters)
    ? { migrate_to_chat_id: parameters["migrate_to_chat_id"], retry_after: parameters["retry_after"] }
    : undefined
}

/** Returns the new id of a group that has become a supergroup (https://core.telegram.org/bots/api#responseparameters). */
export const migratedTo = ({ json }: Answer): number | undefined => numberOf(parametersOf(json)?.migrate_to_chat_id)

/**
 * Reads an answer with `ok: false`, whatever its status (https://core.telegram.org/bots/api#making-requests). A
 * malformed token is answered with 404.
 */
export const refused = ({ detail }: Http) => ({ json, status }: Answer): Failure | undefined => {
  // with status 429, the caller reads how long to wait from the header too
  if (!isRecord(json) || json["ok"] !== false || status === 429) return undefined
  const code = numberOf(json["error_code"]) ?? status
  const said = detail(typeof json["description"] === "string" ? json["description"] : "")
  if (code === 401 || code === 403 || code === 404) return failure(AlerterErrorReason.Unauthorized({ detail: said }))
  if (code !== 429) return failure(AlerterErrorReason.Rejected({ status: code, detail: said }), code >= 500)
  const seconds = numberOf(parametersOf(json)?.retry_after)
  const retryAfter = seconds === undefined ? undefined : Duration.seconds(Math.max(0, seconds))
  return failure(AlerterErrorReason.RateLimited({ retryAfter }), true)
}

/** Reads an answer whose status is one of success: it succeeded only if it says `ok: true`. */
export const accepted = (
  http: Http,
  understand: (answer: Answer) => Failure | undefined = refused(http)
): Read<Readonly<Record<string, unknown>>> =>
(answer) => {
  const { json, status } = answer
  if (isRecord(json) && json["ok"] === true) return Effect.succeed(json)
  return Effect.fail(
    understand(answer) ?? failure(AlerterErrorReason.Rejected({ status, detail: "this is no answer of the Bot API" }))
  )
}
