/** Acts in a browser, and checks what it shows. */
import axe from "axe-core"
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import type { Page } from "playwright-core"

/** Lifts an action in the browser into an Effect. */
export const act = <A>(f: () => Promise<A>): Effect.Effect<A> => Effect.promise(f)

/** Waits until a page shows what has changed so far. */
export const frame = (page: Page): Promise<void> =>
  page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))))

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

/** Asserts that axe finds no violation in what a page shows now. */
export const isAccessible = (page: Page): Effect.Effect<void> =>
  act(async () => {
    await frame(page)
    // a cast: the script defines it, once for each page
    const isLoaded = await page.evaluate(() => "axe" in globalThis)
    if (!isLoaded) await page.evaluate(axe.source)
    const violations = await page.evaluate(async (rules) => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly: rules,
        // takes half of the time, to load style sheets that pages do not have
        preload: false,
        resultTypes: ["violations"]
      })
      return violations.map(({ id, nodes }) => [
        id,
        ...nodes.map(({ failureSummary, html }) => `${html}: ${failureSummary}`)
      ])
    }, rules)
    assert.deepEqual(violations, [])
  })
