/** Tests keys of steps, everywhere a step's name is shown or stored. */
import { test } from "bun:test"
import { Cause, Effect, Exit } from "effect"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runLines } from "../src/cli/records/tree.ts"
import { route } from "../src/delivery/index.ts"
import { Alerter, AlerterHooks, Hook, Pipeline, Step, StepContext } from "../src/index.ts"
import { Report } from "../src/report/index.ts"
import { Runs } from "../src/report/internal/events/model.ts"
import { TestAlerter, TestObserver } from "../src/testing/index.ts"
import { alertsOf } from "./support/alertsOf.ts"
import { makeIt } from "./support/it.ts"
import { events, logs } from "./support/observe.ts"

const it = makeIt(test)

const quiet = logs().layer

const fetchPage = Step.fn("fetch-page")(
  (page: number) => Step.make("parse", page === 2 ? Effect.fail(new Error("503")) : Effect.succeed(page)),
  (step, page) => Step.key(step, page)
)

const pull = Pipeline.make("pull", Effect.forEach([1, 2], (page) => Effect.exit(fetchPage(page)), { concurrency: 2 }))

const keyOf = (step: Step.Step<unknown, unknown>) =>
  Effect.gen(function*() {
    const { layer, list } = events()
    yield* Effect.provide(Effect.exit(step), layer)
    return list.flatMap((event) => event._tag === "StepStarted" ? [event.stepKey] : [])[0]
  })

it.effect("the key of a step is in its context, and in those of the steps inside it", () =>
  Effect.gen(function*() {
    const context = Effect.map(StepContext, ({ stepKey, stepLabels, stepPath }) => [stepKey, stepPath, stepLabels])
    assert.deepEqual(yield* Step.make("a", context).pipe(Step.key("x")), ["x", ["a"], ["a[x]"]])
    assert.deepEqual(yield* Step.key(Step.make("a", Step.make("b", context)), 7), [undefined, ["a", "b"], [
      "a[7]",
      "b"
    ]])
    assert.deepEqual(yield* Step.make("a", context), [undefined, ["a"], ["a"]])
    assert.deepEqual(yield* Pipeline.make("p", context), [undefined, [], []])
  }))

it.effect("every event of a step has its key", () =>
  Effect.gen(function*() {
    const { layer, list } = events()
    yield* Effect.exit(
      Step.make("a", Effect.andThen(StepContext.progress(1), Effect.fail("no"))).pipe(
        Step.retry({ times: 1 }),
        Step.key("x"),
        Step.hooks(Hook.onFailure(() => Effect.fail("hook"))),
        Step.hooks(Hook.when(Hook.onExit(() => Effect.void), () => false)),
        Step.onExit(() => Effect.void)
      )
    ).pipe(Effect.provide([layer, quiet]))
    const keys = list.flatMap((event) =>
      "stepKey" in event
        ? [[event._tag, event.stepKey, event.stepLabels]]
        : "step" in event
        ? [[event._tag, event.step?.stepKey, event.step?.stepLabels]]
        : []
    )
    assert.deepEqual(
      keys.map(([tag]) => tag),
      [
        "StepStarted",
        "StepProgress",
        "AttemptFailed",
        "StepProgress",
        "StepEnded",
        "HookFailed",
        "HookSkipped",
        "HookEnded"
      ]
    )
    for (const [, key, labels] of keys) assert.deepEqual([key, labels], ["x", ["a[x]"]])
  }))

it.effect("numbers, big numbers and booleans are keys as text; the last key counts", () =>
  Effect.gen(function*() {
    const step = Step.make("s", Effect.void)
    assert.equal(yield* keyOf(Step.key(step, 1.5)), "1.5")
    assert.equal(yield* keyOf(Step.key(step, 10n ** 20n)), "100000000000000000000")
    assert.equal(yield* keyOf(Step.key(step, false)), "false")
    assert.equal(yield* keyOf(Step.key(step, "")), "")
    assert.equal(yield* keyOf(step.pipe(Step.key("a"), Step.key("b"), Step.retry({ times: 1 }))), "b")
  }))

it.effect("long keys are cut, and stay different", () =>
  Effect.gen(function*() {
    const step = Step.make("s", Effect.void)
    const long = "x".repeat(100_000)
    const [a, b] = [yield* keyOf(Step.key(step, `${long}a`)), yield* keyOf(Step.key(step, `${long}b`))]
    assert.ok(a!.length <= 200 && b!.length <= 200)
    assert.notEqual(a, b)
    assert.equal(yield* keyOf(Step.key(step, `${long}a`)), a)
  }))

it.effect("a key of another type is a defect of the step", () =>
  Effect.gen(function*() {
    const bad = Step.key as unknown as (step: unknown, key: unknown) => Step.Step<void>
    const exit = yield* Effect.exit(bad(Step.make("s", Effect.void), { page: 7 }))
    assert.ok(Exit.isFailure(exit))
    assert.match(Cause.pretty(exit.cause), /Step "s": its key must be a text or a number, got object/)
  }))

it.effect("alerts name the step with its key, and have a dedupeKey of their own for each key", () =>
  Effect.gen(function*() {
    const load = Step.make("load", Effect.fail("no"))
    const both = Effect.all([Effect.exit(Step.key(load, "a")), Effect.exit(load), Effect.exit(fetchPage(2))])
    yield* Pipeline.make("pull", both).pipe(Pipeline.stepHooks(AlerterHooks.failure))
    const alerts = yield* TestAlerter.sent
    assert.deepEqual(
      alerts.map(({ dedupeKey, title }) => [title, dedupeKey]),
      [
        ["pull › load[a] failed", "pull/load[a]"],
        ["pull › load failed", "pull/load"],
        ["pull › fetch-page[2] › parse failed", "pull/fetch-page[2]/parse"]
      ]
    )
    assert.deepEqual(
      alerts.map(({ fields, source }) => [
        fields.find(({ name }) => name === "step")?.value,
        source?.stepPath,
        source?.stepKey,
        source?.stepLabels
      ]),
      [
        ["load[a]", ["load"], "a", ["load[a]"]],
        ["load", ["load"], undefined, undefined],
        ["parse", ["fetch-page", "parse"], undefined, ["fetch-page[2]", "parse"]]
      ]
    )
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("a step outside of any pipeline is not named twice in its alert", () =>
  Effect.gen(function*() {
    yield* Effect.exit(Step.make("load", Effect.fail("no")).pipe(Step.key(7), Step.hooks(AlerterHooks.failure)))
    assert.deepEqual((yield* TestAlerter.sent).map(({ title }) => title), ["load[7] failed"])
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("a route by step takes the alerts of all keys", () =>
  Effect.gen(function*() {
    const [pages, others]: [Array<string>, Array<string>] = [[], []]
    const to = (list: Array<string>) => Alerter.layer((alert) => Effect.sync(() => void list.push(alert.title)))
    yield* pull.pipe(
      Pipeline.stepHooks(AlerterHooks.failure),
      Effect.provide(route([{ when: { step: "fetch-page" }, to: to(pages) }], { otherwise: to(others) }))
    )
    assert.deepEqual([pages, others], [["pull › fetch-page[2] › parse failed"], []])
  }))

it.effect("the log of a failed hook names the step with its key", () =>
  Effect.gen(function*() {
    const seen = logs()
    yield* Step.make("s", Effect.void).pipe(
      Step.key(7),
      Step.onSuccess(() => Effect.fail("no")),
      Effect.provide(seen.layer)
    )
    assert.ok(JSON.stringify(seen.list).includes("of \\\"s[7]\\\" failed"), JSON.stringify(seen.list))
  }))

// -----------------------------------------------------------------------------
// records and timelines
// -----------------------------------------------------------------------------

/** Records a run, and returns the text of its file. */
const recorded = (program: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const folder = mkdtempSync(join(tmpdir(), "identity-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
    const file = join(folder, "run.jsonl")
    yield* Effect.provide(program, [Report.layerRecord({ file }), quiet])
    return readFileSync(file, "utf8")
  })

it.live("a record has the key, and the same lines for all observers", () =>
  Effect.gen(function*() {
    const { layer, list } = events()
    const text = yield* recorded(Effect.provide(pull, layer))
    const lines = text.trim().split("\n").map((line) => JSON.parse(line))
    const started = lines.filter(({ _tag, stepName }) => _tag === "StepStarted" && stepName === "fetch-page")
    assert.deepEqual(started.map(({ stepKey }) => stepKey), ["1", "2"])
    assert.deepEqual(started.map(({ stepPath }) => stepPath), [["fetch-page"], ["fetch-page"]])
    const inner = lines.find(({ _tag, stepName }) => _tag === "StepEnded" && stepName === "parse")
    assert.deepEqual([inner.stepKey, inner.stepLabels], [undefined, ["fetch-page[1]", "parse"]])
    const brief = ({ index, stepKey, stepLabels, stepName, stepPath }: Record<string, unknown>) =>
      JSON.stringify({ stepName, stepKey, stepPath, stepLabels, index })
    const json = list.map(Report.fromRunEvent).filter(({ _tag }) => _tag.startsWith("Step"))
    assert.deepEqual(
      lines.filter(({ _tag }) => String(_tag).startsWith("Step")).map(brief),
      json.map((event) => brief({ ...event }))
    )
  }))

it.effect("timelines name rows with their keys", () =>
  Effect.gen(function*() {
    const { layer, list } = events()
    yield* Effect.provide(pull, layer)
    const json = list.map(Report.fromRunEvent)
    for (const picture of [Report.html(json), Report.svg(json), Report.mermaid(json)]) {
      assert.ok(/fetch-page(\[|#91;|&#91;)1/.test(picture), picture.slice(0, 3000))
    }
  }))

// -----------------------------------------------------------------------------
// lines
// -----------------------------------------------------------------------------

/** Returns the lines of a program that runs with plain progress. */
const plainLines = (program: Effect.Effect<unknown>, mode: "plain" | "github" = "plain") =>
  Effect.gen(function*() {
    yield* Effect.provide(program, [Report.layerProgress({ mode, stream: "stdout" }), quiet])
    return (yield* TestConsole.logLines).map(String)
  })

it.effect("plain lines show keys", () =>
  Effect.gen(function*() {
    assert.deepEqual(
      (yield* plainLines(pull)).slice(1, -1).toSorted(),
      [
        "  ✓ fetch-page[1] (0 ms)",
        "  ✓ fetch-page[1] > parse (0 ms)",
        "  ✗ fetch-page[2] (0 ms): 503",
        "  ✗ fetch-page[2] > parse (0 ms): 503",
        "  ▶ fetch-page[1]",
        "  ▶ fetch-page[1] > parse",
        "  ▶ fetch-page[2]",
        "  ▶ fetch-page[2] > parse"
      ].toSorted()
    )
  }))

const page = Step.fn("page")(
  (n: number) => Step.make("parse", n === 2 ? Effect.fail(new Error("503")) : Effect.void),
  (step, n) => Step.annotate(step, { n })
)

const unkeyed = Pipeline.make("pull", Effect.forEach([1, 2, 3], (n) => Effect.exit(page(n)), { concurrency: 3 })).pipe(
  Pipeline.annotate({ env: "prod" })
)

it.effect("plain lines number steps of one name without keys, and show their annotations", () =>
  Effect.gen(function*() {
    const lines = yield* plainLines(unkeyed)
    assert.deepEqual(
      lines.filter((line) => !line.includes("parse")).slice(1, -1),
      [
        "  ▶ page  n=1",
        "  ▶ page #2  n=2",
        "  ▶ page #3  n=3",
        "  ✓ page (0 ms)  n=1",
        "  ✗ page #2 (0 ms): 503  n=2",
        "  ✓ page #3 (0 ms)  n=3"
      ].toSorted((a, b) => lines.indexOf(a) - lines.indexOf(b))
    )
    assert.ok(lines.includes("  ✗ page #2 > parse (0 ms): 503"), lines.join("\n"))
  }))

it.effect("GitHub annotations name the number of a step", () =>
  Effect.gen(function*() {
    const errors = (yield* plainLines(unkeyed, "github")).filter((line) => line.startsWith("::error"))
    assert.equal(errors.length, 1)
    assert.match(errors[0]!, /^::error title=pull > page #2 > parse failed::/)
  }))

it.effect("parallel steps that fail alike are annotated one by one", () =>
  Effect.gen(function*() {
    const fail = Step.make("page", Effect.fail("503"))
    const all = Pipeline.make("pull", Effect.all([Effect.exit(fail), Effect.exit(fail)], { concurrency: 2 }))
    const errors = (yield* plainLines(all, "github")).filter((line) => line.startsWith("::error"))
    assert.deepEqual(errors, ["::error title=pull > page failed::503", "::error title=pull > page #2 failed::503"])
  }))

it.effect("a failed hook's line names the number of its step", () =>
  Effect.gen(function*() {
    const step = Step.make("s", Effect.void).pipe(
      Step.hooks(Hook.named(Hook.onSuccess(() => Effect.fail("no")), "tell"))
    )
    const lines = yield* plainLines(Pipeline.make("p", Effect.andThen(step, step)))
    assert.equal(lines.filter((line) => line.includes("hook \"tell\" (success) of s #2 failed")).length, 1)
  }))

it.effect("a test observer finds hooks of a step by its name, whatever its key", () =>
  Effect.gen(function*() {
    yield* fetchPage(1).pipe(Step.onSuccess(function told() {
      return Effect.void
    }))
    yield* TestObserver.assertFiredOnce("told", { step: "fetch-page" })
  }).pipe(Effect.provide(TestObserver.layer)))

it.effect("`epilogue show` says which names ran more than once in one place without a key", () =>
  Effect.gen(function*() {
    const parse = Step.make("parse", Effect.void)
    const all = Pipeline.make("pull", Effect.all([unkeyed, pull, parse], { mode: "result" }))
    const { layer, list } = events()
    yield* Effect.provide(Effect.exit(all), layer)
    const runs = new Runs()
    for (const event of list) runs.apply(Report.fromRunEvent(event))
    const notes = [...runs.byId.values()].flatMap((run) =>
      runLines(run, undefined).map((line) => line.map(([text]) => text).join("")).filter((line) =>
        line.startsWith("note")
      )
    )
    assert.deepEqual(notes, [
      "note: page ran 3 times without a key: alerts and recoveries take these for one step. Step.key tells them apart"
    ])
  }))

it.effect("the title of an alert has one line, whatever lines the names and keys have", () =>
  Effect.gen(function*() {
    const step = Step.make("load\n  orders", Effect.fail("no")).pipe(Step.key("a\nb"), Step.hooks(AlerterHooks.failure))
    const [alert] = yield* alertsOf(Pipeline.make("nightly", step))
    assert.equal(alert?.title, "nightly › load orders[a b] failed")
  }))
