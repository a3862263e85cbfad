/** Renders alerts as embeds of Discord, with the types of `discord-api-types`. */
import type {
  APIEmbed,
  APIEmbedField,
  RESTPostAPIChannelMessageJSONBody,
  RESTPostAPIWebhookWithTokenJSONBody
} from "discord-api-types/v10"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { Alert, AlertAction, Attachment, Field } from "../../../Alert.ts"
import type { AlerterError } from "../../../Alerter.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { fitAttachments } from "../channel/attachments.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitFields } from "../channel/fields.ts"
import type { Answer } from "../channel/http.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"
import { colors, symbols } from "../channel/severity.ts"

// https://docs.discord.com/developers/resources/message#embed-object-embed-limits. Discord counts
// characters; a text has at least as many UTF-16 code units, which are counted here.
const maxTitle = 256
const maxDescription = 4096
const maxFields = 25
const maxFieldName = 256
const maxFieldValue = 1024
const maxFooter = 2048
const maxTotal = 6000

// The length that each part keeps if the others are long too.
const minDetail = 1000
const minBody = 500
const minFieldValue = 64

/** The longest value of a field that is shown beside others, in one row. */
const maxInline = 40

/** Discord refuses names and values of fields that are empty or white space. */
const blank = "–"

const isVisible = (text: string): boolean => /[^\p{C}\p{Z}]/u.test(text)

const visible = (text: string): string => isVisible(text) ? text : blank

// The marks of Discord's markup (https://docs.discord.com/developers/reference#message-formatting and
// https://support.discord.com/hc/en-us/articles/210298617) that count anywhere, and each colon with what may be an
// emoji's name. A backslash escapes each mark.
const marks = /[\\*_~`|<>[\]]|:[\w+-]*/g

/** Escapes a mark, and a colon before a URL or an emoji's name, of which two are numbers. */
const escapeMark = (mark: string, at: number, text: string): string => {
  if (!mark.startsWith(":")) return `\\${mark}`
  const name = mark.slice(1)
  const isEmoji = text[at + mark.length] === ":" && (/\D/.test(name) || name === "100" || name === "1234")
  const isMark = name === "" ? text.startsWith("//", at + 1) : isEmoji
  return `${isMark ? "\\" : ""}:${name.replaceAll("_", "\\_")}`
}

// The marks that count at the beginning of a line. A lookbehind would read all digits before each character anew, in
// quadratic time.
const lineMarks = /^([^\S\n\r\u2028\u2029]*)([-#+])/gm
const numberMarks = /^([^\S\n\r\u2028\u2029]*\d+)([.)])/gm

/** Mentions, which a backslash does not escape. As code they are no mentions. Adjacent ones would end each other's code. */
const mentions = /((?:@(?:everyone|here)|<@[!&]?\d+>)+)/

const escaped = (text: string): string =>
  text.replace(marks, escapeMark).replace(lineMarks, "$1\\$2").replace(numberMarks, "$1\\$2")

const literal = (text: string): string =>
  text.split(mentions).map((part, index) => index % 2 === 0 ? escaped(part) : `\`${part}\``).join("")

const literalLength = (text: string): number => literal(text).length

const codeMarks = "```\n\n```".length

/** Three backticks would end a block of code. A text that has them is shown as any other. */
const endsCode = (text: string): boolean => text.includes("```")

const codeLength = (text: string): number =>
  text.trim() === "" ? 0 : endsCode(text) ? literalLength(text) : text.length + codeMarks

const code = (text: string, limit: number): string => {
  if (endsCode(text)) return literal(fitMiddle(text, limit, literalLength))
  const fitting = fitMiddle(text, limit - codeMarks)
  return fitting.trim() === "" ? "" : "```\n" + fitting + "\n```"
}

const field = ({ name, value }: Field, limit: number): APIEmbedField => {
  const shown = visible(literal(fitMiddle(value, limit, literalLength)))
  return {
    name: visible(literal(fitEnd(name, maxFieldName, literalLength))),
    value: shown,
    inline: shown.length <= maxInline && !shown.includes("\n")
  }
}

/** Makes a field of a link, with the name of its host to press. In its address, brackets would end it. */
const linkField = ({ label, url }: AlertAction): APIEmbedField => ({
  name: visible(literal(label)),
  value: `[${literal(fitEnd(new URL(url).host, maxHost))}](${url.replaceAll("(", "%28").replaceAll(")", "%29")})`,
  inline: true
})

const maxHost = 100

const sizeOf = (fields: ReadonlyArray<APIEmbedField>): number =>
  fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0)

const fieldsWithin = (
  fields: ReadonlyArray<Field>,
  maxFields: number,
  room: number,
  words: Words
): ReadonlyArray<APIEmbedField> =>
  fitFields(fields, {
    room,
    maxFields,
    maxValue: maxFieldValue,
    minValue: minFieldValue,
    render: field,
    more: (count) => ({ name: "…", value: words.moreFields(count), inline: false }),
    size: ({ name, value }) => name.length + value.length
  })

type Shows = Pick<Channel, "time" | "words">

const embed = (alert: Dated, { time, words }: Shows): APIEmbed => {
  const symbol = `${symbols[alert.severity]} `
  const title = symbol + literal(fitEnd(oneLine(alert.title), maxTitle - symbol.length, literalLength))
  const footer = fitEnd(time(alert.at), maxFooter)
  const body = clean(alert.body ?? "").trim()
  const detail = clean(alert.detail ?? "").trimEnd()
  const links = alert.actions.map(linkField)
  const room = maxTotal - title.length - footer.length - sizeOf(links)

  const lineEnd = 1
  const keptDetail = Math.min(codeLengthUpTo(detail, minDetail), minDetail) + lineEnd
  const keptBody = body.length < minBody ? Math.min(literalLength(body), minBody) : minBody
  const fields = fieldsWithin(alert.fields, maxFields - links.length, room - keptDetail - keptBody, words)
  const left = Math.min(maxDescription, room - sizeOf(fields))
  const shownBody = literal(fitMiddle(body, left - keptDetail, literalLength))
  const shownDetail = code(detail, left - shownBody.length - lineEnd)
  const description = [shownBody, shownDetail].filter((part) => part !== "").join("\n")
  return {
    title,
    ...(alert.url === undefined ? {} : { url: alert.url }),
    color: parseInt(colors[alert.severity].slice(1), 16),
    ...(isVisible(description) ? { description } : {}),
    ...(fields.length + links.length === 0 ? {} : { fields: [...fields, ...links] }),
    footer: { text: footer },
    timestamp: DateTime.formatIso(alert.at)
  }
}

/** Like {@link codeLength}, for the beginning of a text, which may have megabytes. */
const codeLengthUpTo = (text: string, limit: number): number => codeLength(text.slice(0, limit))

/** Renders the body of a webhook's request. `allowed_mentions` keeps the text from notifying anybody. */
export const webhookMessage = (
  alert: Dated,
  shows: Shows
): RESTPostAPIWebhookWithTokenJSONBody => ({ embeds: [embed(alert, shows)], allowed_mentions: { parse: [] } })

/**
 * Renders the body of a bot's request. Discord drops a message whose nonce (at most 25 characters) it has seen in the
 * past minutes (https://docs.discord.com/developers/resources/message#create-message), so a request that was not
 * answered can be sent again.
 */
export const botMessage = (
  alert: Dated,
  shows: Shows,
  nonce: string
): RESTPostAPIChannelMessageJSONBody => ({
  embeds: [embed(alert, shows)],
  allowed_mentions: { parse: [] },
  nonce,
  enforce_nonce: true
})

/**
 * The most bytes of attachments. Discord accepts 20 MiB per file on servers without a paid plan, formerly 10 MiB
 * (https://docs.discord.com/developers/reference#uploading-files).
 */
export const maxAttached = 8 << 20

/**
 * Discord accepts five messages in two seconds (https://github.com/discord/discord-api-docs/issues/367). Limits may
 * change, so that the headers of its answers count.
 */
const perRoute: Pace[number] = { count: 5, per: "2 seconds" }

/** The pace of a bot, to which the headers tell its limits. */
export const botPace: Pace = [perRoute]

/**
 * The pace of a webhook. The headers don't tell that a channel takes 30 messages of webhooks a minute, as its developers
 * say (https://github.com/discord/discord-api-docs/issues/367). Discord refuses the next one, and all for some 45 seconds
 * (https://github.com/discord/discord-api-docs/issues/4043).
 */
export const webhookPace: Pace = [perRoute, { count: 30, per: "1 minute" }]

/** Returns how long to wait before the next message: https://docs.discord.com/developers/topics/rate-limits#header-format */
const waitOf = (headers: Answer["headers"]): Duration.Duration | undefined => {
  const after = Number(headers["x-ratelimit-reset-after"])
  return headers["x-ratelimit-remaining"] === "0" && after > 0 && after < Infinity
    ? Duration.millis(Math.ceil(after * 1000))
    : undefined
}

/** Sets the request's body: JSON, or if there are files, a form with the JSON and the files as its parts. */
const withFiles = (
  request: HttpClientRequest.HttpClientRequest,
  message: object,
  files: ReadonlyArray<Attachment>
): HttpClientRequest.HttpClientRequest => {
  if (files.length === 0) return HttpClientRequest.bodyJsonUnsafe(request, message)
  const form = new FormData()
  form.set("payload_json", JSON.stringify(message))
  files.forEach(({ content, mediaType, name }, n) =>
    // a copy, since `Blob` accepts no view of shared memory
    form.set(`files[${n}]`, new Blob([new Uint8Array(content)], { type: mediaType }), name)
  )
  return HttpClientRequest.bodyFormData(request, form)
}

/** Sends an alert with its files. If Discord refuses, it is sent without them: files need an additional permission. */
export const send = (
  { http, words }: Channel,
  request: HttpClientRequest.HttpClientRequest,
  alert: Dated,
  messageOf: (alert: Dated) => object
): Effect.Effect<void, AlerterError> => {
  const files = alert.attachments
  const post = (alert: Dated, files: ReadonlyArray<Attachment>) =>
    http.send(withFiles(request, messageOf(alert), files), undefined, { exhausted: waitOf })
  const sent = post(alert, files)
  if (files.length === 0) return sent
  return Effect.catchIf(
    sent,
    ({ reason }) => reason._tag === "Unauthorized" || (reason._tag === "Rejected" && (reason.status ?? 0) < 500),
    ({ message }) =>
      Effect.tap(
        post(fitAttachments(alert, 0, words), []),
        () => Writer.logWarning("effect-epilogue: the files of an alert were not uploaded", message)
      )
  )
}

/** Returns a random nonce. Effect's `Random` is not used, since with a fixed seed all runs would have the same nonces. */
export const makeNonce = (): string => crypto.randomUUID().replaceAll("-", "").slice(0, 25)

/**
 * Returns the nonce of an alert, which is the same in each repeat of the post. It depends on the channel too: Discord
 * compares all nonces of an author, and does not document that it does so per channel.
 */
export const nonceOf = (alert: Alert, channelId: string): Effect.Effect<string> => {
  const key = repeatKey(alert)
  return key === undefined
    ? Effect.sync(makeNonce)
    : Effect.map(sha256([channelId, key]), (digest) => digest.slice(0, 25))
}

/** The form that https://docs.discord.com/developers/reference#user-agent requires. */
export const userAgent = "DiscordBot (https://www.npmjs.com/package/effect-epilogue, 0.1.0)"

/** Adds `wait` to a webhook's URL. Without it, Discord answers with success before it has saved the message. */
export const waiting = (url: string): string => {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.searchParams.has("wait")) return url
  parsed.searchParams.append("wait", "true")
  return parsed.href
}
