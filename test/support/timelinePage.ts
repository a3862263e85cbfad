/** Opens pages of timelines in a browser and queries them. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before } from "node:test"
import { pathToFileURL } from "node:url"
import type { BrowserContextOptions, Page } from "playwright-core"
import { Report } from "../../src/report/index.ts"
import { act, frame } from "./browsing.ts"
import { browserOfFile, type Tab } from "./chromium.ts"

const tabs = browserOfFile()
let folder: string
let pages = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "epilogue-timeline-"))
})

after(() => rm(folder, { recursive: true }))

/** Writes a file and opens it in a new tab. */
export const openedFile = (name: string, content: string, options?: BrowserContextOptions) =>
  Effect.gen(function*() {
    const file = join(folder, name)
    yield* act(() => writeFile(file, content))
    const tab = yield* tabs(options)
    const url = pathToFileURL(file).href
    yield* act(() => tab.page.goto(url))
    return { ...tab, url }
  })

const berlin: BrowserContextOptions = { timezoneId: "Europe/Berlin", locale: "en-GB" }

/** Opens the page of a run's events. When the scope closes, asserts that the page had no errors and loaded nothing but itself. */
export const opened = (events: Iterable<Report.Event>, options: BrowserContextOptions = {}) =>
  Effect.gen(function*() {
    const { url, ...tab } = yield* openedFile(`${pages++}.html`, Report.html(events), {
      viewport: { width: 1280, height: 720 },
      ...berlin,
      ...options
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => isQuiet(tab, url)))
    // its rows are drawn in the first frame, which may come after the page has loaded; without scripts there is none to wait for
    if (options.javaScriptEnabled !== false) yield* act(() => frame(tab.page))
    return tab.page
  })

const isQuiet = ({ errors, requests }: Tab, url: string) => {
  assert.deepEqual(errors, [])
  assert.deepEqual(requests.map((request) => request.url), [url])
}

export const names = (page: Page) => page.locator(".row .label").allInnerTexts()
export const row = (page: Page, name: string) =>
  page.getByRole("treeitem", { name: new RegExp(`^${name} (?:succeeded|failed|interrupted|no end)`) })
export const details = (page: Page) => page.getByRole("complementary", { name: "Details" })
export const tree = (page: Page) => page.getByRole("tree", { name: "Steps" })

/** Returns the name of the row that has the keyboard focus. */
export const active = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => {
    const id = document.activeElement?.getAttribute("aria-activedescendant")
    return id == null ? undefined : document.getElementById(id)?.querySelector(".label")?.textContent
  })

/** Returns the left and right end of a row's bars, in pixels from the left of the chart. */
export const barOf = (page: Page, name: string): Promise<{ left: number; right: number }> =>
  row(page, name).locator("svg.bars").evaluate((svg) => {
    const origin = svg.getBoundingClientRect().left
    const bars = [...svg.querySelectorAll(".success, .failure, .retry, .cut")].map((bar) => bar.getBoundingClientRect())
    return {
      left: Math.min(...bars.map((bar) => bar.left)) - origin,
      right: Math.max(...bars.map((bar) => bar.right)) - origin
    }
  })
