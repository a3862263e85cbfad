import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { describe, expect, test } from "tstyche"
import type { AlerterError, NotApproved, Question, Resumable } from "../../src/index.ts"
import { Approver, Decision, Params, Step } from "../../src/index.ts"

class Boss extends Context.Service<Boss, { readonly mood: string }>()("Boss") {}

declare const step: Step.Step<number, "no such file", Boss>
declare const decision: Decision
declare const needing: Schema.Codec<string, string, Boss>
const question = { title: "Deploy?", timeout: "1 hour" } as const

describe("Step.requireApproval", () => {
  test("requireApproval adds its errors and the Approver to the step's types", () => {
    type Guarded = Step.Step<number, "no such file" | AlerterError | NotApproved, Boss | Approver>
    expect(Step.requireApproval(step, question)).type.toBe<Guarded>()
    expect(step.pipe(Step.requireApproval(question))).type.toBe<Guarded>()
  })

  test("a step that requires approval can't be run without an Approver", () => {
    const guarded = Step.make("s", Effect.void).pipe(Step.requireApproval(question))
    expect(Effect.runPromise).type.not.toBeCallableWith(guarded)
    expect(Effect.runPromise).type.toBeCallableWith(guarded.pipe(
      Effect.provideService(Approver, Approver.of({ ask: () => Effect.succeed(decision) }))
    ))
  })

  test("onFailureTag accepts NotApproved only on a step that requires approval", () => {
    const guarded = step.pipe(Step.requireApproval(question))
    expect(guarded.pipe(Step.onFailureTag("NotApproved", ({ step }) => Effect.log(step)))).type.toBe<typeof guarded>()
    expect(Step.onFailureTag).type.not.toBeCallableWith(step, "NotApproved", () => Effect.void)
  })

  test("a question requires a title and a time limit", () => {
    expect(Step.requireApproval).type.not.toBeCallableWith({ title: "Deploy?" })
    expect(Step.requireApproval).type.not.toBeCallableWith({ timeout: "1 hour" })
    expect(Step.requireApproval).type.not.toBeCallableWith({ ...question, timeout: "soon" })
  })

  test("requireApproval rejects Effects that are not steps", () => {
    expect(Step.requireApproval).type.not.toBeCallableWith(Effect.void, question)
  })
})

describe("Approver", () => {
  test("ask requires an Approver and fails with an AlerterError", () => {
    expect(Approver.ask(question)).type.toBe<Effect.Effect<Decision, AlerterError, Approver>>()
  })

  test("layer requires the services of its function, whose errors may be of any type", () => {
    expect(Approver.layer(() => Effect.as(Boss, decision))).type.toBe<Layer.Layer<Approver, never, Boss>>()
    expect(Approver.layer(() => Effect.fail("no") as Effect.Effect<Decision, string>)).type.toBe<
      Layer.Layer<Approver>
    >()
  })

  test("layer rejects a function that does not return a Decision", () => {
    expect(Approver.layer).type.not.toBeCallableWith(() => Effect.succeed(true))
    expect(Approver.layer).type.not.toBeCallableWith(() => Effect.void)
  })

  test("layerResumable takes post, listen and withdraw, and requires their services", () => {
    const functions = {
      post: () => Effect.as(Boss, "7"),
      listen: () => Effect.fail("no") as Effect.Effect<Decision, string>,
      withdraw: () => Effect.succeed(true)
    }
    expect(Approver.layerResumable(functions)).type.toBe<Layer.Layer<Approver, never, Boss>>()
    expect(Approver.layerResumable).type.not.toBeCallableWith({ ...functions, post: () => Effect.void })
    expect(Approver.layerResumable).type.not.toBeCallableWith({ ...functions, listen: () => Effect.succeed(true) })
    expect(Approver.layerResumable).type.not.toBeCallableWith({ post: functions.post, listen: functions.listen })
  })

  test("an approver's resumable part is optional", () => {
    expect(Approver.of).type.toBeCallableWith({ ask: () => Effect.succeed(decision) })
    expect<Approver.Shape["resumable"]>().type.toBe<Resumable | undefined>()
    expect<Resumable["post"]>().type.toBe<(question: Question) => Effect.Effect<string, AlerterError>>()
    expect<Resumable["listen"]>().type.toBe<
      (question: Question, handle: string) => Effect.Effect<Decision, AlerterError>
    >()
    expect<Resumable["withdraw"]>().type.toBe<
      (question: Question, handle: string) => Effect.Effect<void, AlerterError>
    >()
  })

  test("a decision has the person who made it, unless it timed out", () => {
    if (decision._tag === "TimedOut") expect(decision).type.not.toHaveProperty("by")
    else expect(decision.by).type.toBe<{ readonly id: string; readonly name: string }>()
    expect(Decision.Approved).type.not.toBeCallableWith({})
  })
})

describe("Step.approved", () => {
  const form = Params.form({
    percent: Schema.Int,
    region: Schema.Literals(["eu", "us"]),
    note: Schema.optionalKey(Schema.String)
  })

  test("the body gets the decoded values of the form by inference", () => {
    const step = Step.approved("s", { ...question, values: form }, (values) => {
      expect(values).type.toBe<
        { readonly percent: number; readonly region: "eu" | "us"; readonly note?: string }
      >()
      return Effect.as(Boss, 1)
    })
    expect(step).type.toBe<Step.Step<number, AlerterError | NotApproved, Boss | Approver>>()
  })

  test("a question without values, and a Schema that is no form, do not compile", () => {
    expect(Step.approved).type.not.toBeCallableWith("s", question, () => Effect.void)
    expect(Step.approved).type.not.toBeCallableWith("s", { ...question, values: Schema.Int }, () => Effect.void)
    expect(Params.form).type.not.toBeCallableWith({ needs: needing })
  })

  test("a class of parameters is a form, and Approver.ask types the values of an approval", () => {
    class Rollout extends Params.Service<Rollout>()("Rollout", { percent: Schema.Int }) {}
    const asked = Approver.ask({ ...question, values: Rollout })
    Effect.map(asked, (decision) => {
      if (decision._tag === "Approved") expect(decision.values.percent).type.toBe<number>()
    })
    expect(Approver.ask(question)).type.toBe<Effect.Effect<Decision, AlerterError, Approver>>()
  })
})
