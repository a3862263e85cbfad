/**
 * Renders alerts as Block Kit of Slack, with the types of Slack's own package. All text is in elements that Slack shows
 * as they are: `rich_text` and `plain_text` know no markup, no mentions and no names of emojis, and need no escapes. So
 * what people copy is what was written.
 */
import type {
  KnownBlock,
  MessageAttachment,
  RichTextBlock,
  RichTextElement,
  RichTextLink,
  RichTextText
} from "@slack/types"
import type { AlertAction, Field, Severity } from "../../../Alert.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { parts } from "../channel/links.ts"
import { colors } from "../channel/severity.ts"
import { escape, fallback, type Parts } from "./fallback.ts"

/**
 * The pace of a bot. Slack accepts one message a second in a channel, and short bursts, but does not promise to store or
 * show all of these (https://docs.slack.dev/apis/web-api/rate-limits, "Posting messages").
 */
export const botPace: Pace = [{ count: 1, per: "1 second" }]

/**
 * The pace of a webhook: one message a second, and short bursts, without that reservation
 * (https://docs.slack.dev/apis/web-api/rate-limits, "Incoming webhooks"). How short is not documented. Some 25 were
 * measured (https://github.com/RamblingCookieMonster/PSSlack/issues/52), and few are enough for the alerts of one failure.
 */
export const webhookPace: Pace = [{ count: 1, per: "1 second", burst: 5 }]

/** The body of a webhook's request, and the arguments of `chat.postMessage` besides the channel. */
export interface Message {
  readonly text: string
  readonly blocks: Array<KnownBlock>
  readonly attachments: Array<MessageAttachment>
}

/** Keeps Slack from turning names into mentions, and from fetching previews of links. */
export const quiet = { parse: "none", link_names: false, unfurl_links: false, unfurl_media: false } as const

/** The longest title, which is one line. */
const maxTitle = 300
/**
 * The longest text of a part. `rich_text` has no limit of its own in https://docs.slack.dev/reference/block-kit/blocks/rich-text-block;
 * this is that of a section (https://docs.slack.dev/reference/block-kit/blocks/section-block).
 */
const maxText = 3000
const maxValue = 2000
const maxName = 200
/**
 * The most characters of all blocks, as JSON. Slack refuses about 13,000, in which it counts what is around the texts, too
 * (https://github.com/slackapi/bolt-js/issues/2509, https://github.com/slackapi/bolt-js/issues/2867). The documented limit
 * of 50 blocks (https://docs.slack.dev/reference/block-kit/blocks) is never reached: there are at most six.
 */
const maxBlocks = 12_000

/** The most of each part that is shown: characters of texts, and the number of fields and of links in each text. */
interface Limits {
  readonly detail: number
  readonly body: number
  readonly value: number
  readonly fields: number
  readonly links: number
}

const most: Limits = { detail: maxText, body: maxText, value: maxValue, fields: 100, links: 20 }
/** The length that each part keeps. Even if JSON escapes every character, it is less than the limit of all blocks. */
const least: Limits = { detail: 500, body: 500, value: 100, fields: 10, links: 0 }
const cutFirst: ReadonlyArray<keyof Limits> = ["detail", "body", "value", "fields", "links"]

/** The names of Slack's emojis. */
const symbols: Record<Severity, string> = {
  info: "information_source",
  success: "white_check_mark",
  warning: "warning",
  error: "x",
  critical: "rotating_light"
}

type Piece = RichTextText | RichTextLink

const bold = { style: { bold: true } }

/** Makes the elements of a text, with links for the first of its addresses. Slack makes no links of other elements. */
const pieces = (text: string, links: number, style: { readonly style?: { bold: boolean } } = {}): Array<Piece> =>
  parts(text, links).map(({ text, url }): Piece =>
    url === undefined ? { type: "text", text, ...style } : { type: "link", url, ...style }
  )

const section = (elements: Array<RichTextElement>): RichTextBlock => ({
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements }]
})

const preformatted = (elements: Array<Piece>): RichTextBlock => ({
  type: "rich_text",
  elements: [{ type: "rich_text_preformatted", elements }]
})

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
      const cleaned = { name: fitEnd(oneLine(one.name), maxName), value: clean(one.value) }
      if (!hasText(cleaned)) continue
      fields.push(cleaned)
    }
    count++
  }
  return { fields, count }
}

/** Slack refuses elements without text. */
const isBlank = (text: string): boolean => text.trim() === ""

const hasText = ({ name, value }: Field): boolean => !isBlank(name) || !isBlank(value)

/**
 * Makes a line of the actions. They are no buttons: Slack warns under a button, also under one that opens a page, where its
 * app takes no interactions, as that of a webhook does not (https://github.com/slackapi/node-slack-sdk/issues/869).
 */
const actionLine = (actions: ReadonlyArray<AlertAction>): RichTextBlock =>
  section(actions.flatMap(({ label, url }, index): Array<Piece> => [
    ...(index === 0 ? [] : [{ type: "text", text: " · " } as const]),
    { type: "link", text: label, url }
  ]))

/** Makes a line of each field, its name in bold. */
const lines = (
  { count, fields }: Shown,
  { fields: max, links, value: limit }: Limits,
  words: Words
): Array<Piece> => {
  const shown = count <= max ? fields : fields.slice(0, max - 1)
  const note: Array<Piece> = shown.length === count
    ? []
    : [{ type: "text", text: words.andMore(count - shown.length) }]
  return [
    ...shown.flatMap(({ name, value }, index) => {
      const end = index === count - 1 ? "" : "\n"
      const title: Array<Piece> = isBlank(name) ? [] : [{ type: "text", text: `${name}: `, ...bold }]
      return [...title, ...pieces(fitMiddle(value, limit) + end, links)]
    }),
    ...note
  ]
}

const blocksOf = (
  { actions, body, detail, fields: all, time, words }: Parts
): (limits: Limits) => ReadonlyArray<KnownBlock> => {
  const fields = shownFields(all)
  return (limits) => [
    ...(isBlank(body) ? [] : [section(pieces(fitMiddle(body, limits.body), limits.links))]),
    ...(fields.count === 0 ? [] : [section(lines(fields, limits, words))]),
    ...(isBlank(detail) ? [] : [preformatted(pieces(fitMiddle(detail, limits.detail), limits.links))]),
    ...(actions.length === 0 ? [] : [actionLine(actions)]),
    { type: "context", elements: [{ type: "plain_text", text: time, emoji: false }] }
  ]
}

/** Returns the blocks within the limit of characters, by cutting one part after the other. */
const fit = (
  blocks: (limits: Limits) => ReadonlyArray<KnownBlock>,
  room: number
): ReadonlyArray<KnownBlock> => {
  const fits = (limits: Limits) => JSON.stringify(blocks(limits)).length <= room
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

/**
 * Renders an alert: its title, and the rest beside a bar in the severity's colour, which only an attachment has. Beside
 * blocks Slack shows no text; notifications do, and so do receivers that know no blocks. An attachment with blocks may
 * have no text or fields of its own: Slack refuses both together (https://github.com/slackapi/bolt-js/issues/717).
 */
export const message = (alert: Dated, { time, words }: Pick<Channel, "time" | "words">): Message => {
  const title = fitEnd(oneLine(alert.title) || alert.severity, maxTitle)
  const symbol = symbols[alert.severity]
  const heading = section([
    { type: "emoji", name: symbol },
    ...(alert.url === undefined
      ? pieces(` ${title}`, 1, bold)
      : [{ type: "text", text: " " } as const, { type: "link", url: alert.url, text: title, ...bold } as const])
  ])
  const shown: Parts = {
    title,
    // cleaned once, since they may have megabytes
    body: clean(alert.body ?? ""),
    detail: clean(alert.detail ?? ""),
    fields: alert.fields,
    actions: alert.actions,
    links: linksOf(alert, words),
    time: time(alert.at),
    words
  }
  return {
    text: fallback(shown, `:${symbol}:`),
    blocks: [heading],
    attachments: [{
      color: colors[alert.severity],
      fallback: escape(title),
      blocks: [...fit(blocksOf(shown), maxBlocks - JSON.stringify([heading]).length)]
    }]
  }
}
