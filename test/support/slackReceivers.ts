/** Models of what people see of a message for Slack, in Slack itself and in receivers that take its webhooks. */
import * as assert from "node:assert/strict"

/** What a person sees, is linked to, and is notified by. */
export interface Seen {
  /** The texts as they are shown, and copied. */
  readonly text: string
  readonly links: ReadonlyArray<string>
  /** The mentions that notify somebody. */
  readonly mentions: ReadonlyArray<string>
  /** What is shown as neither code nor an address, nor is a line end: it is read as markup. */
  readonly markup: string
}

// oxlint-disable-next-line no-explicit-any -- tests access properties of any payload without narrowing
type Json = any

/** The elements of `rich_text` and `plain_text` are shown as they are. Any other would be read as markup. */
const ofBlock = (block: Json, links: Array<string>): string => {
  const element = (one: Json): string => {
    switch (one.type) {
      case "emoji":
        return `:${one.name}:`
      case "text":
        assert.ok(one.text.length > 0, "Slack refuses an empty text")
        return one.text
      case "link":
        links.push(one.url)
        return one.text ?? one.url
      default:
        return assert.fail(`${one.type} is not literal`)
    }
  }
  switch (block.type) {
    case "rich_text":
      return block.elements.map(({ elements, type }: Json) => {
        assert.ok(type === "rich_text_section" || type === "rich_text_preformatted", type)
        assert.ok(elements.length > 0, "Slack refuses a section without elements")
        return elements.map(element).join("")
      }).join("\n")
    case "context":
      return block.elements.map(({ emoji, text, type }: Json) => {
        assert.deepEqual([type, emoji], ["plain_text", false])
        return text
      }).join(" ")
    default:
      return assert.fail(`${block.type} is not literal`)
  }
}

/**
 * Slack shows blocks, and no text beside them (https://docs.slack.dev/reference/methods/chat.postMessage#text-blocks-and-attachments).
 * It refuses attachments with both blocks and other parts (https://github.com/slackapi/bolt-js/issues/717).
 */
export const inSlack = (message: Json): Seen => {
  assert.ok(message.text.length <= 4000)
  assert.ok(message.blocks.length > 0, "without blocks the text would be shown, too")
  const links: Array<string> = []
  const shown = message.blocks.map((block: Json) => ofBlock(block, links))
  for (const { blocks, color, fallback, ...others } of message.attachments) {
    assert.deepEqual(others, {}, "invalid_attachments")
    assert.equal(typeof color, "string")
    assert.equal(typeof fallback, "string")
    shown.push(...blocks.map((block: Json) => ofBlock(block, links)))
  }
  // Mentions of the text notify people although it is not shown.
  return { text: shown.join("\n"), links, mentions: message.text.match(/<[!@#][^>]*>/g) ?? [], markup: "" }
}

/** Returns the title of a message in Slack, which is its first line. */
export const titleInSlack = (message: Json): string => inSlack(message).text.split("\n")[0]!.replace(/^:\w+: /, "")

interface Segment {
  readonly code: boolean
  readonly text: string
}

/** Splits a text at code: blocks of three backticks first, then what is between two within a line. */
const segments = (text: string): ReadonlyArray<Segment> =>
  text.split(/(```\n[\s\S]*?\n?```|`[^`\n]+`)/).map((part, index): Segment =>
    index % 2 === 0 ? { code: false, text: part } : { code: true, text: part.replace(/^```\n|\n?```$|^`|`$/g, "") }
  )

const address = /https?:\/\/\S+/g

/** Reads the text and the parts of attachments that are not blocks, of which these receivers know nothing. */
const reader = (
  mentionsOf: (text: string, plain: ReadonlyArray<string>) => ReadonlyArray<string>,
  expand: (text: string) => string = (text) => text
) =>
(message: Json): Seen => {
  const raw = [
    message.text,
    ...message.attachments.flatMap(({ fields = [], pretext, text, title }: Json) => [
      pretext,
      title,
      text,
      ...fields.flatMap(({ title, value }: Json) => [title, value])
    ])
  ].filter((part) => part !== undefined).map(expand).join("\n")
  const found = segments(raw)
  const plain = found.filter(({ code }) => !code).map(({ text }) => text)
  return {
    text: found.map(({ text }) => text).join(""),
    links: plain.flatMap((text) => text.match(address) ?? []),
    mentions: mentionsOf(raw, plain),
    markup: plain.join("").replace(/^:[a-z_]+: /, "").replace(address, "").trim()
  }
}

/**
 * Mattermost expands `<!channel>` and `<@user>` first, in code, too, and then finds names behind an `@` in all text that
 * is not code: `app/slack.go` and `app/mention_parser_standard.go` of https://github.com/mattermost/mattermost.
 */
export const inMattermost = reader(
  (_, plain) => plain.flatMap((text) => text.match(/(?<![\w])@[\w.-]+/g) ?? []),
  (text) => text.replace(/<!(channel|here|all)>/g, "@$1").replace(/<@(\w+)>/g, "@$1")
)

/** Rocket.Chat finds mentions by a pattern, in code, too: `MentionsParser.ts` of https://github.com/RocketChat/Rocket.Chat. */
export const inRocketChat = reader((raw) => raw.match(/(^|\s|>)@([0-9a-zA-Z-_.]+)/gm) ?? [])

/** Discord accepts at most 2,000 characters, and finds mentions in all text that is not code. */
export const inDiscord = (message: Json): Seen => {
  assert.ok(message.text.length <= 2000)
  return reader((_, plain) => plain.flatMap((text) => text.match(/@(everyone|here)|<[@#!][^>]*>/g) ?? []))(message)
}

/** The receivers that know no blocks. */
export const withoutBlocks = { Mattermost: inMattermost, "Rocket.Chat": inRocketChat, Discord: inDiscord }
