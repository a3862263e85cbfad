/** Renders alerts as Adaptive Cards for Microsoft Teams, with the types of Microsoft's own package. */
import type { IAdaptiveCard, ICardElement, IFact, IFactSet } from "adaptivecards/lib/schema.js"
import type { AlertAction, Field, Severity } from "../../../Alert.ts"
import type { Pace } from "../../../internal/alerts/mailbox/pace.ts"
import type { Words } from "../../../internal/text/alertWords.ts"
import { bytes, clean, fitEnd, fitMiddle, oneLine, type Size } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitFields } from "../channel/fields.ts"
import { indented } from "../channel/html.ts"
import { parts } from "../channel/links.ts"
import { escapeMarkdown } from "../channel/markdown.ts"
import { symbols } from "../channel/severity.ts"

/** https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#rate-limiting-for-connectors */
export const pace: Pace = [{ count: 4, per: "1 second" }]

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

/** Counts the bytes of an escaped text inside a JSON string. */
const encoded = (escape: (text: string) => string): Size => (text) => bytes(JSON.stringify(escape(text))) - 2

type Style = Readonly<Record<string, unknown>>

/** The place between the braces of `{{DATE(…)}}` and `{{TIME(…)}}`, which Teams would format within one run of text. */
const betweenBraces = /(?<=\{)(?=\{(?:DATE|TIME)\()/gi

/** Makes the runs of a text, which show it as it is written. */
const runs = (content: string, style: Style): ReadonlyArray<Style> =>
  content.split(betweenBraces).map((text) => ({ type: "TextRun", text, ...style }))

/** Counts the bytes of a text's runs, besides the style of the first. */
const sized = (escape: (text: string) => string, style: Style): Size => {
  const another = bytes(JSON.stringify({ type: "TextRun", text: "", ...style })) + ",".length
  return (text) => encoded(escape)(text) + (text.split(betweenBraces).length - 1) * another
}

const plain = (text: string): string => text

/**
 * Makes an element that shows a text literally: a `RichTextBlock` renders no Markdown
 * (https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features).
 */
const text = (content: string, style: Style = {}): ICardElement => ({
  type: "RichTextBlock",
  inlines: runs(content, style)
})

/** The most links of a text, each of which takes room in the message. */
const maxLinks = 5

/** As {@link text}, with links for the addresses. */
const linkedText = (content: string): ICardElement => {
  const found = parts(content)
  return found.filter(({ url }) => url !== undefined).length > maxLinks ? text(content) : {
    type: "RichTextBlock",
    inlines: found.flatMap(({ text, url }) =>
      runs(text, url === undefined ? {} : { selectAction: { type: "Action.OpenUrl", url } })
    )
  }
}

const detailStyle = { fontType: "monospace", size: "small" }

const titleStyle = (severity: Severity) => ({ weight: "bolder", size: severity === "critical" ? "large" : "medium" })

const bodySize = sized(plain, {})
const detailSize = sized(indented, detailStyle)

/**
 * Escapes the text of a `FactSet`, which Teams renders as Markdown (lists, links, emphasis). `<at>` would be a mention.
 * Line ends are doubled, since Markdown ignores single ones.
 */
const markdown = (content: string): string =>
  escapeMarkdown(content.replace(/^[^\S\n\r\u2028\u2029]+/gm, "")).replace(/\n+/g, "\n\n")

const markdownSize = encoded(markdown)

const fact = ({ name, value }: Field, limit: number): IFact => ({
  title: markdown(fitEnd(name, maxFieldName, markdownSize)),
  value: markdown(fitMiddle(value, limit, markdownSize))
})

const jsonSize = (json: unknown): number => bytes(JSON.stringify(json))

const factsWithin = (fields: ReadonlyArray<Field>, room: number, words: Words): ReadonlyArray<IFact> =>
  fitFields(fields, {
    room,
    maxFields,
    maxValue: maxFieldValue,
    minValue: minFieldValue,
    render: fact,
    more: (count) => ({ title: "…", value: words.moreFields(count) }),
    size: (one) => jsonSize(one) + ",".length
  })

const message = (card: ReadonlyArray<ICardElement>, links: ReadonlyArray<AlertAction>): Message => ({
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
      body: [{ type: "Container", items: [...card] }],
      ...(links.length === 0
        ? {}
        : {
          actions: links.map(({ label, url }, index) => ({
            type: "Action.OpenUrl",
            id: `link${index}`,
            title: label,
            url
          }))
        })
    }
  }]
})

/** Renders an alert. The detail is cut first, then the body, then the fields, until the message is small enough. */
export const render = (alert: Dated, { time, words }: Pick<Channel, "time" | "words">): Message => {
  const title = `${symbols[alert.severity]} ${
    fitEnd(oneLine(alert.title), maxTitle, sized(plain, titleStyle(alert.severity)))
  }`
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
        items: [text(title, titleStyle(alert.severity))]
      },
      ...(shownBody === "" ? [] : [bodyOf(shownBody)]),
      ...factSet,
      ...(shownDetail === "" ? [] : [
        {
          type: "Container",
          style: "emphasis",
          items: [text(shownDetail, detailStyle)]
        }
      ]),
      text(time(alert.at), { size: "small", isSubtle: true })
    ], linksOf(alert, words))
  }

  // rendered with all parts, however short, to count the JSON around them; a few bytes too many do no harm
  const room = maxMessage - jsonSize(card([{ title: "", value: "" }], "b", "d"))
  const keptDetail = Math.min(detailSize(detail.slice(0, minDetail)), minDetail)
  const keptBody = Math.min(bodySize(body.slice(0, minBody)), minBody)
  const facts = factsWithin(alert.fields, room - keptDetail - keptBody, words)
  const left = room - facts.reduce((sum, one) => sum + jsonSize(one) + 1, 0)
  const shownBody = fitMiddle(body, left - keptDetail, bodySize)
  const shownDetail = indented(fitMiddle(detail, left - bodySize(shownBody), detailSize))
  const linked = card(facts, shownBody, shownDetail, linkedText)
  // links name each address twice
  return jsonSize(linked) <= maxMessage ? linked : card(facts, shownBody, shownDetail)
}
