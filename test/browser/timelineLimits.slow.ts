/** Tests the page of a timeline with hostile text, on paper, without scripts and with many steps. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Report } from "../../src/report/index.ts"
import { act } from "../support/browsing.ts"
import { makeIt } from "../support/it.ts"
import { manySteps, nightlyEtl, Run } from "../support/runEvents.ts"
import { active, details, opened, openedFile, row, tree } from "../support/timelinePage.ts"

const it = makeIt(test)

it.live("markup in names, causes and values is shown as text", () =>
  Effect.gen(function*() {
    const hostile =
      "</script><script>document.title = \"owned\"</script><!--<img src=https://evil.example/x onerror=alert(1)>"
    const run = new Run(hostile, 0, hostile)
    const step = run.step(hostile, 0, { params: { [hostile]: hostile } })
    step.attemptFailed(10, 1, hostile, 5).end(30, "failure", { cause: hostile, annotations: { [hostile]: hostile } })
    run.hookFailed(hostile, 40, 5, hostile, { step })
    const page = yield* opened(run.end(50, "failure", { cause: hostile }).events)
    assert.equal(yield* act(() => page.title()), `${hostile}`)
    yield* act(() => page.locator("#row-1 .label").click())
    assert.equal(yield* act(() => page.locator("#row-1 .label").innerText()), hostile)
    assert.deepEqual(yield* act(() => details(page).locator("pre").allInnerTexts()), [hostile, hostile, hostile])
    assert.equal(yield* act(() => page.locator("script").count()), 2)
    assert.equal(yield* act(() => page.locator("img, iframe").count()), 0)
  }))

it.live("the picture is well-formed XML, in which markup is shown as text", () =>
  Effect.gen(function*() {
    const hostile = "]]></text><script>alert(1)</script><!--&lt; &nbsp;"
    const run = new Run(hostile, 0)
    run.step(hostile, 0).end(10)
    const { errors, page } = yield* openedFile("picture.svg", Report.svg(run.end(20).events, { width: 1400 }))
    assert.equal(yield* act(() => page.evaluate(() => document.documentElement.tagName)), "svg")
    assert.equal(yield* act(() => page.locator("script, parsererror").count()), 0)
    assert.ok((yield* act(() => page.locator("text").allTextContents())).includes(hostile))
    assert.deepEqual(errors, [])
  }))

it.live("a script that was added to the page does not run", () =>
  Effect.gen(function*() {
    const image = "<img src=x onerror=\"document.title = 'owned'\">"
    const added = `<script>document.title = "owned"</script>${image}</body>`
    const { errors, page } = yield* openedFile(
      "tampered.html",
      Report.html(nightlyEtl().events).replace("</body>", added)
    )
    assert.equal(yield* act(() => page.title()), "nightly-etl · 2026-11-02")
    assert.ok(errors.some((error) => error.includes("Content Security Policy")))
  }))

it.live("the page shows a picture without scripts", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events, { javaScriptEnabled: false })
    assert.equal(yield* act(() => page.locator("noscript svg").first().isVisible()), true)
    assert.equal(yield* act(() => page.locator("#tools, main, footer").first().isVisible()), false)
    assert.ok((yield* act(() => page.locator("noscript text").allTextContents())).includes("check references"))
  }))

it.live("the printed page has all rows, and the causes of failures", () =>
  Effect.gen(function*() {
    const page = yield* opened(manySteps(300).events, { colorScheme: "dark" })
    yield* act(() =>
      page.evaluate(() =>
        addEventListener("beforeprint", () => {
          const rows = document.querySelectorAll(".row")
          const causes = [...document.querySelectorAll("#causes pre")]
          document.body.dataset["printed"] = `${rows.length} rows, ${causes.length} causes`
        })
      )
    )
    const pdf = yield* act(() => page.pdf({ preferCSSPageSize: true }))
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-")
    assert.ok((pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length >= 8)
    assert.equal(yield* act(() => page.locator("body").getAttribute("data-printed")), "301 rows, 3 causes")
    assert.ok((yield* act(() => page.locator(".row").count())) < 60)
    assert.equal(yield* act(() => page.locator("#causes").isVisible()), false)
  }))

it.live("the page fits on 320 pixels", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events, { viewport: { width: 320, height: 640 } })
    yield* act(() => row(page, "validate").locator(".label").click())
    assert.equal(yield* act(() => page.evaluate(() => document.documentElement.scrollWidth)), 320)
    assert.ok(yield* act(() => page.getByRole("button", { name: "Close details" }).isVisible()))
  }))

it.live("a page with 5,000 steps draws only the rows that are in view", () =>
  Effect.gen(function*() {
    const page = yield* opened(manySteps(5000).events)
    const work = yield* act(() => page.evaluate(workOfFrames))
    for (const [name, { changed, nodes, rows }] of Object.entries(work)) {
      // all that a frame does to the page is in proportion to what is in view, not to the number of steps
      assert.ok(rows > 10 && rows < 60, `${name}: ${rows} rows`)
      assert.ok(nodes < 1000, `${name}: ${nodes} nodes in the document`)
      assert.ok(changed > 0 && changed < 1500, `${name}: ${changed} nodes added, removed or changed in one frame`)
    }
    yield* act(() => tree(page).focus())
    yield* act(() => page.keyboard.press("End"))
    assert.equal(yield* act(() => active(page)), "part 9 of day 499")
    yield* act(() => page.keyboard.press("n"))
    assert.match(String(yield* act(() => active(page))), /^part \d of day 9$/)
  }))

/** Counts, in the page, the most that a frame does while it scrolls, zooms and pans. */
const workOfFrames = async () => {
  const scroller = document.getElementById("scroll")!
  const wheel = (id: string, init: WheelEventInit) =>
    document.getElementById(id)!.dispatchEvent(
      new WheelEvent("wheel", { bubbles: true, cancelable: true, clientX: 700, ...init })
    )
  const size = (nodes: NodeList) =>
    [...nodes].reduce((sum, node) => sum + 1 + (node instanceof Element ? node.querySelectorAll("*").length : 0), 0)
  let changed = 0
  new MutationObserver((records) => {
    for (const { addedNodes, removedNodes, type } of records) {
      changed += type === "childList" ? size(addedNodes) + size(removedNodes) : 1
    }
  }).observe(document, { attributes: true, characterData: true, childList: true, subtree: true })
  const work = async (move: (n: number) => void) => {
    const most = { changed: 0, nodes: 0, rows: 0 }
    for (let n = 0; n < 20; n++) {
      changed = 0
      move(n)
      // an event of scrolling comes with a frame, and what it asks for is drawn with the next one
      for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done))
      most.changed = Math.max(most.changed, changed)
      most.nodes = Math.max(most.nodes, document.querySelectorAll("*").length)
      most.rows = Math.max(most.rows, document.querySelectorAll(".row").length)
    }
    return most
  }
  return {
    scroll: await work(() => (scroller.scrollTop += 1300)),
    zoom: await work((n) => wheel("axis", { deltaY: n < 10 ? -120 : 120 })),
    pan: await work((n) => wheel("chart", { deltaX: n < 10 ? 90 : -90 }))
  }
}
