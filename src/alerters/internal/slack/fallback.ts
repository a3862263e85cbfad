/**
 * Renders alerts as text, for Slack's notifications on phones, and for receivers that take Slack's webhooks and know no
 * blocks: Mattermost, Rocket.Chat, and Discord at `…/slack`.
 *
 * The text is code, since that is the one notation in which all of them show markup and emojis literally and copy what
 * was written, and in which Mattermost and Discord notify nobody.
 */
import type { AlertAction, Field } from "../../../Alert.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import { linkLines } from "../channel/links.ts"

/**
 * The longest text: Discord accepts 2,000 characters (https://docs.discord.com/developers/resources/webhook#execute-webhook).
 * Mattermost would split one of more than 16,383 inside the code.
 */
const maxText = 2000
const maxFields = 30
const maxValue = 300
/** The most characters of all fields, so that the body has room. */
const maxFieldsText = 700
/** Less of a detail than this says nothing. */
const minDetail = 100

/** Escapes for Slack's markup: https://docs.slack.dev/messaging/formatting-message-text#escaping */
export const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

/**
 * Matches the bracket of a mention or a link, which Slack and Mattermost read in code, too. Only that is
 * escaped: Slack shows the text nowhere but in notifications, and the others show an escape in code as it stands.
 */
const brackets = /<(?=[!@#]|[a-z][\w+.-]*:(?!:))/gi

/**
 * An `@` in which Rocket.Chat sees a mention, as it does in code (`MentionsParser.ts` of https://github.com/RocketChat/Rocket.Chat):
 * one at the beginning of a line, or after a space or an angle bracket.
 */
const mentions = /(?<=^|[\s>])@(?=\S)/gm

/** Keeps a text from being anything but itself inside code that begins and ends with three backticks. */
const inert = (text: string): string =>
  text.replace(brackets, "&lt;").replace(mentions, "\\@").replace(/`{3,}/g, (marks) => "'".repeat(marks.length))

const inertLength = (text: string): number => inert(text).length

/** The texts of an alert: title, body and detail are cleaned. */
export interface Parts {
  readonly title: string
  readonly body: string
  readonly detail: string
  readonly fields: ReadonlyArray<Field>
  readonly actions: ReadonlyArray<AlertAction>
  /** The address of the alert, and its actions. */
  readonly links: ReadonlyArray<AlertAction>
  readonly time: string
  readonly words: Words
}

const line = ({ name, value }: Field): string => {
  const title = oneLine(name)
  const shown = fitMiddle(clean(value).trim(), maxValue)
  return title === "" ? shown : `${title}: ${shown}`.trimEnd()
}

const linesOf = (fields: ReadonlyArray<Field>, words: Words): string => {
  const shown = fields.slice(0, maxFields).map(line).filter((text) => text !== "")
  return (fields.length > maxFields ? [...shown, words.andMore(fields.length - maxFields)] : shown).join("\n")
}

/** Renders the texts of an alert, with the symbol of its severity. */
export const fallback = ({ time, title, ...alert }: Parts, symbol: string): string => {
  const heading = `${symbol} \`${inert(title).replaceAll("`", "'")}\``
  const all = alert.body.trim()
  const fields = fitEnd(linesOf(alert.fields, alert.words), maxFieldsText, inertLength)
  const separator = "\n\n".length
  // shortened first, since the texts may have megabytes
  const links = linkLines([...alert.links.map(({ url }) => url), title, fitMiddle(all, maxText), fields])
  const frame = "\n```\n\n```\n".length + heading.length + time.length + links.length + 3 * separator
  const body = fitMiddle(all, maxText - frame - inertLength(fields), inertLength)
  const left = maxText - frame - inertLength(fields) - inertLength(body)
  const detail = left < minDetail ? "" : fitMiddle(alert.detail.trimEnd(), left, inertLength)
  const content = [body, fields, detail, time].filter((part) => part !== "").map(inert).join("\n\n")
  return `${heading}\n\`\`\`\n${content}\n\`\`\`${links === "" ? "" : `\n${links}`}`
}
