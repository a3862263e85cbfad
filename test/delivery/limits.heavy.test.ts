/** Policies take alerts of any size, in time that grows with their size. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { test } from "node:test"
import {
  afterConsecutive,
  dedupe,
  digest,
  fallback,
  fanOut,
  minSeverity,
  quietHours,
  recovered,
  route,
  throttle
} from "../../src/delivery/index.ts"
import { Alert, type Alerter } from "../../src/index.ts"
import { effectWithin } from "../support/cpuTime.ts"
import { makeIt } from "../support/it.ts"
import { open } from "./support.ts"

const it = makeIt(test)

const million = 1_000_000
/** So many that quadratic time would take minutes, and few enough that the fibers of policies soon suspend. */
const many = 200_000

const policies: Readonly<Record<string, (self: Layer.Layer<Alerter>) => Layer.Layer<Alerter>>> = {
  afterConsecutive: afterConsecutive(2),
  dedupe: dedupe({ window: "1 hour" }),
  digest: digest({ window: "1 hour" }),
  "digest of digests": (self) => self.pipe(digest({ window: "1 hour" }), digest({ window: "1 minute" })),
  fallback: (self) => self.pipe(fallback(self)),
  fanOut: (self) => fanOut([self, self]),
  minSeverity: minSeverity("warning"),
  quietHours: quietHours({ from: "00:00", to: "23:59" }),
  recovered: recovered(),
  route: (self) => route([{ when: () => false, to: self }], { otherwise: self }),
  throttle: throttle({ limit: 1, window: "1 minute" })
}

const long = "x\n".repeat(million / 2)
const large = Alert.make({
  title: long,
  severity: "error",
  body: long,
  detail: long,
  dedupeKey: long,
  // as of policies that held alerts back before
  fields: Array.from({ length: many }, () => ({ name: "held back", value: "3 more alerts" })),
  tags: Array.from({ length: million / 10 }, (_, i) => `tag ${i}`),
  source: {
    pipeline: "nightly",
    runId: "1",
    runName: "nightly",
    stepPath: Array.from({ length: 20_000 }, (_, i) => `step ${i}`)
  }
})

for (const [name, policy] of Object.entries(policies)) {
  it.effect(`${name} takes alerts with 200,000 fields and texts of a million characters in seconds`, () =>
    Effect.gen(function*() {
      const { post, sent } = yield* open(policy)
      yield* effectWithin(
        10_000,
        name,
        Effect.gen(function*() {
          for (let n = 0; n < 3; n++) yield* post(large.with({ idempotencyKey: String(n) }))
          yield* TestClock.adjust("25 hours")
          yield* post(large.with({ severity: "success" }))
          yield* TestClock.adjust("25 hours")
          // the clock does not wait for a fiber that computes for long
          while ((yield* sent).length === 0) yield* TestClock.adjust("1 minute")
        })
      )
    }))
}

for (const [name, policy] of Object.entries(policies)) {
  it.effect(`${name} takes 10,000 alerts about different things in seconds`, () =>
    Effect.gen(function*() {
      const { post } = yield* open(policy)
      yield* effectWithin(
        1_000,
        name,
        Effect.forEach(
          Array.from({ length: 10_000 }, (_, i) => i),
          (i) => post(Alert.make({ title: `load ${i} failed`, severity: "error", dedupeKey: `nightly/load[${i}]` })),
          { discard: true }
        )
      )
    }))
}
