/** Renders alerts as cards of Google Chat, whose texts are a subset of HTML (https://developers.google.com/workspace/chat/format-messages). */
import * as Effect from "effect/Effect"
import type { AlertAction, Field } from "../../../Alert.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { bytes, fitEnd } from "../../../internal/text/fit.ts"
import { escapeHtml } from "../../../internal/text/html.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { bare, fitAlert } from "../channel/fitAlert.ts"
import { anchor, indented } from "../channel/html.ts"
import { parts } from "../channel/links.ts"
import { repeatKey, sha256 } from "../channel/repeat.ts"
import { colors, symbols } from "../channel/severity.ts"

/**
 * A space takes 60 messages a minute, of all apps and webhooks together
 * (https://developers.google.com/workspace/chat/limits), and one a second of webhooks
 * (https://developers.google.com/workspace/chat/quickstart/webhooks).
 */
export const pace: Pace = [{ count: 1, per: "1 second" }]

/** A widget of a card (https://developers.google.com/workspace/chat/api/reference/rest/v1/cards#widget). */
type Widget =
  | { readonly textParagraph: { readonly text: string; readonly maxLines?: number } }
  | {
    readonly buttonList: {
      readonly buttons: ReadonlyArray<{
        readonly text: string
        readonly onClick: { readonly openLink: { readonly url: string } }
      }>
    }
  }

/** A message (https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages). */
export interface Message {
  /** The text that notifications show. */
  readonly fallbackText: string
  readonly cardsV2: ReadonlyArray<{
    readonly cardId: "alert"
    readonly card: { readonly sections: ReadonlyArray<{ readonly widgets: ReadonlyArray<Widget> }> }
  }>
  readonly thread?: { readonly threadKey: string }
}

/**
 * The largest message, in bytes of JSON. Google accepts 32,000 bytes, texts and cards together
 * (https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create). How it counts a card is
 * not documented.
 */
const maxMessage = 30_000
const maxTitle = 300
const maxName = 200
const maxFields = 100
/** The most links of a text, each of which takes room in the message. */
const maxTextLinks = 10
/** The lines of a detail that are shown at once. The others are behind a button. */
const maxLines = 15

/** Escapes a text. No tag of it is one, nor is `<users/all>` a mention. */
const html = (text: string): string => escapeHtml(text).replaceAll("\n", "<br>")

const linked = (text: string): string =>
  parts(text, maxTextLinks).map(({ text, url }) => url === undefined ? html(text) : anchor(html(text), url)).join("")

const paragraph = (text: string, maxLines?: number): Widget => ({
  textParagraph: { text, ...(maxLines === undefined ? {} : { maxLines }) }
})

const fieldLine = ({ name, value }: Field): string => {
  const shown = linked(value.trim())
  const title = fitEnd(name, maxName)
  return title === "" ? shown : `<b>${html(title)}:</b> ${shown}`.trimEnd()
}

const buttons = (links: ReadonlyArray<AlertAction>): Widget => ({
  buttonList: { buttons: links.map(({ label, url }) => ({ text: label, onClick: { openLink: { url } } })) }
})

/** Keeps a text from mentioning anybody where there is no escape. */
const unmentioning = (text: string): string => text.replace(/<(?=users\/)/g, "<\u200b")

type Shows = Pick<Channel, "time" | "words">

/** Renders an alert that is short enough. */
const write = (alert: Dated, thread: string | undefined, { time, words }: Shows): Message => {
  const heading = `${symbols[alert.severity]} ${fitEnd(alert.title, maxTitle)}`
  const title = `<b><font color="${colors[alert.severity]}">${html(heading)}</font></b>`
  const fields = alert.fields.map(fieldLine).filter((line) => line !== "").join("<br>")
  const body = alert.body?.trim() ?? ""
  const detail = alert.detail?.trimEnd() ?? ""
  const links = linksOf(alert, words)
  const widgets: ReadonlyArray<ReadonlyArray<Widget>> = [
    [
      paragraph(alert.url === undefined ? title : anchor(title, alert.url)),
      ...(body === "" ? [] : [paragraph(linked(body))]),
      ...(fields === "" ? [] : [paragraph(fields)])
    ],
    detail === "" ? [] : [paragraph(html(indented(detail)), maxLines)],
    [...(links.length === 0 ? [] : [buttons(links)]), paragraph(`<font color="#80868b">${html(time(alert.at))}</font>`)]
  ]
  return {
    fallbackText: unmentioning(heading),
    cardsV2: [{
      cardId: "alert",
      card: { sections: widgets.filter((some) => some.length > 0).map((widgets) => ({ widgets })) }
    }],
    ...(thread === undefined ? {} : { thread: { threadKey: thread } })
  }
}

/** Renders an alert within the limits. `thread` is the key of its thread. */
export const message = (alert: Dated, thread: string | undefined, shows: Shows): Message => {
  const size = (alert: Dated) => bytes(JSON.stringify(write(alert, thread, shows)))
  return write(fitAlert(alert, maxMessage, size, shows.words, { maxFields }) ?? bare(alert), thread, shows)
}

/**
 * Returns the key of the thread of an alert: the same for all that is about one subject, so that a recovery is a reply
 * to the failure, also from another process.
 */
export const threadOf = ({ dedupeKey }: Dated): Effect.Effect<string | undefined> =>
  dedupeKey === undefined || dedupeKey === "" ? Effect.undefined : sha256(dedupeKey)

/** Returns the id of a request, which is the same in each attempt, and in each repeat of a post with a key. */
export const requestIdOf = (alert: Dated): Effect.Effect<string> => {
  const key = repeatKey(alert)
  return key === undefined ? Effect.sync(() => crypto.randomUUID()) : sha256(key)
}

/** Returns whether the address of a webhook names the thread of its messages. */
export const hasThread = (url: string): boolean => URL.parse(url)?.searchParams.has("threadKey") === true

/**
 * Adds parameters to the address of a webhook: the id, by which Google recognizes a request that is sent again, and where
 * there is a thread, that its first message starts it.
 */
export const addressOf = (url: string, requestId: string, threaded: boolean): string => {
  const parsed = URL.parse(url)
  if (parsed === null) return url
  parsed.searchParams.set("requestId", requestId)
  if (threaded && !parsed.searchParams.has("messageReplyOption")) {
    parsed.searchParams.set("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")
  }
  return parsed.href
}

/** Picks the message of an error answer, which is `{ error: { code, message, status } }`. */
export const said = (answer: object): string | undefined => {
  if (!("error" in answer) || typeof answer.error !== "object" || answer.error === null) return undefined
  return "message" in answer.error && typeof answer.error.message === "string" ? answer.error.message : undefined
}
