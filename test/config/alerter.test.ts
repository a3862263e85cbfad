import { Effect, Fiber, type Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Alert, type Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { bare, failure, field, type Inner, inner } from "../support/policies.ts"
import { statesIn } from "../support/storeFile.ts"
import { folder, layerOf, open, type Post } from "./alerterSupport.ts"

const it = makeIt(test)

const broken = (title: string, step = "load") =>
  Alert.make({
    title,
    severity: "error",
    source: { pipeline: "nightly", runId: "r", runName: "r", stepPath: [step] },
    tags: ["HttpError"]
  })
const fine = (title: string) => broken(title).with({ severity: "success", tags: [] })

const all = (post: Post, ...alerts: ReadonlyArray<Alert | string>) => Effect.forEach(alerts, (alert) => post(alert))

/** Returns the alerts that arrive when these are posted through policies around `#in`. */
const opened = (policies: Readonly<Record<string, unknown>>, options?: Parameters<typeof layerOf>[2]) =>
  Effect.gen(function*() {
    const channel = yield* inner()
    const post = yield* open({ use: "#in", ...policies }, { in: channel.layer }, options)
    return { ...channel, post }
  })

// -----------------------------------------------------------------------------
// targets
// -----------------------------------------------------------------------------

it.effect("an alerter may be a Layer of a module, as a text or under use", () =>
  Effect.gen(function*() {
    const channel = yield* inner()
    for (const spec of ["#in", { use: "#in" }]) yield* all(yield* open(spec, { in: channel.layer }), "a")
    assert.deepEqual(yield* channel.titles, ["a", "a"])
    const missing = yield* Effect.flip(layerOf({ fanOut: ["#x", "#y", "#in"] }, { in: channel.layer }))
    assert.deepEqual(missing, [
      { path: ["fanOut", 0], problem: "no #x" },
      { path: ["fanOut", 1], problem: "no #y" }
    ])
  }))

it.effect("fanOut posts to all alerters, and succeeds: any needs one of them", () =>
  Effect.gen(function*() {
    const [a, b] = [yield* inner(), yield* inner()]
    const down = bare(() => Effect.fail(failure("down")))
    yield* all(yield* open({ fanOut: ["#a", { use: "#b" }] }, { a: a.layer, b: b.layer }), "x")
    assert.deepEqual([yield* a.titles, yield* b.titles], [["x"], ["x"]])
    const spec = { fanOut: ["#a", "#down"] }
    yield* Effect.flip(all(yield* open(spec, { a: a.layer, down }), "y"))
    yield* all(yield* open({ ...spec, succeeds: "any" }, { a: a.layer, down }), "z")
    assert.deepEqual(yield* a.titles, ["x", "y", "z"])
  }).pipe(Effect.provide(logs().layer)))

it.effect("fallback is a chain with the time limit after and the pause cooldown", () =>
  Effect.gen(function*() {
    const tried: Array<string> = []
    const hanging = (name: string) => bare(() => Effect.andThen(Effect.sync(() => tried.push(name)), Effect.never))
    const last = yield* inner()
    const layers = { a: hanging("a"), b: hanging("b"), last: last.layer }
    const post = yield* open({ fallback: ["#a", "#b", "#last"], after: "5 seconds", cooldown: "1 minute" }, layers)
    const fiber = yield* Effect.forkChild(post("x"))
    yield* TestClock.adjust("9 seconds")
    assert.deepEqual([tried, yield* last.titles], [["a", "b"], []])
    yield* TestClock.adjust("1 second")
    assert.deepEqual(yield* last.titles, ["x"])
    yield* Fiber.join(fiber)
    yield* post("y")
    assert.deepEqual([tried, yield* last.titles], [["a", "b"], ["x", "y"]])
  }))

const criteria: ReadonlyArray<readonly [when: Readonly<Record<string, unknown>>, taken: Alert, not: Alert]> = [
  [{ severity: "error" }, broken("a"), fine("a")],
  [{ severity: ["error", "info"] }, broken("a"), fine("a")],
  [{ atLeast: Redacted.make("warning") }, broken("a"), fine("a")],
  [{ tag: "HttpError" }, broken("a"), fine("a")],
  [{ tag: ["Other", "HttpError"] }, broken("a"), fine("a")],
  [{ pipeline: "nightly" }, broken("a"), Alert.make("a")],
  [{ step: "load" }, broken("a"), broken("a", "extract")]
]

it.effect("route selects by each criterion, and by otherwise", () =>
  Effect.gen(function*() {
    for (const [when, taken, not] of criteria) {
      const [to, otherwise] = [yield* inner(), yield* inner()]
      const post = yield* open(
        { route: [{ when, to: "#to" }], otherwise: { use: "#otherwise" } },
        { to: to.layer, otherwise: otherwise.layer }
      )
      yield* all(post, taken, not)
      assert.deepEqual([yield* to.sent, yield* otherwise.sent].map((sent) => sent.map(({ severity }) => severity)), [
        [taken.severity],
        [not.severity]
      ], JSON.stringify(when))
    }
  }))

// -----------------------------------------------------------------------------
// keys of the policies
// -----------------------------------------------------------------------------

it.effect("afterConsecutive takes n, as a number or as a key", () =>
  Effect.gen(function*() {
    for (const afterConsecutive of [2, { n: Redacted.make("2") }]) {
      const { post, titles } = yield* opened({ afterConsecutive })
      yield* all(post, broken("a"), broken("b"))
      assert.deepEqual(yield* titles, ["b"])
    }
  }))

it.effect("dedupe, recovered and afterConsecutive show times in their timeZone", () =>
  Effect.gen(function*() {
    const timeZone = "Asia/Tokyo"
    for (
      const policy of [
        { dedupe: { window: "1 second", timeZone } },
        { recovered: { timeZone } },
        { afterConsecutive: { n: 1, timeZone } }
      ]
    ) {
      const { post, sent } = yield* opened(policy)
      yield* all(post, broken("a"), broken("a"))
      yield* TestClock.adjust("1 second")
      yield* all(post, broken("a"), fine("a").with({ resolves: true }))
      const values = (yield* sent).flatMap(({ fields }) => fields.map(({ value }) => value))
      assert.match(
        values.join(),
        /since 1970-01-01 09:00:00 Asia\/Tokyo|1970-01-01 09:00:0\d Asia/,
        JSON.stringify(policy)
      )
    }
  }))

it.effect("runUrl gives alerts an address, also where it stands inside of other policies", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* opened({ runUrl: "https://logs.example/{runId}", minSeverity: "error" })
    yield* all(post, broken("a"), fine("b"), "c")
    assert.deepEqual((yield* sent).map(({ url }) => url), ["https://logs.example/r"])
  }))

it.effect("minSeverity drops alerts below the severity", () =>
  Effect.gen(function*() {
    const { post, titles } = yield* opened({ minSeverity: "error" })
    yield* all(post, "a", broken("b"))
    assert.deepEqual(yield* titles, ["b"])
  }))

it.effect("throttle takes limit, window, perKey, always and timeZone", () =>
  Effect.gen(function*() {
    const { post, sent, titles } = yield* opened({
      throttle: {
        limit: 2,
        window: "10 minutes",
        perKey: { limit: 1, window: 60 },
        always: "critical",
        timeZone: "Asia/Tokyo"
      }
    })
    yield* all(post, "a", "a", "b", "c", Alert.make({ title: "d", severity: "critical" }))
    assert.deepEqual(yield* titles, ["a", "b", "d"])
    yield* TestClock.adjust("9 minutes")
    assert.equal((yield* titles).length, 3)
    yield* TestClock.adjust("2 minutes")
    assert.match((yield* sent)[3]?.body ?? "", /1970-01-01 09:00:00 Asia\/Tokyo/)
  }))

it.effect("recovered may be true, or take successes", () =>
  Effect.gen(function*() {
    for (const [recovered, expected] of [[true, 3], [{ successes: "drop" }, 2], [{ successes: "post" }, 3]] as const) {
      const { post, sent } = yield* opened({ recovered })
      yield* all(post, fine("a"), broken("b"), fine("c"))
      assert.equal((yield* sent).length, expected)
      assert.ok((yield* sent).at(-1)?.tags.includes("recovered"))
    }
  }))

it.effect("dedupe takes window, as a duration or as a key", () =>
  Effect.gen(function*() {
    for (const dedupe of ["10 minutes", 600, { window: Redacted.make("10 minutes") }]) {
      const { post, titles } = yield* opened({ dedupe })
      yield* all(post, broken("a"), broken("b"))
      yield* TestClock.adjust("11 minutes")
      yield* post(broken("c"))
      assert.deepEqual(yield* titles, ["a", "c"])
    }
  }))

it.effect("digest takes window, as a duration or as a key, max, immediate and timeZone", () =>
  Effect.gen(function*() {
    const short = yield* opened({ digest: "10 minutes" })
    yield* all(short.post, "a", "b")
    yield* TestClock.adjust("10 minutes")
    assert.deepEqual(yield* short.titles, ["2 alerts in 10 min: 2 info"])
    const long = yield* opened({ digest: { window: 600, max: 2, immediate: "error", timeZone: "Asia/Tokyo" } })
    yield* all(long.post, "a", broken("b"), "c")
    assert.deepEqual(yield* long.titles, ["b"])
    yield* long.post("d")
    yield* TestClock.adjust("1 millis")
    assert.match((yield* long.sent)[1]?.detail ?? "", /^1970-01-01 09:10:00 i a/)
  }))

it.effect("quietHours takes from, to, timeZone, days and except, once or as a list", () =>
  Effect.gen(function*() {
    // a Sunday, 21:00 in Berlin
    yield* TestClock.setTime(Date.parse("2026-11-22T20:00:00Z"))
    const night = { from: "22:00", to: "07:00", timeZone: "Europe/Berlin", except: "error" }
    const one = yield* opened({ quietHours: night })
    const several = yield* opened({
      quietHours: [night, { from: "00:00", to: "24:00", days: ["saturday", "sunday"], timeZone: "Europe/Berlin" }]
    })
    const monday = yield* opened({ quietHours: { from: "00:00", to: "23:59", days: "monday", timeZone: "UTC" } })
    yield* Effect.forEach([one, several, monday], ({ post }) => post("a"))
    assert.deepEqual([yield* one.titles, yield* several.titles, yield* monday.titles], [["a"], [], ["a"]])
    yield* TestClock.adjust("1 hour")
    yield* all(one.post, "b", broken("c"))
    assert.deepEqual(yield* one.titles, ["a", "c"])
    yield* TestClock.adjust("9 hours")
    assert.deepEqual([yield* one.titles, yield* several.titles], [["a", "c", "b"], ["a"]])
    yield* monday.post("d")
    assert.deepEqual(yield* monday.titles, ["a"])
  }))

// -----------------------------------------------------------------------------
// order of the policies
// -----------------------------------------------------------------------------

/** Runs the test with the keys in either order in the file. */
const inEachOrder = (
  policies: Readonly<Record<string, unknown>>,
  expects: (channel: Inner & { readonly post: Post }) => Effect.Effect<void, unknown>
) =>
  Effect.forEach(
    [Object.entries(policies), Object.entries(policies).toReversed()],
    (entries) => Effect.flatMap(opened(Object.fromEntries(entries)), expects)
  )

it.effect("afterConsecutive sees alerts before minSeverity: a success that is dropped ends a row", () =>
  inEachOrder({ afterConsecutive: 2, minSeverity: "error" }, ({ post, titles }) =>
    Effect.gen(function*() {
      yield* all(post, broken("a"), fine("b"), broken("c"))
      assert.deepEqual(yield* titles, [])
      yield* post(broken("d"))
      assert.deepEqual(yield* titles, ["d"])
    })))

it.effect("minSeverity sees alerts before throttle: a dropped alert takes no slot", () =>
  inEachOrder(
    { minSeverity: "error", throttle: { limit: 1, window: "1 hour" } },
    ({ post, titles }) =>
      Effect.gen(function*() {
        yield* all(post, "a", broken("b"))
        assert.deepEqual(yield* titles, ["b"])
      })
  ))

it.effect("throttle sees alerts before recovered: a failure that it holds back has a recovery once its summary has told it", () =>
  inEachOrder(
    {
      throttle: { limit: 1, window: "1 hour", perKey: { limit: 1, window: "1 minute" } },
      recovered: { successes: "drop" }
    },
    ({ post, titles }) =>
      Effect.gen(function*() {
        yield* all(post, "a", broken("b"), fine("c"))
        assert.deepEqual(yield* titles, ["a"])
        yield* TestClock.adjust("3 hours")
        yield* post(fine("d"))
        assert.deepEqual(yield* titles, [
          "a",
          "2 alerts held back: 1 failed, 1 succeeded",
          "nightly › load recovered"
        ])
      })
  ))

it.effect("recovered sees alerts before dedupe: it counts failures that are held back", () =>
  inEachOrder({ recovered: true, dedupe: "1 hour" }, ({ post, sent }) =>
    Effect.gen(function*() {
      yield* all(post, broken("a"), broken("b"), broken("c"), fine("d"))
      assert.equal((yield* sent).length, 2)
      assert.match(JSON.stringify((yield* sent)[1]?.fields), /"3/)
    })))

it.effect("dedupe sees alerts before digest: a digest lists no duplicates", () =>
  inEachOrder({ dedupe: "1 hour", digest: "10 minutes" }, ({ post, titles }) =>
    Effect.gen(function*() {
      yield* all(post, broken("a"), broken("b"), "c")
      yield* TestClock.adjust("10 minutes")
      assert.match((yield* titles)[0] ?? "", /^2 alerts/)
    })))

it.effect("digest sees alerts before quietHours: no digest is posted during quiet hours", () =>
  Effect.gen(function*() {
    const day = 24 * 3_600_000
    yield* TestClock.setTime(100 * day + 21.9 * 3_600_000)
    const quietHours = { from: "22:00", to: "07:00", timeZone: "UTC" }
    const { post, titles } = yield* opened({ quietHours, digest: "30 minutes" })
    yield* all(post, "a", "b")
    yield* TestClock.adjust("8 hours")
    assert.deepEqual(yield* titles, [])
    yield* TestClock.adjust("2 hours")
    assert.equal((yield* titles).length, 1)
  }))

it.effect("remind takes a number or a duration as until, and escalate another alerter, for which reminders are not", () =>
  Effect.gen(function*() {
    for (const [until, expected] of [[2, 2], ["3 hours", 3], [Redacted.make("1"), 1]] as const) {
      const { post, titles } = yield* opened({ remind: { every: "1 hour", until } })
      yield* all(post, broken("a"))
      yield* TestClock.adjust("1 day")
      assert.deepEqual(
        yield* titles,
        ["a", ...Array.from({ length: expected }, (_, i) => `Reminder ${i + 1}: a`)]
      )
    }
    const second = yield* inner()
    const first = yield* inner()
    const post = yield* open({
      use: "#first",
      escalate: { after: "90 minutes", to: { use: "#second", remind: { every: "1 hour", until: 1 } } },
      remind: { every: "1 hour", until: 2 }
    }, { first: first.layer, second: second.layer })
    yield* post(broken("a"))
    yield* TestClock.adjust("1 day")
    assert.deepEqual(yield* first.titles, ["a", "Reminder 1: a", "Reminder 2: a"])
    assert.deepEqual(yield* second.titles, ["Escalated: a", "Reminder 1: Escalated: a"])
  }))

// -----------------------------------------------------------------------------
// stored state
// -----------------------------------------------------------------------------

const run = (spec: unknown, root: string, channel: Layer.Layer<Alerter>, alerts: ReadonlyArray<Alert>, name?: string) =>
  Effect.scoped(
    Effect.flatMap(
      open(spec, { in: channel }, { folder: root, ...(name === undefined ? {} : { name }) }),
      (post) => all(post, ...alerts)
    )
  )

it.live("a store in .epilogue makes that folder private, and follows no link there", () =>
  Effect.gen(function*() {
    const root = yield* folder
    const own = path.join(root, ".epilogue")
    fs.mkdirSync(own)
    fs.chmodSync(own, 0o777)
    const channel = yield* inner()
    const spec = { store: ".epilogue/state", use: "#in", dedupe: "1 hour" }
    yield* run(spec, root, channel.layer, [broken("a")])
    assert.equal(fs.statSync(own).mode & 0o777, 0o700)
    fs.renameSync(own, path.join(root, "elsewhere"))
    fs.symlinkSync("elsewhere", own)
    const exit = yield* Effect.exit(run(spec, root, channel.layer, [broken("b")]))
    assert.match(String(exit), /symbolic link/)
  }))

it.live("store keeps the state of all policies in one file for its owner, each under its place in the config file", () =>
  Effect.gen(function*() {
    const root = yield* folder
    const quietHours = { from: "00:00", to: "23:59", days: "monday", timeZone: "UTC" }
    const policies = {
      afterConsecutive: 1,
      throttle: { limit: 9, window: "1 hour" },
      recovered: true,
      dedupe: "1 hour",
      digest: "1 hour",
      quietHours: [quietHours, quietHours]
    }
    const spec = {
      store: "state/alerts.db",
      fanOut: [{ use: "#in", ...policies }, { use: "#in", afterConsecutive: 2 }]
    }
    const channel = yield* inner()
    yield* run(spec, root, channel.layer, [broken("a")], "nightly")
    const file = path.join(root, "state", "alerts.db")
    const names = statesIn(file)
    for (const policy of ["afterConsecutive", "throttle", "dedupe", "digest"]) {
      const name = `effect-epilogue/${policy}/@nightly.alerter.fanOut.0`
      assert.ok(names.includes(name), `${name}: ${names.join(", ")}`)
    }
    assert.ok(names.includes("effect-epilogue/afterConsecutive/@nightly.alerter.fanOut.1"))
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ["alerts.db"])
    assert.equal(fs.statSync(path.dirname(file)).mode & 0o777, 0o700)
    assert.equal(fs.statSync(file).mode & 0o777, 0o600)
    yield* run(spec, root, channel.layer, [broken("b")], "nightly")
    // the second alerter has found the state of the first
    assert.deepEqual(yield* channel.titles, ["b"])
    assert.equal(field((yield* channel.sent)[0], "in a row")?.slice(0, 10), "2 failures")
  }))

const twice = (policy: string, options: unknown, persist: { readonly persist?: unknown }) =>
  Effect.gen(function*() {
    const root = yield* folder
    const channel = yield* inner()
    // a store is an issue unless some policy uses it
    const other = { none: true, dedupe: { window: 60, persist: "other" } }
    const file = path.join(root, "alerts.db")
    const spec = { store: file, fanOut: [{ use: "#in", [policy]: { ...(options as object), ...persist } }, other] }
    yield* run(spec, root, channel.layer, [broken("a")])
    yield* run(spec, root, channel.layer, [fine("b")])
    const names = statesIn(file).filter((name) => !name.endsWith("/other"))
    return { titles: yield* channel.titles, names }
  })

it.live("persist names the entry in the store, and false keeps the state in memory", () =>
  Effect.gen(function*() {
    const hours = { from: "00:00", to: "24:00", timeZone: "UTC", days: "monday" }
    const policies = {
      afterConsecutive: { n: 1 },
      throttle: { limit: 1, window: "1 hour" },
      recovered: {},
      dedupe: { window: "1 hour" },
      digest: { window: "1 hour" }
    }
    const book = "effect-epilogue/acknowledgements"
    for (const [policy, options] of Object.entries(policies)) {
      const { names } = yield* twice(policy, options, { persist: "own" })
      assert.deepEqual(names.filter((name) => name !== book), [`effect-epilogue/${policy}/own`])
      assert.equal(names.includes(book), policy === "remind" || policy === "escalate")
      assert.deepEqual((yield* twice(policy, options, { persist: false })).names, [], policy)
    }
    // two policies for different days, so that one of them holds the alert on whichever day the test runs
    const kept = [hours, { ...hours, days: ["tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] }]
    const names = yield* Effect.forEach(kept, (hours) =>
      Effect.map(twice("quietHours", hours, { persist: "own" }), ({ names }) => names))
    assert.deepEqual(names.flat(), ["effect-epilogue/quietHours/own"])
    assert.match((yield* twice("recovered", {}, {})).titles.join(), /recovered/)
    assert.doesNotMatch((yield* twice("recovered", {}, { persist: false })).titles.join(), /recovered/)
  }))
