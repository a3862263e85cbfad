/** Alerts as Slack's Block Kit, typed by Slack's own package. */
import type { KnownBlock, MessageAttachment, MrkdwnElement } from "@slack/types"
import type * as DateTime from "effect/DateTime"
import type { Field, Severity } from "../../../Alert.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import type { Dated } from "../channel/channel.ts"
import { colors } from "../channel/severity.ts"

/** The body of a webhook's request, and what `chat.postMessage` takes besides the channel. */
export interface Message {
  readonly text: string
  readonly attachments: Array<MessageAttachment>
}

/** What stands in a text is neither a mention nor an address to look into. */
export const quiet = { parse: "none", link_names: false, unfurl_links: false, unfurl_media: false } as const

// https://docs.slack.dev/reference/block-kit/blocks/section-block
const maxSection = 3000
const maxFieldText = 2000
const fieldsPerSection = 10
const maxName = 200
/** A title is one line. https://docs.slack.dev/reference/methods/chat.postMessage advises 4,000 characters of text. */
const maxTitle = 300
/**
 * Slack says 50 blocks a message (https://docs.slack.dev/reference/block-kit/blocks), of which this leaves 13 at
 * most, and refuses blocks with some 13,000 characters in all (https://github.com/slackapi/bolt-js/issues/2509).
 */
const maxBlocks = 12_000

/** How much of each part is shown: of texts in characters as sent, and how many fields. */
interface Limits {
  readonly detail: number
  readonly body: number
  readonly value: number
  readonly fields: number
}

const most: Limits = { detail: maxSection, body: maxSection, value: maxFieldText, fields: 100 }
/** Even if JSON makes two characters of each of them, these are less than the blocks may have. */
const least: Limits = { detail: 500, body: 500, value: 100, fields: 10 }
const cutFirst: ReadonlyArray<keyof Limits> = ["detail", "body", "value", "fields"]

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

/**
 * Slack's markup has no escapes of its own. A zero-width space keeps marks from being ones: of bold, italic and
 * struck text and of code, of a quotation (at the start of a line), and of an emoji (`:100:` in a position).
 */
const literal = (text: string): string => escape(text).replace(/[*_~`]|^(?=&gt;)|:(?=[\w+'-]+:)/gm, "$&\u200b")

const literalLength = (text: string): number => literal(text).length

/** `verbatim`, or names of people and channels would become mentions. */
const mrkdwn = (text: string): MrkdwnElement => ({ type: "mrkdwn", text, verbatim: true })

const section = (text: string): KnownBlock => ({ type: "section", text: mrkdwn(text) })

/** A code block, which three backticks would end. */
const code = (text: string, limit: number): string => {
  const inside = (part: string) => escape(part).replace(/`(?=`)/g, "`\u200b")
  return "```\n" + inside(fitMiddle(text, limit - "```\n\n```".length, (part) => inside(part).length)) + "\n```"
}

const field = ({ name, value }: Field, limit: number): MrkdwnElement => {
  const title = literal(fitEnd(name, maxName, literalLength))
  const heading = title === "" ? "" : `*${title}*\n`
  return mrkdwn(heading + literal(fitMiddle(value, Math.min(limit, maxFieldText - heading.length), literalLength)))
}

interface Shown {
  /** No more than there may be, and fit to be shown. */
  readonly fields: ReadonlyArray<Field>
  readonly count: number
}

/** Those with something to show. Of thousands, those that are only counted are not cleaned. */
const shownFields = (all: ReadonlyArray<Field>): Shown => {
  const fields: Array<Field> = []
  let count = 0
  for (const one of all.filter(hasText)) {
    if (fields.length < most.fields) {
      const cleaned = { name: oneLine(one.name), value: clean(one.value) }
      if (!hasText(cleaned)) continue
      fields.push(cleaned)
    }
    count++
  }
  return { fields, count }
}

const fieldSections = ({ count, fields }: Shown): (limits: Limits) => ReadonlyArray<KnownBlock> => {
  // by the limit of values, which most of what is tried to make a message fit leaves as it is
  const cut = new Map<number, ReadonlyArray<MrkdwnElement>>()
  return ({ fields: max, value }) => {
    const all = cut.get(value) ?? fields.map((one) => field(one, value))
    cut.set(value, all)
    const shown = count <= max
      ? all
      : [...all.slice(0, max - 1), mrkdwn(`… and ${count - max + 1} more`)]
    return Array.from({ length: Math.ceil(shown.length / fieldsPerSection) }, (_, i): KnownBlock => ({
      type: "section",
      fields: shown.slice(i * fieldsPerSection, (i + 1) * fieldsPerSection)
    }))
  }
}

/** Slack refuses blocks without text. */
const isBlank = (text: string): boolean => text.trim() === ""

const hasText = ({ name, value }: Field): boolean => !isBlank(name) || !isBlank(value)

const blocksOf = (alert: Dated, time: string): (limits: Limits) => ReadonlyArray<KnownBlock> => {
  const body = clean(alert.body ?? "")
  const detail = clean(alert.detail ?? "")
  const sections = fieldSections(shownFields(alert.fields))
  return (limits) => [
    ...(isBlank(body) ? [] : [section(literal(fitMiddle(body, limits.body, literalLength)))]),
    ...sections(limits),
    ...(isBlank(detail) ? [] : [section(code(detail, limits.detail))]),
    { type: "context", elements: [mrkdwn(time)] }
  ]
}

/** As much as goes into the message, with one part after the other cut. */
const fit = (blocks: (limits: Limits) => ReadonlyArray<KnownBlock>): ReadonlyArray<KnownBlock> => {
  const fits = (limits: Limits) => JSON.stringify(blocks(limits)).length <= maxBlocks
  const limits = cutFirst.reduce((limits, part) => {
    if (fits(limits)) return limits
    let low = least[part]
    let high = limits[part]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (fits({ ...limits, [part]: middle })) low = middle
      else high = middle - 1
    }
    return { ...limits, [part]: low }
  }, most)
  return blocks(limits)
}

/** The title as the text, which notifications show; the rest beside a bar of the severity's colour. */
export const message = (alert: Dated, time: (at: DateTime.Utc) => string): Message => {
  const title = oneLine(alert.title) || alert.severity
  return {
    text: `${symbols[alert.severity]} *${literal(fitEnd(title, maxTitle, literalLength))}*`,
    attachments: [{
      color: colors[alert.severity],
      fallback: escape(fitEnd(title, maxTitle, escapedLength)),
      blocks: [...fit(blocksOf(alert, escape(time(alert.at))))]
    }]
  }
}
