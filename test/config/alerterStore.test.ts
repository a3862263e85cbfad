/** The state of policies in a config file: where it is kept, and under which names. */
import { Effect, type Layer } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import type { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { field, inner } from "../support/policies.ts"
import { statesIn } from "../support/storeFile.ts"
import { all, broken, fine, folder, open } from "./alerterSupport.ts"

const it = makeIt(test)

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
