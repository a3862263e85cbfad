/** How the steps of a burst are recorded, which share lines. */
import { Effect, Schema, Stream } from "effect"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { test } from "node:test"
import { Hook, Pipeline, Step, StepLogs } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { events, logs } from "../support/observe.ts"
import { forAll } from "../support/property.ts"
import { linesOf, readAll, tempFolder } from "../support/record.ts"
import { start, writeRecord } from "../support/recordFiles.ts"

const it = makeIt(test)

const Burst = Schema.Array(Schema.Struct({
  // most often the same step, as it is in a loop
  kind: Schema.Literals([
    "same",
    "same",
    "anew",
    "same with a key",
    "fails",
    "waits",
    "beside",
    "around",
    "noted",
    "logs"
  ]),
  times: Schema.Literals([1, 2, 30])
}))

const hooked = (name: string, body: Effect.Effect<unknown, unknown> = Effect.void) =>
  Step.make(name, body).pipe(
    Step.hooks(Hook.onSuccess(() => Effect.void).pipe(Hook.named("told"))),
    Step.hooks(Hook.onExit(() => Effect.void).pipe(Hook.named("closed")))
  )

const same = hooked("s")
const keyed = hooked("s").pipe(Step.key("k"))
const waiting = same.pipe(Step.hooks(Hook.onSuccess(() => Effect.sleep("1 millis")).pipe(Hook.named("waits"))))

const ofKind: Record<(typeof Burst.Type)[number]["kind"], (i: number) => Effect.Effect<unknown, unknown>> = {
  same: () => same,
  anew: () => hooked("s"),
  "same with a key": () => keyed,
  fails: () => Effect.exit(hooked("s", Effect.fail("no"))),
  waits: () => waiting,
  beside: () => Effect.all([same, hooked("s", Effect.yieldNow), same], { concurrency: 3 }),
  around: () => hooked("s", Effect.andThen(same, same)),
  noted: (i) => same.pipe(Step.annotate({ i })),
  logs: () => hooked("s", Effect.log("done"))
}

it.live("steps that follow each other within a millisecond are read as they were told, though they share a line", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    let n = 0
    let shared = 0
    yield* forAll(Burst, (burst) =>
      Effect.gen(function*() {
        const file = path.join(folder, `${++n}`)
        const told = events()
        const steps = burst.flatMap(({ kind, times }) => Array.from({ length: times }, (_, i) => ofKind[kind](i)))
        yield* Pipeline.make("p", Effect.all(steps, { discard: true })).pipe(
          Effect.provide(Report.layerRecord({ file })),
          Effect.provide(told.layer),
          Effect.provide([StepLogs.layer(), logs().layer])
        )
        const { events: read, skipped } = yield* readAll(file)
        assert.deepEqual(read, JSON.parse(JSON.stringify(told.list.map(Report.fromRunEvent))))
        assert.deepEqual(skipped, [])
        shared += linesOf(file).filter((line) => "more" in line).length
      }), 100)
    assert.ok(shared > 0)
  }))

it.live("the steps of a burst count for maxBytes as if each had a line of its own, and are as many as a recorder writes", () =>
  Effect.gen(function*() {
    const burst = (steps: number) =>
      writeRecord(folder, {
        id: "a",
        lines: [
          `{"_tag":"StepStarted","run":"w.1","at":${start},"stepName":"s","stepPath":["s"],"index":0,"durationMillis":1,"more":[${
            "1,".repeat(steps - 2)
          }1]}\n`
        ]
      })
    const folder = yield* tempFolder
    const file = burst(1_000)
    const read = (maxBytes: number) => Stream.runCount(Report.read(file, { maxBytes }))
    const { reason } = yield* Effect.flip(read(100_000))
    assert.ok(reason._tag === "TooLarge" && reason.size > 100_000 && reason.limit === 100_000)
    assert.equal(yield* read(200_000), 1 + 2 * 1_000)
    // it would take gigabytes
    burst(5_000_000)
    const { events: left, skipped } = yield* readAll(file)
    assert.deepEqual([left.map(({ _tag }) => _tag), skipped], [["RunStarted"], [{
      line: 3,
      reason: "unknown",
      events: 1
    }]])
  }))
