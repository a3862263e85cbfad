/** Tests the site of the docs in a browser, from files, as a reader would open it without a server. Run by `scripts/browser.ts`. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { pathToFileURL } from "node:url"
import { build, write } from "../../scripts/site/build.ts"
import { act, isAccessible } from "../support/browsing.ts"
import { browser } from "../support/chromium.ts"
import { makeIt } from "../support/it.ts"
import { tempFolder } from "../support/record.ts"

const it = makeIt(test)

it.live("the site is read, searched and themed from files, by anybody, on a phone, and asks nothing of others", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const { broken, site } = yield* act(() => build())
    assert.deepEqual(broken, [])
    write(site, folder)
    const newTab = yield* browser
    const home = pathToFileURL(join(folder, "index.html")).href
    for (const [width, colorScheme] of [[1200, "dark"], [400, "light"]] as const) {
      const { errors, page, requests } = yield* newTab({ viewport: { width, height: 800 }, colorScheme })
      page.setDefaultTimeout(20_000) // the index of the search is half a megabyte
      yield* act(() => page.goto(home))
      const over = yield* act(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth))
      assert.ok(over <= 0, `${over} px are outside of the window`)
      yield* isAccessible(page)
      yield* act(() => page.keyboard.press("/"))
      yield* act(() => page.keyboard.type("durable pipelines"))
      yield* act(() => page.getByRole("option").first().waitFor())
      yield* act(() => page.keyboard.press("ArrowDown"))
      yield* act(() => page.keyboard.press("Enter"))
      yield* act(() => page.waitForURL(/docs\/durable\.html#/))
      yield* act(() => page.getByRole("button", { name: "Theme" }).click())
      assert.equal(yield* act(() => page.evaluate(() => document.documentElement.dataset["theme"])), "light")
      assert.deepEqual(errors, [])
      assert.deepEqual(requests.filter(({ url }) => !url.startsWith(pathToFileURL(folder).href)), [])
    }
  }))
