import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { describe, expect, test } from "tstyche"
import type { Alerter } from "../../src/index.ts"
import { AlerterHooks, Pipeline, Step } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}

declare const fetchPage: (page: number, size?: number) => Promise<string>
declare const thenable: PromiseLike<number>
declare const needsMail: Effect.Effect<void, never, Mail>

describe("promise", () => {
  test("infers the value, and an unknown error", () => {
    expect(Step.promise("s", () => Promise.resolve(1))).type.toBe<Step.Step<number, unknown>>()
    expect(Step.promise("s", async (signal) => {
      expect(signal).type.toBe<AbortSignal>()
      return "a"
    })).type.toBe<Step.Step<string, unknown>>()
    expect(Step.promise("s", { try: async () => 1, grace: "1 second" })).type.toBe<Step.Step<number, unknown>>()
  })

  test("takes thenables", () => {
    expect(Step.promise("s", () => thenable)).type.toBe<Step.Step<number, unknown>>()
  })

  test("has the error that the rejection is mapped to", () => {
    const step = Step.promise("s", {
      try: async (signal) => {
        expect(signal).type.toBe<AbortSignal>()
        return 1
      },
      catch: (error) => {
        expect(error).type.toBe<unknown>()
        return new Http({ status: 503 })
      }
    })
    expect(step).type.toBe<Step.Step<number, Http>>()
    expect(step.pipe(Step.onFailureTag("Http", ({ status }) => Effect.log(status)))).type.toBe<
      Step.Step<number, Http>
    >()
  })

  test("rejects functions that return no promise, that need arguments, and unknown options", () => {
    expect(Step.promise).type.not.toBeCallableWith("s", () => 1)
    expect(Step.promise).type.not.toBeCallableWith("s", () => Effect.succeed(1))
    expect(Step.promise).type.not.toBeCallableWith("s", (page: number) => Promise.resolve(page))
    expect(Step.promise).type.not.toBeCallableWith("s", { try: async () => 1, graze: "1 second" })
    expect(Step.promise).type.not.toBeCallableWith("s", { try: async () => 1, grace: "soon" })
    expect(Step.promise).type.not.toBeCallableWith(async () => 1)
  })

  test("a step takes hooks and combinators, and is a part of pipelines", () => {
    const step = Step.promise("s", async () => 1).pipe(
      Step.retry({ times: 2 }),
      Step.onSuccess((n) => {
        expect(n).type.toBe<number>()
        return needsMail
      }),
      Step.hooks(AlerterHooks.all)
    )
    expect(step).type.toBe<Step.Step<number, unknown, Mail | Alerter>>()
    expect(Pipeline.make("p", step)).type.toBeAssignableTo<Effect.Effect<number, unknown, Mail | Alerter>>()
  })
})

describe("fnPromise", () => {
  test("keeps the arguments of the function", () => {
    expect(Step.fnPromise("f")(fetchPage)).type.toBe<(page: number, size?: number) => Step.Step<string, unknown>>()
    expect(Step.fnPromise("f")(async () => 1)).type.toBe<() => Step.Step<number, unknown>>()
    expect(Step.fnPromise("f")(async (...ids: ReadonlyArray<string>) => ids.length)).type.toBe<
      (...ids: ReadonlyArray<string>) => Step.Step<number, unknown>
    >()
  })

  test("gives the function of `try` the signal, and then the arguments", () => {
    const f = Step.fnPromise("f")({
      try: async (signal, page: number, size?: number) => {
        expect(signal).type.toBe<AbortSignal>()
        return `${page} ${size}`
      },
      catch: () => new Http({ status: 503 })
    })
    expect(f).type.toBe<(page: number, size?: number) => Step.Step<string, Http>>()
    expect(Step.fnPromise("f")({ try: async () => 1 })).type.toBe<() => Step.Step<number, unknown>>()
    expect(Step.fnPromise("f")({ try: async (_, ...ids: Array<string>) => ids })).type.toBe<
      (...ids: Array<string>) => Step.Step<Array<string>, unknown>
    >()
  })

  test("combinators receive the step and then the arguments", () => {
    const f = Step.fnPromise("f")(
      fetchPage,
      (step, page) => {
        expect(step).type.toBe<Step.Step<string, unknown>>()
        expect(page).type.toBe<number>()
        return Step.key(step, page)
      },
      Step.onSuccess((text) => {
        expect(text).type.toBe<string>()
        return needsMail
      })
    )
    expect(f).type.toBe<(page: number, size?: number) => Step.Step<string, unknown, Mail>>()
    const mapped = Step.fnPromise("f")(
      { try: async (_, page: number) => page, catch: () => new Http({ status: 503 }) },
      Step.timeout("1 second"),
      (step, page) => {
        expect(step).type.toBe<Step.Step<number, Http | Cause.TimeoutError>>()
        expect(page).type.toBe<number>()
        return step
      }
    )
    expect(mapped).type.toBe<(page: number) => Step.Step<number, Http | Cause.TimeoutError>>()
  })

  test("takes up to six combinators", () => {
    const more = Step.annotate({})
    const wait = Step.hooks(AlerterHooks.failure)
    const options = { try: (_: AbortSignal, page: number) => fetchPage(page) }
    type Out = (page: number) => Step.Step<string, unknown, Alerter>
    expect(Step.fnPromise("f")(options, wait)).type.toBe<Out>()
    expect(Step.fnPromise("f")(options, more, wait)).type.toBe<Out>()
    expect(Step.fnPromise("f")(options, more, more, wait)).type.toBe<Out>()
    expect(Step.fnPromise("f")(options, more, more, more, wait)).type.toBe<Out>()
    expect(Step.fnPromise("f")(options, more, more, more, more, wait)).type.toBe<Out>()
    expect(Step.fnPromise("f")(options, more, more, more, more, more, wait)).type.toBe<Out>()
  })

  test("rejects functions that return no promise, and combinators that return no step", () => {
    expect(Step.fnPromise("f")).type.not.toBeCallableWith((page: number) => page)
    expect(Step.fnPromise("f")).type.not.toBeCallableWith((page: number) => Effect.succeed(page))
    expect(Step.fnPromise("f")).type.not.toBeCallableWith({ try: (_: AbortSignal, page: number) => page })
    expect(Step.fnPromise("f")).type.not.toBeCallableWith({ try: async (page: number) => page })
    expect(Step.fnPromise("f")).type.not.toBeCallableWith(fetchPage, Effect.asVoid)
    expect(Step.fnPromise("f")).type.not.toBeCallableWith(fetchPage, Step.onSuccess((_: number) => Effect.void))
  })
})
