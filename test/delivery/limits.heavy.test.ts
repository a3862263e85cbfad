/** Policies take alerts of any size and any number, in linear time. */
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
import { effectIsLinear } from "../support/growth.ts"
import { makeIt } from "../support/it.ts"
import { large } from "../support/sizes.ts"
import { open } from "./support.ts"

const it = makeIt(test)

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

/** Returns an alert with as many fields, and other parts in proportion. */
const largeOf = (count: number): Alert => {
  const long = "x\n".repeat(count * 2.5)
  return Alert.make({
    title: long,
    severity: "error",
    body: long,
    detail: long,
    dedupeKey: long,
    // as of policies that held alerts back before
    fields: Array.from({ length: count }, () => ({ name: "held back", value: "3 more alerts" })),
    tags: Array.from({ length: count / 2 }, (_, i) => `tag ${i}`),
    source: {
      pipeline: "nightly",
      runId: "1",
      runName: "nightly",
      stepPath: Array.from({ length: count / 10 }, (_, i) => `step ${i}`)
    }
  })
}

for (const [name, policy] of Object.entries(policies)) {
  it.effect(`${name} takes alerts with 200,000 fields and texts of a million characters in linear time`, () =>
    effectIsLinear(name, many, (count) => {
      const alert = largeOf(count)
      return Effect.scoped(Effect.gen(function*() {
        const { post, sent } = yield* open(policy)
        for (let n = 0; n < 3; n++) yield* post(alert.with({ idempotencyKey: String(n) }))
        yield* TestClock.adjust("25 hours")
        yield* post(alert.with({ severity: "success" }))
        yield* TestClock.adjust("25 hours")
        // the clock does not wait for a fiber that computes for long
        while ((yield* sent).length === 0) yield* TestClock.adjust("1 minute")
      }))
    }))

  it.effect(`${name} takes very many alerts, and delivers what it holds at the end, in linear time`, () =>
    effectIsLinear(name, large(100_000), (count) =>
      Effect.scoped(Effect.gen(function*() {
        const { close, post } = yield* open(policy)
        for (let i = 0; i < count; i++) {
          yield* post(Alert.make({ title: `load ${i} failed`, severity: "error", dedupeKey: `nightly/load[${i}]` }))
        }
        yield* close
      }))))
}
