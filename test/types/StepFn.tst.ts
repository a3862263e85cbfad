import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { describe, expect, test } from "tstyche"
import { Step, StepContext } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Parse extends Data.TaggedError("Parse")<{ readonly line: number }> {}
class Slow extends Data.TaggedError("Slow")<{}> {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}
declare const body: Effect.Effect<number, Http | Parse, Db>
declare const needsMail: Effect.Effect<void, Slow, Mail | StepContext>

describe("fn", () => {
  test("fn infers arguments and result of a generator function", () => {
    const f = Step.fn("f")(function*(id: string, n: number) {
      yield* StepContext
      const rows = yield* body
      return `${id}${n}${rows}`
    })
    expect(f).type.toBe<(id: string, n: number) => Step.Step<string, Http | Parse, Db>>()
    expect(f).type.not.toBeCallableWith("a")
    expect(f).type.not.toBeCallableWith(1, "a")
  })

  test("fn takes a generator function that yields nothing", () => {
    // oxlint-disable-next-line require-yield
    expect(
      Step.fn("f")(function*(n: number) {
        return n
      })
    ).type.toBe<(n: number) => Step.Step<number>>()
  })

  test("fn infers arguments and result of a function that returns an Effect", () => {
    expect(Step.fn("f")((n: number) => Effect.andThen(needsMail, Effect.succeed(n)))).type.toBe<
      (n: number) => Step.Step<number, Slow, Mail>
    >()
    expect(Step.fn("f")).type.not.toBeCallableWith((n: number) => n)
  })

  test("combinators of fn receive the step and then the arguments", () => {
    const f = Step.fn("f")(
      function*(url: string) {
        return (yield* body) + url.length
      },
      Step.onSuccess((value) => {
        expect(value).type.toBe<number>()
        return needsMail
      }),
      (self, url) => {
        expect(self).type.toBe<Step.Step<number, Http | Parse, Db | Mail>>()
        expect(url).type.toBe<string>()
        return Step.timeout(self, "1 second")
      }
    )
    expect(f).type.toBe<(url: string) => Step.Step<number, Http | Parse | Cause.TimeoutError, Db | Mail>>()
  })

  test("a combinator of fn that uses some of the arguments leaves them all as they are", () => {
    const body = (page: number, size?: number) => Effect.succeed(page + (size ?? 10))
    type Fn = (page: number, size?: number) => Step.Step<number>
    expect(Step.fn("f")(body, (self, page) => Step.key(self, page))).type.toBe<Fn>()
    expect(
      Step.fn("f")(body, (self, _page, size) => {
        expect(size).type.toBe<number | undefined>()
        return self
      })
    ).type.toBe<Fn>()
    expect(
      Step.fn("f")(body, (self, page = 1, ...rest) => {
        expect(rest).type.toBe<[size?: number]>()
        return Step.key(self, page)
      })
    ).type.toBe<Fn>()
  })

  test("fn takes up to six combinators", () => {
    const more = Step.annotate({})
    const wait = Step.timeout("1 second")
    const gen = function*(n: number) {
      return (yield* body) + n
    }
    const eff = (n: number) => Effect.map(body, (m) => n + m)
    type Out = (n: number) => Step.Step<number, Http | Parse | Cause.TimeoutError, Db>
    expect(Step.fn("f")(gen, wait)).type.toBe<Out>()
    expect(Step.fn("f")(gen, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(gen, more, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(gen, more, more, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(gen, more, more, more, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(gen, more, more, more, more, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(eff, wait)).type.toBe<Out>()
    expect(Step.fn("f")(eff, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(eff, more, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(eff, more, more, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(eff, more, more, more, more, wait)).type.toBe<Out>()
    expect(Step.fn("f")(eff, more, more, more, more, more, wait)).type.toBe<Out>()
  })

  test("combinators of fn have to return a step", () => {
    expect(Step.fn("f")).type.not.toBeCallableWith((_: number) => body, Effect.asVoid)
    expect(Step.fn("f")).type.not.toBeCallableWith((_: number) => body, Step.onSuccess((_: string) => Effect.void))
  })
})
