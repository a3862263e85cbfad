/** Alerts as Discord's embeds, typed by `discord-api-types`. */
import type {
  APIEmbed,
  APIEmbedField,
  RESTPostAPIChannelMessageJSONBody,
  RESTPostAPIWebhookWithTokenJSONBody
} from "discord-api-types/v10"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { Alert, Attachment, Field } from "../../../Alert.ts"
import type { AlerterError } from "../../../Alerter.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import { fitAttachments } from "../channel/attachments.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitFields } from "../channel/fields.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"
import { colors, symbols } from "../channel/severity.ts"

// https://docs.discord.com/developers/resources/message#embed-object-embed-limits. Discord counts
// characters, of which no text has more than UTF-16 code units.
const maxTitle = 256
const maxDescription = 4096
const maxFields = 25
const maxFieldName = 256
const maxFieldValue = 1024
const maxFooter = 2048
const maxTotal = 6000

// What of a part stays where others are long too.
const minDetail = 1000
const minBody = 500
const minFieldValue = 64

/** A field as short as this may have others beside it. */
const maxInline = 40

/** Discord refuses what has nothing to be seen, and takes this for a character. */
const blank = "\u200b"

const visible = (text: string): string => /[^\p{C}\p{Z}]/u.test(text) ? text : blank

// Each of Discord's marks (https://docs.discord.com/developers/reference#message-formatting and
// https://support.discord.com/hc/en-us/articles/210298617): anywhere, at the beginning of an address, and of an emoji's
// name, of which two are numbers. A backslash takes the meaning from any of them.
const marks = /[\\*_~`|<>[\]]|:(?=\/\/|(?:100|1234):|(?!\d+:)[\w+-]+:)/g

// The marks at the beginning of a line. Not found by looking behind each character, which would read all digits before
// it anew.
const lineMarks = /^([^\S\n\r\u2028\u2029]*)([-#+])/gm
const numberMarks = /^([^\S\n\r\u2028\u2029]*\d+)([.)])/gm

/** A backslash does not keep `@everyone` from being one, a space that can't be seen does. */
const mentions = /@(?=everyone|here|[!&]?\d)/g

const literal = (text: string): string =>
  text.replace(marks, "\\$&").replace(lineMarks, "$1\\$2").replace(numberMarks, "$1\\$2").replace(mentions, `@${blank}`)

const literalLength = (text: string): number => literal(text).length

/** Three backticks would end a code block. */
const inCode = (text: string): string => text.replace(/`(?=`)/g, `\`${blank}`)

const inCodeLength = (text: string): number => inCode(text).length

const codeMarks = "```\n\n```".length

const codeLength = (text: string): number => text.trim() === "" ? 0 : inCodeLength(text) + codeMarks

const code = (text: string, limit: number): string => {
  const fitting = fitMiddle(text, limit - codeMarks, inCodeLength)
  return fitting.trim() === "" ? "" : "```\n" + inCode(fitting) + "\n```"
}

const field = ({ name, value }: Field, limit: number): APIEmbedField => {
  const shown = visible(literal(fitMiddle(value, limit, literalLength)))
  return {
    name: visible(literal(fitEnd(name, maxFieldName, literalLength))),
    value: shown,
    inline: shown.length <= maxInline && !shown.includes("\n")
  }
}

const fieldsWithin = (fields: ReadonlyArray<Field>, room: number): ReadonlyArray<APIEmbedField> =>
  fitFields(fields, {
    room,
    maxFields,
    maxValue: maxFieldValue,
    minValue: minFieldValue,
    render: field,
    more: (count) => ({ name: "…", value: `and ${count} more`, inline: false }),
    size: ({ name, value }) => name.length + value.length
  })

const embed = (alert: Dated, time: (at: DateTime.Utc) => string): APIEmbed => {
  const symbol = `${symbols[alert.severity]} `
  const title = symbol + literal(fitEnd(oneLine(alert.title), maxTitle - symbol.length, literalLength))
  const footer = fitEnd(time(alert.at), maxFooter)
  const body = clean(alert.body ?? "").trim()
  const detail = clean(alert.detail ?? "").trimEnd()
  const room = maxTotal - title.length - footer.length

  const lineEnd = 1
  const keptDetail = Math.min(codeLengthUpTo(detail, minDetail), minDetail) + lineEnd
  const keptBody = body.length < minBody ? Math.min(literalLength(body), minBody) : minBody
  const fields = fieldsWithin(alert.fields, room - keptDetail - keptBody)
  const taken = fields.reduce((sum, { name, value }) => sum + name.length + value.length, 0)
  const left = Math.min(maxDescription, room - taken)
  const shownBody = literal(fitMiddle(body, left - keptDetail, literalLength))
  const shownDetail = code(detail, left - shownBody.length - lineEnd)
  const description = [shownBody, shownDetail].filter((part) => part !== "").join("\n")
  return {
    title,
    color: parseInt(colors[alert.severity].slice(1), 16),
    ...(description === "" ? {} : { description: visible(description) }),
    ...(fields.length === 0 ? {} : { fields: [...fields] }),
    footer: { text: footer },
    timestamp: DateTime.formatIso(alert.at)
  }
}

/** Not counted further than matters, for what may be megabytes. */
const codeLengthUpTo = (text: string, limit: number): number => codeLength(text.slice(0, limit))

/** What a webhook is sent. Mentions mention nobody, whatever the text. */
export const webhookMessage = (
  alert: Dated,
  time: (at: DateTime.Utc) => string
): RESTPostAPIWebhookWithTokenJSONBody => ({ embeds: [embed(alert, time)], allowed_mentions: { parse: [] } })

/**
 * What a bot sends. A message with the nonce of another of the past minutes is not shown again
 * (https://docs.discord.com/developers/resources/message#create-message), so a post that was not answered
 * can be sent once more. At most 25 characters.
 */
export const botMessage = (
  alert: Dated,
  time: (at: DateTime.Utc) => string,
  nonce: string
): RESTPostAPIChannelMessageJSONBody => ({
  embeds: [embed(alert, time)],
  allowed_mentions: { parse: [] },
  nonce,
  enforce_nonce: true
})

/**
 * Below the 20 MiB that Discord takes of each file where nobody pays for more, and the 10 MiB that it took before
 * (https://docs.discord.com/developers/reference#uploading-files).
 */
export const maxAttached = 8 << 20

/** The message, with the files beside it where there are any: as a form then, which JSON is a part of. */
const withFiles = (
  request: HttpClientRequest.HttpClientRequest,
  message: object,
  files: ReadonlyArray<Attachment>
): HttpClientRequest.HttpClientRequest => {
  if (files.length === 0) return HttpClientRequest.bodyJsonUnsafe(request, message)
  const form = new FormData()
  form.set("payload_json", JSON.stringify(message))
  files.forEach(({ content, mediaType, name }, n) =>
    // a copy, since a view of shared memory is none that a form takes
    form.set(`files[${n}]`, new Blob([new Uint8Array(content)], { type: mediaType }), name)
  )
  return HttpClientRequest.bodyFormData(request, form)
}

/** Sends an alert with its files, and without them where Discord takes it so alone: files need a permission of their own. */
export const send = (
  { http }: Channel,
  request: HttpClientRequest.HttpClientRequest,
  alert: Dated,
  messageOf: (alert: Dated) => object
): Effect.Effect<void, AlerterError> => {
  const files = alert.attachments
  const sent = http.send(withFiles(request, messageOf(alert), files))
  if (files.length === 0) return sent
  return Effect.catchIf(
    sent,
    ({ reason }) => reason._tag === "Unauthorized" || (reason._tag === "Rejected" && (reason.status ?? 0) < 500),
    ({ message }) =>
      Effect.tap(
        http.send(withFiles(request, messageOf(fitAttachments(alert, 0)), [])),
        () => Effect.logWarning("effect-epilogue: the files of an alert were not uploaded", message)
      )
  )
}

/** Not of Effect's `Random`, which a program may have given a seed: then each of its runs would have the same. */
export const makeNonce = (): string => crypto.randomUUID().replaceAll("-", "").slice(0, 25)

/**
 * The same in each repeat of a post. In each channel another, since Discord says that it compares the nonces of an
 * author, and not that it does so within a channel.
 */
export const nonceOf = (alert: Alert, channelId: string): Effect.Effect<string> => {
  const key = repeatKey(alert)
  return key === undefined
    ? Effect.sync(makeNonce)
    : Effect.map(sha256([channelId, key]), (digest) => digest.slice(0, 25))
}

/** https://docs.discord.com/developers/reference#user-agent asks for one of this form. */
export const userAgent = "DiscordBot (https://www.npmjs.com/package/effect-epilogue, 0.1.0)"

/** With an answer only when the message is saved: without `wait`, one that can't be is none that fails. */
export const waiting = (url: string): string => {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.searchParams.has("wait")) return url
  parsed.searchParams.append("wait", "true")
  return parsed.href
}
