import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { describe, expect, test } from "tstyche"
import type { RunEvent } from "../../src/index.ts"
import { Step, StepLogs } from "../../src/index.ts"

describe("layer", () => {
  test("needs nothing, and changes neither the value nor the error of what it is provided to", () => {
    expect(StepLogs.layer()).type.toBe<Layer.Layer<never>>()
    expect(StepLogs.layer({ lines: 5 })).type.toBe<Layer.Layer<never>>()
    expect(StepLogs.layerOff).type.toBe<Layer.Layer<never>>()
    const step = Step.make("s", Effect.fail("no" as const))
    expect(Effect.provide(step, StepLogs.layer())).type.toBe<Effect.Effect<never, "no">>()
  })

  test("misspelt options, and lines that are no number, do not compile", () => {
    expect(StepLogs.layer).type.not.toBeCallableWith({ line: 5 })
    expect(StepLogs.layer).type.not.toBeCallableWith({ lines: "5" })
    expect(StepLogs.layer).type.not.toBeCallableWith({ lines: false })
  })
})

describe("events", () => {
  test("a message of a step has its step, and one of a run has none", () => {
    expect<RunEvent.StepLogged["logLevel"]>().type.toBe<"Fatal" | "Error" | "Warn" | "Info" | "Debug" | "Trace">()
    expect<RunEvent.StepLogged>().type.toBeAssignableTo<RunEvent.StepInfo & RunEvent.RunEvent>()
    expect<RunEvent.RunLogged>().type.toBeAssignableTo<RunEvent.RunEvent>()
    expect<RunEvent.RunLogged>().type.not.toBeAssignableTo<RunEvent.StepInfo>()
  })
})
