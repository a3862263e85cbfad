/** Tests how mails and cards of Teams look in a browser. Run by `scripts/browser.ts`. */
import { DateTime, Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import type { BrowserContextOptions } from "playwright-core"
import { Alert } from "../../src/index.ts"
import { cardOf, mailOf } from "../support/alertPages.ts"
import { browserOfFile } from "../support/chromium.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const newTab = browserOfFile()

const longWord = "0123456789abcdef".repeat(20)

const alert = Alert.make({
  title: `nightly › load[${longWord}] failed`,
  body: `HttpError: the server answered 503, see https://status.example.com/incidents/42?from=mail. ${longWord}`,
  severity: "error",
  fields: {
    pipeline: "nightly",
    "the name of a parameter that is rather long": longWord,
    "שם": "הקובץ data.csv לא נמצא",
    url: "https://example.com/prices"
  },
  detail:
    `HttpError: the server answered 503\n    at load (https://example.com/${longWord}.ts:12:3)\n    … 12 frames of effect`,
  at: DateTime.makeUnsafe("2026-11-23T12:40:12Z")
})

const shown = (html: string, name: string, options: BrowserContextOptions) =>
  Effect.gen(function*() {
    const { page } = yield* newTab(options)
    yield* Effect.promise(() => page.setContent(html))
    const folder = process.env["PICTURES"]
    if (folder !== undefined) {
      yield* Effect.promise(() => page.screenshot({ path: `${folder}/${name}.png`, fullPage: true }))
    }
    return page
  })

const phone = { viewport: { width: 380, height: 700 } }

for (const [name, htmlOf] of [["mail", mailOf], ["card", cardOf]] as const) {
  it.live(`a ${name} with long words is not wider than a phone`, () =>
    Effect.gen(function*() {
      const page = yield* shown(yield* htmlOf(alert), `${name}-phone`, phone)
      const [width, room] = yield* Effect.promise(() =>
        page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth] as const)
      )
      assert.ok(width <= room, `${width} > ${room}`)
      yield* shown(yield* htmlOf(alert), `${name}-wide`, { viewport: { width: 900, height: 700 } })
    }))
}

it.live("the addresses in a mail are links, without the full stop behind them", () =>
  Effect.gen(function*() {
    const page = yield* shown(yield* mailOf(alert), "mail-links", phone)
    const links = yield* Effect.promise(() =>
      page.evaluate(() => [...document.querySelectorAll("a")].map((link) => [link.href, link.textContent]))
    )
    assert.deepEqual(links.slice(0, 2), [
      ["https://status.example.com/incidents/42?from=mail", "https://status.example.com/incidents/42?from=mail"],
      ["https://example.com/prices", "https://example.com/prices"]
    ])
  }))

it.live("a mail has light text on a dark page where the reader's colours are dark", () =>
  Effect.gen(function*() {
    const luminance = (color: string) => (color.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, n) => sum + Number(n), 0)
    for (const colorScheme of ["light", "dark"] as const) {
      const page = yield* shown(yield* mailOf(alert), `mail-${colorScheme}`, {
        colorScheme,
        viewport: { width: 700, height: 600 }
      })
      const colors = yield* Effect.promise(() =>
        page.evaluate(() =>
          ["body", "th", "pre", ".time", "a"].map((selector) => {
            const element = document.querySelector(selector)!
            let behind: Element | null = element
            while (behind !== null && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") {
              behind = behind.parentElement
            }
            return [
              getComputedStyle(element).color,
              behind === null ? "rgb(255, 255, 255)" : getComputedStyle(behind).backgroundColor
            ] as const
          })
        )
      )
      for (const [color, background] of colors) {
        const difference = luminance(color) - luminance(background)
        assert.ok(
          colorScheme === "dark" ? difference > 200 : difference < -200,
          `${colorScheme}: ${color} on ${background}`
        )
      }
    }
  }))

it.live("Hebrew in a field of a mail is shown from right to left", () =>
  Effect.gen(function*() {
    const page = yield* shown(yield* mailOf(alert), "mail-hebrew", phone)
    const direction = yield* Effect.promise(() =>
      page.evaluate(() =>
        getComputedStyle([...document.querySelectorAll("td")].find((td) => /ה/.test(td.textContent!))!).direction
      )
    )
    assert.equal(direction, "rtl")
  }))
