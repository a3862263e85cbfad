import { Duration, Effect, Fiber, Latch, Schedule } from "effect"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { test } from "node:test"
import { Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { forAll } from "../support/property.ts"
import { tempFolder } from "../support/record.ts"
import { cutOff, manySteps, nightlyEtl, Run } from "../support/runEvents.ts"
import { assertWellFormed } from "../support/xml.ts"

const it = makeIt(test)

/** Returns the results of runs, and asserts that they are well-formed. */
const junit = (events: Iterable<Report.Event>): string => assertResults(Report.junit(events))

const assertResults = (xml: string): string => {
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n`
  assert.ok(xml.startsWith(head))
  assertWellFormed(xml.slice(head.length))
  return xml
}

/** Returns the attributes of each element of a name. */
const attributesOf = (xml: string, element: string): ReadonlyArray<Readonly<Record<string, string>>> =>
  [...xml.matchAll(new RegExp(`<${element} ([^>]*?)/?>`, "g"))].map(([, attributes]) =>
    Object.fromEntries([...attributes!.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
  )

/** A run whose step posts alerts, of which five did not arrive. */
const untold = (() => {
  const run = new Run("nightly", "2026-11-02T02:00:00Z")
  const step = run.step("load", 10)
  step.end(1000, "failure", { cause: "Error: disk full" })
  run.alert("a", 1010, 1500, "delivered", { step, by: "console" })
  for (let i = 0; i < 5; i++) {
    run.alert(`b${i}`, 1010, 1010, "waiting", { step, title: `load <failed> ${i}` })
    run.alert(`b${i}`, 1010, 4010, "failed", { step, title: `load <failed> ${i}`, reason: "could not be reached" })
  }
  return run.end(5000, "failure", { cause: "Error: disk full" }).events
})()

test("alerts that did not arrive are among the errors of their case, and those that did are not", () => {
  const xml = junit(untold)
  const [, errors = ""] = /<testcase name="load".*?<system-err>(.*?)<\/system-err>/s.exec(xml) ?? []
  assert.equal(errors.split("\n").length, 5)
  assert.equal(
    errors.split("\n")[0],
    "alert &quot;load &lt;failed&gt; 0&quot; not delivered by slack after 3 s: could not be reached"
  )
})

test("a summary names the first alerts of a step that did not arrive, and counts the others", () => {
  const row = Report.markdown(untold).split("\n").find((line) => line.includes("| load |"))!
  assert.deepEqual(row.replaceAll(/&#\d+;/g, "").split("; ").slice(1), [
    ...[0, 1, 2].map((i) => `alert “load failed ${i}” not delivered by slack after 3 s`),
    "2 more alerts not delivered |"
  ])
})

// -----------------------------------------------------------------------------
// junit
// -----------------------------------------------------------------------------

test("each step is a case with its path, and each run a suite that counts them", () => {
  const xml = junit(nightlyEtl().events)
  const counts = { tests: "8", failures: "2", errors: "0", skipped: "0", time: "84.100" }
  assert.deepEqual(attributesOf(xml, "testsuites"), [{ name: "nightly-etl · 2026-11-02", ...counts }])
  assert.deepEqual(attributesOf(xml, "testsuite"), [
    { name: "nightly-etl · 2026-11-02", ...counts, timestamp: "2026-11-02T02:00:00" }
  ])
  assert.deepEqual(attributesOf(xml, "testcase").map(({ name, time }) => [name, time]), [
    ["extract", "31.560"],
    ["extract › fetch orders", "31.440"],
    ["extract › fetch weather", "9.035"],
    ["extract › fetch customers", "12.330"],
    ["validate", "16.700"],
    ["validate › check schema", "3.900"],
    ["validate › check references", "11.290"],
    ["clean up", "2.400"]
  ])
  assert.deepEqual(attributesOf(xml, "failure"), [
    { message: "BadRows: 3 of 48211 rows are bad", type: "BadRows" },
    { message: "BadRows: 3 of 48211 rows are bad", type: "BadRows" }
  ])
  assert.match(xml, /<system-err>hook &quot;alert on Slack&quot; \(failure\) failed: TimeoutError/)
})

test("a step that was interrupted, or has no end, is an error", () => {
  const xml = junit(cutOff().events)
  assert.deepEqual(attributesOf(xml, "error").map(({ message }) => message), [
    "no end recorded",
    "no end recorded",
    "no end recorded",
    "no end recorded",
    "interrupted"
  ])
  assert.equal(attributesOf(xml, "testsuite")[0]!["errors"], "5")
})

test("a run that fails though its steps succeed is a case of its own", () => {
  const run = new Run("nightly", 0)
  run.step("load", 0).end(5)
  run.end(9, "failure", { cause: "Error: not enough rows\n    at check (etl.ts:1:1)" })
  const xml = junit(run.events)
  assert.deepEqual(attributesOf(xml, "testcase").map(({ time }) => time), ["0.009", "0.005"])
  assert.deepEqual(attributesOf(xml, "failure"), [{ message: "Error: not enough rows", type: "Error" }])
  const good = new Run("nightly", 0)
  good.step("load", 0).end(5)
  good.end(9)
  assert.equal(attributesOf(junit(good.events), "testcase").length, 1)
})

// -----------------------------------------------------------------------------
// markdown
// -----------------------------------------------------------------------------

test("the summary has a table of steps, each cause once, and a timeline", () => {
  const text = Report.markdown(nightlyEtl().events)
  const rows = text.split("\n").filter((line) => /^\| [^ |-]/u.test(line))
  assert.deepEqual(rows.slice(0, 2), [
    "| ❌ | **nightly-etl · 2026-11-02** | 1 min 24 s | BadRows&#58; 3 of 48211 rows are bad |",
    "| ✅ | extract | 31.6 s |  |"
  ])
  assert.equal(rows.length, 9)
  assert.ok(rows.includes("| ✅ | extract › fetch orders | 31.4 s | 3 attempts |"))
  assert.match(text, /^### ❌ nightly-etl/)
  assert.match(text, /^failed after 1 min 24 s · 8 steps · 2 failed · 2 retries · 1 hook failed$/m)
  assert.deepEqual([...text.matchAll(/<summary>(.*?):/g)].map(([, name]) => name), ["validate › check references"])
  assert.match(text, /\n```mermaid\ngantt\n[^]*\n```\n/)
})

test("the documentation shows the beginning of a real summary", () => {
  const docs = fs.readFileSync(path.join(import.meta.dirname, "../../docs/report.md"), "utf8")
  const [, shown] = /^```text\n(### [^]*?)^```/m.exec(docs)!
  assert.ok(Report.markdown(nightlyEtl().events).startsWith(shown!.trimEnd()))
})

test("of many steps, the failed and the longest are shown, and the number of the others", () => {
  const text = Report.markdown(manySteps(5000).events)
  assert.match(text, /^… and 4,901 more steps$/m)
  // all of them failed for one reason
  assert.equal(text.match(/<details>/g)!.length, 1)
  assert.ok(Buffer.byteLength(text) < 200_000, String(text.length))
})

// -----------------------------------------------------------------------------
// badge
// -----------------------------------------------------------------------------

test("a badge says how the run ended, and how long it took if it ended", () => {
  const badge = (status: Report.Status) =>
    Report.badge({ pipelineName: "nightly <etl>", status, duration: Duration.seconds(90) })
  const titles = (["success", "failure", "interrupt", "running", "cutOff"] as const).map((status) => {
    assertWellFormed(badge(status))
    return /<title>(.*)<\/title>/.exec(badge(status))![1]
  })
  assert.deepEqual(titles, [
    "nightly &lt;etl&gt;: succeeded · 1 min 30 s",
    "nightly &lt;etl&gt;: failed · 1 min 30 s",
    "nightly &lt;etl&gt;: interrupted · 1 min 30 s",
    "nightly &lt;etl&gt;: running · 1 min 30 s",
    "nightly &lt;etl&gt;: cut off"
  ])
  assert.notEqual(badge("success"), badge("failure").replaceAll("failed", "succeeded"))
})

// -----------------------------------------------------------------------------
// text that others wrote
// -----------------------------------------------------------------------------

const Hostile = Schema.Array(Schema.Union([
  Schema.Literals([
    "</testcase>",
    "]]>",
    "<!--",
    "&",
    "\"",
    "|",
    "`",
    "````",
    "~~~",
    "@ann",
    "#7",
    "https://evil.example",
    "www.evil.example",
    "<img src=x onerror=alert(1)>",
    "</details>",
    "[x](javascript:alert(1))",
    "**bold**",
    "\n",
    "\n\n# title",
    "\u0000",
    "\u001b[31m",
    "\ud83d",
    "\u202e",
    "1. ",
    "- "
  ]),
  Schema.String
]))

it.effect("any text is well-formed in XML, and in Markdown neither markup nor a link", () =>
  forAll(
    Schema.Struct({ name: Hostile, cause: Hostile, pipeline: Hostile }),
    ({ cause, name, pipeline }) =>
      Effect.sync(() => {
        const run = new Run(pipeline.join(""), 0)
        run.step(name.join(""), 0).end(5, "failure", { cause: cause.join("") })
        run.end(9, "failure", { cause: cause.join("") })
        junit(run.events)
        assertWellFormed(Report.badge({ pipelineName: name.join(""), status: "failure", duration: Duration.zero }))
        const text = Report.markdown(run.events)
        // without the blocks of code, which are text whatever they hold
        const outside = text.replace(/^(`{3,})\w+\n[^]*?\n\1$/gm, "")
        const lines = outside.replace(/<\/?details>|<\/?summary>/g, "").split("\n")
        const isRow = (line: string) => line.startsWith("| ")
        // the header, the line below it, the run and its step
        assert.equal(lines.filter(isRow).length, 4)
        for (const line of lines) {
          assert.equal(line.split("|").length - 1, isRow(line) ? 5 : 0)
          const words = line.replaceAll("|", "").replace(/^ ❌ +\*\*(.*?)\*\* /, "").replace(/^### /, "")
          assert.doesNotMatch(words, /[<>[\]`@*_~]|:\/\/|www\.|^ *(?:#|[-+] |\d+[.)] )/i)
        }
      }),
    200
  ))

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

const load = Step.make("load", Effect.succeed(1))
const broken = Step.make("check", Effect.fail(new RangeError("no such row")))

// of TestClock, so that all runs begin in one millisecond
it.effect("layerJunit writes the results of all runs when none goes on any more", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "results.xml")
    yield* Effect.gen(function*() {
      const latch = yield* Latch.make()
      const begun = yield* Latch.make()
      const open = yield* Effect.forkChild(
        Pipeline.make("slow", Step.make("wait", Effect.andThen(begun.open, latch.await)))
      )
      yield* begun.await
      yield* Effect.exit(Pipeline.make("nightly", Effect.andThen(load, broken)))
      assert.equal(fs.existsSync(file), false)
      yield* latch.open
      yield* Fiber.join(open)
      assert.deepEqual(attributesOf(fs.readFileSync(file, "utf8"), "testsuite").map(({ tests }) => tests), ["1", "2"])
      yield* Pipeline.make("later", load)
    }).pipe(Effect.provide(Report.layerJunit({ file })))
    const xml = assertResults(fs.readFileSync(file, "utf8"))
    assert.equal(attributesOf(xml, "testsuite").length, 3)
    assert.deepEqual(attributesOf(xml, "testsuites")[0]!["failures"], "1")
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ["results.xml"])
  }))

it.effect("layerJunit keeps the last hundred runs of a program, and older ones that failed", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "results.xml")
    const run = (n: number) =>
      Effect.exit(Pipeline.make(`p${n}`, n === 3 ? broken : n === 5 ? Step.skip("none") : load))
    yield* Effect.forEach(Array.from({ length: 130 }, (_, i) => i), run).pipe(
      Effect.provide(Report.layerJunit({ file }))
    )
    const names = attributesOf(fs.readFileSync(file, "utf8"), "testsuite").map(({ name }) => name?.split(" ")[0])
    assert.deepEqual(names, ["p3", ...Array.from({ length: 99 }, (_, i) => `p${i + 31}`)])
  }))

it.live("layerJobSummary appends to the file that GitHub Actions names, and does nothing elsewhere", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "summary.md")
    fs.writeFileSync(file, "before\n")
    const run = Effect.exit(Pipeline.make("nightly", Effect.andThen(load, broken)))
    const before = process.env["GITHUB_STEP_SUMMARY"]
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (before === undefined) delete process.env["GITHUB_STEP_SUMMARY"]
        else process.env["GITHUB_STEP_SUMMARY"] = before
      })
    )
    process.env["GITHUB_STEP_SUMMARY"] = file
    yield* Effect.provide(run, Report.layerJobSummary())
    delete process.env["GITHUB_STEP_SUMMARY"]
    yield* Effect.provide(run, Report.layerJobSummary())
    const text = fs.readFileSync(file, "utf8")
    assert.match(text, /^before\n### ❌ nightly/)
    assert.equal(text.match(/^### /gm)!.length, 1)
    assert.match(text, /\| ❌ \| check \| .* \| RangeError&#58; no such row \|/)
  }))

const wide = (name: string) =>
  Pipeline.make(
    name,
    Effect.forEach(
      Array.from({ length: 99 }, (_, i) => i),
      (i) =>
        Effect.exit(
          Step.make(`step ${i}`, i % 2 === 0 ? Effect.void : Effect.fail(new Error(`${i}: ${"x".repeat(5000)}`)))
        )
    )
  )

it.live("a job's summary stays below what GitHub shows, by telling less of later runs, and says so", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "summary.md")
    const job = Effect.forEach(Array.from({ length: 40 }, (_, i) => i), (i) => wide(`wide-${i}`))
    yield* Effect.provide(job, Report.layerJobSummary({ file }))
    const size = fs.statSync(file).size
    assert.ok(size > 700_000 && size <= 900_000, String(size))
    const summaries = fs.readFileSync(file, "utf8").split(/^(?=### )/m)
    const [firstText, lastText] = [summaries[0]!, summaries.at(-1)!]
    assert.match(firstText, /```mermaid/)
    assert.doesNotMatch(firstText, /shortened/)
    // none is left out
    assert.equal(summaries.length, 40)
    for (const summary of summaries) assert.match(summary, /99 steps · 49 failed/)
    assert.doesNotMatch(lastText, /```mermaid/)
    assert.match(lastText, /This is shortened: GitHub shows no summary of more than 1 MiB\.\n/)
  }))

it.live("a summary that is shortened keeps failed steps before others, counts the rest, and ends with a line at last", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const told = (before: number) =>
      Effect.map(
        Effect.provide(
          wide("wide"),
          Report.layerJobSummary({ file: path.join(folder, String(before)) })
        ).pipe((run) => {
          // another command of the job has written that much
          fs.writeFileSync(path.join(folder, String(before)), "y".repeat(before))
          return run
        }),
        () => fs.readFileSync(path.join(folder, String(before)), "utf8").slice(before)
      )
    const some = yield* told(860_000)
    assert.ok(some.length <= 10_000)
    assert.match(some, /\| ❌ \| step 1 \|/)
    assert.doesNotMatch(some, /\| ✅ \| step/)
    assert.match(some, /^… and \d\d more steps, of which \d\d failed$/m)
    assert.match(some, /<details><summary>step 1: /)
    const none = yield* told(898_500)
    assert.match(none, /^### [^]*99 steps · 49 failed\n\n… and 99 more steps, of which 49 failed\n/)
    assert.doesNotMatch(none, /<details>|step 1/)
    assert.equal(yield* told(899_900), "Later runs are left out: GitHub shows no summary of more than 1 MiB.\n\n")
  }))

it.live("a file that can't be written is logged as a warning, and the run goes on", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    fs.writeFileSync(path.join(folder, "file"), "")
    const logged = logs()
    const run = Pipeline.make("nightly", load).pipe(
      Effect.provide([Report.layerJunit({ file: folder + "/file/results.xml" })]),
      Effect.provide(Report.layerJobSummary({ file: folder })),
      Effect.provide(logged.layer)
    )
    assert.equal(yield* run, 1)
    yield* Effect.sleep("1 millis")
    assert.deepEqual(logged.list.map(({ message }) => message).toSorted(), [
      `Report.layerJobSummary: can't write ${folder}: it is a folder, and a file is needed (EISDIR)`,
      `Report.layerJunit: can't write ${folder}/file/results.xml: a part of the path is a file, and a folder is needed (ENOTDIR)`
    ])
  }))

it.effect("a step that ended in the delay before an attempt has as many attempts as began", () =>
  Effect.gen(function*() {
    const events: Array<Report.Event> = []
    const observer = RunEvent.layer((event) => void events.push(Report.fromRunEvent(event)))
    const step = Step.make("load", Effect.fail("no")).pipe(
      Step.retry(Schedule.spaced("400 millis")),
      Step.timeout("1 second")
    )
    const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(step, observer)), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(fiber)
    assert.match(Report.markdown(events), /3 attempts/)
    assert.match(Report.mermaid(events), /load, failed, 3 attempts, 1 s/)
  }))
