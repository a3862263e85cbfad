/** Tests the comparison of two recorded runs in a browser. Run by `scripts/browser.ts`. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { act, isAccessible } from "../support/browsing.ts"
import { makeIt } from "../support/it.ts"
import { tempFolder } from "../support/record.ts"
import { ended, start, writeRecord } from "../support/recordFiles.ts"
import { minute, opened, rows, writeTwo } from "../support/runsPage.ts"

const it = makeIt(test)

it.live("two runs are chosen in the list by keys and compared, and each step leads to its place in the run", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const [before, after] = writeTwo(folder)
    writeRecord(folder, { id: "c", name: "training", at: start + 2 * minute, lines: [ended("success", 5)] })
    const page = yield* opened(folder)
    const compare = page.getByRole("button", { name: "Compare" })
    yield* act(() => rows(page).first().getByRole("checkbox").focus())
    yield* act(() => page.keyboard.press("Space"))
    assert.ok(yield* act(() => compare.isDisabled()))
    yield* act(() => page.keyboard.press("ArrowDown"))
    yield* act(() => page.keyboard.press("Space"))
    const bar = page.getByLabel("Comparison")
    assert.match(yield* act(() => bar.innerText()), /Runs of two pipelines are chosen/)
    assert.ok(yield* act(() => compare.isDisabled()))
    yield* act(() => page.keyboard.press("ArrowDown"))
    yield* act(() => page.keyboard.press("Space"))
    assert.match(yield* act(() => bar.innerText()), /Two runs of nightly are chosen/)
    yield* act(() => compare.press("Enter"))
    yield* act(() => page.waitForURL(`**/compare/${before}/${after}`))
    const texts = () =>
      page.locator(".rows .row").allInnerTexts().then((rows) =>
        rows.map((row) => row.replaceAll(/\s+/g, " ").slice(0, 90))
      )
    yield* act(() => rows(page).nth(4).waitFor())
    assert.deepEqual((yield* act(texts)).slice(0, 4), [
      "save ✓ succeeded 20 ms ✗ failed 20 ms 0 ms (0 %) newly failing",
      "load ✓ succeeded 400 ms ✓ succeeded 900 ms +500 ms (+125 %) slower",
      "load › fetch[b] – ✓ succeeded 300 ms added",
      "load › fetch[a/1] ✓ succeeded 100 ms ✓ succeeded 110 ms +10 ms (+10 %)"
    ])
    assert.equal(yield* act(() => page.getByRole("status").innerText()), "3 of 5 steps changed")
    yield* act(() => page.getByRole("button", { name: "Only what changed" }).click())
    yield* act(() => page.getByRole("button", { name: "In the order of the run" }).click())
    assert.deepEqual((yield* act(texts)).map((text) => text.split(" ")[0]), ["load", "fetch[b]", "save"])
    yield* act(() => page.getByRole("link", { name: "fetch[b]" }).click())
    yield* act(() => page.waitForURL(`**/runs/${after}#step=load/fetch%5Bb%5D`))
    const details = page.getByLabel("Details", { exact: true })
    assert.match(yield* act(() => details.innerText()), /^fetch\[b\]/)
    assert.match(
      yield* act(() => page.locator("#rows [aria-selected=true]").innerText()),
      /^fetch\[b\]/
    )
    // another step by the address, though its row is filtered
    yield* act(() => page.getByLabel("Find steps").fill("load"))
    yield* act(() =>
      page.evaluate(() => {
        location.hash = "#step=save"
      })
    )
    yield* act(() => details.getByText("Error: full").waitFor())
    assert.equal(
      yield* act(() => details.getByRole("link", { name: "Link to this step" }).getAttribute("href")),
      "#step=save"
    )
    yield* act(() => page.context().grantPermissions(["clipboard-read", "clipboard-write"]))
    yield* act(() => details.getByRole("button", { name: "Copy link" }).click())
    yield* act(() => details.getByRole("button", { name: "Copied" }).waitFor())
    assert.match(yield* act(() => page.evaluate(() => navigator.clipboard.readText())), /\/runs\/b[^?]*#step=save$/)
  }))

it.live("a comparison is accessible and fits on a phone and on a desk", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const [before, after] = writeTwo(folder)
    const page = yield* opened(folder)
    for (const [colorScheme, width] of [["light", 1200], ["dark", 800], ["light", 400], ["dark", 400]] as const) {
      yield* act(() => page.setViewportSize({ width, height: 800 }))
      yield* act(() => page.emulateMedia({ colorScheme }))
      yield* act(() => page.goto(new URL(`/compare/${before}/${after}`, page.url()).href))
      yield* act(() => rows(page).nth(4).waitFor())
      yield* isAccessible(page)
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok((yield* act(overflow)) <= 0)
      // each cell is in sight, in the columns or lines of this width
      const lines = () =>
        page.evaluate(() =>
          ["name", "before", "after", "difference", "changes"].map((name) => {
            const { height, left, right, top } = document.querySelector(`.row:nth-child(2) .${name}`)!
              .getBoundingClientRect()
            const row = document.querySelector(".row:nth-child(2)")!.getBoundingClientRect()
            return [left >= row.left && right <= row.right + 1 && height > 0, Math.floor((top - row.top) / 30)]
          })
        )
      const two = width <= 800 ? 1 : 0
      assert.deepEqual(yield* act(lines), [[true, 0], [true, two], [true, two], [true, two], [true, 0]])
    }
  }))
