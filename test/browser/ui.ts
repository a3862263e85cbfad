/** Tests the page with recorded runs in a browser. Run by `scripts/browser.ts`. */
import { Context, Effect, Layer } from "effect"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { newFile } from "../durable/support/engine.ts"
import { act, isAccessible } from "../support/browsing.ts"
import { awaitStatus, makePipelines } from "../support/durableRuns.ts"
import { makeIt } from "../support/it.ts"
import { tempFolder } from "../support/record.ts"
import { ended, idOf, start, writeRecord } from "../support/recordFiles.ts"
import { minute, opened, rows, writeTwo } from "../support/runsPage.ts"

const it = makeIt(test)

/** Writes runs of two pipelines, of which every fifth failed. */
const writeRuns = (folder: string, count: number): void => {
  for (let i = 0; i < count; i++) {
    const at = start + i * minute
    writeRecord(folder, {
      id: `${String(i).padStart(8, "0")}-0000-4000-8000-000000000000`,
      name: i % 3 === 0 ? "training" : "nightly",
      at,
      touchedAt: at,
      lines: [ended(i % 5 === 0 ? "failure" : "success", 1_000 + i, at)]
    })
  }
}

it.live("the list shows runs, the newest first, with filters, a search and a link to each", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    writeRuns(folder, 30)
    const page = yield* opened(folder)
    const status = page.getByRole("status")
    assert.equal(yield* act(() => status.innerText()), "30 runs")
    assert.equal(new URL(page.url()).search, "")
    assert.match(yield* act(() => rows(page).first().innerText()), /^✓ succeeded\s+nightly nightly-7/)
    yield* act(() => page.getByLabel("Status", { exact: true }).selectOption("failure"))
    assert.equal(yield* act(() => status.innerText()), "6 of 30 runs")
    yield* act(() => page.getByRole("button", { name: /^training/ }).click())
    assert.equal(yield* act(() => status.innerText()), "2 of 30 runs")
    yield* act(() => page.getByLabel("Find runs").fill("00000015"))
    assert.equal(yield* act(() => status.innerText()), "1 of 30 runs")
    yield* act(() => page.getByLabel("Find runs").fill("nothing"))
    assert.equal(yield* act(() => page.locator(".nothing").innerText()), "No such run.")
    yield* act(() => page.getByLabel("Find runs").fill(""))
    yield* act(() => rows(page).first().getByRole("link").click())
    yield* act(() => page.locator("#rows .row").first().waitFor())
    assert.match(yield* act(() => page.title()), /^training/)
    yield* act(() => page.getByRole("link", { name: "All runs" }).click())
    yield* act(() => rows(page).first().waitFor())
  }))

it.live("the list and the page of a run follow what happens, without being loaded again", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const now = Date.now()
    const step = (index: number, name: string, more: object = {}) => ({
      at: Date.now(),
      stepName: name,
      stepPath: [name],
      index,
      ...more
    })
    const file = writeRecord(folder, { id: "a", at: now, lines: [{ _tag: "StepStarted", ...step(0, "load") }] })
    const add = (...lines: ReadonlyArray<object>) =>
      fs.appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
    const page = yield* opened(folder)
    yield* act(() => rows(page).filter({ hasText: "▶ running" }).waitFor())
    writeRecord(folder, { id: "b", at: now + 1, lines: [ended("success", 5, now + 1)] })
    yield* act(() => rows(page).nth(1).waitFor())
    assert.match(yield* act(() => rows(page).first().innerText()), /succeeded/)
    yield* act(() => page.goto(new URL(`/runs/${idOf("a")}`, page.url()).href))
    const chart = page.getByRole("treeitem")
    yield* act(() => page.getByRole("treeitem", { name: /^load running/ }).click())
    const details = page.getByLabel("Details", { exact: true })
    assert.match(yield* act(() => details.innerText()), /running/)
    add({ _tag: "StepLogged", ...step(0, "load"), logLevel: "Warn", message: "slow <answer>" })
    const alert = { _tag: "AlertPosted", at: Date.now(), deliveryId: "a", step: step(0, "load"), by: "slack" }
    const posted = { ...alert, title: "load <late>", severity: "warning", postedAt: Date.now() }
    add({ ...posted, result: "waiting" })
    add({ _tag: "StepEnded", ...step(0, "load"), outcome: "success", attempts: 1, durationMillis: 7 })
    add({ _tag: "StepStarted", ...step(1, "publish") })
    yield* act(() => page.getByRole("treeitem", { name: /^publish running/ }).waitFor())
    // the details stay open, of the same step, and are those of now
    assert.match(yield* act(() => details.innerText()), /^load[^]*succeeded · [\d.]+ m?s[^]*WARN slow <answer>/)
    assert.match(yield* act(() => details.innerText()), /load <late> \(warning\): waiting for slack/)
    add({ ...posted, result: "delivered" })
    yield* act(() => details.getByText("delivered by slack").waitFor())
    add({
      _tag: "StepEnded",
      ...step(1, "publish"),
      outcome: "failure",
      cause: "Error: full",
      attempts: 1,
      durationMillis: 9
    })
    add(ended("failure", 83, now))
    yield* act(() => page.locator("#subtitle .failure").waitFor())
    assert.equal(yield* act(() => chart.count()), 3)
    assert.equal(yield* act(() => page.locator("#troubles .count").innerText()), "1")
  }))

it.live("of thousands of runs only those in sight have elements, and keys move through all of them", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    writeRuns(folder, 3_000)
    const page = yield* opened(folder)
    assert.equal(yield* act(() => page.getByRole("status").innerText()), "3,000 runs")
    assert.ok((yield* act(() => rows(page).count())) < 60)
    yield* act(() => rows(page).first().getByRole("link").focus())
    yield* act(() => page.keyboard.press("ArrowDown"))
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-index"))
    assert.equal(yield* act(focused), "1")
    yield* act(() => page.keyboard.press("End"))
    assert.equal(yield* act(focused), "2999")
    assert.ok((yield* act(() => rows(page).count())) < 60)
    yield* act(() => page.keyboard.press("PageUp"))
    assert.ok(Number(yield* act(focused)) < 2999)
    yield* act(() => page.keyboard.press("Home"))
    assert.equal(yield* act(focused), "0")
  }))

it.live("both themes are accessible, on a phone and on a desk", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    writeRuns(folder, 40)
    writeRecord(folder, { id: "a", at: Date.now(), lines: [] })
    for (const [colorScheme, width] of [["light", 1200], ["dark", 390]] as const) {
      yield* Effect.scoped(Effect.gen(function*() {
        const page = yield* opened(folder, { colorScheme, viewport: { width, height: 800 } })
        yield* isAccessible(page)
        const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        assert.ok((yield* act(overflow)) <= 0)
      }))
    }
  }))

it.live("a page that is not in sight keeps no connection, and is up to date when it is seen again", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    writeRuns(folder, 1)
    const page = yield* opened(folder)
    const asked: Array<string> = []
    page.on("request", (request) => void asked.push(new URL(request.url()).pathname))
    const show = (state: "hidden" | "visible") =>
      act(() =>
        page.evaluate((state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true })
          document.dispatchEvent(new Event("visibilitychange"))
        }, state)
      )
    const closed = page.waitForEvent("requestfailed", { timeout: 10_000 })
    yield* show("hidden")
    assert.match((yield* act(() => closed)).url(), /\/api\/runs$/)
    writeRecord(folder, { id: "b", lines: [ended("success", 5)] })
    yield* show("visible")
    yield* act(() => rows(page).nth(1).waitFor())
    assert.deepEqual(asked, ["/api/runs"])
  }))

it.live("the page of a run that crashes says so, and asks no more", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const now = Date.now()
    const step = { stepName: "load", stepPath: ["load"], index: 0 }
    const file = writeRecord(folder, { id: "a", at: now, lines: [{ _tag: "StepStarted", at: now, ...step }] })
    const page = yield* opened(folder)
    yield* act(() => page.goto(new URL(`/runs/${idOf("a")}`, page.url()).href))
    yield* act(() => page.getByRole("treeitem", { name: /^load running/ }).waitFor())
    const asked: Array<string> = []
    page.on("request", (request) => void asked.push(request.url()))
    fs.appendFileSync(file, `${JSON.stringify({ _tag: "RunCrashed", at: now + 5, signal: "SIGKILL" })}\n`)
    yield* act(() => page.getByRole("treeitem", { name: /^load no end recorded/ }).waitFor())
    yield* act(() => page.getByRole("treeitem", { name: /^nightly/ }).click())
    assert.match(yield* act(() => page.getByLabel("Details", { exact: true }).innerText()), /killed by SIGKILL/)
    // a browser asks again after three to five seconds
    yield* Effect.sleep("6 seconds")
    assert.deepEqual(asked, [])
  }))

it.live("a pipeline has a page with the durations of its last runs and slowest steps, also as a table", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    writeRuns(folder, 24)
    writeTwo(folder)
    const page = yield* opened(folder, { colorScheme: "dark", viewport: { width: 400, height: 800 } })
    yield* act(() => page.getByRole("link", { name: "Durations of nightly" }).click())
    yield* act(() => page.waitForURL("**/pipelines/nightly"))
    const chart = page.getByRole("img")
    assert.match(
      String(yield* act(() => chart.getAttribute("aria-label"))),
      /^Durations of 18 runs: median 1 s, p95 1 s, 4 failed/
    )
    assert.equal(yield* act(() => chart.locator("rect").count()), 18)
    yield* act(() => page.getByLabel("Last").selectOption("60"))
    assert.equal(yield* act(() => chart.locator("rect").count()), 18)
    const steps = page.getByRole("group", { name: "Slowest steps" }).locator("tbody tr")
    yield* act(() => steps.nth(3).waitFor())
    assert.match(yield* act(() => steps.first().innerText()), /^load\s+400 ms\s+900 ms\s+/)
    yield* act(() => page.getByText("The runs as a table").click())
    assert.equal(yield* act(() => page.locator("details tbody tr").count()), 18)
    yield* isAccessible(page)
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok((yield* act(overflow)) <= 0)
    yield* act(() => page.emulateMedia({ colorScheme: "light" }))
    yield* act(() => page.setViewportSize({ width: 1200, height: 800 }))
    yield* isAccessible(page)
    assert.ok((yield* act(overflow)) <= 0)
    // a run that ends while the page is looked at
    writeRecord(folder, { id: "d", at: Date.now(), lines: [ended("success", 5)] })
    yield* act(() => page.locator("details tbody tr").nth(18).waitFor())
  }))

it.live("questions are answered and runs interrupted and retried on the page, which shows what others wrote as text", () =>
  Effect.gen(function*() {
    const { asks, layer, loads, seen, state } = makePipelines()
    const context = yield* Layer.build(
      Layer.provideMerge(layer, Durable.layerSqlite({ filename: yield* newFile, drain: "100 millis" }))
    )
    const engine = Layer.succeed(WorkflowEngine, Context.get(context, WorkflowEngine))
    yield* Effect.gen(function*() {
      yield* asks.workflow.execute({ id: "hostile" }, { discard: true })
      yield* loads.workflow.execute({ id: "1" }, { discard: true })
      const { runId } = yield* awaitStatus("asks", "waiting")
      yield* awaitStatus("loads", "failure")
      const durable = Layer.provide(Durable.layerUi({ actionsAs: { id: "ada", name: "Ada <b>" } }), engine)
      const page = yield* opened(yield* tempFolder, { colorScheme: "dark", viewport: { width: 400, height: 800 } }, {
        durable,
        path: "/questions"
      })
      const result = page.getByRole("status", { name: "Result" })
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      yield* act(() => page.getByRole("heading", { name: "<img src=x onerror=alert(1)>" }).waitFor())
      assert.match(yield* act(() => page.getByRole("article").innerText()), /You answer as Ada <b>\./)
      yield* isAccessible(page)
      assert.ok((yield* act(overflow)) <= 0)
      // checked before it is sent, by the code that reads answers
      yield* act(() => page.getByLabel("Percent of hosts").fill("101"))
      yield* act(() => page.getByRole("button", { name: "Approve" }).click())
      yield* act(() => page.getByText("Expected a whole number from 1 to 100.").waitFor())
      yield* act(() => page.getByText("Expected one of canary, all.").waitFor())
      assert.equal(yield* act(() => page.evaluate(() => document.activeElement?.getAttribute("aria-invalid"))), "true")
      yield* isAccessible(page)
      yield* act(() => page.getByLabel("Percent of hosts").fill("10"))
      yield* act(() => page.getByLabel("ring").selectOption("canary"))
      // Enter does not approve
      yield* act(() => page.getByLabel("ticket (optional)").press("Enter"))
      yield* act(() => page.getByRole("button", { name: "Approve" }).click())
      yield* act(() => page.getByText("Done: approved by Ada <b>.").waitFor())
      yield* act(() => page.getByText("No question waits for an answer.").waitFor())
      assert.equal(yield* act(() => result.evaluate((element) => element === document.activeElement)), true)
      yield* awaitStatus("asks", "success")
      assert.deepEqual(seen, ["extract", "hostile: 10 canary undefined"])
      yield* act(() => page.getByRole("link", { name: "Durable runs" }).click())
      yield* act(() => page.getByRole("row", { name: /succeeded asks/ }).waitFor())
      yield* isAccessible(page)
      yield* act(() => page.getByRole("link", { name: "loads" }).click())
      yield* act(() => page.getByRole("button", { name: "Retry…" }).click())
      yield* isAccessible(page)
      yield* act(() => page.getByRole("button", { name: "Cancel" }).click())
      assert.equal(yield* act(() => result.innerText()), "")
      state.broken = false
      yield* act(() => page.getByRole("button", { name: "Retry…" }).click())
      yield* act(() => page.getByRole("button", { name: "Retry", exact: true }).click())
      yield* act(() => result.filter({ hasText: /^Done: run \w+~2, a retry of / }).waitFor())
      // live: what has become of it
      yield* act(() => page.getByRole("link", { name: /~2$/ }).click())
      yield* act(() => page.getByText("✓ succeeded").first().waitFor())
      yield* act(() => page.goto(new URL(`/durable/${runId}`, page.url()).href))
      yield* act(() => page.getByText("approved by Ada <b>").waitFor())
      yield* isAccessible(page)
      assert.ok((yield* act(overflow)) <= 0)
      yield* asks.workflow.execute({ id: "2" }, { discard: true })
      const waiting = yield* awaitStatus("asks", "waiting")
      yield* act(() => page.goto(new URL(`/durable/${waiting.runId}`, page.url()).href))
      yield* act(() => page.getByRole("button", { name: "Interrupt…" }).click())
      yield* act(() => page.getByLabel(/^Cut off the steps/).check())
      yield* act(() => page.getByRole("button", { name: "Interrupt", exact: true }).click())
      yield* act(() => page.getByText(`Done: interrupting run ${waiting.runId}.`).waitFor())
      yield* act(() => page.getByText("■ interrupted").first().waitFor())
    }).pipe(Effect.provide(engine))
  }))
