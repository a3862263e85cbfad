import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { describe, expect, test } from "tstyche"
import { AlerterHooks, type Hook, Pipeline, Step, StepContext } from "../../src/index.ts"

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
    expect(Step.onOverdue).type.not.toBeCallableWith(body, () => Effect.void)
    expect(Step.onOverdue).type.not.toBeCallableWith(body, "10 minutes", () => Effect.void)
    expect(Step.overdue).type.not.toBeCallableWith(body, "10 minutes")
    expect(Step.onExit).type.not.toBeCallableWith(body, () => Effect.void)
    expect(Step.onRollback).type.not.toBeCallableWith(body, () => Effect.void)
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

describe("overdue", () => {
  const nudge = () => needsMail

  test("onOverdue and overdue take the step first or last, and keep its types but for the services of the hook", () => {
    type Nudged = Step.Step<number, Http | Parse, Db | Mail>
    expect(step.pipe(Step.onOverdue(nudge))).type.toBe<Nudged>()
    expect(step.pipe(Step.onOverdue("10 minutes", nudge))).type.toBe<Nudged>()
    expect(step.pipe(Step.onOverdue("10 minutes", nudge, { every: "1 hour" }))).type.toBe<Nudged>()
    expect(Step.onOverdue(step, nudge)).type.toBe<Nudged>()
    expect(Step.onOverdue(step, "10 minutes", nudge)).type.toBe<Nudged>()
    expect(Step.onOverdue(step, "10 minutes", nudge, { every: "1 hour" })).type.toBe<Nudged>()
    expect(step.pipe(Step.overdue("10 minutes"))).type.toBe<typeof step>()
    expect(Step.overdue(step, "10 minutes", { every: "1 hour" })).type.toBe<typeof step>()
    expect(Step.overdue).type.not.toBeCallableWith(step, "a while")
    expect(Step.overdue).type.not.toBeCallableWith(step, "10 minutes", { grace: "1 hour" })
  })

  test("the argument of the hook is inferred in every form", () => {
    const typed = (overdue: Hook.Overdue) => Effect.succeed(overdue)
    expect(step.pipe(Step.onOverdue("1 minute", (overdue) => typed(overdue)))).type.toBe<typeof step>()
    step.pipe(Step.onOverdue((overdue) => {
      expect(overdue).type.toBe<Hook.Overdue>()
      return Effect.void
    }))
    Step.onOverdue(step, "1 minute", (overdue) => {
      expect(overdue).type.toBe<Hook.Overdue>()
      return Effect.void
    })
  })

  test("StepContext is no requirement of a step with an overdue hook", () => {
    expect(step.pipe(Step.onOverdue("1 minute", () => StepContext))).type.toBe<typeof step>()
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

describe("variance", () => {
  test("Step is covariant in A, E and R", () => {
    expect<Step.Step<1, Http, Db>>().type.toBeAssignableTo<Step.Step<number, Http | Parse, Db | Mail>>()
    expect<Step.Step<number, Http>>().type.not.toBeAssignableTo<Step.Step<1, Http>>()
    expect<Step.Step<number, Http | Parse>>().type.not.toBeAssignableTo<Step.Step<number, Http>>()
    expect<Step.Step<number, Http, Db>>().type.not.toBeAssignableTo<Step.Step<number, Http>>()
  })
})
