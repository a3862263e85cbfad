import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { generate, generatedIn, pages } from "../../scripts/page.ts"
import { Report } from "../../src/report/index.ts"
import type { Row, Timeline } from "../../src/report/internal/timeline/data.ts"
import { pick } from "../../src/report/internal/timeline/pick.ts"
import { timeline } from "../../src/report/internal/timeline/rows.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"
import { cutOff, manySteps, nightlyEtl, Run } from "../support/runEvents.ts"
import { assertWellFormed } from "../support/xml.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// rows
// -----------------------------------------------------------------------------

const brief = ({ depth, ending, name, size }: Row): string => `${"  ".repeat(depth)}${name} ${ending} ${size}`

test("steps follow the step that they are inside of, in the order in which they began", () => {
  assert.deepEqual(timeline(nightlyEtl().events).rows.map(brief), [
    "nightly-etl · 2026-11-02 failure 8",
    "  extract success 3",
    "    fetch orders success 0",
    "    fetch weather success 0",
    "    fetch customers success 0",
    "  validate failure 2",
    "    check schema success 0",
    "    check references failure 0",
    "  clean up success 0"
  ])
})

test("a row has the attempts, hooks, parameters and annotations of its step", () => {
  const { rows } = timeline(nightlyEtl().events)
  const start = rows[0]!.start
  const orders = rows[2]!
  assert.deepEqual(orders.attempts.map((attempt) => [attempt.start - start, attempt.end - start, attempt.ending]), [
    [60, 6200, "failure"],
    [8200, 13_000, "failure"],
    [17_000, 31_500, "success"]
  ])
  assert.deepEqual(orders.params, [{ name: "url", value: "https://api.example.com/orders" }, {
    name: "limit",
    value: "500"
  }])
  assert.deepEqual(orders.annotations, [{ name: "rows", value: "48211" }, { name: "bytes", value: "18.2 MB" }])
  assert.deepEqual(rows[5]!.hooks.map(({ kind, name, outcome }) => [name, kind, outcome]), [
    ["alert on Slack", "failure", "failed"],
    ["alert by mail", "failure", "ended"]
  ])
  assert.match(rows[5]!.hooks[0]!.cause ?? "", /^TimeoutError/)
})

test("a row without an end is cut off at the last event of the run", () => {
  const { rows } = timeline(cutOff().events)
  assert.deepEqual(rows.map(brief), [
    "nightly-etl · 2026-11-03 cut 4",
    "  extract cut 3",
    "    fetch orders cut 0",
    "    fetch weather cut 0",
    "    fetch customers interrupt 0"
  ])
  const [run, extract, orders, weather] = rows
  assert.equal(run!.end - run!.start, 16_000)
  assert.deepEqual(extract!.hooks.map(({ end, outcome }) => [outcome, end]), [["cut", run!.end]])
  assert.deepEqual(orders!.attempts.map(({ ending }) => ending), ["failure", "cut"])
  assert.deepEqual(weather!.facts.at(-1), { name: "Progress", value: "7 of 14" })
})

test("a run that was killed between two attempts, and events from the middle of a run, have rows", () => {
  const run = new Run("p", 1_000_000)
  run.step("fetch", 10).attemptFailed(20, 1, "Error: no", 60_000)
  const [, waiting] = timeline(run.events).rows
  assert.deepEqual([waiting!.end, waiting!.attempts[1]!.start], [1_000_020, 1_060_020])
  const { rows } = timeline(nightlyEtl().events.slice(20))
  assert.ok(rows.some(({ name }) => name === "check references"))
  for (const text of [Report.html(run.events), Report.svg(run.events), Report.mermaid(run.events)]) {
    assert.ok(text.length > 0)
  }
})

test("a page and pictures can be made of no events", () => {
  assert.match(Report.html([]), /<title>No runs<\/title>/)
  assertWellFormed(Report.svg([]))
  assert.match(Report.mermaid([]), /^gantt\n/)
})

test("impossible times are clamped and break nothing", () => {
  for (const at of [1e300, -1e300, 8.64e15]) {
    const run = new Run("p", at)
    run.step("x", 0).attemptFailed(1, 1, "no", 1e300).end(2)
    const { rows } = timeline(run.events)
    assert.ok(rows.every(({ end, start }) => !Number.isNaN(new Date(start).getTime() + new Date(end).getTime())))
    assert.match(Report.html(run.events), /<time datetime="[+-]\d{6}-/)
    assert.doesNotMatch(Report.svg(run.events), /NaN/)
    assert.match(Report.mermaid(run.events), /:active, -?\d+, -?\d+$|:done, -?\d+, -?\d+$/m)
  }
})

test("a timeline has a row for each of 3,000 nested steps", () => {
  const run = new Run("deep", 0)
  let step = run.step("0", 0)
  for (let n = 1; n < 3000; n++) step = run.step(String(n), n, { in: step })
  const { rows } = timeline(run.events)
  assert.deepEqual([rows.at(-1)!.depth, rows[0]!.size, rows[1]!.size, rows.at(-2)!.size], [3000, 3000, 2999, 1])
})

test("of many steps, pictures show the failed and the longest, with the steps around them", () => {
  const { rows } = timeline(manySteps(5000).events)
  const picked = pick(rows, 40)
  assert.equal(picked.rows.length, 40)
  assert.equal(picked.left, 5000 - 39)
  const shown = new Set(picked.rows.map(({ index }) => index))
  for (const { row } of picked.rows) assert.ok(row.parent === -1 || shown.has(row.parent))
  const failed = rows.filter(({ ending }) => ending === "failure").length
  assert.equal(picked.rows.filter(({ row }) => row.ending === "failure").length + picked.leftFailed, failed)
  const text = `… and 4,961 more steps, of which ${picked.leftFailed} failed`
  assert.ok(Report.svg(manySteps(5000).events).includes(text))
  assert.ok(Report.mermaid(manySteps(5000).events, { maxRows: 40 }).includes(text))
})

// -----------------------------------------------------------------------------
// text
// -----------------------------------------------------------------------------

/** Texts that are syntax in one of the formats, or change the text around them. */
const fragments = [
  ["</script>", "<script>", "<!--", "-->", "]]>", "<![CDATA[", "</noscript>", "</svg>", "</title>", "</style>"],
  ["<img src=x onerror=alert(1)>", "\" onload=\"alert(1)", "' x='", "&lt;", "&", "&#0;", "\\u003c/script>"],
  [":", ";", "#", "#58;", "%%{init: {}}%%", "section ", "title ", "\n", "\r\n", "\t", "```"],
  ["\u2028", "\u2029", "\u202e", "\u2066", "\u2069", "\u0000", "\u001b[31m", "\ud800", "\udc00", "\ufffe", "\uffff"],
  ["😀", "👩‍👩‍👧", "日本語", "عربي", "__proto__", "${x}", "$&", "a", " "]
].flat()

const Text = Schema.Array(Schema.Literals(fragments)).pipe(Schema.check(Schema.isMaxLength(6)))

const Case = Schema.Struct({
  pipeline: Text,
  run: Text,
  steps: Schema.Array(Schema.Struct({
    name: Text,
    cause: Text,
    key: Text,
    value: Text,
    hook: Text,
    outcome: Schema.Literals(["success", "failure", "interrupt", "cut"]),
    nested: Schema.Boolean,
    retried: Schema.Boolean
  })).pipe(Schema.check(Schema.isMaxLength(5)))
})

/** Makes events of one structure with different texts. */
const eventsOf = (
  input: typeof Case.Type,
  text: (parts: ReadonlyArray<string>) => string
): ReadonlyArray<Report.Event> => {
  const run = new Run(`P${text(input.pipeline)}`, 1_700_000_000_000, `R${text(input.run)}`)
  let last: ReturnType<Run["step"]> | undefined
  for (const [index, { cause, hook, key, name, nested, outcome, retried, value }] of input.steps.entries()) {
    const at = index * 10
    const params = { [text(key)]: text(value) }
    const step = run.step(text(name), at, { ...(nested && last !== undefined ? { in: last } : {}), params })
    if (retried) step.attemptFailed(at + 1, 1, text(cause), 1)
    run.hookFailed(text(hook), at + 4, 1, text(cause), { step })
    if (outcome === "cut") run.hookStarted(text(hook), at + 5, { step, index: 1 })
    else step.end(at + 9, outcome, { cause: text(cause), annotations: { [text(key)]: text(value) } })
    last = step
  }
  return run.end(1000, "failure", { cause: text(input.pipeline) }).events
}

const joined = (parts: ReadonlyArray<string>): string => parts.join("")
const harmless = (): string => "x"

/** Parses a page, and returns its elements with the names of their attributes, and the texts of its scripts. */
const parsed = async (page: string) => {
  const elements: Array<string> = []
  let script = ""
  const scripts: Array<string> = []
  const rewriter = new HTMLRewriter().on("*", {
    element: (element) =>
      void elements.push([element.tagName, ...[...element.attributes].map(([name]) => name)].join(" "))
  }).on("script", {
    text: ({ lastInTextNode, text }) => {
      script += text
      if (!lastInTextNode) return
      scripts.push(script)
      script = ""
    }
  }).onDocument({ comments: ({ text }) => void elements.push(`comment ${text}`) })
  await rewriter.transform(new Response(page)).text()
  return { elements, scripts }
}

it.live("no text of events becomes markup in the page", () =>
  forAll(Case, (input) =>
    Effect.promise(async () => {
      const events = eventsOf(input, joined)
      const page = await parsed(Report.html(events))
      assert.deepEqual(page.elements, (await parsed(Report.html(eventsOf(input, harmless)))).elements)
      assert.equal(page.scripts.length, 2)
      const data: Timeline = JSON.parse(page.scripts[0]!)
      assert.deepEqual(data, JSON.parse(JSON.stringify(timeline(events))))
      assert.doesNotMatch(page.scripts[0]!, /[<>&\u2028\u2029]/)
      // no direction controls, no escape sequences, no halves of characters
      for (const { cause = "", name } of data.rows) {
        // oxlint-disable-next-line no-control-regex -- control characters are what it is about
        assert.doesNotMatch(name + cause, /[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u001b\ufffe\uffff]/)
        assert.ok(name.isWellFormed())
      }
    })))

it.live("no text of events becomes markup in a picture", () =>
  forAll(Case, (input) =>
    Effect.sync(() => {
      const [names, others] = [joined, harmless].map((text) => assertWellFormed(Report.svg(eventsOf(input, text))))
      assert.deepEqual(names, others)
    })))

it.live("no text of events becomes syntax in a Mermaid chart", () =>
  forAll(Case, (input) =>
    Effect.sync(() => {
      const lines = Report.mermaid(eventsOf(input, joined)).split("\n")
      const others = Report.mermaid(eventsOf(input, harmless)).split("\n")
      assert.equal(lines.length, others.length)
      for (const [index, line] of lines.entries()) {
        const [other] = [others[index]!]
        const task = / :[a-z, ]+, \d+, \d+$/
        assert.equal(task.exec(line)?.[0], task.exec(other)?.[0])
        if (!task.test(line)) assert.equal(line.trim().split(" ")[0], other.trim().split(" ")[0])
        // characters of Mermaid's syntax occur only in entities
        const text = line.replace(task, "").replace(/#\d+;/g, "")
        if (!/^ {4}(?:axisFormat|todayMarker)/.test(line)) assert.doesNotMatch(text, /[:;#%<>{}"`\\]/)
        assert.doesNotMatch(text.trim(), /^(?:↳ )*(?:click|call|href) /)
      }
    })))

test("keywords of Mermaid can be names", () => {
  const run = new Run("p", 0)
  for (const [n, name] of ["section x", "title", "click me", "2026-01-01", "gantt", "dateFormat"].entries()) {
    run.step(name, n).end(n)
  }
  const lines = Report.mermaid(run.events).split("\n").map((line) => line.trim())
  assert.ok(lines.includes("#115;ection x, 0 ms :done, 0, 1"))
  assert.ok(lines.includes("#50;026-01-01, 0 ms :done, 3, 4"))
  assert.equal(lines.filter((line) => /^(?:section|title|click|gantt|dateFormat)\b/.test(line)).length, 4)
})

// -----------------------------------------------------------------------------
// the page
// -----------------------------------------------------------------------------

const sha256 = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`

test("the page's policy allows only its own script and style, and the page names no address", async () => {
  const page = Report.html(nightlyEtl().events)
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!
  const { scripts } = await parsed(page)
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!
  assert.deepEqual(policy.split("; "), [
    "default-src 'none'",
    `script-src '${sha256(scripts[1]!)}'`,
    `style-src '${sha256(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'"
  ])
  assert.doesNotMatch(page, /\s(?:on\w+|style|src|href)=/)
  const code = page.replace(scripts[0]!, "")
  assert.deepEqual([...new Set(code.match(/https?:\/\/[^\s"'`)]*/g))], ["http://www.w3.org/2000/svg"])
})

test("the bundled scripts and styles of the pages are up to date with their sources", async () => {
  for (const folder of pages) {
    assert.equal(await readFile(generatedIn(folder), "utf8"), await generate(folder), "run `bun scripts/page.ts`")
  }
})

test("the same events make the same page at any time", () => {
  assert.equal(Report.html(nightlyEtl().events), Report.html(new Set(nightlyEtl().events)))
})

test("a title can be given", () => {
  const title = "Night <1>"
  assert.match(Report.html(nightlyEtl().events, { title }), /<h1 dir="auto">Night &lt;1&gt;<\/h1>/)
  assert.match(Report.svg(nightlyEtl().events, { title }), />Night &lt;1&gt;<\/text>/)
  assert.match(Report.mermaid(nightlyEtl().events, { title }), /^ {4}title Night #60;1#62;$/m)
})

// -----------------------------------------------------------------------------
// pictures
// -----------------------------------------------------------------------------

test("pictures have the given width, and the height of their rows", () => {
  const size = (svg: string) => /width="(\d+)" height="(\d+)" viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.slice(1).map(Number)
  const [width, height] = size(Report.svg(nightlyEtl().events))
  assert.equal(width, 960)
  const three = [...nightlyEtl("2026-11-01T02:00:00Z", false).events, ...nightlyEtl().events]
  assert.ok(size(Report.svg(three))[1]! > height! + 300)
  assert.equal(size(Report.svg(three, { width: 700 }))[0], 700)
  assert.equal(size(Report.svg(three, { width: 1 }))[0], 400)
})

test("the dark theme uses no colour of the light one", () => {
  const [light, dark] = [Report.svg(nightlyEtl().events), Report.svg(nightlyEtl().events, { theme: "dark" })]
  const colors = (svg: string) => new Set(svg.match(/#[0-9a-f]{6}/g))
  assert.deepEqual(colors(light).intersection(colors(dark)), new Set())
})

test("the Mermaid chart of nightly-etl is the stored one", async () => {
  const golden = join(import.meta.dirname, "nightly-etl.mmd")
  assert.equal(Report.mermaid(nightlyEtl().events), await readFile(golden, "utf8"))
})
