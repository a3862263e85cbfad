/** Tests the approval page in a browser. Run by `scripts/browser.ts`. */
import { Effect, Fiber, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import type { BrowserContextOptions, Page } from "playwright-core"
import { Params, type Question } from "../../src/index.ts"
import { approver, asked } from "../support/approvalPage.ts"
import { act } from "../support/browsing.ts"
import { channelServer } from "../support/channelServer.ts"
import { browserOfFile, type Tab } from "../support/chromium.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const newTab = browserOfFile()

const question: Question = {
  title: "Deploy v2 to production?",
  body: "All tests have passed.\nNobody is on holiday.",
  fields: [{ name: "commit", value: "c0ffee1" }, { name: "author", value: "Anna" }],
  options: { approve: "Ship it", deny: "Not now" },
  timeout: "1 hour"
}

/** Asks the question, and opens its page in the browser. */
const opened = (changes: Partial<Question> = {}, options?: BrowserContextOptions) =>
  Effect.gen(function*() {
    const { decision, url } = yield* asked({ ...question, ...changes })
    const tab = yield* newTab(options)
    const response = yield* act(() => tab.page.goto(url))
    assert.equal(response?.status(), 200)
    return { ...tab, decision, url }
  })

const isQuiet = ({ errors, requests }: Pick<Tab, "errors" | "requests">, url: string) => {
  assert.deepEqual(errors, [])
  assert.ok(requests.length > 0)
  assert.deepEqual(requests.filter((request) => new URL(request.url).origin !== new URL(url).origin), [])
}

const heading = (page: Page) => page.getByRole("heading", { level: 1 }).innerText()

it.live("the page shows the question, and every field and button has an accessible name", () =>
  Effect.gen(function*() {
    const { page, url, ...tab } = yield* opened()
    assert.equal(yield* act(() => page.title()), question.title)
    assert.equal(yield* act(() => heading(page)), question.title)
    assert.equal(yield* act(() => page.locator("html").getAttribute("lang")), "en")
    assert.equal(yield* act(() => page.locator(".text").first().innerText()), question.body)
    assert.deepEqual(yield* act(() => page.locator("dt").allInnerTexts()), ["commit", "author"])
    assert.deepEqual(yield* act(() => page.locator("dd").allInnerTexts()), ["c0ffee1", "Anna"])
    for (const label of ["Your name (optional)", "Comment (optional)"]) {
      assert.ok(yield* act(() => page.getByLabel(label, { exact: true }).isVisible()), label)
    }
    const buttons = yield* act(() => page.getByRole("button").allInnerTexts())
    assert.deepEqual(buttons, ["Ship it", "Not now"])
    assert.match(yield* act(() => page.locator("form").innerText()), /59 min left: an answer counts until /)
    isQuiet(tab, url)
  }))

it.live("a question can be approved by mouse, with name and comment", () =>
  Effect.gen(function*() {
    const { decision, page, url, ...tab } = yield* opened()
    yield* act(() => page.getByLabel("Your name").fill("Anna Ärlig"))
    yield* act(() => page.getByLabel("Comment").fill("fine by me\nعلى بركة الله 😀"))
    yield* act(() => page.getByRole("button", { name: "Ship it" }).click())
    const result = yield* Fiber.join(decision)
    assert.ok(result._tag === "Approved")
    assert.deepEqual(result.by, { id: "local", name: "Anna Ärlig" })
    assert.equal(result.comment, "fine by me\nعلى بركة الله 😀")
    assert.equal(yield* act(() => heading(page)), "Your answer: Ship it")
    isQuiet(tab, url)
  }))

it.live("a question can be denied by mouse", () =>
  Effect.gen(function*() {
    const { decision, page, url, ...tab } = yield* opened()
    yield* act(() => page.getByRole("button", { name: "Not now" }).click())
    const result = yield* Fiber.join(decision)
    assert.ok(result._tag === "Denied")
    assert.deepEqual(result.by, { id: "local", name: "local" })
    assert.equal(result.comment, undefined)
    assert.equal(yield* act(() => heading(page)), "Your answer: Not now")
    isQuiet(tab, url)
  }))

/** Presses Tab until the element with this name has the focus. */
const tabTo = async (page: Page, name: string): Promise<void> => {
  const seen: Array<string> = []
  while (seen.length < 10) {
    await page.keyboard.press("Tab")
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      const label = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
        ? element.labels?.[0]?.textContent
        : element?.textContent
      const shown = element === null ? "" : getComputedStyle(element).outlineStyle
      return { name: label ?? "", ring: shown }
    })
    if (focused.name === name) return assert.equal(focused.ring, "solid")
    seen.push(focused.name)
  }
  assert.fail(`not reached: ${name}, but ${seen.join(", ")}`)
}

for (const [label, tag, key] of [["Ship it", "Approved", "Enter"], ["Not now", "Denied", "Space"]] as const) {
  it.live(`${tag} by keyboard alone; Enter in the name's field is no answer`, () =>
    Effect.gen(function*() {
      const { decision, page, url, ...tab } = yield* opened()
      yield* act(() => tabTo(page, "Your name (optional)"))
      yield* act(() => page.keyboard.type("Anna"))
      yield* act(() => page.keyboard.press("Enter"))
      yield* act(() => tabTo(page, "Comment (optional)"))
      yield* act(() => page.keyboard.type("by keys"))
      assert.deepEqual(tab.requests.map(({ method }) => method), ["GET"])
      assert.equal(decision.pollUnsafe(), undefined)
      yield* act(() => tabTo(page, label))
      yield* act(() => page.keyboard.press(key))
      const result = yield* Fiber.join(decision)
      assert.ok(result._tag === tag)
      assert.equal(result.by.name, "Anna")
      assert.equal(result.comment, "by keys")
      isQuiet(tab, url)
    }))
}

it.live("the page works without scripts", () =>
  Effect.gen(function*() {
    const { decision, page } = yield* opened({}, { javaScriptEnabled: false })
    yield* act(() => page.getByRole("button", { name: "Ship it" }).click())
    assert.equal((yield* Fiber.join(decision))._tag, "Approved")
    assert.equal(yield* act(() => heading(page)), "Your answer: Ship it")
  }))

it.live("a wrong token gets no page", () =>
  Effect.gen(function*() {
    const { decision, page, url } = yield* opened()
    const response = yield* act(() => page.goto(`${url.slice(0, -1)}${url.endsWith("0") ? "1" : "0"}`))
    assert.equal(response?.status(), 404)
    assert.equal(yield* act(() => heading(page)), "There is no such page")
    assert.equal(yield* act(() => page.getByRole("button").count()), 0)
    assert.equal(decision.pollUnsafe(), undefined)
  }))

it.live("after the answer, the page shows the decision to everybody who opens it", () =>
  Effect.gen(function*() {
    const { decision, page, url } = yield* opened()
    yield* act(() => page.getByLabel("Your name").fill("Anna"))
    yield* act(() => page.getByRole("button", { name: "Ship it" }).click())
    yield* Fiber.join(decision)
    const other = yield* newTab()
    for (const load of [() => page.reload(), () => page.goto(url), () => other.page.goto(url)]) {
      assert.equal((yield* act(load))?.status(), 410)
    }
    for (const { page: shown } of [{ page }, other]) {
      assert.equal(yield* act(() => heading(shown)), "This question is closed")
      assert.match(yield* act(() => shown.locator("main").innerText()), /Anna answered “Ship it” on /)
      assert.equal(yield* act(() => shown.getByRole("button").count()), 0)
    }
  }))

it.live("the second of two approvers is told who answered first", () =>
  Effect.gen(function*() {
    const { decision, link } = yield* (yield* approver())({ ...question, approvers: ["anna", "ben"] })
    const [anna, ben] = [yield* newTab(), yield* newTab()]
    for (const { page } of [anna, ben]) {
      const { approver, url } = yield* link
      yield* act(() => page.goto(url))
      assert.match(yield* act(() => page.locator("form").innerText()), new RegExp(`You answer as ${approver}\\.`))
    }
    yield* act(() => ben.page.getByRole("button", { name: "Not now" }).click())
    const result = yield* Fiber.join(decision)
    assert.ok(result._tag === "Denied")
    assert.equal(result.by.id, "ben")
    yield* act(() => anna.page.getByRole("button", { name: "Ship it" }).click())
    assert.match(
      yield* act(() => anna.page.locator("main").innerText()),
      /ben answered “Not now” on .*\n\nYour answer was not counted\./
    )
  }))

it.live("markup in the question is shown as text", () =>
  Effect.gen(function*() {
    const hostile = "<script>document.title = \"owned\"</script><img src=https://evil.example/x onerror=alert(1)>"
    const { page, url, ...tab } = yield* opened({
      title: hostile,
      body: hostile,
      fields: [{ name: hostile, value: hostile }],
      options: { approve: hostile, deny: "no" }
    })
    assert.equal(yield* act(() => page.title()), hostile)
    assert.equal(yield* act(() => heading(page)), hostile)
    assert.deepEqual(yield* act(() => page.locator(".text").allInnerTexts()), [hostile, hostile])
    assert.equal(yield* act(() => page.locator("script, img").count()), 0)
    assert.equal(yield* act(() => page.getByRole("button", { name: hostile }).count()), 1)
    isQuiet(tab, url)
  }))

it.live("no other site can show the page in a frame, or submit its form", () =>
  Effect.gen(function*() {
    const { decision, page, url } = yield* opened()
    const elsewhere = yield* channelServer({
      headers: { "content-type": "text/html", "referrer-policy": "no-referrer" },
      body: `<iframe src="${url}"></iframe>
        <form method="post" action="${url}"><button name="answer" value="approve">win</button></form>`
    })
    yield* act(() => page.goto(elsewhere.url))
    const framed = page.frames().find((frame) => frame !== page.mainFrame())
    assert.ok(framed !== undefined)
    assert.equal(yield* act(() => framed.getByRole("button").count()), 0)
    const [response] = yield* act(() =>
      Promise.all([page.waitForResponse(url), page.getByRole("button", { name: "win" }).click()])
    )
    assert.equal(response.status(), 403)
    assert.equal(decision.pollUnsafe(), undefined)
  }))

it.live("the page fits on 320 pixels, even with long words", () =>
  Effect.gen(function*() {
    const word = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen/".repeat(4)
    const { page } = yield* opened(
      { title: word, body: word, fields: [{ name: word, value: word }], options: { approve: word, deny: `No${word}` } },
      { viewport: { width: 320, height: 640 } }
    )
    const widths = yield* act(() =>
      page.evaluate(() => ({
        page: document.documentElement.scrollWidth,
        buttons: [...document.querySelectorAll(".answers button")].map((button) => button.scrollWidth)
      }))
    )
    assert.equal(widths.page, 320)
    assert.ok(widths.buttons.length === 2 && widths.buttons.every((width) => width <= 320))
  }))

for (const colorScheme of ["light", "dark"] as const) {
  it.live(`text stands out from what is behind it, where ${colorScheme} colours are wanted`, () =>
    Effect.gen(function*() {
      const { page } = yield* opened({}, { colorScheme })
      const contrasts = yield* act(() =>
        page.evaluate(contrastsOf, "h1, p, dt, dd, label, input, button:not([hidden])")
      )
      assert.ok(contrasts.length >= 10)
      assert.deepEqual(contrasts.filter(({ contrast }) => contrast < 4.5), [])
      const background = yield* act(() => page.evaluate(() => getComputedStyle(document.body).backgroundColor))
      assert.equal(background, colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)")
    }))
}

/** Measures contrast, in the page (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio). */
const contrastsOf = (selector: string) => {
  const numbers = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string) => {
    const [r, g, b] = numbers(color).map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4
    )
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  }
  const behind = (element: Element | null): string => {
    if (element === null) return "rgb(255, 255, 255)"
    const { backgroundColor } = getComputedStyle(element)
    return numbers(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor
  }
  return [...document.querySelectorAll(selector)].map((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
    return { element: element.outerHTML.slice(0, 60), contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) }
  })
}

it.live("the values of a form are filled in by their labels, and again where one does not fit", () =>
  Effect.gen(function*() {
    const percent = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).annotate({ title: "Percent" })
    const values = Params.form({ percent, region: Schema.Literals(["eu", "us"]) })
    const { decision, errors, page, requests, url } = yield* opened({ values })
    yield* act(() => page.getByLabel("Percent").fill("101"))
    yield* act(() => page.getByLabel("region").selectOption("us"))
    yield* act(() => page.getByRole("button", { name: "Ship it" }).click())
    assert.equal(yield* act(() => page.getByRole("alert").innerText()), "Expected a whole number from 1 to 100.")
    assert.equal(yield* act(() => page.getByLabel("region").inputValue()), "us")
    yield* act(() => page.getByLabel("Percent").fill("10"))
    yield* act(() => page.getByRole("button", { name: "Ship it" }).click())
    assert.equal(yield* act(() => heading(page)), "Your answer: Ship it")
    const decided = yield* Fiber.join(decision)
    assert.deepEqual(decided._tag === "Approved" && decided.values, { percent: 10, region: "us" })
    isQuiet({ errors: errors.filter((error) => !/422/.test(error)), requests }, url)
  }))
