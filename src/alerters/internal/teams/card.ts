/** Renders alerts as Adaptive Cards for Microsoft Teams, with the types of Microsoft's own package. */
import type { IAdaptiveCard, ICardElement, IFact, IFactSet } from "adaptivecards/lib/schema.js"
import type * as DateTime from "effect/DateTime"
import type { Field, Severity } from "../../../Alert.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine, type Size } from "../../../internal/text/fit.ts"
import type { Dated } from "../channel/channel.ts"
import { fitFields } from "../channel/fields.ts"
import { parts } from "../channel/links.ts"
import { symbols } from "../channel/severity.ts"

/** The message that the trigger of a workflow accepts. */
export interface Message {
  readonly type: "message"
  readonly attachments: ReadonlyArray<{
    readonly contentType: "application/vnd.microsoft.card.adaptive"
    readonly contentUrl: null
    readonly content: IAdaptiveCard
  }>
}

/**
 * The largest message, in bytes of JSON. Teams accepts "approximately 28 KB"
 * (https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams), counted after it has converted the
 * message, which makes it larger: in practice, no more than 20.7 KB pass (https://stackoverflow.com/q/58474127).
 */
const maxMessage = 20_000

const maxTitle = 300
const maxFields = 50
const maxFieldName = 100
const maxFieldValue = 2000

// The length that each part keeps if the others are long too.
const minDetail = 4000
const minBody = 2000
const minFieldValue = 100

const styles: Record<Severity, string> = {
  info: "accent",
  success: "good",
  warning: "warning",
  error: "attention",
  critical: "attention"
}

/** Keeps Teams from formatting `{{DATE(…)}}`, by a zero-width space between the braces. */
const undated = (text: string): string => text.replace(/\{(?=\{)/g, "{\u200b")

/** Counts the bytes of an escaped text inside a JSON string. */
const encoded = (escape: (text: string) => string): Size => (text) => bytes(JSON.stringify(escape(text))) - 2

const undatedSize = encoded(undated)

/**
 * Makes an element that shows a text literally: a `RichTextBlock` renders no Markdown
 * (https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features).
 */
const text = (content: string, style: Readonly<Record<string, unknown>> = {}): ICardElement => ({
  type: "RichTextBlock",
  inlines: [{ type: "TextRun", text: content, ...style }]
})

/** The most links of a text, each of which takes room in the message. */
const maxLinks = 5

/** As {@link text}, with links for the addresses. */
const linkedText = (content: string): ICardElement => {
  const found = parts(content)
  return found.filter(({ url }) => url !== undefined).length > maxLinks ? text(content) : {
    type: "RichTextBlock",
    inlines: found.map(({ text, url }) => ({
      type: "TextRun",
      text,
      ...(url === undefined ? {} : { selectAction: { type: "Action.OpenUrl", url } })
    }))
  }
}

/** Replaces the spaces of indents by non-breaking ones, since browsers collapse several spaces into one. */
const indented = (content: string): string =>
  undated(content).replace(/^[ \t]+/gm, (indent) => indent.replace(/\t/g, "    ").replace(/ /g, "\u00a0"))

const indentedSize = encoded(indented)

/**
 * Escapes the text of a `FactSet`, which Teams renders as Markdown (lists, links, emphasis), by CommonMark's rules
 * (https://spec.commonmark.org/0.31.2/#backslash-escapes). `<at>` would be a mention. Line ends are doubled, since
 * Markdown ignores single ones.
 */
const markdown = (content: string): string =>
  undated(content)
    .replace(/\\/g, "\\\\")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[*_`~[\]()!|]/g, "\\$&")
    // Without any end of a line in the white space: each of many U+2028 begins a line, which would reach to their end.
    .replace(/^[^\S\n\r\u2028\u2029]*([-+#=])/gm, "\\$1")
    .replace(/^[^\S\n\r\u2028\u2029]*(\d+)([.)])/gm, "$1\\$2")
    .replace(/^[^\S\n\r\u2028\u2029]+/gm, "")
    .replace(/\n+/g, "\n\n")

const markdownSize = encoded(markdown)

const fact = ({ name, value }: Field, limit: number): IFact => ({
  title: markdown(fitEnd(name, maxFieldName, markdownSize)),
  value: markdown(fitMiddle(value, limit, markdownSize))
})

const jsonSize = (json: unknown): number => bytes(JSON.stringify(json))

const factsWithin = (fields: ReadonlyArray<Field>, room: number): ReadonlyArray<IFact> =>
  fitFields(fields, {
    room,
    maxFields,
    maxValue: maxFieldValue,
    minValue: minFieldValue,
    render: fact,
    more: (count) => ({ title: "…", value: `and ${count} more` }),
    size: (one) => jsonSize(one) + ",".length
  })

const message = (card: ReadonlyArray<ICardElement>): Message => ({
  type: "message",
  attachments: [{
    contentType: "application/vnd.microsoft.card.adaptive",
    contentUrl: null,
    content: {
      $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
      type: "AdaptiveCard",
      version: "1.5",
      msteams: { width: "Full" },
      // in a container, since the type of `body` lacks `RichTextBlock`
      body: [{ type: "Container", items: [...card] }]
    }
  }]
})

/** Renders an alert. The detail is cut first, then the body, then the fields, until the message is small enough. */
export const render = (alert: Dated, time: (at: DateTime.Utc) => string): Message => {
  const title = `${symbols[alert.severity]} ${undated(fitEnd(oneLine(alert.title), maxTitle, undatedSize))}`
  const body = clean(alert.body ?? "").trim()
  const detail = clean(alert.detail ?? "").trimEnd()
  const card = (
    facts: ReadonlyArray<IFact>,
    shownBody: string,
    shownDetail: string,
    bodyOf: (content: string) => ICardElement = text
  ): Message => {
    const factSet: ReadonlyArray<IFactSet> = facts.length === 0 ? [] : [{ type: "FactSet", facts: [...facts] }]
    return message([
      {
        type: "Container",
        style: styles[alert.severity],
        bleed: true,
        items: [text(title, { weight: "bolder", size: alert.severity === "critical" ? "large" : "medium" })]
      },
      ...(shownBody === "" ? [] : [bodyOf(shownBody)]),
      ...factSet,
      ...(shownDetail === "" ? [] : [
        {
          type: "Container",
          style: "emphasis",
          items: [text(shownDetail, { fontType: "monospace", size: "small" })]
        }
      ]),
      text(undated(time(alert.at)), { size: "small", isSubtle: true })
    ])
  }

  // rendered with all parts, however short, to count the JSON around them; a few bytes too many do no harm
  const room = maxMessage - jsonSize(card([{ title: "", value: "" }], "b", "d"))
  const keptDetail = Math.min(indentedSize(detail.slice(0, minDetail)), minDetail)
  const keptBody = Math.min(undatedSize(body.slice(0, minBody)), minBody)
  const facts = factsWithin(alert.fields, room - keptDetail - keptBody)
  const left = room - facts.reduce((sum, one) => sum + jsonSize(one) + 1, 0)
  const shownBody = undated(fitMiddle(body, left - keptDetail, undatedSize))
  const shownDetail = indented(fitMiddle(detail, left - (jsonSize(shownBody) - 2), indentedSize))
  const linked = card(facts, shownBody, shownDetail, linkedText)
  // links name each address twice
  return jsonSize(linked) <= maxMessage ? linked : card(facts, shownBody, shownDetail)
}
