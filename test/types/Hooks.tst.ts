import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { describe, expect, test } from "tstyche"
import { AlerterHooks, Hook as OnHook, Hooks, Pipeline, Step } from "../../src/index.ts"
import type { Alerter, Hook, StepContext } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Parse extends Data.TaggedError("Parse")<{ readonly line: number }> {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}

declare const onNumber: Hook.Hook<{ readonly n: number }, unknown, Mail>
declare const onMail: Hook.Hook<unknown, unknown, Mail | StepContext>
declare const onText: Hook.Hook<{ readonly s: string }, Http, Db>
declare const required: Hook.Hook<unknown, unknown, never, Hook.HookError>
declare const onHttp: Hook.Hook<unknown, unknown, never, never, Http>
declare const onParse: Hook.Hook<unknown, unknown, never, never, Parse>
declare const step: Step.Step<number, Http>

interface Both {
  readonly n: number
  readonly s: string
}

describe("Any", () => {
  test("Hooks.Any is a hook or a collection of any types", () => {
    expect<Hooks.Any>().type.toBeAssignableFrom(onNumber)
    expect<Hooks.Any>().type.toBeAssignableFrom(required)
    expect<Hooks.Any>().type.toBeAssignableFrom(Hooks.make(onHttp, onText))
    expect<Hooks.Any>().type.not.toBeAssignableFrom(step)
  })

  test("Hooks.Any with type parameters is a hook or a collection of these types", () => {
    expect<Hooks.Any<number, Http, Mail, never, never>>().type.toBe<
      Hook.Hook<number, Http, Mail> | Hooks.Hooks<number, Http, Mail>
    >()
    expect<Hooks.Any<number, Http, Mail, never, never>>().type.not.toBeAssignableFrom(onText)
  })
})

describe("Hook.Any", () => {
  test("Hook.Any is a hook of any types and rejects collections", () => {
    expect<Hook.Any>().type.toBeAssignableFrom(onNumber)
    expect<Hook.Any>().type.toBeAssignableFrom(required)
    expect<Hook.Any>().type.toBeAssignableFrom(onHttp)
    expect<Hook.Any>().type.not.toBeAssignableFrom(Hooks.make(onNumber))
  })
})

describe("make", () => {
  test("make without hooks has the type of empty", () => {
    expect(Hooks.make()).type.toBe<Hooks.Hooks<unknown, unknown, never>>()
    expect(Hooks.empty).type.toBe<Hooks.Hooks<unknown, unknown, never>>()
  })

  test("a collection fits only steps that each of its hooks fits", () => {
    const both = Hooks.make(onNumber, onText)
    expect(both).type.toBeAssignableTo<Hooks.Hooks<Both, Http, Mail | Db>>()
    expect(Step.hooks(both)).type.toBeCallableWith(Step.make("s", Effect.succeed({ n: 1, s: "" })))
    expect(Step.hooks(both)).type.not.toBeCallableWith(Step.make("s", Effect.succeed({ n: 1 })))
    expect(Step.hooks(both)).type.not.toBeCallableWith(Step.make("s", Effect.succeed({ s: "" })))
    expect(Step.make("s", Effect.succeed({ n: 1, s: "" })).pipe(Step.hooks(both))).type.toBe<
      Step.Step<{ n: number; s: string }, never, Mail | Db>
    >()
  })

  test("a collection has the services, HookError and tags of all of its hooks", () => {
    expect(Hooks.make(required, onHttp, onParse)).type.toBe<
      Hooks.Hooks<unknown, unknown, never, Hook.HookError, Http | Parse>
    >()
    expect(Step.hooks(Hooks.make(onHttp, onParse))).type.not.toBeCallableWith(step)
    expect(Step.hooks(Hooks.make(onHttp))).type.toBeCallableWith(step)
    expect(step.pipe(Step.hooks(Hooks.make(required)))).type.toBe<Step.Step<number, Http | Hook.HookError>>()
  })

  test("make takes hooks and collections and nothing else", () => {
    expect(Hooks.make(AlerterHooks.all, onHttp)).type.toBe<
      Hooks.Hooks<unknown, unknown, Alerter | StepContext, never, Http>
    >()
    expect(Hooks.make).type.not.toBeCallableWith(Effect.void)
    expect(Hooks.make).type.not.toBeCallableWith(() => Effect.void)
  })
})

describe("merge, mergeUnder", () => {
  type Merged = Hooks.Hooks<{ readonly n: number } & { readonly s: string }, Http, Mail | Db>

  test("merge and mergeUnder combine types, data-first and data-last", () => {
    expect(Hooks.merge(onNumber, onText)).type.toBe<Merged>()
    expect(Hooks.make(onNumber).pipe(Hooks.merge(onText))).type.toBe<Merged>()
    expect(Hooks.mergeUnder(onNumber, onText)).type.toBe<Merged>()
    expect(Hooks.make(onNumber).pipe(Hooks.mergeUnder(onText))).type.toBe<Merged>()
  })

  test("merge and mergeUnder keep HookError and tags", () => {
    expect(Hooks.merge(required, onHttp)).type.toBe<Hooks.Hooks<unknown, unknown, never, Hook.HookError, Http>>()
    expect(Hooks.mergeUnder(required, onHttp)).type.toBe<Hooks.Hooks<unknown, unknown, never, Hook.HookError, Http>>()
  })

  test("merging with empty changes no type", () => {
    expect(Hooks.merge(Hooks.empty, Hooks.make(onHttp))).type.toBe<Hooks.Hooks<unknown, unknown, never, never, Http>>()
    expect(Hooks.merge(Hooks.make(onText), Hooks.empty)).type.toBe<Hooks.Hooks<{ readonly s: string }, Http, Db>>()
  })
})

describe("explain", () => {
  test("several hooks in place of a collection are refused with the cure", () => {
    const [first, second] = [AlerterHooks.failure, OnHook.onSuccess(() => Effect.void)] as const
    const pipeline = Pipeline.make("p", Effect.void)
    interface Cure {
      readonly "several hooks are one collection": "Hooks.make(first, second)"
    }
    expect(Pipeline.hooks(first, second)).type.toBeAssignableTo<Cure>()
    expect(Pipeline.hooks(first, Hooks.make(second), first)).type.toBeAssignableTo<Cure>()
    expect(Pipeline.hooks(pipeline, first, second)).type.toBeAssignableTo<Cure>()
    expect(Pipeline.stepHooks(first, first)).type.toBeAssignableTo<Cure>()
    expect(Step.hooks(first, second)).type.toBeAssignableTo<Cure>()
    expect(Pipeline.hooks(pipeline, second)).type.toBe<Pipeline.Pipeline<void>>()
    expect(Step.hooks(Step.make("s", Effect.void), second)).type.toBe<Step.Step<void>>()
  })

  test("explain takes a step, and optionally a pipeline or hooks", () => {
    expect(Hooks.explain(step)).type.toBe<ReadonlyArray<Hooks.Explanation>>()
    expect(Hooks.explain).type.toBeCallableWith(step, Pipeline.make("p", step))
    expect(Hooks.explain).type.toBeCallableWith(step, AlerterHooks.all)
    expect(Hooks.explain).type.toBeCallableWith(step, AlerterHooks.failure)
    expect(Hooks.explain).type.not.toBeCallableWith(Effect.void)
    expect(Hooks.explain).type.not.toBeCallableWith(step, Effect.void)
  })
})

describe("variance", () => {
  test("Hooks has the variance of Hook", () => {
    expect<Hooks.Hooks<unknown, unknown, never>>().type.toBeAssignableTo<Hooks.Hooks<number, Http, Mail>>()
    expect<Hooks.Hooks<number, unknown, never>>().type.not.toBeAssignableTo<Hooks.Hooks<unknown, unknown, never>>()
    expect<Hooks.Hooks<unknown, unknown, Mail>>().type.not.toBeAssignableTo<Hooks.Hooks<unknown, unknown, never>>()
    expect<Hooks.Hooks<unknown, unknown, never, Hook.HookError>>().type.not.toBeAssignableTo<
      Hooks.Hooks<unknown, unknown, never>
    >()
  })
})

describe("layerDefault", () => {
  test("the layer requires the services of the hooks, without StepContext", () => {
    expect(Hooks.layerDefault(AlerterHooks.failure)).type.toBe<Layer.Layer<never, never, Alerter>>()
    expect(Pipeline.layerDefault(AlerterHooks.all)).type.toBe<Layer.Layer<never, never, Alerter>>()
    expect(Hooks.layerDefault(Hooks.empty)).type.toBe<Layer.Layer<never>>()
    expect(Hooks.layerDefault(onMail)).type.toBe<Layer.Layer<never, never, Mail>>()
  })

  test("a missing service does not compile where the layer is provided", () => {
    const provided = Effect.provide(Effect.void, Hooks.layerDefault(onMail))
    expect(Effect.runPromise).type.not.toBeCallableWith(provided)
    const complete = Hooks.layerDefault(onMail).pipe(Layer.provide(Layer.succeed(Mail, { send: Effect.void })))
    expect(Effect.runPromise).type.toBeCallableWith(Effect.provide(Effect.void, complete))
  })

  test("hooks for particular values, errors or fields, and required ones, do not compile", () => {
    for (const layerDefault of [Hooks.layerDefault, Pipeline.layerDefault]) {
      expect(layerDefault).type.not.toBeCallableWith(onNumber)
      expect(layerDefault).type.not.toBeCallableWith(onText)
      expect(layerDefault).type.not.toBeCallableWith(required)
      expect(layerDefault).type.not.toBeCallableWith(onHttp)
      expect(layerDefault).type.not.toBeCallableWith(Hooks.make(onHttp, onMail))
    }
  })

  test("the value and the errors of a step and of a run are unknown", () => {
    Hooks.layerDefault(OnHook.onSuccess((value) => Effect.log(expect(value).type.toBe<unknown>())))
    Pipeline.layerDefault(OnHook.onExit((exit) => Effect.log(expect(exit).type.toBe<Exit.Exit<unknown, unknown>>())))
  })

  test("explain takes the hooks of a layer", () => {
    expect(Hooks.explain).type.toBeCallableWith(step, undefined, onMail)
    expect(Hooks.explain).type.not.toBeCallableWith(step, undefined, Hooks.layerDefault(onMail))
  })
})
