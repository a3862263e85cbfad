import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import type * as Option from "effect/Option"
import { describe, expect, test } from "tstyche"
import { AlerterHooks, Hook, Pipeline, Step, StepContext } from "../../src/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
class Down extends Data.TaggedError("Down")<{}> {}
class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
class Calendar extends Context.Service<Calendar, { readonly isDue: boolean }>()("Calendar") {}

declare const step: Step.Step<number, Http, Db>
declare const skipping: Step.Step<number, Http | Step.StepSkipped, Db>
declare const isDue: Effect.Effect<boolean, Down, Calendar | StepContext>
declare const isDueStep: Step.Step<boolean, Down, Calendar>

describe("Step.skip", () => {
  test("is a typed failure that the step shows", () => {
    expect(Step.skip("no rows")).type.toBe<Effect.Effect<never, Step.StepSkipped>>()
    expect(Step.skip()).type.toBe<Effect.Effect<never, Step.StepSkipped>>()
    const load = Step.make(
      "load",
      Effect.gen(function*() {
        const { rows } = yield* Db
        if (rows === 0) return yield* Step.skip("no rows")
        return rows
      })
    )
    expect(load).type.toBe<Step.Step<number, Step.StepSkipped, Db>>()
  })

  test("is seen by a pipeline that does not handle it", () => {
    expect(Pipeline.make("p", skipping)).type.toBeAssignableTo<
      Effect.Effect<number, Http | Step.StepSkipped, Db>
    >()
    expect(Pipeline.make("p", skipping)).type.not.toBeAssignableTo<Effect.Effect<number, Http, Db>>()
  })

  test("takes a text alone", () => {
    expect(Step.skip).type.not.toBeCallableWith(1)
    expect(Step.skip).type.not.toBeCallableWith({ reason: "no rows" })
  })
})

describe("Step.when", () => {
  test("makes an Option of the value, in both forms, for each kind of predicate", () => {
    type Optional = Step.Step<Option.Option<number>, Http, Db>
    expect(step.pipe(Step.when(true))).type.toBe<Optional>()
    expect(Step.when(step, false, { reason: "never" })).type.toBe<Optional>()
    expect(step.pipe(Step.when(() => true, { reason: "now" }))).type.toBe<Optional>()
    expect(Step.when(step, () => true)).type.toBe<Optional>()
  })

  test("adds the error and the services of the predicate, without StepContext", () => {
    type Optional = Step.Step<Option.Option<number>, Http | Down, Db | Calendar>
    expect(step.pipe(Step.when(isDue))).type.toBe<Optional>()
    expect(Step.when(step, isDue)).type.toBe<Optional>()
    expect(pipe(step, Step.when(isDueStep, { reason: "not due" }))).type.toBe<Optional>()
    expect(Step.when(step, isDueStep)).type.toBe<Optional>()
    // a step of a boolean is a step all the same
    expect(Step.when(isDueStep, isDue)).type.toBe<Step.Step<Option.Option<boolean>, Down, Calendar>>()
    expect(Step.when(isDueStep, true)).type.toBe<Step.Step<Option.Option<boolean>, Down, Calendar>>()
  })

  test("handles the skips of the body and of the predicate", () => {
    expect(skipping.pipe(Step.when(true))).type.toBe<Step.Step<Option.Option<number>, Http, Db>>()
    expect(step.pipe(Step.when(Step.skip("no")))).type.toBe<Step.Step<Option.Option<number>, Http, Db>>()
    const either = Effect.gen(function*() {
      return (yield* Calendar).isDue || (yield* Step.skip("not due"))
    })
    expect(step.pipe(Step.when(either))).type.toBe<Step.Step<Option.Option<number>, Http, Db | Calendar>>()
  })

  test("rejects what is no predicate", () => {
    expect(Step.when).type.not.toBeCallableWith(Effect.succeed(true), { why: "monday" })
    expect(Step.when).type.not.toBeCallableWith(step, "monday")
    expect(Step.when).type.not.toBeCallableWith(step, Effect.succeed(1))
    expect(Step.when).type.not.toBeCallableWith(step, () => Effect.succeed(true))
    expect(Step.when).type.not.toBeCallableWith(Effect.succeed(1), true)
  })

  test("gives hooks before it the value, and hooks after it the Option", () => {
    step.pipe(
      Step.onSuccess((value) => {
        expect(value).type.toBe<number>()
        return Effect.void
      }),
      Step.when(true),
      Step.onSuccess((value) => {
        expect(value).type.toBe<Option.Option<number>>()
        return Effect.void
      }),
      Step.onExit((exit) => {
        expect(exit).type.toBe<Exit.Exit<Option.Option<number>, Http>>()
        return Effect.void
      })
    )
  })

  test("fits into Step.fn, with the arguments of the call", () => {
    const fetchPage = Step.fn("fetch-page")(
      (page: number) => Effect.succeed(`page ${page}`),
      (step, page) => Step.when(step, page > 0, { reason: "no such page" }),
      Step.onSkip(({ reason }) => Effect.log(reason))
    )
    expect(fetchPage(1)).type.toBe<Step.Step<Option.Option<string>>>()
  })
})

describe("Step.whenSkipped", () => {
  test("adds the value and removes the skip", () => {
    expect(skipping.pipe(Step.whenSkipped(() => "none"))).type.toBe<Step.Step<number | string, Http, Db>>()
    expect(Step.whenSkipped(skipping, ({ reason }) => reason)).type.toBe<
      Step.Step<number | string | undefined, Http, Db>
    >()
    expect(Effect.catchTag(skipping, "StepSkipped", () => Effect.succeed(0))).type.toBe<
      Effect.Effect<number, Http, Db>
    >()
  })
})

describe("hooks", () => {
  test("get the skip, and add their services", () => {
    const hook = Hook.onSkip(({ reason }) => {
      expect(reason).type.toBe<string | undefined>()
      return Effect.andThen(Calendar, StepContext)
    })
    expect(hook).type.toBe<Hook.Hook<unknown, unknown, Calendar | StepContext>>()
    expect(step.pipe(Step.hooks(hook))).type.toBe<Step.Step<number, Http, Db | Calendar>>()
    expect(step.pipe(Step.onSkip(() => Calendar))).type.toBe<Step.Step<number, Http, Db | Calendar>>()
    expect(Step.onSkip(step, () => Calendar)).type.toBe<Step.Step<number, Http, Db | Calendar>>()
    expect(Pipeline.onSkip(Pipeline.make("p", step), () => Calendar)).type.toBe<
      Pipeline.Pipeline<number, Http, Db | Calendar, Calendar>
    >()
    expect(Pipeline.stepHooks).type.toBeCallableWith(hook)
    expect(Step.hooks).type.toBeCallableWith(AlerterHooks.skip)
  })

  test("that are required add a HookError", () => {
    expect(step.pipe(Step.hooks(Hook.required(Hook.onSkip(() => Effect.void))))).type.toBe<
      Step.Step<number, Http | Hook.HookError, Db>
    >()
  })
})
