/** Tests the page of a timeline in a browser. Run by `scripts/browser.ts`. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { act, frame, isAccessible } from "../support/browsing.ts"
import { makeIt } from "../support/it.ts"
import { cutOff, nightlyEtl, Run, Step } from "../support/runEvents.ts"
import { active, barOf, details, names, opened, row, tree } from "../support/timelinePage.ts"

const it = makeIt(test)

it.live("the page shows runs and nested steps with their outcomes, in shapes and in words", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events)
    assert.equal(yield* act(() => page.title()), "nightly-etl · 2026-11-02")
    const steps = ["extract", "fetch orders", "fetch weather", "fetch customers"]
      .concat(["validate", "check schema", "check references", "clean up"])
    assert.deepEqual(yield* act(() => names(page)), ["nightly-etl · 2026-11-02", ...steps])
    assert.deepEqual(
      yield* act(() =>
        page.getByRole("treeitem").evaluateAll((rows) =>
          rows.slice(1, 3).map((row) =>
            ["aria-level", "aria-posinset", "aria-setsize", "aria-expanded"].map((name) => row.getAttribute(name))
          )
        )
      ),
      [["2", "1", "3", "true"], ["3", "1", "3", null]]
    )
    const named = page.getByRole("treeitem", { name: "fetch orders succeeded, 31.4 s, 3 attempts", exact: true })
    assert.equal(yield* act(() => named.count()), 1)
    const subtitle = yield* act(() => page.locator("#subtitle").innerText())
    assert.equal(
      subtitle,
      "2 Nov 2026, 03:00:00 · failed · 1 min 24 s · 8 steps · 2 failed · 2 retries · 1 hook failed"
    )
    assert.equal(yield* act(() => page.locator("#subtitle time").getAttribute("title")), "2026-11-02T02:00:00.000Z")
    const looks = (name: string) =>
      row(page, name).locator("svg.bars path:not(.grid)").evaluateAll((paths) =>
        paths.map((path) => path.getAttribute("class"))
      )
    assert.deepEqual(yield* act(() => looks("fetch orders")), [
      "retry",
      "delay",
      "retry",
      "delay",
      "success",
      "hook",
      "hook"
    ])
    assert.deepEqual(yield* act(() => looks("validate")), ["failure", "cross", "hook-failed", "hook"])
    assert.deepEqual(yield* act(() => looks("check references")), ["failure", "cross", "hook-skipped", "hook"])
  }))

it.live("steps that were cut off are shown without an end", () =>
  Effect.gen(function*() {
    const page = yield* opened(cutOff().events)
    assert.match(yield* act(() => page.locator("#subtitle").innerText()), /no end recorded · ≥ 16 s/)
    yield* act(() => row(page, "fetch weather").click())
    const text = yield* act(() => details(page).innerText())
    assert.match(text, /no end recorded · ≥ 15\.9 s/)
    assert.match(text, /Progress\s+7 of 14/)
    assert.match(text, /Last heard of/)
  }))

it.live("a click on a failed step shows its cause, parameters, hooks and alerts", () =>
  Effect.gen(function*() {
    const run = nightlyEtl()
    const step = new Step(run, { stepName: "validate", stepPath: ["validate"], index: 4 }, 32_000)
    run.alert("a", 48_700, 48_700, "waiting", { step, title: "validate <b>failed</b>" })
    run.alert("a", 48_700, 78_700, "failed", {
      step,
      title: "validate <b>failed</b>",
      reason: "no answer <in> time"
    })
    run.alert("b", 78_710, 78_900, "delivered", { step, by: "email", title: "validate <b>failed</b>" })
    const page = yield* opened(run.events)
    yield* act(() => row(page, "validate").locator(".label").click())
    const text = yield* act(() => details(page).innerText())
    for (
      const part of [
        "BadRows: 3 of 48211 rows are bad\n    at validate (file:///srv/etl/validate.ts:88:11)",
        "alert on Slack"
      ]
    ) {
      assert.ok(text.includes(part), part)
    }
    assert.match(text, /strict\s+true/)
    assert.match(text, /on failure: failed, 30 s, from the pipeline\s+TimeoutError/)
    assert.match(
      text,
      /Alerts\s+03:00:48\.700 validate <b>failed<\/b> \(error\): not delivered by slack after 30 s\s+no answer <in> time/
    )
    assert.match(text, /03:01:18\.710 validate <b>failed<\/b> \(error\): delivered by email/)
    assert.match(text, /2 Nov 2026, 03:00:32/)
    assert.equal(
      yield* act(() => details(page).locator("time").first().getAttribute("title")),
      "2026-11-02T02:00:32.000Z"
    )
    yield* act(() => row(page, "check references").locator(".label").click())
    const other = yield* act(() => details(page).innerText())
    assert.match(other, /In\s+validate/)
    assert.match(other, /bad\s+3/)
    yield* act(() => page.getByRole("button", { name: "Close details" }).click())
    assert.equal(yield* act(() => details(page).count()), 0)
  }))

it.live("a tip describes the attempt or hook under the pointer", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events)
    const tip = page.locator("#tip")
    const over = (name: string, look: string) => row(page, name).locator(`svg.bars .${look}`).first().hover()
    yield* act(() => over("fetch orders", "retry"))
    assert.match(
      yield* act(() => tip.innerText()),
      /attempt 1 of 3 failed after 6\.1 s, then a wait of 2 s[\s\S]*HttpError: GET/
    )
    yield* act(() => over("validate", "hook-failed"))
    assert.match(
      yield* act(() => tip.innerText()),
      /^alert on Slack\nhook on failure: failed, 30 s, from the pipeline\nTimeoutError/
    )
    yield* act(() => page.keyboard.press("Escape"))
    assert.equal(yield* act(() => tip.isVisible()), false)
  }))

it.live("a failure and its details can be reached by keyboard alone", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events)
    const press = (...keys: ReadonlyArray<string>) =>
      act(async () => {
        for (const key of keys) await page.keyboard.press(key)
      })
    let tabs = 0
    while (
      (yield* act(() => tree(page).evaluate((tree) => tree !== document.activeElement))) && tabs++ < 12
    ) yield* press("Tab")
    assert.equal(yield* act(() => active(page)), "nightly-etl · 2026-11-02")
    assert.notEqual(
      yield* act(() => row(page, "nightly-etl.*").evaluate((row) => getComputedStyle(row).outlineStyle)),
      "none"
    )
    yield* press("ArrowDown", "ArrowDown")
    assert.equal(yield* act(() => active(page)), "fetch orders")
    yield* press("ArrowLeft")
    assert.equal(yield* act(() => active(page)), "extract")
    yield* press("ArrowLeft")
    assert.equal(yield* act(() => row(page, "extract").getAttribute("aria-expanded")), "false")
    assert.equal(yield* act(() => row(page, "fetch orders").count()), 0)
    yield* press("ArrowRight", "ArrowRight")
    assert.equal(yield* act(() => active(page)), "fetch orders")
    yield* press("End")
    assert.equal(yield* act(() => active(page)), "clean up")
    yield* press("n")
    assert.equal(yield* act(() => active(page)), "validate")
    yield* press("n")
    assert.equal(yield* act(() => active(page)), "check references")
    yield* press("p", "Enter")
    assert.equal(yield* act(() => page.evaluate(() => document.activeElement?.id)), "details")
    assert.match(yield* act(() => details(page).innerText()), /^validate\s[\s\S]*BadRows/)
    yield* press("Escape")
    assert.equal(yield* act(() => active(page)), "validate")
    assert.equal(yield* act(() => details(page).count()), 0)
  }))

it.live("steps can be filtered by failure, searched by name and folded", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events)
    yield* act(() => page.getByRole("button", { name: "Only failures" }).click())
    yield* act(() => frame(page))
    assert.deepEqual(yield* act(() => names(page)), ["nightly-etl · 2026-11-02", "validate", "check references"])
    yield* act(() => page.getByRole("searchbox", { name: "Find steps" }).fill("SCHEMA"))
    yield* act(() => frame(page))
    assert.equal(yield* act(() => page.getByRole("status").innerText()), "No such step.")
    yield* act(() => page.getByRole("button", { name: "Only failures" }).click())
    yield* act(() => frame(page))
    assert.deepEqual(yield* act(() => names(page)), ["nightly-etl · 2026-11-02", "validate", "check schema"])
    yield* act(() => page.getByRole("searchbox", { name: "Find steps" }).fill(""))
    yield* act(() => page.getByRole("button", { name: "Fold" }).click())
    yield* act(() => frame(page))
    assert.deepEqual(yield* act(() => names(page)), ["nightly-etl · 2026-11-02", "extract", "validate", "clean up"])
  }))

it.live("the page says so if no step failed, and if there are no runs", () =>
  Effect.gen(function*() {
    const well = yield* opened(new Run("p", 0).end(10).events)
    yield* act(() => well.getByRole("button", { name: "Only failures" }).click())
    assert.equal(yield* act(() => well.getByRole("status").innerText()), "No step failed.")
    const empty = yield* opened([])
    assert.equal(yield* act(() => empty.getByRole("status").innerText()), "There are no runs here.")
  }))

it.live("time zooms and pans by wheel, buttons and keys, and never beyond the runs", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events)
    const bar = () => act(() => frame(page).then(() => barOf(page, "extract")))
    const start = yield* bar()
    yield* act(() => page.getByRole("button", { name: "Zoom in" }).click())
    const closer = yield* bar()
    assert.ok(closer.right - closer.left > 1.3 * (start.right - start.left) || closer.left < start.left)
    yield* act(() => page.getByRole("button", { name: "Fit" }).click())
    assert.deepEqual(yield* bar(), start)
    // the time under the pointer stays in place
    const box = (yield* act(() => row(page, "extract").locator("svg.bars").boundingBox()))!
    yield* act(() => page.mouse.move(box.x + start.right, box.y + 8))
    yield* act(() => page.keyboard.down("Control"))
    yield* act(() => page.mouse.wheel(0, -100))
    yield* act(() => page.keyboard.up("Control"))
    const wheeled = yield* bar()
    assert.ok(Math.abs(wheeled.right - start.right) < 2 && wheeled.left < start.left - 50)
    // the click at the end of a drag chooses no row
    yield* act(() => page.mouse.down())
    yield* act(() => page.mouse.move(box.x + start.right + 40, box.y + 8, { steps: 4 }))
    yield* act(() => page.mouse.up())
    const dragged = yield* bar()
    assert.ok(Math.abs(dragged.right - wheeled.right - 40) < 2)
    assert.equal(yield* act(() => details(page).count()), 0)
    yield* act(() => page.keyboard.press("Shift+ArrowRight"))
    assert.ok((yield* bar()).right < dragged.right - 100)
    for (let n = 0; n < 20; n++) yield* act(() => page.keyboard.press("Shift+ArrowLeft"))
    for (let n = 0; n < 20; n++) yield* act(() => page.keyboard.press("-"))
    assert.deepEqual(yield* bar(), start)
  }))

it.live("a row that is chosen by key scrolls into view, and so does its time", () =>
  Effect.gen(function*() {
    const page = yield* opened(nightlyEtl().events)
    yield* act(() => row(page, "fetch orders").dblclick())
    yield* act(() => tree(page).focus())
    yield* act(() => page.keyboard.press("End"))
    yield* act(() => frame(page))
    const { left, right } = yield* act(() => barOf(page, "clean up"))
    const width = yield* act(() => page.locator("#axis").evaluate((axis) => axis.clientWidth))
    assert.ok(left >= 0 && right <= width, `${left} to ${right} of ${width}`)
  }))

it.live("runs of different nights start at the same place, unless the clock is chosen", () =>
  Effect.gen(function*() {
    const page = yield* opened([...nightlyEtl("2026-11-01T02:00:00Z", false).events, ...cutOff().events])
    const zone = page.locator("#zone")
    assert.equal(yield* act(() => zone.innerText()), "From start")
    const axis = yield* act(() => page.locator("#axis text").allTextContents())
    assert.deepEqual(axis.slice(0, 3), ["0", "15 s", "30 s"])
    yield* act(() => page.getByRole("button", { name: "From start" }).click())
    yield* act(() => frame(page))
    assert.equal(yield* act(() => zone.innerText()), "1 Nov 2026, Europe/Berlin")
    assert.ok(
      (yield* act(() => page.locator("#axis text").allTextContents())).every((text) =>
        /^(?:\d\d:\d\d|\d+ \w+)$/.test(text)
      )
    )
  }))

for (const colorScheme of ["light", "dark"] as const) {
  it.live(`axe finds no violation in ${colorScheme} colours, wanted or chosen, with details or without rows`, () =>
    Effect.gen(function*() {
      const other = colorScheme === "light" ? "dark" : "light"
      const runs = [...nightlyEtl("2026-11-01T02:00:00Z", false).events, ...nightlyEtl().events, ...cutOff().events]
      // axe writes markup, which the page's policy forbids
      const wanted = yield* opened(runs, { colorScheme, bypassCSP: true })
      const chosen = yield* opened(runs, { colorScheme: other, bypassCSP: true })
      yield* act(() => chosen.getByRole("button", { name: `${colorScheme} theme` }).click())
      for (const page of [wanted, chosen]) {
        const background = yield* act(() => page.evaluate(() => getComputedStyle(document.body).backgroundColor))
        assert.equal(background, colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)")
        yield* isAccessible(page)
      }
      yield* act(() => row(wanted, "fetch orders").first().click())
      yield* isAccessible(wanted)
      yield* act(() => wanted.keyboard.press("n"))
      yield* act(() => wanted.keyboard.press("Enter"))
      yield* isAccessible(wanted)
      yield* act(() => wanted.getByRole("searchbox").fill("no such step"))
      yield* isAccessible(wanted)
    }))
}
