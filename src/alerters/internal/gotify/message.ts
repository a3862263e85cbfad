/** Renders alerts as messages of Gotify, in Markdown (https://gotify.net/docs/msgextras). */
import type { Field, Severity } from "../../../Alert.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { codeBlock } from "../../../internal/text/codeBlock.ts"
import { fitEnd } from "../../../internal/text/fit.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { bare, fitAlert, jsonBytes } from "../channel/fitAlert.ts"
import { indented } from "../channel/html.ts"
import { escapeMarkdown, linkedMarkdown, markdownLink } from "../channel/markdown.ts"
import { symbols } from "../channel/severity.ts"

/** Gotify documents no limit of rates, and the server is the user's own: no more than a small one takes without effort. */
export const pace: Pace = [{ count: 5, per: "1 second" }]

/** A message (https://gotify.net/api-docs#/message/createMessage). */
export interface Message {
  readonly title: string
  readonly message: string
  readonly priority: number
  readonly extras: {
    readonly "client::display": { readonly contentType: "text/markdown" }
    /** The address that a tap on the notification opens. */
    readonly "client::notification"?: { readonly click: { readonly url: string } }
  }
}

/**
 * The longest text, in bytes. Gotify documents no limit, and stores texts in a column that holds 65,535 bytes in MySQL
 * (`model/message.go` of https://github.com/gotify/server). Phones show far less.
 */
const maxMessage = 16_000
const maxTitle = 250
const maxName = 200
const maxFields = 100
/** The most links of a text, each of which takes room in the message. */
const maxTextLinks = 10

/** Apps are silent below 4, make a sound from 4 on, and vibrate from 8 on (https://github.com/gotify/android#message-priorities). */
const priorities: Record<Severity, number> = { info: 1, success: 3, warning: 5, error: 8, critical: 10 }

/** Shows a text as it is written, with its line ends, which Markdown would join. */
const literal = (text: string): string => escapeMarkdown(indented(text)).replace(/\n/g, "  \n")

const fieldLine = ({ name, value }: Field): string => {
  const shown = linkedMarkdown(value.trim(), maxTextLinks, literal)
  const title = fitEnd(name, maxName)
  return title === "" ? shown : `**${literal(title)}:** ${shown}`
}

/** The parts of a message besides the alert. */
export interface Settings {
  readonly priorities?: { readonly [severity in Severity]?: number | undefined } | undefined
}

const textOf = (alert: Dated, { time }: Pick<Channel, "time">): string => {
  const detail = alert.detail?.trimEnd() ?? ""
  return [
    linkedMarkdown(alert.body?.trim() ?? "", maxTextLinks, literal),
    alert.fields.map(fieldLine).join("  \n"),
    detail === "" ? "" : codeBlock(detail),
    alert.actions.map(({ label, url }) => markdownLink(literal(label), url)).join(" · "),
    literal(time(alert.at))
  ].filter((part) => part !== "").join("\n\n")
}

/** Renders an alert within the limits. */
export const message = (
  alert: Dated,
  settings: Settings,
  { time, words }: Pick<Channel, "time" | "words">
): Message => {
  const size = (alert: Dated) => jsonBytes(textOf(alert, { time }))
  const fitting = fitAlert(alert, maxMessage, size, words, { maxFields }) ?? bare(alert)
  return {
    title: `${symbols[alert.severity]} ${fitEnd(fitting.title, maxTitle) || alert.severity}`,
    message: textOf(fitting, { time }),
    priority: settings.priorities?.[alert.severity] ?? priorities[alert.severity],
    extras: {
      "client::display": { contentType: "text/markdown" },
      ...(fitting.url === undefined ? {} : { "client::notification": { click: { url: fitting.url } } })
    }
  }
}

/** Picks the message of an error answer, which is `{ error, errorCode, errorDescription }`. */
export const said = (answer: object): string | undefined =>
  "errorDescription" in answer && typeof answer.errorDescription === "string"
    ? answer.errorDescription
    : "error" in answer && typeof answer.error === "string"
    ? answer.error
    : undefined
