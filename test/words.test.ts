/**
 * Tests that the words of alerts can be replaced, and how alerts read in German, against `goldens/german.txt`.
 * `UPDATE=1 bun test` writes it anew: look at what changed.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { german } from "../src/alerters/words/de.ts"
import { failureAlert } from "../src/cli/run/beginning.ts"
import { alertsOf, ofDurable, repeated, stopAlert } from "../src/cli/supervise/alerts.ts"
import { State } from "../src/cli/supervise/state.ts"
import { dedupe, digest, fallback, fanOut, recovered, remind, throttle } from "../src/delivery/index.ts"
import { Alert, Alerter, AlerterHooks, Pipeline, Step } from "../src/index.ts"
import { render } from "../src/internal/alerts/alerter.ts"
import { toJson } from "../src/internal/alerts/json.ts"
import { english, type Words } from "../src/internal/text/alertWords.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

const root = join(import.meta.dirname, "..")

class HttpError extends Data.TaggedError("HttpError")<{ readonly message: string; readonly step: number }> {}

const start = Date.UTC(2026, 10, 23, 12, 40, 12)

const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")

/** Makes an alerter that keeps what is posted. */
const collecting = () => {
  const sent: Array<Alert> = []
  return { sent, layer: Alerter.layer((alert) => Effect.sync(() => sent.push(alert))) }
}

/** Runs a program on the test clock for two hours, and returns what an alerter gets. */
const sentBy = <R>(program: Effect.Effect<unknown, unknown, R>, alerter: Layer.Layer<Alerter, unknown>) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(start)
    // a cast: the programs below need an alerter alone
    const given = Effect.scoped(Effect.provide(program, alerter)) as Effect.Effect<unknown, unknown>
    const fiber = yield* Effect.forkChild(Effect.exit(given))
    yield* TestClock.adjust("2 hours")
    yield* Fiber.join(fiber)
  })

const night = Pipeline.make(
  "nightly",
  Effect.gen(function*() {
    yield* Effect.exit(
      Step.make("load", Effect.delay(Effect.fail(new HttpError({ message: "503", step: 2 })), "90 seconds")).pipe(
        Step.retry({ times: 1 })
      )
    )
    yield* Step.make("late", Effect.sleep("43 minutes")).pipe(Step.overdue("10 minutes"))
    yield* Effect.exit(Effect.timeout(Step.make("slow", Effect.never), "1500 millis"))
    yield* Step.make("store", Effect.void)
  })
).pipe(
  Pipeline.runName("nightly-7"),
  Pipeline.stepHooks(AlerterHooks.all),
  Pipeline.hooks(AlerterHooks.summary)
)

/** The alerts of the standard hooks, of policies and of the supervisor, without their stacks. */
const alertsIn = (words: Words) =>
  Effect.gen(function*() {
    const ofHooks = collecting()
    yield* sentBy(night, ofHooks.layer.pipe(Alerter.words(words)))

    const ofPolicies = collecting()
    const post = (title: string, severity: "error" | "success" = "error") =>
      Effect.flatMap(Alerter, ({ post }) => post(Alert.make({ title, severity, dedupeKey: title })))
    yield* sentBy(
      Effect.gen(function*() {
        yield* post("a")
        yield* post("a")
        yield* post("b")
        yield* Effect.sleep("10 minutes")
        yield* post("a", "success")
        yield* Effect.sleep("50 minutes")
      }),
      ofPolicies.layer.pipe(
        digest({ window: "5 minutes", timeZone }),
        dedupe({ window: "8 minutes", timeZone }),
        recovered({ timeZone }),
        remind({ every: "30 minutes", timeZone }),
        Alerter.words(words)
      )
    )
    const held = collecting()
    yield* sentBy(
      Effect.forEach(["a", "b", "c"], (title) => Effect.exit(post(title))),
      Alerter.layer(() => Effect.fail("no channel")).pipe(
        fallback(held.layer),
        throttle({ limit: 1, window: "10 minutes", timeZone }),
        Alerter.words(words)
      )
    )

    const death = { code: undefined, signal: "SIGKILL", at: 90_000, since: 0, stderr: "", outOfMemory: true }
    const taken = { alerts: [{ alert: Alert.make("held"), by: "digest" }], more: 2 }
    return [
      ...ofHooks.sent,
      ...ofPolicies.sent,
      ...held.sent,
      ...alertsOf(new State(), "nightly", death, words),
      ofDurable(new State(), "nightly", death, words),
      stopAlert(new State(), "nightly", "SIGTERM", { ...death, signal: "SIGTERM", outOfMemory: false }, words),
      ...repeated(taken, death, words),
      failureAlert(
        "nightly",
        { config: "nightly.yaml", pipeline: undefined },
        Cause.fail("no database"),
        false,
        words
      )
    ].map((alert) => alert.with({ at: undefined, detail: alert.combines.length > 0 ? alert.detail : undefined }))
  })

it.effect("alerts of each kind read well in German", () =>
  Effect.gen(function*() {
    const alerts = yield* alertsIn(german)
    const text = alerts.map((alert) => render(alert, false, german)).join("\n\n") + "\n"
    const file = join(root, "test/goldens/german.txt")
    if (process.env["UPDATE"]) writeFileSync(file, text)
    assert.equal(text, readFileSync(file, "utf8"))
  }))

it.effect("an alert has no word of the library that its table has not", () =>
  Effect.gen(function*() {
    const marked = Object.fromEntries(
      Object.entries(english).map(([key, word]) => [
        key,
        typeof word === "string" ? `«${word}»` : (...args: ReadonlyArray<unknown>) => `«${args.join(" ")}»`
      ])
    ) as unknown as Words // a cast: `fromEntries` forgets the keys
    const own = new Set([
      "message",
      "HttpError",
      // a name that an error gave its field
      "step",
      "a",
      "b",
      "c"
    ])
    for (const { fields, title } of yield* alertsIn(marked)) {
      assert.match(title, /^(«.*»|held|a|b|c)$/s)
      for (const { name } of fields) assert.ok(name.startsWith("«") || own.has(name), name)
    }
  }))

test("each word of the table is used, and German has all", () => {
  const files = globSync("src/**/*.ts", { cwd: root }).filter((file) =>
    !/alertWords\.ts|words\/de\.ts|\.gen\.ts/.test(file)
  )
  const code = files.map((file) => readFileSync(join(root, file), "utf8")).filter((text) => text.includes("words"))
    .join("\n")
  const unused = Object.keys(english).filter((key) =>
    !new RegExp(`\\bwords\\.${key}\\b|"${key}"|\\{ ${key} \\}`).test(code)
  )
  assert.deepEqual(unused, [])
  assert.deepEqual(Object.keys(german), Object.keys(english))
})

it.effect("a part of a table stands over English, or over the words around it", () =>
  Effect.gen(function*() {
    const { layer, sent } = collecting()
    const fails = Step.make("load", Effect.fail("no rows")).pipe(Step.hooks(AlerterHooks.failure))
    const ours = Alerter.words({ failed: (subject) => `${subject} broke` })
    yield* sentBy(fails, layer.pipe(ours))
    yield* sentBy(fails, layer.pipe(ours, Alerter.words(german)))
    const [first, second] = sent
    assert.deepEqual([first?.title, first?.fields[1]?.name], ["load broke", "run"])
    assert.deepEqual([second?.title, second?.fields[1]?.name], ["load broke", "Lauf"])
  }))

it.effect("where alerters of a fanOut share their words, hooks and policies around it use them, and else English", () =>
  Effect.gen(function*() {
    const fails = Step.make("load", Effect.fail("no rows")).pipe(Step.hooks(AlerterHooks.failure))
    const titles = (words: ReadonlyArray<Words>) =>
      Effect.gen(function*() {
        const { layer, sent } = collecting()
        const [first = layer, ...others] = words.map((words) => layer.pipe(Alerter.words(words)))
        yield* sentBy(fails, fanOut([first, ...others]))
        return new Set(sent.map(({ title }) => title))
      })
    assert.deepEqual(yield* titles([german, german]), new Set(["load ist fehlgeschlagen"]))
    assert.deepEqual(yield* titles([german, english]), new Set(["load failed"]))
  }))

it.effect("what was held back is counted whatever the words, also by a process with others", () =>
  Effect.gen(function*() {
    const { layer, sent } = collecting()
    const post = Effect.flatMap(Alerter, ({ post }) => post(Alert.make({ title: "a", severity: "error" })))
    yield* sentBy(
      Effect.gen(function*() {
        yield* post
        yield* post
        yield* post
        yield* Effect.sleep("20 minutes")
        yield* post
        yield* Effect.sleep("20 minutes")
      }),
      layer.pipe(
        throttle({ limit: 1, window: "30 minutes", timeZone }),
        dedupe({ window: "15 minutes", timeZone }),
        Alerter.words(german)
      )
    )
    const last = sent.at(-1)
    assert.match(last!.title, /^3 Meldungen zurückgehalten: 1 fehlgeschlagen, 2 zuvor zurückgehalten$/)
    const stored = toJson(last!.combines[0]!)
    assert.equal(stored.notes?.[0]?.kind, "held back")
  }))

it.effect("a success whose title is the library's own is a recovery without that title, in any language", () =>
  Effect.gen(function*() {
    const { layer, sent } = collecting()
    let nights = 0
    const step = Step.make("load", Effect.suspend(() => nights++ === 0 ? Effect.fail("no rows") : Effect.void))
    const runs = Effect.forEach(
      [1, 2],
      () => Effect.exit(Pipeline.make("nightly", step).pipe(Pipeline.hooks(AlerterHooks.all)))
    )
    yield* sentBy(runs, layer.pipe(recovered({ timeZone }), Alerter.words(german)))
    assert.deepEqual(sent.map(({ title }) => title), ["nightly ist fehlgeschlagen", "nightly läuft wieder"])
    assert.equal(sent[1]?.body, undefined)
  }))

test("docs/alerts.md shows a German alert as it is", () => {
  const shown = readFileSync(join(root, "docs/alerts.md"), "utf8").split("```text\n").map((part) =>
    part.split("```", 1)[0]!
  )
  const late = shown.find((text) => text.includes("läuft nach"))
  assert.ok(late !== undefined && readFileSync(join(root, "test/goldens/german.txt"), "utf8").includes(late))
})
