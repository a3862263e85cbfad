/** Posts alerts to a real Alertmanager, and looks at which are open, and of what it tells its receiver. */
import { Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alertmanager } from "../../src/alerters/index.ts"
import { Alert, Alerter, AlerterHooks, type AlertInput, Pipeline, Step } from "../../src/index.ts"
import { alertmanager, required } from "../support/alertmanager.ts"
import { sample } from "../support/channelContract.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const started = Effect.gen(function*() {
  const receiver = yield* channelServer({ status: 200 })
  const server = yield* alertmanager(receiver.url)
  const post = (alert: Alert, options: Partial<Alertmanager.AlertmanagerOptions> = {}) =>
    Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
      Effect.provide(Alertmanager.layer({ url: server.url, retries: 0, ...options }))
    )
  /** Waits until the receiver has been told of an alert that has this status. */
  const told = (severity: string, status: string) =>
    Effect.repeat(
      Effect.delay(
        // oxlint-disable-next-line no-explicit-any -- alerts of the webhook's JSON
        Effect.sync(() => receiver.requests.flatMap(({ json }) => json.alerts as ReadonlyArray<any>)),
        "20 millis"
      ),
      {
        until: (alerts) => alerts.some((alert) => alert.labels.severity === severity && alert.status === status),
        times: 500
      }
    )
  return { ...server, post, told }
})

if (required("alerts to Alertmanager")) {
  it.live("alertmanager: a step's failures are one open alert, which the next success ends", () =>
    Effect.gen(function*() {
      const { open, told, url } = yield* started
      const run = (body: Effect.Effect<void, string>) =>
        Pipeline.make("nightly", Step.make("load \"α\" \\", body).pipe(Step.hooks(AlerterHooks.all))).pipe(
          Effect.provide(Alertmanager.layer({ url })),
          Effect.exit
        )
      yield* run(Effect.fail("disk full"))
      yield* run(Effect.fail("disk still full"))
      const [alert, ...others] = yield* open
      assert.equal(others.length, 0)
      assert.deepEqual(alert?.labels, {
        alertname: "nightly",
        pipeline: "nightly",
        step: "load \"α\" \\",
        // the key escapes the name's backslash
        dedupe_key: "nightly/load \"α\" \\\\",
        severity: "error"
      })
      assert.match(alert?.annotations["description"] ?? "", /disk still full/)
      const days = (Date.parse(alert?.endsAt ?? "") - Date.now()) / 86_400_000
      assert.ok(days > 0.99 && days <= 1, `${days}`)
      yield* told("error", "firing")
      yield* run(Effect.void)
      assert.deepEqual(yield* open, [])
      const alerts = yield* told("error", "resolved")
      assert.match(alerts.at(-1).annotations.recovery, /nightly/)
      assert.match(alerts.at(-1).annotations.summary, /failed/)
    }))

  it.live("alertmanager: a recovery ends each severity of its key, and nothing else", () =>
    Effect.gen(function*() {
      const { open, post, told } = yield* started
      const failed = (changes: Partial<AlertInput>, options: Partial<Alertmanager.AlertmanagerOptions> = {}) =>
        post(sample.with(changes), options)
      const production = { labels: { env: "production" } }
      yield* failed({ severity: "warning" })
      yield* failed({ severity: "critical", url: "https://ci.example.com/runs/1" })
      yield* failed({ dedupeKey: "nightly/store" })
      yield* failed({}, production)
      assert.equal((yield* open).length, 4)
      assert.deepEqual((yield* open).map(({ generatorURL }) => generatorURL).filter(Boolean), [
        "https://ci.example.com/runs/1"
      ])
      yield* told("critical", "firing")
      yield* failed({ severity: "success" })
      const left = (yield* open).map(({ labels }) => `${labels["dedupe_key"]} ${labels["env"] ?? ""}`)
      assert.deepEqual(left.toSorted(), ["nightly/load production", "nightly/store "])
      yield* failed({ severity: "success", dedupeKey: "nightly/extract" })
      yield* failed({ severity: "success" }, production)
      yield* failed({ severity: "success", dedupeKey: "nightly/store" })
      assert.deepEqual(yield* open, [])
      // one that was open, and not one of the severity that never was
      const resolved = (yield* told("critical", "resolved")).filter(({ status }) => status === "resolved")
      assert.ok(resolved.every(({ labels }) => labels.dedupe_key !== "nightly/extract"))
    }))

  it.live("alertmanager: a note is open for the server's resolve_timeout, and any text is accepted", () =>
    Effect.gen(function*() {
      const { open, post } = yield* started
      yield* post(Alert.make({
        title: "Loaded «7» rows, \\ \"all\" 🔥\n",
        fields: { "größe": 1, "7 rows": 2, "": 3, detail: 4, __proto: 5 },
        detail: "x".repeat(200_000)
      }))
      const [note] = yield* open
      const minutes = (Date.parse(note?.endsAt ?? "") - Date.now()) / 60_000
      assert.ok(minutes > 4 && minutes <= 5, `${minutes}`)
      assert.deepEqual(note?.labels, {
        alertname: "Loaded «7» rows, \\ \"all\" 🔥",
        dedupe_key: note?.labels["dedupe_key"],
        severity: "info"
      })
      const { detail, time: _, ...annotations } = note!.annotations
      assert.match(detail!, /characters left out/)
      assert.deepEqual(annotations, {
        summary: "Loaded «7» rows, \\ \"all\" 🔥",
        gr_e: "größe: 1",
        _7_rows: "2",
        _: "3",
        detail_2: "4",
        __proto: "5"
      })
    }))

  it.live("alertmanager: an alert that the server refuses fails with the server's words", () =>
    Effect.gen(function*() {
      const { open, post } = yield* started
      const refused = (labels: Readonly<Record<string, string>>) =>
        Effect.flip(post(sample, { labels, token: Redacted.make("t0ken") }))
      const { reason } = yield* refused({ team: "\ud800x", "": "y" })
      assert.ok(reason._tag === "Rejected" && reason.status === 400, reason._tag)
      assert.match(reason.detail ?? "", /^invalid label set: /)
      assert.deepEqual(yield* open, [])
    }))
}
