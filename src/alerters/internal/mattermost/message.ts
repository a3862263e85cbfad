/** Renders alerts as message attachments of Mattermost (https://developers.mattermost.com/integrate/reference/message-attachments/). */
import type { Field } from "../../../Alert.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import { codeBlock } from "../../../internal/text/codeBlock.ts"
import { fitEnd } from "../../../internal/text/fit.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { bare, fitAlert } from "../channel/fitAlert.ts"
import { indented } from "../channel/html.ts"
import { escapeMarkdown, linkedMarkdown, markdownLink } from "../channel/markdown.ts"
import { colors, symbols } from "../channel/severity.ts"

/**
 * A server that limits rates takes 10 requests a second of an address, unless it is set otherwise
 * (https://docs.mattermost.com/configure/rate-limiting-configuration-settings.html). Most don't.
 */
export const pace: Pace = [{ count: 10, per: "1 second" }]

/** The body of a webhook's request (https://developers.mattermost.com/integrate/webhooks/incoming/#parameters). */
export interface Message {
  readonly channel?: string
  readonly username?: string
  readonly attachments: readonly [{
    /** The text that notifications show. */
    readonly fallback: string
    readonly color: string
    readonly title: string
    readonly title_link?: string
    readonly text: string
    readonly footer: string
  }]
}

/**
 * The longest message, in UTF-16 code units of JSON. Mattermost accepts texts of 16,383 characters, and splits longer ones
 * (https://developers.mattermost.com/integrate/webhooks/incoming/#tips-and-best-practices); for attachments it documents no
 * limit.
 */
const maxMessage = 16_383
const maxTitle = 300
const maxName = 200
const maxFields = 100
/** The most links of a text, each of which takes room in the message. */
const maxTextLinks = 10

/**
 * The `@` of a mention, which nothing escapes: Mattermost looks for mentions in the text that Markdown shows
 * (`mention_parser.go` and `notification.go` of https://github.com/mattermost/mattermost). The names of channels have `~`.
 */
const mentions = /(?<![A-Za-z0-9])@(?=[\w.-])/g

/** Keeps a text from mentioning anybody. */
const unmentioning = (text: string): string => text.replace(mentions, "@\u200b")

/** The colon before the name of an emoji, and the mark of a channel's name or a hashtag, which is none for CommonMark. */
const names = /:(?=(?!\d+:)[\w+-]+:)|(?<!\\)#/g

/** Shows a text as it is written. Mattermost reads `<…|…>`, as of Slack, before it reads Markdown: an entity is none. */
const literal = (text: string): string => unmentioning(escapeMarkdown(indented(text)).replace(names, "\\$&"))

/**
 * Whether a text would be changed in a block of code, too: Mattermost makes links of `<a|b>` and mentions of `<!channel>`
 * and `<@id>` wherever they are.
 */
const hasSlackMarkup = (text: string): boolean => /<[!@]|<[^<|]*\|/.test(text)

const code = (text: string): string => hasSlackMarkup(text) ? literal(text) : codeBlock(text)

const fieldLine = ({ name, value }: Field): string => {
  const shown = linkedMarkdown(value.trim(), maxTextLinks, literal)
  const title = fitEnd(name, maxName)
  return title === "" ? shown : `**${literal(title)}:** ${shown}`.trimEnd()
}

/** The parts of a message besides the alert. */
export interface Settings {
  readonly channel?: string | undefined
  readonly username?: string | undefined
}

type Shows = Pick<Channel, "time" | "words">

/** Renders an alert that is short enough. */
const write = (alert: Dated, { channel, username }: Settings, { time }: Shows): Message => {
  const heading = `${symbols[alert.severity]} ${fitEnd(alert.title, maxTitle)}`
  const fields = alert.fields.map(fieldLine).filter((line) => line !== "").join("\n")
  const detail = alert.detail?.trimEnd() ?? ""
  const actions = alert.actions.map(({ label, url }) => markdownLink(literal(label), url)).join(" · ")
  const text = [
    linkedMarkdown(alert.body?.trim() ?? "", maxTextLinks, literal),
    fields,
    detail === "" ? "" : code(detail),
    actions
  ]
  return {
    ...(channel === undefined ? {} : { channel }),
    ...(username === undefined ? {} : { username }),
    attachments: [{
      fallback: unmentioning(heading),
      color: colors[alert.severity],
      // a title that is a link is shown as it is, any other as Markdown
      ...(alert.url === undefined ? { title: literal(heading) } : {
        title: hasSlackMarkup(heading) ? heading.replaceAll("<", "‹") : heading,
        title_link: alert.url
      }),
      text: text.filter((part) => part !== "").join("\n\n"),
      footer: time(alert.at)
    }]
  }
}

/** Renders an alert within the limits. */
export const message = (alert: Dated, settings: Settings, shows: Shows): Message => {
  const size = (alert: Dated) => JSON.stringify(write(alert, settings, shows)).length
  return write(fitAlert(alert, maxMessage, size, shows.words, { maxFields }) ?? bare(alert), settings, shows)
}

/** Picks the message of an error answer, which is `{ id, message, detailed_error, request_id, status_code }`. */
export const said = (answer: object): string | undefined =>
  "message" in answer && typeof answer.message === "string" ? answer.message : undefined
