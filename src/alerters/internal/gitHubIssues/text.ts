/** Renders alerts as Markdown of GitHub that mentions nobody. */
import type { Field } from "../../../Alert.ts"
import { codeBlock } from "../../../internal/text/codeBlock.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { linksOf } from "../channel/actions.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { fitAlert } from "../channel/fitAlert.ts"
import { indented } from "../channel/html.ts"
import { parts } from "../channel/links.ts"
import { escapeMarkdown, markdownLink } from "../channel/markdown.ts"
import { symbols } from "../channel/severity.ts"

/**
 * The longest body of an issue or a comment. GitHub takes 65,536 characters
 * (https://github.com/orgs/community/discussions/27190), and the marker is added to these.
 */
const maxBody = 65_000
/** The longest title, by the same answer of the API: "title is too long (maximum is 256 characters)". */
const maxTitle = 256
const maxTextLinks = 20

/**
 * Breaks mentions and references, which GitHub finds in the text that Markdown shows, so that no backslash escapes them
 * (https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls).
 */
const inert = (text: string): string =>
  text.replace(/@(?=[\w-])/g, "@\u200b").replace(/#(?=\d)/g, "#\u200b").replace(/\b(GH-)(?=\d)/gi, "$1\u200b")

/** Makes Markdown of a text. A dollar sign would begin a formula, even after a backslash. */
const literal = (text: string): string => escapeMarkdown(inert(text)).replaceAll("$", "&dollar;")

const references = new Set(["issues", "pull", "pulls", "discussions", "commit", "commits", "compare"])

/**
 * Returns whether a link to the address may make an event in another issue, which others see: one of an issue, of a
 * commit, … of a repository, or of these in the API, whatever the host.
 */
const isReference = (url: string): boolean =>
  (URL.parse(url)?.pathname ?? "").split("/", 8).some((segment, at) => at >= 3 && references.has(segment))

/** Makes Markdown of a text, with its first addresses as links. No address has a backtick. */
const linked = (text: string): string =>
  parts(indented(text), maxTextLinks).map(({ text, url }) =>
    url === undefined ? literal(text) : isReference(url) ? `\`${url}\`` : markdownLink(literal(text), url)
  ).join("")

const row = ({ name, value }: Field): string =>
  `- **${literal(name)}:** ${linked(value.trim()).replaceAll("\n", "\n  ")}`

type Shows = Pick<Channel, "time" | "words">

const text = (alert: Dated, heading: string | undefined, { time, words }: Shows): string =>
  [
    heading === undefined ? "" : `**${symbols[alert.severity]} ${literal(heading)}**`,
    linked(alert.body?.trim() ?? ""),
    alert.fields.map(row).join("\n"),
    alert.detail === undefined || alert.detail.trim() === "" ? "" : codeBlock(alert.detail),
    // set by those who post, who may want that another issue shows it
    linksOf(alert, words).map(({ label, url }) => markdownLink(literal(label), url)).join(" · "),
    literal(time(alert.at))
  ].filter((part) => part !== "").join("\n\n")

/** Returns the title of an issue. */
export const titleOf = ({ title }: Dated): string => fitEnd(inert(oneLine(title)), maxTitle) || "(no title)"

/** Renders the body of an issue, or that of a comment, which has the title, too. */
export const bodyOf = (alert: Dated, kind: "issue" | "comment", shows: Shows): string => {
  const rendered = (alert: Dated) => text(alert, kind === "comment" ? titleOf(alert) : undefined, shows)
  const fitting = fitAlert(alert, maxBody, (alert) => rendered(alert).length, shows.words)
  // if even the shortest text is too long, only the time is sent, which always fits
  return fitting === undefined ? shows.time(alert.at) : rendered(fitting)
}
