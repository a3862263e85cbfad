import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Tracer from "effect/Tracer"
import { describe, expect, test } from "tstyche"
import { type Alerter, AlerterHooks, Hook, Hooks, Spans, type StepContext } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}

declare const sends: Effect.Effect<void, Http, Mail | StepContext>

describe("layer", () => {
  test("needs the services of its hooks, and nothing without any", () => {
    expect(Spans.layer({ steps: "*" })).type.toBe<Layer.Layer<never>>()
    expect(Spans.layer({ steps: /load/, drain: "1 second", overdue: "1 minute" })).type.toBe<Layer.Layer<never>>()
    expect(Spans.layer({ steps: "*", hooks: AlerterHooks.all })).type.toBe<Layer.Layer<never, never, Alerter>>()
    expect(Spans.layer({ steps: "*", hooks: Hook.onSuccess(() => sends) })).type.toBe<
      Layer.Layer<never, never, Mail>
    >()
    expect(Spans.layer({ steps: "*", hooks: Hooks.make(AlerterHooks.failure, Hook.onExit(() => sends)) })).type.toBe<
      Layer.Layer<never, never, Mail | Alerter>
    >()
  })

  test("changes no type of the program", () => {
    const program = Effect.withSpan(Effect.fail("no" as const), "a")
    expect(Effect.provide(program, Spans.layer({ steps: "*" }))).type.toBe<Effect.Effect<never, "no">>()
  })

  test("gives functions the span", () => {
    Spans.layer({
      steps: (span) => {
        expect(span).type.toBe<Tracer.Span>()
        return span.attributes.has("step")
      },
      key: (span) => {
        expect(span).type.toBe<Tracer.Span>()
        return 7
      }
    })
  })

  test("hooks see any value and any error", () => {
    Spans.layer({
      steps: "*",
      hooks: Hook.onSuccess((value) => {
        expect(value).type.toBe<unknown>()
        return Effect.void
      })
    })
    expect(Spans.layer).type.not.toBeCallableWith({ steps: "*", hooks: Hook.onSuccess((_: number) => Effect.void) })
    expect(Spans.layer).type.not.toBeCallableWith({
      steps: "*",
      hooks: Hook.onFailureTag("Http", (error: Http) => Effect.log(error.status))
    })
  })

  test("hooks can't be required", () => {
    expect(Spans.layer).type.not.toBeCallableWith({
      steps: "*",
      hooks: Hook.onSuccess(() => Effect.void).pipe(Hook.required)
    })
  })

  test("mistaken options do not compile", () => {
    expect(Spans.layer).type.not.toBeCallableWith({})
    expect(Spans.layer).type.not.toBeCallableWith({ steps: 7 })
    expect(Spans.layer).type.not.toBeCallableWith({ steps: "*", step: "*" })
    expect(Spans.layer).type.not.toBeCallableWith({ steps: "*", overdue: "soon" })
    expect(Spans.layer).type.not.toBeCallableWith({ steps: "*", overdue: { every: "1 hour" } })
    expect(Spans.layer).type.not.toBeCallableWith({ steps: "*", key: () => ({}) })
    expect(Spans.layer).type.not.toBeCallableWith({ steps: () => "yes" })
  })

  test("is a layer like others", () => {
    expect(Layer.merge(Spans.layer({ steps: "*" }), Layer.empty)).type.toBe<Layer.Layer<never>>()
  })
})
