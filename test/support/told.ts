/** Tells what people are told of an error. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { type Alert, AlerterHooks, RunEvent, Step, type StepContext } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"

/** Runs a step that ends with a cause, and returns its alert and its recorded cause. */
export const told = (exit: Effect.Effect<unknown, unknown, StepContext>) =>
  Effect.gen(function*() {
    const recorded: Array<string> = []
    const [alert] = yield* Step.make("load", exit).pipe(
      Step.hooks(AlerterHooks.failure),
      Effect.exit,
      Effect.andThen(TestAlerter.sent),
      Effect.provide([
        TestAlerter.layer,
        RunEvent.layer((event) => {
          const json = Report.fromRunEvent(event)
          if (json._tag === "StepEnded") recorded.push(json.cause ?? "")
        })
      ])
    )
    assert.ok(alert !== undefined, "no alert was posted")
    return { alert, recorded: recorded[0]! }
  })

/** Returns the fields of an alert beside those that say where it comes from. */
export const ownFields = (alert: Alert): Record<string, string> =>
  Object.fromEntries(alert.fields.slice(4).map(({ name, value }) => [name, value]))
