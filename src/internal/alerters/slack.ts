/** Alerts as Slack's Block Kit, typed by Slack's own package. */
import type { KnownBlock, MessageAttachment, MrkdwnElement } from "@slack/types"
import type * as DateTime from "effect/DateTime"
import type { Field, Severity } from "../../Alert.ts"
import type { Dated } from "./channel.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "./text.ts"

/** The body of a webhook's request, and what `chat.postMessage` takes besides the channel. */
export interface Message {
  readonly text: string
  readonly attachments: Array<MessageAttachment>
}

// https://docs.slack.dev/reference/block-kit/blocks/section-block
const maxSection = 3000
const maxFieldText = 2000
const fieldsPerSection = 10
/** https://docs.slack.dev/reference/block-kit/blocks says 50 blocks a message; two are the body and the detail. */
const maxFieldSections = 47
/** A title is one line. https://docs.slack.dev/reference/methods/chat.postMessage advises 4,000 characters of text. */
const maxTitle = 300

const colors: Record<Severity, string> = {
  info: "#439fe0",
  success: "#2eb67d",
  warning: "#ecb22e",
  error: "#e01e5a",
  critical: "#7c1034"
}

const symbols: Record<Severity, string> = {
  info: ":information_source:",
  success: ":white_check_mark:",
  warning: ":warning:",
  error: ":x:",
  critical: ":rotating_light:"
}

/** Mentions and links have angle brackets: https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

const escapedLength = (text: string): number => escape(text).length

/** Slack's markup has no escapes of its own: a zero-width space after each of its marks keeps it from being one. */
const literal = (text: string): string => escape(text).replace(/[*_~`]/g, "$&\u200b")

const literalLength = (text: string): number => literal(text).length

/** `verbatim`, or names of people and channels would become mentions. */
const mrkdwn = (text: string): MrkdwnElement => ({ type: "mrkdwn", text, verbatim: true })

/** A code block, which three backticks would end. */
const code = (text: string): string => {
  const inside = (part: string) => escape(part).replace(/`(?=`)/g, "`\u200b")
  const limit = maxSection - "```\n\n```".length
  return "```\n" + inside(fitMiddle(clean(text), limit, (part) => inside(part).length)) + "\n```"
}

const field = ({ name, value }: Field): MrkdwnElement => {
  const title = literal(fitEnd(oneLine(name), 200, literalLength))
  return mrkdwn(`*${title}*\n${literal(fitMiddle(clean(value), maxFieldText - title.length - 3, literalLength))}`)
}

const fieldSections = (fields: ReadonlyArray<Field>): ReadonlyArray<KnownBlock> => {
  const room = maxFieldSections * fieldsPerSection
  const shown = fields.length <= room ? fields.map(field) : [
    ...fields.slice(0, room - 1).map(field),
    mrkdwn(`… and ${fields.length - room + 1} more`)
  ]
  return Array.from({ length: Math.ceil(shown.length / fieldsPerSection) }, (_, i): KnownBlock => ({
    type: "section",
    fields: shown.slice(i * fieldsPerSection, (i + 1) * fieldsPerSection)
  }))
}

/** The title as the text, which notifications show; the rest beside a bar of the severity's colour. */
export const message = (alert: Dated, time: (at: DateTime.Utc) => string): Message => {
  const title = literal(fitEnd(oneLine(alert.title), maxTitle, literalLength))
  const body = alert.body === undefined ? "" : literal(fitMiddle(clean(alert.body), maxSection, literalLength))
  const blocks: ReadonlyArray<KnownBlock> = [
    ...(body === "" ? [] : [{ type: "section", text: mrkdwn(body) } as const]),
    ...fieldSections(alert.fields),
    ...(alert.detail === undefined ? [] : [{ type: "section", text: mrkdwn(code(alert.detail)) } as const]),
    { type: "context", elements: [mrkdwn(escape(time(alert.at)))] }
  ]
  return {
    text: `${symbols[alert.severity]} *${title}*`,
    attachments: [{
      color: colors[alert.severity],
      fallback: escape(fitEnd(oneLine(alert.title), maxTitle, escapedLength)),
      blocks: [...blocks]
    }]
  }
}
