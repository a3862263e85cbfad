/** Renders alerts as Telegram's HTML, and reads answers of its Bot API, with the types of grammY's package. */
import type { ApiMethods, ResponseParameters } from "@grammyjs/types"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isObject } from "effect/Predicate"
import type { Field, Severity } from "../../../Alert.ts"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { type Check, text } from "../../../internal/model/options.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { withoutTrailingSlashes } from "../../../internal/text/baseUrl.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { type Answer, type Failure, failure, type Http, type Read } from "../channel/http.ts"
import { symbols } from "../channel/severity.ts"

/**
 * Telegram accepts one message a second in a chat, and 20 a minute in a group
 * (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this). The ids of private chats are
 * numbers above 0.
 */
export const paceOf = (chatId: string | number): Pace => {
  const perSecond: Pace[number] = { count: 1, per: "1 second" }
  return Number(chatId) > 0 ? [perSecond] : [perSecond, { count: 20, per: "1 minute" }]
}

/** Checks the id of a chat. As a number it is not 0, which an empty variable is. */
export const chat: Check<string | number> = (what, value) =>
  typeof value !== "number"
    ? text(what, value)
    : Number.isInteger(value) && value !== 0
    ? []
    : [`${what} must be the id of a chat, got ${value}`]

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
/**
 * The most fields. Telegram renders 100 entities of a message (https://limits.tginfo.me/en), of which each name is one, and
 * each value with a mention another.
 */
const maxFields = 35
/** The most mentions that are code by themselves. The whole text is code where there are more. */
const maxMentions = 20
/** The length that each part keeps, which is enough to say how much is missing. */
const least = { detail: 120, body: 240 }
const valueLimits = [2048, 1024, 512, 256, 128, 64]

/** Escapes a text for HTML (https://core.telegram.org/bots/api#html-style). */
const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

/**
 * An `@` without a letter or digit before it, of which Telegram makes a mention, with all that follows: which characters
 * do not matter, since Telegram first drops some (U+202E, for one).
 */
const mentions = /(?<![A-Za-z0-9_])@\S*/g

const hasMention = (text: string): boolean => text.search(mentions) >= 0

const code = (text: string): string => `<code>${escape(text)}</code>`

/**
 * Makes HTML of a text, with its mentions as code, in which nobody is mentioned. Hashtags, commands and links, which
 * Telegram finds too, notify nobody and look as they were written.
 */
const literal = (text: string): string => {
  const found = [...text.matchAll(mentions)]
  if (found.length > maxMentions) return code(text)
  let from = 0
  const pieces = found.map(({ 0: mention, index }) => {
    const before = escape(text.slice(from, index))
    from = index + mention.length
    return before + code(mention)
  })
  return pieces.join("") + escape(text.slice(from))
}

/** Makes HTML of a text, all of it as code or none, so that it is one entity at most besides its style. */
const whole = (text: string, style = (html: string) => html): string =>
  hasMention(text) ? code(text) : style(escape(text))

/**
 * Makes a link. Not a button of the message: Telegram refuses all of a message with a button to an address that it does not
 * take, such as one of `localhost` (https://github.com/rubenlagus/TelegramBots/issues/302).
 */
const anchor = (html: string, url: string): string => `<a href="${escape(url).replaceAll("\"", "&quot;")}">${html}</a>`

interface Row {
  readonly name: string
  readonly value: string
}

const rowOf = ({ name, value }: Field): Row => ({
  name: fitEnd(oneLine(name), maxName),
  value: clean(value)
})

const rowsLength = (rows: ReadonlyArray<Row>): number =>
  rows.reduce((sum, { name, value }) => sum + name.length + value.length + ": \n".length, 0)

interface Rows {
  readonly rows: ReadonlyArray<Row>
  /** How many fields are left out. */
  readonly more: number
}

/** Fits the fields into the room: first by cutting their values, then by leaving fields out. */
const fitRows = (fields: ReadonlyArray<Field>, room: number, words: Words): Rows => {
  const all = fields.slice(0, maxFields).map(rowOf)
  const more = fields.length - all.length
  if (more === 0 && rowsLength(all) <= room) return { rows: all, more }
  const withNote = room - noteOf(fields.length, words).length
  const cut = (max: number) => all.map(({ name, value }) => ({ name, value: fitMiddle(value, max) }))
  for (const max of valueLimits) {
    const rows = cut(max)
    if (rowsLength(rows) <= withNote) return { rows, more }
  }
  const rows = cut(valueLimits.at(-1)!)
  while (rowsLength(rows) > withNote) rows.pop()
  return { rows, more: fields.length - rows.length }
}

const noteOf = (more: number, words: Words): string => more === 0 ? "" : `${words.andMore(more)}\n`

/** The text of a message: the detail is cut first, then the body, then the fields. */
const textOf = (alert: Dated, { time, words }: Pick<Channel, "time" | "words">): string => {
  const title = fitEnd(oneLine(alert.title), maxTitle)
  const at = time(alert.at)
  const body = clean(alert.body ?? "").trim()
  const detail = clean(alert.detail ?? "")
  // the parts are separated by empty lines
  const frame = `${symbols[alert.severity]} `.length + title.length + at.length + 4 * "\n\n".length
  const leastOf = (text: string, room: number) => Math.min(text.length, room)
  const actions = alert.actions.map(({ label, url }) => anchor(escape(label), url)).join(" · ")
  const actionsLength = alert.actions.reduce((sum, { label }) => sum + label.length + " · ".length, "\n\n".length)
  const room = maxText - frame - actionsLength
  const { more, rows } = fitRows(alert.fields, room - leastOf(detail, least.detail) - leastOf(body, least.body), words)
  const note = noteOf(more, words)
  const roomForTexts = room - rowsLength(rows) - note.length
  const shownBody = fitMiddle(body, roomForTexts - leastOf(detail, least.detail))
  const shownDetail = fitMiddle(detail, roomForTexts - shownBody.length)
  const bold = (html: string) => `<b>${html}</b>`
  const fields = rows.map(({ name, value }) => `${whole(`${name}:`, bold)} ${whole(value)}\n`).join("") + note
  return [
    `${symbols[alert.severity]} ${
      alert.url === undefined ? whole(title, bold) : anchor(bold(escape(title)), alert.url)
    }`,
    literal(shownBody),
    fields.trimEnd(),
    // nothing is a mention in it, nor a link
    shownDetail === "" ? "" : `<pre>${escape(shownDetail)}</pre>`,
    actions,
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
  shows: Pick<Channel, "time" | "words">
): Message => ({
  chat_id: chatId,
  ...(messageThreadId === undefined ? {} : { message_thread_id: messageThreadId }),
  text: textOf(alert, shows),
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

const numberOf = (u: unknown): number | undefined => typeof u === "number" && Number.isFinite(u) ? u : undefined

const parametersOf = (json: unknown): Readonly<Record<keyof ResponseParameters, unknown>> | undefined => {
  const parameters = isObject(json) ? json["parameters"] : undefined
  return isObject(parameters)
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
  if (!isObject(json) || json["ok"] !== false || status === 429) return undefined
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
  if (isObject(json) && json["ok"] === true) return Effect.succeed(json)
  return Effect.fail(
    understand(answer) ?? failure(AlerterErrorReason.Rejected({ status, detail: "this is no answer of the Bot API" }))
  )
}
