/** The picture of the README, and how `scripts/picture.ts` draws it. */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { lineOf, svgOf } from "../../scripts/picture/svg.ts"

const root = join(import.meta.dir, "..", "..")

test("a line of a terminal is read with its colours", () => {
  expect(lineOf("\u001b[1ma\u001b[0m b \u001b[31mc\u001b[2md\u001b[39m\u001b[22me")).toEqual([
    { text: "a", style: "bold" },
    { text: " b ", style: "" },
    { text: "c", style: "red" },
    { text: "d", style: "red dim" },
    { text: "e", style: "" }
  ])
})

test("each line is drawn once for the time in which it stays, and the last ones stay", () => {
  const line = (text: string) => [{ text, style: "" }]
  const svg = svgOf({
    title: "a run",
    description: "a & b",
    frames: [
      { at: 0, lines: [line("$ bun <job>")] },
      { at: 400, lines: [line("$ bun <job>"), line("going on")] },
      { at: 500, lines: [line("$ bun <job>"), line("going on")] },
      { at: 1000, lines: [line("$ bun <job>"), line("ended")] }
    ],
    alert: { channel: "chat", lines: [line("failed")], color: "#e01e5a", at: 800 },
    rest: 1000
  })
  expect(svg.match(/going on/g)).toHaveLength(1)
  expect(svg).toContain("$ bun &lt;job&gt;")
  expect(svg).toContain("@keyframes k0{0%{opacity:1}}")
  expect(svg).toContain("@keyframes k1{0%{opacity:0}20%{opacity:1}50%{opacity:0}}")
  expect(svg).toContain("@keyframes k2{0%{opacity:0}50%{opacity:1}}")
  expect(svg).toContain("@keyframes k3{0%{opacity:0}40%{opacity:1}}")
  // what is shown where nothing moves
  const last = [...svg.matchAll(/class="step last"[^>]*>(.*)/g)].map(([, text]) => text!.replace(/<[^>]+>/g, ""))
  expect(last.slice(0, 2)).toEqual(["$ bun &lt;job&gt;", "ended"])
})

test("the picture of the README is small, loads nothing, and says in words what it shows", () => {
  const svg = readFileSync(join(root, "docs", "picture.svg"), "utf8")
  expect(svg.length).toBeLessThan(40_000)
  expect(svg).not.toMatch(/<script|href|url\(|@import/)
  expect(svg).toMatch(/<title[^>]*>.+<\/title>\n<desc[^>]*>\$ bun nightly\.ts\n✗ nightly /)
  const title = /<title[^>]*>(.+)<\/title>/.exec(svg)![1]!
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain(`![${title}`)
})
