import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import * as Schedule from "effect/Schedule"
import { describe, expect, test } from "tstyche"
import type { Alerter } from "../../src/index.ts"
import { AlerterHooks, Hook, Step, StepContext } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Parse extends Data.TaggedError("Parse")<{ readonly line: number }> {}
class Slow extends Data.TaggedError("Slow")<{}> {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void> }>()("Mail") {}
declare const step: Step.Step<number, Http | Parse, Db>
declare const needsMail: Effect.Effect<void, Slow, Mail | StepContext>

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
      }),
      Step.onRollback((value, cause) => {
        expect(value).type.toBe<number>()
        expect(cause).type.toBe<Cause.Cause<unknown>>()
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
    Step.onRollback(step, (value, cause) => {
      expect(value).type.toBe<number>()
      expect(cause).type.toBe<Cause.Cause<unknown>>()
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
    expect(step.pipe(Step.onRollback(() => needsMail))).type.toBe<Joined>()
    expect(step.pipe(Step.hooks(Hook.onStart(needsMail)))).type.toBe<Joined>()
    expect(Step.onStart(step, needsMail)).type.toBe<Joined>()
    expect(Step.onSuccess(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onFailure(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onFailureTag(step, "Http", () => needsMail)).type.toBe<Joined>()
    expect(Step.onInterrupt(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onRetry(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onExit(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onRollback(step, () => needsMail)).type.toBe<Joined>()
    expect(Step.onRollback(step, () => Effect.andThen(StepContext, Effect.fail("no")))).type.toBe<typeof step>()
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

  test("a rollback hook for another value is rejected", () => {
    expect(Step.onRollback((_: string) => Effect.void)).type.not.toBeCallableWith(step)
    expect(Step.onRollback((_: number) => Effect.void)).type.toBeCallableWith(step)
    expect(Step.onRollback).type.not.toBeCallableWith(step, (_: string) => Effect.void)
    expect(Step.onRollback).type.not.toBeCallableWith(step, () => 1)
    expect(Step.hooks(Hook.onRollback((_: string) => Effect.void))).type.not.toBeCallableWith(step)
    expect(Step.hooks(Hook.onRollback((_: number | string) => Effect.void))).type.toBeCallableWith(step)
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
