/** Alerts as Adaptive Cards for Microsoft Teams, typed by Microsoft's own package. */
import type { IAdaptiveCard, ICardElement, IFact, IFactSet } from "adaptivecards/lib/schema.js"
import type * as DateTime from "effect/DateTime"
import type { Field, Severity } from "../../../Alert.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine, type Size } from "../../../internal/text/fit.ts"
import type { Dated } from "../channel/channel.ts"
import { fitFields } from "../channel/fields.ts"
import { symbols } from "../channel/severity.ts"

/** What the trigger of a workflow takes. */
export interface Message {
  readonly type: "message"
  readonly attachments: ReadonlyArray<{
    readonly contentType: "application/vnd.microsoft.card.adaptive"
    readonly contentUrl: null
    readonly content: IAdaptiveCard
  }>
}

/**
 * In bytes of JSON. Teams takes "approximately 28 KB"
 * (https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams), of a form of its own that
 * is larger than what it is sent: of that, somebody got no more than 20.7 KB through
 * (https://stackoverflow.com/q/58474127).
 */
const maxMessage = 20_000

const maxTitle = 300
const maxFields = 50
const maxFieldName = 100
const maxFieldValue = 2000

// What of a part stays where others are long too.
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

/** A zero-width space keeps `{{DATE(…)}}` from being a date, of which Teams would show its own form. */
const undated = (text: string): string => text.replace(/\{(?=\{)/g, "{\u200b")

/** As it stands in a JSON string, in bytes. */
const encoded = (escape: (text: string) => string): Size => (text) => bytes(JSON.stringify(escape(text))) - 2

const undatedSize = encoded(undated)

/**
 * Text as it is: a `RichTextBlock` knows no Markdown
 * (https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features).
 */
const text = (content: string, style: Readonly<Record<string, unknown>> = {}): ICardElement => ({
  type: "RichTextBlock",
  inlines: [{ type: "TextRun", text: content, ...style }]
})

/** Browsers show no more than one space, so an indent is made of those that don't break. */
const indented = (content: string): string =>
  undated(content).replace(/^[ \t]+/gm, (indent) => indent.replace(/\t/g, "    ").replace(/ /g, "\u00a0"))

const indentedSize = encoded(indented)

/**
 * The texts of a `FactSet` are Markdown, of which Teams knows lists, links and emphasis; that is escaped as
 * CommonMark says (https://spec.commonmark.org/0.31.2/#backslash-escapes). `<at>` is a mention. A line ends
 * where there are two line ends.
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
      // in a container, since the body's type does not know a `RichTextBlock`
      body: [{ type: "Container", items: [...card] }]
    }
  }]
})

/** What is sent. The detail is cut first, then the body, then the fields, until all of it fits. */
export const render = (alert: Dated, time: (at: DateTime.Utc) => string): Message => {
  const title = `${symbols[alert.severity]} ${undated(fitEnd(oneLine(alert.title), maxTitle, undatedSize))}`
  const body = clean(alert.body ?? "").trim()
  const detail = clean(alert.detail ?? "").trimEnd()
  const card = (facts: ReadonlyArray<IFact>, shownBody: string, shownDetail: string): Message => {
    const factSet: ReadonlyArray<IFactSet> = facts.length === 0 ? [] : [{ type: "FactSet", facts: [...facts] }]
    return message([
      {
        type: "Container",
        style: styles[alert.severity],
        bleed: true,
        items: [text(title, { weight: "bolder", size: alert.severity === "critical" ? "large" : "medium" })]
      },
      ...(shownBody === "" ? [] : [text(shownBody)]),
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

  // all parts present, to count what is around them, which is not large enough to be counted exactly
  const room = maxMessage - jsonSize(card([{ title: "", value: "" }], "b", "d"))
  const keptDetail = Math.min(indentedSize(detail.slice(0, minDetail)), minDetail)
  const keptBody = Math.min(undatedSize(body.slice(0, minBody)), minBody)
  const facts = factsWithin(alert.fields, room - keptDetail - keptBody)
  const left = room - facts.reduce((sum, one) => sum + jsonSize(one) + 1, 0)
  const shownBody = undated(fitMiddle(body, left - keptDetail, undatedSize))
  const shownDetail = indented(fitMiddle(detail, left - (jsonSize(shownBody) - 2), indentedSize))
  return card(facts, shownBody, shownDetail)
}
