/** Renders alerts as Block Kit of Slack, with the types of Slack's own package. */
import type { KnownBlock, MessageAttachment, MrkdwnElement } from "@slack/types"
import type * as DateTime from "effect/DateTime"
import type { Field, Severity } from "../../../Alert.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import type { Dated } from "../channel/channel.ts"
import { parts } from "../channel/links.ts"
import { colors } from "../channel/severity.ts"

/** The body of a webhook's request, and the arguments of `chat.postMessage` besides the channel. */
export interface Message {
  readonly text: string
  readonly attachments: Array<MessageAttachment>
}

/** Keeps Slack from turning names into mentions, and from fetching previews of links. */
export const quiet = { parse: "none", link_names: false, unfurl_links: false, unfurl_media: false } as const

// https://docs.slack.dev/reference/block-kit/blocks/section-block
const maxSection = 3000
const maxFieldText = 2000
const fieldsPerSection = 10
const maxName = 200
/** The longest title, which is one line. https://docs.slack.dev/reference/methods/chat.postMessage advises 4,000 characters of text. */
const maxTitle = 300
/**
 * The most characters of all blocks. Slack refuses about 13,000 (https://github.com/slackapi/bolt-js/issues/2509).
 * The documented limit of 50 blocks (https://docs.slack.dev/reference/block-kit/blocks) is never reached: within this
 * one there are at most 13.
 */
const maxBlocks = 12_000

/** How much of each part is shown: characters of texts, escapes included, and the number of fields. */
interface Limits {
  readonly detail: number
  readonly body: number
  readonly value: number
  readonly fields: number
}

const most: Limits = { detail: maxSection, body: maxSection, value: maxFieldText, fields: 100 }
/** The length that each part keeps. Even if JSON escapes every character, it is less than the limit of all blocks. */
const least: Limits = { detail: 500, body: 500, value: 100, fields: 10 }
const cutFirst: ReadonlyArray<keyof Limits> = ["detail", "body", "value", "fields"]

const symbols: Record<Severity, string> = {
  info: ":information_source:",
  success: ":white_check_mark:",
  warning: ":warning:",
  error: ":x:",
  critical: ":rotating_light:"
}

/** Escapes angle brackets, which make mentions and links: https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

const escapedLength = (text: string): number => escape(text).length

// Marks of bold, italic, struck text and code; quotations, at the beginning of a line; and each colon with what may be
// an emoji's name.
const marks = /[*_~`]|^&gt;|:[\w+'-]*/gm

/**
 * Keeps a mark from being one, by a zero-width space, since Slack's markup has no escapes. A colon is one before the name
 * of an emoji and another colon (`:100:` in a file position).
 */
const plainMark = (mark: string, at: number, text: string): string => {
  if (mark === "&gt;") return `\u200b${mark}`
  if (!mark.startsWith(":")) return `${mark}\u200b`
  const isEmoji = mark.length > 1 && text[at + mark.length] === ":"
  return `:${isEmoji ? "\u200b" : ""}${mark.slice(1).replaceAll("_", "_\u200b")}`
}

/** Keeps a text from being markup. Addresses become links: `verbatim` keeps Slack from making any. */
const literal = (text: string): string =>
  parts(text).map(({ text, url }) =>
    url === undefined ? escape(text).replace(marks, plainMark) : `<${escape(url).replaceAll("|", "%7C")}>`
  ).join("")

const literalLength = (text: string): number => literal(text).length

/** Makes a text object. Without `verbatim`, names of people and channels would become mentions. */
const mrkdwn = (text: string): MrkdwnElement => ({ type: "mrkdwn", text, verbatim: true })

const section = (text: string): KnownBlock => ({ type: "section", text: mrkdwn(text) })

/** Makes a code block. Adjacent backticks are separated, since three would end it. */
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
  /** At most as many as can be shown, cleaned. */
  readonly fields: ReadonlyArray<Field>
  readonly count: number
}

/** Returns the fields that are not blank. Of thousands, those beyond the limit are counted, and not cleaned. */
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
  // cached by the limit of values, which most attempts to fit a message do not change
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

/** Returns the blocks within Slack's limit, by cutting one part after the other. */
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

/** Renders an alert: its title as the text, which notifications show, the rest beside a bar in the severity's colour. */
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
