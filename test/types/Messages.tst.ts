/** What the compiler says of mistakes that are often made: one error each, which names what is wrong. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { describe, expect, test } from "tstyche"
import { Webhook } from "../../src/alerters/index.ts"
import { Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"

class Http extends Data.TaggedError("Http")<{ readonly status: number }> {}
declare const step: Step.Step<number, Http>
declare const print: (n: number) => void
declare const runs: (effect: Effect.Effect<unknown, unknown>) => void

describe("mistakes", () => {
  test("a hook that gives no Effect", () => {
    // @ts-expect-error Type 'void' is not assignable to type 'Effect<unknown, unknown, never>'.
    runs(step.pipe(Step.onSuccess((n) => print(n))))
    // @ts-expect-error Type 'Promise<void>' is missing the following properties from type 'Effect<unknown, unknown, never>'
    runs(step.pipe(Step.onSuccess(async () => {})))
  })

  test("an observer or another synchronous function that gives an Effect or a promise", () => {
    const told: Array<string> = []
    RunEvent.layer((event) => told.push(event._tag), ({ _tag }) => void told.push(_tag), (event) => [event])
    RunEvent.layer((event) => {
      if (event._tag !== "StepEnded") return
      told.push(event.stepName)
    }, () => {
      throw new Error("observer")
    })
    // @ts-expect-error Type 'Effect<void, never, never>' is not assignable to type 'Synchronous<"use RunEvent.layerEffect">'.
    RunEvent.layer((event) => Effect.log(event._tag))
    // @ts-expect-error Type 'Step<number, Http, never> | undefined' is not assignable to type 'Synchronous<"use RunEvent.layerEffect">'.
    RunEvent.layer((event) => event._tag === "RunEnded" ? step : undefined)
    // @ts-expect-error Type 'Promise<void>' is not assignable to type 'Synchronous<"use RunEvent.layerEffect">'.
    RunEvent.layer(async () => {})
    // @ts-expect-error Type 'Effect<void, never, never>' is not assignable to type 'Synchronous<"call Effect.runFork">'.
    Report.layerUi({ onLink: (link) => Effect.log(link) })
    // @ts-expect-error Type 'Effect<void, never, never>' is not assignable to type 'Synchronous<"call Effect.runFork">'.
    Report.read("runs.jsonl", { onSkipped: ({ reason }) => Effect.log(reason) })
    const url = Redacted.make("https://example.com")
    Webhook.layer({ url, render: ({ title }) => ({ text: title }) })
    // @ts-expect-error Type 'Effect<string, never, never>' is not assignable to type 'Synchronous<"return the value">'.
    Webhook.layer({ url, render: ({ title }) => Effect.succeed(title) })
  })

  test("a body that is a promise, and a function that was not called", () => {
    // @ts-expect-error Type 'Promise<number>' is missing the following properties from type 'Effect<
    runs(Step.make("load", Promise.resolve(1)))
    const load = Step.fn("load")(() => Effect.void)
    // @ts-expect-error Argument of type '() => Step<void, never, never>' is not assignable to parameter of type 'Effect<
    runs(Pipeline.make("nightly", load))
  })

  test("a misspelt option of a retry, and a misspelt mode", () => {
    // @ts-expect-error 'time' does not exist in type 'Options<unknown>'. Did you mean to write 'times'?
    runs(step.pipe(Step.retry({ time: 3 })))
    // @ts-expect-error Argument of type '"apend"' is not assignable to parameter of type '"override" | "append" | "prepend" | "off"'
    runs(step.pipe(Step.inherit("apend", "failure")))
  })

  test("a tag that the step can't fail with", () => {
    // @ts-expect-error Argument of type '"Htp"' is not assignable to parameter of type '"Http"'.
    runs(step.pipe(Step.onFailureTag("Htp", () => Effect.void)))
  })

  test("a hook for something that is no step", () => {
    // @ts-expect-error Type 'Effect<number, never, never>' is missing the following properties from type 'Step<number, never, never>'
    runs(Effect.succeed(1).pipe(Step.onSuccess((n) => Effect.log(n))))
    expect(step.pipe(Step.retry({ times: 3 }))).type.toBe<Step.Step<number, Http>>()
  })
})
