import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Schedule from "effect/Schedule"
import { describe, expect, test } from "tstyche"
import type { StepContext } from "../../src/index.ts"
import { Hook } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Parse extends Data.TaggedError("Parse")<{ readonly line: number }> {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}

declare const post: Effect.Effect<void, "lost", Mail>
declare const onNumber: Hook.Hook<number, Http, Mail>
declare const db: Schedule.Schedule<number, unknown, never, Db>

describe("constructors", () => {
  test("a hook without annotations fits any step", () => {
    expect(Hook.onStart(post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onSuccess(() => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onRollback(() => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onFailure(() => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onInterrupt(() => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onRetry(() => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onOverdue(() => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onOverdue("10 minutes", () => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onOverdue("10 minutes", () => post, { every: "1 hour" })).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onExit(() => post)).type.toBe<Hook.Hook<unknown, unknown, Mail>>()
    expect(Hook.onFailureTag("Http", () => post)).type.toBe<
      Hook.Hook<unknown, unknown, Mail, never, { readonly _tag: "Http" }>
    >()
  })

  test("a hook with annotated arguments fits steps with that value or error only", () => {
    expect(Hook.onSuccess((_: number) => post)).type.toBe<Hook.Hook<number, unknown, Mail>>()
    expect(Hook.onRollback((_: number) => post)).type.toBe<Hook.Hook<number, unknown, Mail>>()
    expect(Hook.onFailure((_: Cause.Cause<Http>) => post)).type.toBe<Hook.Hook<unknown, Http, Mail>>()
    expect(Hook.onRetry((_: Hook.FailedAttempt<Http>) => post)).type.toBe<Hook.Hook<unknown, Http, Mail>>()
    expect(Hook.onExit((_: Exit.Exit<number, Http>) => post)).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(Hook.onFailureTag("Http", (_: Http) => post)).type.toBe<
      Hook.Hook<unknown, unknown, Mail, never, Http>
    >()
  })

  test("an unannotated argument is inferred as unknown", () => {
    Hook.onSuccess((value) => {
      expect(value).type.toBe<unknown>()
      return Effect.void
    })
    Hook.onFailure((cause) => {
      expect(cause).type.toBe<Cause.Cause<unknown>>()
      return Effect.void
    })
    Hook.onFailureTag("Http", (error) => {
      expect(error).type.toBe<{ readonly _tag: "Http" }>()
      return Effect.void
    })
    Hook.onInterrupt((cause) => {
      expect(cause).type.toBe<Cause.Cause<never>>()
      return Effect.void
    })
    Hook.onOverdue("10 minutes", (overdue) => {
      expect(overdue).type.toBe<Hook.Overdue>()
      expect(overdue.elapsed).type.toBe<Duration.Duration>()
      return Effect.void
    })
  })

  test("an overdue hook takes a duration, a function and its interval, and nothing else", () => {
    expect(Hook.onOverdue).type.not.toBeCallableWith("a while", () => post)
    expect(Hook.onOverdue).type.not.toBeCallableWith("10 minutes")
    const hook = Hook.onOverdue(() => post)
    expect(Hook.overdueAfter(hook, "10 minutes", { every: "1 hour" })).type.toBe<typeof hook>()
    expect(hook.pipe(Hook.overdueAfter("10 minutes"))).type.toBe<typeof hook>()
    expect(Hook.overdueAfter).type.not.toBeCallableWith(hook, "a while")
    expect(Hook.onOverdue).type.not.toBeCallableWith(() => post, { every: "1 hour" })
    expect(Hook.onOverdue).type.not.toBeCallableWith("10 minutes", () => post, { evry: "1 hour" })
    expect(Hook.onOverdue).type.not.toBeCallableWith("10 minutes", () => "no Effect")
  })

  test("onFailureTag rejects an error with another tag", () => {
    expect(Hook.onFailureTag).type.not.toBeCallableWith("Http", (_: Parse) => post)
  })

  test("onStart takes an Effect, the other constructors a function that returns one", () => {
    expect(Hook.onSuccess).type.not.toBeCallableWith(() => 1)
    expect(Hook.onSuccess).type.not.toBeCallableWith(post)
    expect(Hook.onStart).type.not.toBeCallableWith(() => post)
    expect(Hook.onStart).type.toBeCallableWith(post)
  })
})

describe("policies", () => {
  test("policies keep the hook's types, data-last and data-first", () => {
    expect(onNumber.pipe(Hook.named("n"))).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(Hook.named(onNumber, "n")).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(onNumber.pipe(Hook.timeout("1 second"))).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(Hook.timeout(onNumber, "1 second")).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(onNumber.pipe(Hook.background)).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(Hook.timeout).type.not.toBeCallableWith(onNumber, "1 parsec")
    expect(Hook.named).type.not.toBeCallableWith(onNumber, 1)
  })

  test("retry adds the schedule's services", () => {
    expect(onNumber.pipe(Hook.retry({ times: 1 }))).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(onNumber.pipe(Hook.retry(db))).type.toBe<Hook.Hook<number, Http, Mail | Db>>()
    expect(Hook.retry(onNumber, { schedule: db })).type.toBe<Hook.Hook<number, Http, Mail | Db>>()
    expect(Hook.retry).type.not.toBeCallableWith(onNumber, { times: "1" })
  })

  test("when adds the predicate's services and passes it the typed exit", () => {
    expect(onNumber.pipe(Hook.when((context) => context.attempt > 1))).type.toBe<Hook.Hook<number, Http, Mail>>()
    expect(onNumber.pipe(Hook.when(() => Effect.as(Db, true)))).type.toBe<Hook.Hook<number, Http, Mail | Db>>()
    Hook.when(onNumber, (context, exit) => {
      expect(context).type.toBe<StepContext["Service"]>()
      expect(exit).type.toBe<Exit.Exit<number, Http> | undefined>()
      return true
    })
    expect(Hook.when(onNumber, () => Effect.as(Db, true))).type.toBe<Hook.Hook<number, Http, Mail | Db>>()
    expect(Hook.when).type.not.toBeCallableWith(onNumber, () => "yes")
  })

  test("required adds HookError to X", () => {
    expect(onNumber.pipe(Hook.required)).type.toBe<Hook.Hook<number, Http, Mail, Hook.HookError>>()
    expect(Hook.onFailureTag("Http", (_: Http) => post).pipe(Hook.required)).type.toBe<
      Hook.Hook<unknown, unknown, Mail, Hook.HookError, Http>
    >()
  })

  test("background after required does not compile", () => {
    expect(Hook.background).type.not.toBeCallableWith(Hook.required(onNumber))
    expect(Hook.background).type.toBeCallableWith(onNumber)
    // @ts-expect-error 'HookError' is not assignable to type 'never'
    onNumber.pipe(Hook.required, Hook.background)
  })
})

describe("variance", () => {
  test("Hook is contravariant in A and E", () => {
    expect<Hook.Hook<unknown, unknown, never>>().type.toBeAssignableTo<Hook.Hook<number, Http, never>>()
    expect<Hook.Hook<number, unknown, never>>().type.not.toBeAssignableTo<Hook.Hook<unknown, unknown, never>>()
    expect<Hook.Hook<number, unknown, never>>().type.not.toBeAssignableTo<Hook.Hook<string, unknown, never>>()
    expect<Hook.Hook<unknown, Http, never>>().type.not.toBeAssignableTo<Hook.Hook<unknown, Http | Parse, never>>()
    expect<Hook.Hook<unknown, Http | Parse, never>>().type.toBeAssignableTo<Hook.Hook<unknown, Http, never>>()
  })

  test("Hook is covariant in R, X and T", () => {
    expect<Hook.Hook<unknown, unknown, Mail>>().type.toBeAssignableTo<Hook.Hook<unknown, unknown, Mail | Db>>()
    expect<Hook.Hook<unknown, unknown, Mail>>().type.not.toBeAssignableTo<Hook.Hook<unknown, unknown, never>>()
    expect<Hook.Hook<unknown, unknown, never, Hook.HookError>>().type.not.toBeAssignableTo<
      Hook.Hook<unknown, unknown, never>
    >()
    expect<Hook.Hook<unknown, unknown, never, never, Http>>().type.not.toBeAssignableTo<
      Hook.Hook<unknown, unknown, never>
    >()
  })
})

describe("utility types", () => {
  test("UnmetTags lists the tags that no error of E has with all fields", () => {
    expect<Hook.UnmetTags<Http | Parse, Parse>>().type.toBe<never>()
    expect<Hook.UnmetTags<Http, Http | Parse>>().type.toBe<"Parse">()
    expect<Hook.UnmetTags<Http, { readonly _tag: "Http"; readonly url: string }>>().type.toBe<"Http">()
    expect<Hook.UnmetTags<Http, { readonly _tag: "Http" }>>().type.toBe<never>()
  })
})
