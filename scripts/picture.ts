/**
 * Makes the picture of the README, an animation of a terminal and of the alert that arrives: runs `scripts/picture/nightly.ts`
 * in tmux, takes its screen again and again, and what it posts to a server in place of Slack.
 *
 *     bun scripts/picture.ts # writes docs/picture.svg
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { channelServer } from "../test/support/channelServer.ts"
import { root } from "../test/support/command.ts"
import { inTerminal } from "../test/support/tmux.ts"
import { type Frame, type Line, lineOf, type Piece, svgOf } from "./picture/svg.ts"

const size = { columns: 72, rows: 9 }

/** What Slack shows of a message: blocks of rich text, and lines of plain text. */
interface Block {
  readonly type: string
  readonly text?: { readonly text: string }
  readonly elements?: ReadonlyArray<Element>
}
interface Element {
  readonly type: string
  readonly text?: string
  readonly style?: { readonly bold?: boolean }
  readonly elements?: ReadonlyArray<Element>
}

const plain = (line: Line): string => line.map(({ text }) => text).join("")

const recorded = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const server = yield* channelServer({ body: "ok" })
  const frames: Array<Frame> = []
  let posted: number | undefined
  yield* Effect.promise(() =>
    inTerminal(
      `export SLACK_WEBHOOK_URL=${server.url}/hook; clear; echo '$ bun nightly.ts'; bun scripts/picture/nightly.ts; sleep 0.3`,
      size,
      async ({ styled }) => {
        let begin: number | undefined
        for (let ended = false; !ended;) {
          const screen = styled()
          ended = screen.includes("# code")
          const lines = screen.split("\n").filter((line) => !line.includes("# code")).map(lineOf)
          const text = lines.map(plain).join("\n")
          if (begin === undefined && text.includes("nightly (")) begin = Date.now()
          const at = begin === undefined ? 0 : Date.now() - begin + 600
          if (begin !== undefined || text.startsWith("$ bun")) {
            if (begin === undefined) frames.splice(0)
            frames.push({ at, lines })
          }
          if (posted === undefined && server.requests.length > 0) posted = at
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      }
    )
  )
  return { frames, posted, message: server.requests[0]!.json }
})))

/** Writes elements of a block as lines of pieces. An emoji has the sign of its name. */
const linesOf = (elements: ReadonlyArray<Element>): ReadonlyArray<Line> => {
  const lines: Array<Array<Piece>> = [[]]
  for (const { style, text = "✗", type } of elements) {
    const look = type === "emoji" ? "red bold" : style?.bold === true ? "bold" : ""
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) lines.push([])
      if (part !== "") lines.at(-1)!.push({ text: part, style: look })
    }
  }
  return lines.filter((line) => line.length > 0)
}

const { blocks, color } = recorded.message.attachments[0] as { blocks: ReadonlyArray<Block>; color: string }
const lines = [...recorded.message.blocks as ReadonlyArray<Block>, ...blocks].flatMap(({ elements = [], type }) =>
  type === "context"
    ? elements.map(({ text = "" }) => [{ text, style: "dim" }])
    : elements.filter(({ type }) => type !== "rich_text_preformatted").flatMap(({ elements = [] }) => linesOf(elements))
)

const last = recorded.frames.at(-1)!.lines.map(plain)
writeFileSync(
  join(root, "docs", "picture.svg"),
  svgOf({
    title: "A run in a terminal, and the alert about it in Slack",
    description: [...last, "Slack:", ...lines.map(plain)].join("\n").trim(),
    frames: recorded.frames,
    alert: { channel: "Slack", lines, color, at: recorded.posted! },
    rest: 4000
  })
)
