import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import * as Schedule from "effect/Schedule"
import { describe, expect, test } from "tstyche"
import type { Alerter } from "../../src/index.ts"
import { AlerterHooks, Hook, Pipeline, Step, StepContext } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Parse extends Data.TaggedError("Parse")<{ readonly line: number }> {}
class Slow extends Data.TaggedError("Slow")<{}> {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}

declare const body: Effect.Effect<number, Http | Parse, Db>
declare const step: Step.Step<number, Http | Parse, Db>
declare const needsMail: Effect.Effect<void, Slow, Mail | StepContext>
declare const times: Schedule.Schedule<number, unknown, Slow, Mail>

describe("constructors", () => {
  test("make and named keep the Effect's types", () => {
    expect(Step.make("s", body)).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(body.pipe(Step.named("s"))).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.named(body, "s")).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(step).type.toBeAssignableTo<Effect.Effect<number, Http | Parse, Db>>()
  })

  test("make requires a name", () => {
    expect(Step.make).type.not.toBeCallableWith(body)
    expect(Step.make).type.not.toBeCallableWith(1, body)
  })

  test("a step provides StepContext to its body", () => {
    const asks = Effect.andThen(StepContext, body)
    expect(asks).type.toBe<Effect.Effect<number, Http | Parse, Db | StepContext>>()
    expect(Step.make("s", asks)).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(StepContext.annotate("rows", 1)).type.toBe<Effect.Effect<void, never, StepContext>>()
    expect(Effect.runPromise).type.not.toBeCallableWith(StepContext.annotate("rows", 1))
    expect(Effect.runPromise).type.toBeCallableWith(Step.make("s", StepContext.annotate("rows", 1)))
  })

  test("an Effect around a step still requires StepContext", () => {
    expect(Effect.andThen(step, StepContext.elapsed)).type.toBeAssignableTo<
      Effect.Effect<unknown, Http | Parse, Db | StepContext>
    >()
    expect(Effect.andThen(step, StepContext.elapsed)).type.not.toBeAssignableTo<
      Effect.Effect<unknown, Http | Parse, Db>
    >()
  })

  test("yield* of a step returns its value", () => {
    expect(Effect.gen(function*() {
      return yield* step
    })).type.toBe<Effect.Effect<number, Http | Parse, Db>>()
  })

  test("isStep is a type guard", () => {
    expect(Step.isStep).type.toBe<(u: unknown) => u is Step.Step<unknown, unknown, unknown>>()
  })

  test("combinators of Step reject Effects and pipelines", () => {
    expect(body).type.not.toBeAssignableTo<Step.Step<unknown, unknown, unknown>>()
    expect(Pipeline.make("p", body)).type.not.toBeAssignableTo<Step.Step<unknown, unknown, unknown>>()
    expect(Step.onStart).type.not.toBeCallableWith(body, Effect.void)
    expect(Step.onSuccess).type.not.toBeCallableWith(body, () => Effect.void)
    expect(Step.onFailure).type.not.toBeCallableWith(body, () => Effect.void)
    expect(Step.onFailureTag).type.not.toBeCallableWith(body, "Http", () => Effect.void)
    expect(Step.onInterrupt).type.not.toBeCallableWith(body, () => Effect.void)
    expect(Step.onRetry).type.not.toBeCallableWith(body, () => Effect.void)
    expect(Step.onExit).type.not.toBeCallableWith(body, () => Effect.void)
    expect(Step.hooks).type.not.toBeCallableWith(body, AlerterHooks.all)
    expect(Step.retry).type.not.toBeCallableWith(body, { times: 1 })
    expect(Step.timeout).type.not.toBeCallableWith(body, "1 second")
    expect(Step.annotate).type.not.toBeCallableWith(body, {})
    expect(Step.inherit("off")).type.not.toBeCallableWith(body)
    expect(Step.onStart(Effect.void)).type.not.toBeCallableWith(body)
    expect(Step.onSuccess(() => Effect.void)).type.not.toBeCallableWith(body)
    expect(Step.timeout("1 second")).type.not.toBeCallableWith(body)
    expect(Step.inherit("off")).type.toBeCallableWith(step)
    expect(Step.onStart(Effect.void)).type.toBeCallableWith(step)
    expect(Step.timeout("1 second")).type.toBeCallableWith(step)
    expect(Step.hooks(AlerterHooks.all)).type.not.toBeCallableWith(body)
  })

  test("inherit takes the step first or last, and keeps its types", () => {
    expect(step.pipe(Step.inherit("off"))).type.toBe<typeof step>()
    expect(step.pipe(Step.inherit("append", "failure", "exit"))).type.toBe<typeof step>()
    expect(Step.inherit(step, "off")).type.toBe<typeof step>()
    expect(Step.inherit(step, "prepend", "failure", "exit")).type.toBe<typeof step>()
    expect(Step.inherit).type.not.toBeCallableWith(body, "off")
    expect(Step.inherit).type.not.toBeCallableWith(step, "none")
    expect(Step.inherit).type.not.toBeCallableWith(step, "off", "sucess")
  })

  test("combinators of Effect turn a step into an Effect", () => {
    expect(Step.annotate).type.not.toBeCallableWith(Effect.map(step, String), {})
    expect(Step.annotate).type.toBeCallableWith(step, {})
  })
})

describe("hooks", () => {
  test("the arguments of hooks are inferred, data-last", () => {
    pipe(
      step,
      Step.onSuccess((value) => {
        expect(value).type.toBe<number>()
        return Effect.void
      }),
      Step.onFailure((cause) => {
        expect(cause).type.toBe<Cause.Cause<Http | Parse>>()
        return Effect.void
      }),
      Step.onFailureTag("Http", (error) => {
        expect(error).type.toBe<Http>()
        return Effect.void
      }),
      Step.onInterrupt((cause) => {
        expect(cause).type.toBe<Cause.Cause<never>>()
        return Effect.void
      }),
      Step.onRetry((failed) => {
        expect(failed).type.toBe<Hook.FailedAttempt<Http | Parse>>()
        return Effect.void
      }),
      Step.onExit((exit) => {
        expect(exit).type.toBe<Exit.Exit<number, Http | Parse>>()
        return Effect.void
      })
    )
  })

  test("the arguments of hooks are inferred, data-first", () => {
    Step.onSuccess(step, (value) => {
      expect(value).type.toBe<number>()
      return Effect.void
    })
    Step.onFailure(step, (cause) => {
      expect(cause).type.toBe<Cause.Cause<Http | Parse>>()
      return Effect.void
    })
    Step.onFailureTag(step, "Parse", (error) => {
      expect(error).type.toBe<Parse>()
      return Effect.void
    })
    Step.onRetry(step, (failed) => {
      expect(failed.cause).type.toBe<Cause.Cause<Http | Parse>>()
      return Effect.void
    })
    Step.onExit(step, (exit) => {
      expect(exit).type.toBe<Exit.Exit<number, Http | Parse>>()
      return Effect.void
    })
  })

  test("hooks add their services but StepContext to R, and not their errors to E", () => {
    type Joined = Step.Step<number, Http | Parse, Db | Mail>
    expect(step.pipe(Step.onStart(needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.onSuccess(() => needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.onFailure(() => needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.onFailureTag("Http", () => needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.onInterrupt(() => needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.onRetry(() => needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.onExit(() => needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.hooks(Hook.onStart(needsMail)))).type.toBe<Joined>()
    expect(Step.onStart(step, needsMail)).type.toBe<Joined>()
    expect(Step.onSuccess(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onFailure(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onFailureTag(step, "Http", () => needsMail)).type.toBe<Joined>()
    expect(Step.onInterrupt(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onRetry(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onExit(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.hooks(step, Hook.onStart(needsMail))).type.toBe<Joined>()
  })

  test("a step that requires an Alerter can't be run without one", () => {
    const alerting = Step.make("s", Effect.void).pipe(Step.hooks(AlerterHooks.all))
    expect(alerting).type.toBe<Step.Step<void, never, Alerter>>()
    expect(Effect.runPromise).type.not.toBeCallableWith(alerting)
    expect(Effect.runPromise).type.toBeCallableWith(Step.make("s", Effect.void))
  })

  test("a success hook for another value is rejected", () => {
    expect(Step.onSuccess((_: string) => Effect.void)).type.not.toBeCallableWith(step)
    expect(Step.onSuccess((_: number) => Effect.void)).type.toBeCallableWith(step)
    expect(Step.onSuccess((_: number | string) => Effect.void)).type.toBeCallableWith(step)
    expect(Step.onSuccess).type.not.toBeCallableWith(step, (_: string) => Effect.void)
    expect(Step.onSuccess).type.not.toBeCallableWith(step, () => 1)
  })

  test("retry takes a schedule builder", () => {
    expect(step.pipe(Step.retry(($) => $(Schedule.recurs(2))))).type.toBe<typeof step>()
  })

  test("a hook for wider types than the step's does not widen the step's types", () => {
    const shared = (_: unknown) => Effect.void
    const piped = step.pipe(
      Step.onSuccess(shared),
      Step.onFailure((_: Cause.Cause<unknown>) => Effect.void),
      Step.onRetry(shared),
      Step.onExit((_: Exit.Exit<unknown, unknown>) => Effect.void)
    )
    expect(piped).type.toBe<typeof step>()
  })

  test("failure, retry and exit hooks for another error are rejected", () => {
    expect(Step.onFailure((_: Cause.Cause<Slow>) => Effect.void)).type.not.toBeCallableWith(step)
    expect(Step.onFailure((_: Cause.Cause<Http>) => Effect.void)).type.not.toBeCallableWith(step)
    expect(Step.onFailure((_: Cause.Cause<Http | Parse | Slow>) => Effect.void)).type.toBeCallableWith(step)
    expect(Step.onFailure).type.not.toBeCallableWith(step, (_: Cause.Cause<Http>) => Effect.void)
    expect(Step.onRetry((_: Hook.FailedAttempt<Slow>) => Effect.void)).type.not.toBeCallableWith(step)
    expect(Step.onExit((_: Exit.Exit<string, Http | Parse>) => Effect.void)).type.not.toBeCallableWith(step)
    expect(Step.onExit((_: Exit.Exit<number, Http>) => Effect.void)).type.not.toBeCallableWith(step)
  })

  test("onFailureTag rejects a tag that the step can't fail with", () => {
    expect(Step.onFailureTag).type.not.toBeCallableWith(step, "Slow", () => Effect.void)
    expect(Step.onFailureTag).type.toBeCallableWith(step, "Http", () => Effect.void)
    expect(Step.onFailureTag).type.not.toBeCallableWith(step, "Http", (_: Parse) => Effect.void)
    expect(Step.onFailureTag).type.not.toBeCallableWith(
      Step.make("s", Effect.fail("no tag")),
      "Http",
      () => Effect.void
    )
    expect(Step.onFailureTag).type.not.toBeCallableWith(Step.make("s", Effect.void), "Http", () => Effect.void)
    // @ts-expect-error Argument of type '"Slow"' is not assignable
    step.pipe(Step.onFailureTag("Slow", () => Effect.void))
    // @ts-expect-error Property 'nothing' does not exist on type 'Http'
    step.pipe(Step.onFailureTag("Http", (error) => Effect.log(error.nothing)))
  })
})

describe("Step.hooks", () => {
  const onTag = Hook.onFailureTag("Http", (_: Http) => Effect.void)

  test("Step.hooks takes hooks that fit the step", () => {
    expect(step.pipe(Step.hooks(onTag))).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.hooks(step, onTag)).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(step.pipe(Step.hooks(AlerterHooks.all))).type.toBe<Step.Step<number, Http | Parse, Db | Alerter>>()
    expect(step.pipe(Step.hooks(Hook.onSuccess((n: number) => Effect.log(n))))).type.toBe<
      Step.Step<number, Http | Parse, Db>
    >()
  })

  test("Step.hooks rejects hooks for another value, cause or tag", () => {
    expect(Step.hooks(Hook.onSuccess((_: string) => Effect.void))).type.not.toBeCallableWith(step)
    expect(Step.hooks).type.not.toBeCallableWith(step, Hook.onSuccess((_: string) => Effect.void))
    expect(Step.hooks(Hook.onFailure((_: Cause.Cause<Http>) => Effect.void))).type.not.toBeCallableWith(step)
    expect(Step.hooks).type.not.toBeCallableWith(step, Hook.onFailure((_: Cause.Cause<Http>) => Effect.void))
    expect(Step.hooks(Hook.onFailureTag("Slow", () => Effect.void))).type.not.toBeCallableWith(step)
    expect(Step.hooks).type.not.toBeCallableWith(step, Hook.onFailureTag("Slow", () => Effect.void))
    expect(Step.hooks(onTag)).type.not.toBeCallableWith(Step.make("s", Effect.void))
  })

  test("Step.hooks rejects a tag whose error has other fields", () => {
    interface OtherHttp {
      readonly _tag: "Http"
      readonly url: string
    }
    const other = Hook.onFailureTag("Http", (_: OtherHttp) => Effect.void)
    expect(Step.hooks(other)).type.not.toBeCallableWith(step)
    expect(Step.hooks).type.not.toBeCallableWith(step, other)
    expect(Step.hooks(other)).type.toBeCallableWith(Step.make("s", Effect.fail<OtherHttp>({ _tag: "Http", url: "" })))
  })

  test("a required hook adds HookError to E", () => {
    const required = Hook.onSuccess(() => Effect.fail("no")).pipe(Hook.required)
    expect(step.pipe(Step.hooks(required))).type.toBe<Step.Step<number, Http | Parse | Hook.HookError, Db>>()
    expect(Step.hooks(step, required)).type.toBe<Step.Step<number, Http | Parse | Hook.HookError, Db>>()
  })

  test("a hook of unknown value and error fits any step", () => {
    const any = Hook.onExit(() => Effect.void)
    expect(Step.hooks(any)).type.toBeCallableWith(step)
    expect(Step.hooks(any)).type.toBeCallableWith(Step.make("s", Effect.succeed("text")))
    expect(Step.hooks(any)).type.toBeCallableWith(Step.make("s", Effect.never))
  })
})

describe("inherit", () => {
  test("inherit takes the modes and kinds that exist and no others", () => {
    expect(step.pipe(Step.inherit("append", "failure", "exit"))).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.inherit).type.toBeCallableWith("override")
    expect(Step.inherit).type.toBeCallableWith("prepend", "start", "retry", "success", "failure", "interrupt", "exit")
    expect(Step.inherit).type.not.toBeCallableWith("merge")
    expect(Step.inherit).type.not.toBeCallableWith("off", "failures")
    expect(Step.inherit).type.not.toBeCallableWith()
  })
})

describe("retry", () => {
  const isHttp = (error: Http | Parse): error is Http => error._tag === "Http"

  test("retry narrows the error by a refinement as Effect.retry does", () => {
    expect(step.pipe(Step.retry({ while: isHttp }))).type.toBe<Step.Step<number, Parse, Db>>()
    expect(step.pipe(Step.retry({ until: isHttp }))).type.toBe<Step.Step<number, Http, Db>>()
    expect(Step.retry(step, { while: isHttp })).type.toBe<Step.Step<number, Parse, Db>>()
    expect(Step.retry(step, { until: isHttp })).type.toBe<Step.Step<number, Http, Db>>()
    expect(body.pipe(Effect.retry({ while: isHttp }))).type.toBe<Effect.Effect<number, Parse, Db>>()
    // with `times`, the last attempt may fail with an error that the refinement excludes
    expect(step.pipe(Step.retry({ times: 2, while: isHttp }))).type.toBe<Step.Step<number, Http | Parse, Db>>()
  })

  test("retry adds the schedule's errors and services", () => {
    expect(step.pipe(Step.retry(times))).type.toBe<Step.Step<number, Http | Parse | Slow, Db | Mail>>()
    expect(Step.retry(step, times)).type.toBe<Step.Step<number, Http | Parse | Slow, Db | Mail>>()
    expect(step.pipe(Step.retry({ schedule: times }))).type.toBe<
      Step.Step<number, Http | Parse | Slow, Db | Mail>
    >()
    expect(step.pipe(Step.retry(Schedule.recurs(3)))).type.toBe<Step.Step<number, Http | Parse, Db>>()
  })

  test("retry adds the condition's errors and its services but StepContext", () => {
    const ask = () => Effect.as(needsMail, true)
    expect(step.pipe(Step.retry({ while: ask }))).type.toBe<Step.Step<number, Http | Parse | Slow, Db | Mail>>()
    expect(Step.retry(step, { until: ask })).type.toBe<Step.Step<number, Http | Parse | Slow, Db | Mail>>()
  })

  test("the error of a retry condition is inferred", () => {
    step.pipe(Step.retry({
      times: 3,
      while: (error) => {
        expect(error).type.toBe<Http | Parse>()
        return true
      }
    }))
  })

  test("retry rejects unknown or ill-typed options", () => {
    expect(Step.retry).type.not.toBeCallableWith(step, { time: 3 })
    expect(Step.retry).type.not.toBeCallableWith(step, { times: "3" })
    expect(Step.retry).type.not.toBeCallableWith(step, { while: (_: Slow) => true })
  })
})

describe("key", () => {
  test("changes no type, and takes texts and numbers", () => {
    expect(step.pipe(Step.key("a"))).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.key(step, 7)).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.key(step, 7n)).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.key).type.not.toBeCallableWith(step, undefined)
    expect(Step.key).type.not.toBeCallableWith(step, { page: 7 })
    expect(Step.key).type.not.toBeCallableWith(Effect.map(step, String), 7)
  })

  test("is a combinator of Step.fn", () => {
    const page = Step.fn("page")((n: number) => Effect.succeed(n), (step, n) => Step.key(step, n))
    expect(page).type.toBe<(n: number) => Step.Step<number, never, never>>()
  })
})

describe("timeout, annotate", () => {
  test("timeout adds TimeoutError", () => {
    expect(step.pipe(Step.timeout("1 second"))).type.toBe<
      Step.Step<number, Http | Parse | Cause.TimeoutError, Db>
    >()
    expect(Step.timeout(step, 10)).type.toBe<Step.Step<number, Http | Parse | Cause.TimeoutError, Db>>()
    expect(Step.make("s", Effect.void).pipe(Step.timeout("1 second"))).type.toBe<
      Step.Step<void, Cause.TimeoutError>
    >()
    expect(Step.timeout).type.not.toBeCallableWith(step, "1 parsec")
    expect(step.pipe(Step.timeout("1 second"), Step.onFailureTag("TimeoutError", () => Effect.void))).type.toBe<
      Step.Step<number, Http | Parse | Cause.TimeoutError, Db>
    >()
  })

  test("timeout adds its error, with a grace too", () => {
    type Limited = Step.Step<number, Http | Parse | Cause.TimeoutError, Db>
    expect(step.pipe(Step.timeout("1 second", { grace: "2 seconds" }))).type.toBe<Limited>()
    expect(Step.timeout(step, "1 second", { grace: 0 })).type.toBe<Limited>()
    expect(Step.timeout).type.not.toBeCallableWith(step, "1 second", { grace: "soon" })
  })

  test("annotate changes no type", () => {
    expect(step.pipe(Step.annotate({ a: 1 }))).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.annotate(step, { a: 1 })).type.toBe<Step.Step<number, Http | Parse, Db>>()
    expect(Step.annotate).type.not.toBeCallableWith(step, "a")
  })
})

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

describe("variance", () => {
  test("Step is covariant in A, E and R", () => {
    expect<Step.Step<1, Http, Db>>().type.toBeAssignableTo<Step.Step<number, Http | Parse, Db | Mail>>()
    expect<Step.Step<number, Http>>().type.not.toBeAssignableTo<Step.Step<1, Http>>()
    expect<Step.Step<number, Http | Parse>>().type.not.toBeAssignableTo<Step.Step<number, Http>>()
    expect<Step.Step<number, Http, Db>>().type.not.toBeAssignableTo<Step.Step<number, Http>>()
  })
})
