import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { describe, expect, test } from "tstyche"
import {
  Acknowledgements,
  afterConsecutive,
  askToAcknowledge,
  dedupe,
  digest,
  escalate,
  fallback,
  fanOut,
  minSeverity,
  type NotOpenError,
  onLost,
  type OpenAlert,
  quietHours,
  recovered,
  remind,
  route,
  runUrl,
  type Store,
  throttle
} from "../../src/delivery/index.ts"
import { Alerter, type Approver } from "../../src/index.ts"

class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}

declare const plain: Layer.Layer<Alerter>
declare const withDb: Layer.Layer<Alerter, "no db", Db>
declare const withMail: Layer.Layer<Alerter, "no mail", Mail>
declare const noAlerter: Layer.Layer<Db>

describe("onLost", () => {
  test("adds the requirements of its effect, which may fail with anything", () => {
    expect(withDb.pipe(onLost(() => Effect.fail("ignored")))).type.toBe<typeof withDb>()
    const mailed = onLost(withDb, (alert, error) => Mail.use(({ send }) => (void [alert.title, error.channel], send)))
    expect(mailed).type.toBe<Layer.Layer<Alerter, "no db", Db | Mail>>()
  })
})

describe("policies around one alerter", () => {
  test("keep the errors and requirements of its layer, piped or called", () => {
    expect(withDb.pipe(minSeverity("warning"))).type.toBe<typeof withDb>()
    expect(withDb.pipe(runUrl(({ stepPath }) => stepPath[0]))).type.toBe<typeof withDb>()
    expect(runUrl(withDb, "https://x.example/{runId}")).type.toBe<typeof withDb>()
    expect(minSeverity(withDb, "warning")).type.toBe<typeof withDb>()
    expect(withDb.pipe(
      dedupe({ window: "1 hour" }),
      throttle({ limit: 10, window: "1 minute" }),
      digest({ window: "10 minutes" }),
      quietHours({ from: "22:00", to: "07:00" }),
      afterConsecutive(3),
      recovered(),
      remind({ every: "1 hour", until: 12 }),
      remind({ every: "1 hour", until: "2 days" })
    )).type.toBe<typeof withDb>()
    expect(dedupe(withDb, { window: "1 hour" })).type.toBe<typeof withDb>()
    expect(throttle(withDb, { limit: 10, window: "1 minute" })).type.toBe<typeof withDb>()
    expect(digest(withDb, { window: "10 minutes" })).type.toBe<typeof withDb>()
    expect(quietHours(withDb, { from: "22:00", to: "07:00" })).type.toBe<typeof withDb>()
    expect(afterConsecutive(withDb, 3)).type.toBe<typeof withDb>()
    expect(recovered(withDb)).type.toBe<typeof withDb>()
    expect(remind(withDb, { every: "1 hour" })).type.toBe<typeof withDb>()
  })

  test("require a Store where `persist` is set", () => {
    type Stored = Layer.Layer<Alerter, "no db", Db | Store>
    expect(withDb.pipe(dedupe({ window: "1 hour", persist: "a" }))).type.toBe<Stored>()
    expect(withDb.pipe(throttle({ limit: 1, window: "1 hour", persist: "a" }))).type.toBe<Stored>()
    expect(withDb.pipe(digest({ window: "1 hour", persist: "a" }))).type.toBe<Stored>()
    expect(withDb.pipe(quietHours({ from: "22:00", to: "07:00", persist: "a" }))).type.toBe<Stored>()
    expect(withDb.pipe(afterConsecutive(3, { persist: "a" }))).type.toBe<Stored>()
    expect(withDb.pipe(recovered({ persist: "a" }))).type.toBe<Stored>()
    expect(withDb.pipe(remind({ every: "1 hour", persist: "a" }))).type.toBe<Stored>()
    expect(withDb.pipe(escalate({ after: "1 hour", to: plain, persist: "a" }))).type.toBe<Stored>()
    expect(Acknowledgements.layer).type.toBe<Layer.Layer<Acknowledgements, never, Store>>()
    const program = Effect.provide(Effect.asVoid(Alerter), plain.pipe(recovered({ persist: "a" })))
    expect(Effect.runPromise).type.not.toBeCallableWith(program)
  })

  test("reject values that are not a duration, a severity or a time of day", () => {
    expect(dedupe).type.not.toBeCallableWith({ window: "soon" })
    expect(dedupe).type.not.toBeCallableWith({})
    expect(runUrl).type.not.toBeCallableWith(7)
    expect(minSeverity).type.not.toBeCallableWith("fatal")
    expect(quietHours).type.not.toBeCallableWith({ from: "late", to: "07:00" })
    expect(throttle).type.not.toBeCallableWith({ limit: 10 })
    expect(remind).type.not.toBeCallableWith({})
    expect(remind).type.not.toBeCallableWith({ every: "1 hour", until: "noon" })
    expect(escalate).type.not.toBeCallableWith({ after: "1 hour" })
    expect(escalate).type.not.toBeCallableWith({ after: "soon", to: plain })
  })

  test("reject a layer of another service", () => {
    expect(minSeverity).type.not.toBeCallableWith(noAlerter, "error")
    expect(dedupe).type.not.toBeCallableWith(noAlerter, { window: "1 hour" })
    expect(recovered).type.not.toBeCallableWith(noAlerter)
  })
})

describe("policies around several alerters", () => {
  type Both = Layer.Layer<Alerter, "no db" | "no mail", Db | Mail>

  test("have the errors and requirements of all layers", () => {
    expect(fanOut([withDb, withMail, plain])).type.toBe<Both>()
    expect(fanOut([withDb, withMail], { succeeds: "any" })).type.toBe<Both>()
    expect(withDb.pipe(fallback(withMail))).type.toBe<Both>()
    expect(withDb.pipe(fallback(withMail, { after: "5 seconds" }))).type.toBe<Both>()
    expect(fallback(withDb, withMail)).type.toBe<Both>()
    expect(withDb.pipe(escalate({ after: "1 hour", to: withMail }))).type.toBe<Both>()
    expect(escalate(withDb, { after: "1 hour", to: withMail.pipe(escalate({ after: 1, to: plain })) })).type.toBe<
      Both
    >()
    expect(route([{ when: { severity: "critical" }, to: withDb }], { otherwise: withMail })).type.toBe<Both>()
    expect(route([{ when: { severity: "critical" }, to: withDb }, { when: ({ title }) => title === "", to: plain }], {
      otherwise: withMail
    })).type.toBe<Both>()
  })

  test("require at least one alerter, known criteria, and an `otherwise`", () => {
    expect(fanOut).type.not.toBeCallableWith([])
    expect(route).type.not.toBeCallableWith([{ when: { severity: "critical" }, to: plain }])
    expect(route).type.not.toBeCallableWith([{ when: { colour: "red" }, to: plain }], { otherwise: plain })
    expect(fallback).type.not.toBeCallableWith(plain, noAlerter)
    expect(fanOut).type.not.toBeCallableWith([plain, noAlerter])
  })
})

describe("Acknowledgements", () => {
  test("lists what is open, and fails where nothing is open under a key", () => {
    expect(Acknowledgements.use(({ list }) => list)).type.toBe<
      Effect.Effect<ReadonlyArray<OpenAlert>, never, Acknowledgements>
    >()
    expect(Acknowledgements.use(({ acknowledge }) => acknowledge("load", { by: "Ada" }))).type.toBe<
      Effect.Effect<OpenAlert, NotOpenError, Acknowledgements>
    >()
    expect(askToAcknowledge({ approvers: ["U1"] })).type.toBe<Layer.Layer<never, never, Acknowledgements | Approver>>()
    const acknowledge = (service: Acknowledgements.Shape) => service.acknowledge
    expect<ReturnType<typeof acknowledge>>().type.not.toBeCallableWith("load", {})
  })
})
