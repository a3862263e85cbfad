import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect, test } from "tstyche"
import { german } from "../../src/alerters/words/de.ts"
import { Alert, Alerter, AlerterErrorReason, AlerterHooks, isAlerterError, Step } from "../../src/index.ts"
import type { AlerterError, Field, Hook, Hooks, RunEvent, Severity, StepContext, Words } from "../../src/index.ts"

class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}

declare const failing: Effect.Effect<number, "lost", Mail>

describe("Alert", () => {
  test("make takes a title, an input or an alert", () => {
    expect(Alert.make("hello")).type.toBe<Alert>()
    expect(Alert.make).type.toBeCallableWith({ title: "t", severity: "critical", fields: { a: 1n } })
    expect(Alert.make).type.toBeCallableWith({ title: "t", fields: [{ name: "a", value: "1" }] })
    expect(Alert.make).type.toBeCallableWith(Alert.make("t"))
    expect(Alert.make).type.not.toBeCallableWith({})
    expect(Alert.make).type.not.toBeCallableWith({ title: "t", severity: "fatal" })
    expect(Alert.make).type.not.toBeCallableWith({ title: "t", fields: [{ name: "a", value: 1 }] })
    expect(Alert.make).type.not.toBeCallableWith({ title: "t", at: new Date(0) })
    expect(Alert.make).type.not.toBeCallableWith({ title: "t", text: "?" })
    expect(Alert.make({ title: "t", idempotencyKey: "k" }).idempotencyKey).type.toBe<string | undefined>()
    expect(Alert.make).type.not.toBeCallableWith({ title: "t", idempotencyKey: 1 })
  })

  test("an alert is readonly, and only make constructs one", () => {
    expect(Alert.make("t").severity).type.toBe<Severity>()
    expect(Alert.make("t").fields).type.toBe<ReadonlyArray<Field>>()
    expect(Alert).type.not.toBeConstructableWith({ title: "t" })
    // @ts-expect-error Cannot assign to 'title' because it is a read-only property
    Alert.make("t").title = "u"
  })

  test("with takes part of the input of make", () => {
    expect(Alert.make("t").with({ severity: "error" })).type.toBe<Alert>()
    expect(Alert.make("t").with).type.not.toBeCallableWith({ severity: "fatal" })
  })
})

describe("Alerter", () => {
  test("post takes an alert or a title", () => {
    Effect.map(Alerter, (alerter) => {
      expect(alerter.post("hello")).type.toBe<Effect.Effect<void, AlerterError>>()
      expect(alerter.post).type.toBeCallableWith(Alert.make("t"))
      expect(alerter.post).type.not.toBeCallableWith({ title: "t" })
      expect(alerter.post).type.not.toBeCallableWith(1)
    })
  })

  test("layer requires the services of its function, whose errors may be of any type", () => {
    expect(Alerter.layer(() => failing)).type.toBe<Layer.Layer<Alerter, never, Mail>>()
    expect(Alerter.layer(() => Effect.void)).type.toBe<Layer.Layer<Alerter>>()
    Alerter.layer((alert) => {
      expect(alert).type.toBe<Alert>()
      return Effect.void
    }, { channel: "pager" })
    expect(Alerter.layer).type.not.toBeCallableWith(() => 1)
    expect(Alerter.layer).type.not.toBeCallableWith(() => Effect.void, { name: "pager" })
  })

  test("Alerter.of takes a post that fails with AlerterError only and requires no services", () => {
    expect(Layer.succeed(Alerter, Alerter.of({ post: () => Effect.void }))).type.toBe<Layer.Layer<Alerter>>()
    expect(Alerter.of).type.not.toBeCallableWith({ post: () => Effect.fail("lost") })
    expect(Alerter.of).type.not.toBeCallableWith({ post: () => failing })
    expect(Alerter.of).type.not.toBeCallableWith({})
  })

  test("layerConsole and layerNone require nothing", () => {
    expect(Alerter.layerConsole).type.toBe<Layer.Layer<Alerter>>()
    expect(Alerter.layerNone).type.toBe<Layer.Layer<Alerter>>()
  })

  test("the constructors of reasons check their fields", () => {
    expect(AlerterErrorReason.Rejected).type.toBeCallableWith({ detail: "no", status: 400 })
    expect(AlerterErrorReason.Rejected).type.not.toBeCallableWith({})
    expect(isAlerterError).type.toBe<(u: unknown) => u is AlerterError>()
  })
})

describe("AlerterHooks", () => {
  test("the standard hooks fit any step and require an Alerter", () => {
    expect(AlerterHooks.success).type.toBe<Hook.Hook<unknown, unknown, Alerter | StepContext>>()
    expect(AlerterHooks.failure).type.toBe<Hook.Hook<unknown, unknown, Alerter | StepContext>>()
    expect(AlerterHooks.all).type.toBe<Hooks.Hooks<unknown, unknown, Alerter | StepContext>>()
  })

  test("successWith and failureWith fit steps with the value or error of their function", () => {
    const loaded = AlerterHooks.successWith((alert, rows: ReadonlyArray<string>) =>
      alert.with({ body: `${rows.length}` })
    )
    expect(loaded).type.toBe<Hook.Hook<ReadonlyArray<string>, unknown, Alerter | StepContext>>()
    expect(Step.hooks(loaded)).type.toBeCallableWith(Step.make("s", Effect.succeed(["a"])))
    expect(Step.hooks(loaded)).type.not.toBeCallableWith(Step.make("s", Effect.succeed(1)))
    const any = AlerterHooks.failureWith((alert, cause) => {
      expect(cause).type.toBe<Cause.Cause<unknown>>()
      return alert
    })
    expect(any).type.toBe<Hook.Hook<unknown, unknown, Alerter | StepContext>>()
    const lost = AlerterHooks.failureWith((alert, _: Cause.Cause<"lost">) => alert)
    expect(Step.hooks(lost)).type.toBeCallableWith(Step.make("s", Effect.fail("lost" as const)))
    expect(Step.hooks(lost)).type.not.toBeCallableWith(Step.make("s", Effect.fail("found" as const)))
    expect(AlerterHooks.failureWith).type.not.toBeCallableWith(() => "alert")
  })

  test("a step with a standard hook can be run once an Alerter is provided", () => {
    const step = Step.make("s", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure))
    expect(Effect.runPromise).type.not.toBeCallableWith(step)
    expect(Effect.runPromise).type.toBeCallableWith(Effect.provide(step, Alerter.layerNone))
  })
})

describe("words", () => {
  const layer = Layer.succeed(Alerter, { post: () => Effect.void })

  test("a table, or a part of one, changes nothing in the type of a layer", () => {
    expect(layer.pipe(Alerter.words(german))).type.toBe<Layer.Layer<Alerter>>()
    expect(Alerter.words(layer, { failed: (subject) => `${subject} broke` })).type.toBe<Layer.Layer<Alerter>>()
    expect(Alerter.words(layer, {})).type.toBe<Layer.Layer<Alerter>>()
  })

  test("a table that lacks a word does not compile", () => {
    const { failed: _, ...rest } = german
    expect(rest).type.not.toBeAssignableTo<Words>()
    expect(german).type.toBeAssignableTo<Words>()
  })

  test("misspelt words, and words of another kind, do not compile", () => {
    expect(Alerter.words).type.not.toBeCallableWith({ faild: (subject: string) => subject })
    expect(Alerter.words).type.not.toBeCallableWith({ failed: "failed" })
    expect(Alerter.words).type.not.toBeCallableWith({ pipeline: (name: string) => name })
    expect(Alerter.words).type.not.toBeCallableWith({ alerts: (count: string) => count })
  })
})

describe("AlertPosted", () => {
  test("is an event of a run, with the step that posted the alert, if one has", () => {
    expect<RunEvent.AlertPosted>().type.toBeAssignableTo<RunEvent.RunEvent>()
    expect<RunEvent.AlertPosted["step"]>().type.toBe<RunEvent.StepInfo | undefined>()
    expect<RunEvent.AlertPosted["severity"]>().type.toBe<Severity>()
    expect<RunEvent.AlertPosted["previous"]>().type.toBe<"held" | "waiting" | undefined>()
  })
})
