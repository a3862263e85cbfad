import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { describe, expect, test } from "tstyche"
import { Params, Step } from "../../src/index.ts"

class Train extends Params.Service<Train>()("Train", {
  epochs: Schema.Int,
  key: Schema.RedactedFromValue(Schema.String),
  rate: Schema.optionalKey(Schema.Number),
  at: Schema.Date
}) {}

interface Decoded {
  readonly epochs: number
  readonly key: Redacted.Redacted<string>
  readonly rate?: number
  readonly at: Date
}

declare const key: Redacted.Redacted<string>

describe("a class of Params.Service", () => {
  test("the service yields the decoded value", () => {
    const asked = Effect.gen(function*() {
      const value = yield* Train
      expect(value.epochs).type.toBe<number>()
      expect(value.key).type.toBe<Redacted.Redacted<string>>()
      expect(value.rate).type.toBe<number | undefined>()
      expect(value.at).type.toBe<Date>()
      // @ts-expect-error Property 'epoch' does not exist
      return value.epoch
    })
    expect(asked).type.toBeAssignableTo<Effect.Effect<unknown, never, Train>>()
    expect(Effect.runPromise).type.not.toBeCallableWith(asked)
    expect<Train["Service"]>().type.toBeAssignableTo<Decoded>()
    expect<Train["Service"]>().type.toBeAssignableFrom<Decoded>()
  })

  test("the value is readonly", () => {
    Effect.map(Train, (value) => {
      // @ts-expect-error Cannot assign to 'epochs' because it is a read-only property
      value.epochs = 1
    })
  })

  test("layer takes the decoded types", () => {
    expect(Train.layer({ epochs: 1, key, at: new Date(0) })).type.toBe<Layer.Layer<Train, Params.ParamsError>>()
    expect(Train.layer).type.toBeCallableWith({ epochs: 1, key, at: new Date(0), rate: 0.1 })
    expect(Train.layer).type.not.toBeCallableWith({ epochs: 1, key })
    expect(Train.layer).type.not.toBeCallableWith({ epochs: "1", key, at: new Date(0) })
    expect(Train.layer).type.not.toBeCallableWith({ epochs: 1, key: "plain", at: new Date(0) })
    expect(Train.layer).type.not.toBeCallableWith({ epochs: 1, key, at: "2026-01-01" })
    expect(Train.layer).type.not.toBeCallableWith({ epochs: 1, key, at: new Date(0), epoch: 1 })
  })

  test("layer does not require fields with constructor defaults", () => {
    class Defaulted extends Params.Service<Defaulted>()("Defaulted", {
      retries: Schema.Int.pipe(Schema.withConstructorDefault(Effect.succeed(3)))
    }) {}
    expect(Defaulted.layer).type.toBeCallableWith({})
    expect(Defaulted.layer).type.not.toBeCallableWith({ retries: "3" })
  })

  test("layerUnknown takes any input, and layerConfig an optional path", () => {
    expect(Train.layerUnknown(JSON.parse("{}") as unknown)).type.toBe<Layer.Layer<Train, Params.ParamsError>>()
    expect(Train.layerConfig()).type.toBe<Layer.Layer<Train, Params.ParamsError>>()
    expect(Train.layerConfig).type.toBeCallableWith("train")
    expect(Train.layerConfig).type.toBeCallableWith(["etl", "train"])
    expect(Train.layerConfig).type.not.toBeCallableWith(1)
  })

  test("describe takes the decoded value", () => {
    expect(Train.describe({ epochs: 1, key, at: new Date(0) })).type.toBe<Readonly<Record<string, unknown>>>()
    expect(Train.describe).type.not.toBeCallableWith({ epochs: 1 })
  })

  test("a field whose decoding needs a service is rejected", () => {
    class Lookup extends Context.Service<Lookup, { readonly find: string }>()("Lookup") {}
    const needy = Schema.String as unknown as Schema.Codec<string, string, Lookup>
    expect(Params.Service<Train>()).type.not.toBeCallableWith("X", { needy })
    expect(Params.Service<Train>()).type.toBeCallableWith("X", { fine: Schema.String })
  })
})

describe("Step.params", () => {
  const step = Step.make("s", Effect.succeed(1))

  test("Step.params adds the parameters to the step's services, data-last and data-first", () => {
    expect(step.pipe(Step.params(Train))).type.toBe<Step.Step<number, never, Train>>()
    expect(Step.params(step, Train)).type.toBe<Step.Step<number, never, Train>>()
    expect(Effect.runPromise).type.not.toBeCallableWith(Step.params(step, Train))
    expect(Step.params(step, Train).pipe(Effect.provide(Train.layerConfig()))).type.toBe<
      Effect.Effect<number, Params.ParamsError>
    >()
  })

  test("Step.params rejects a service that was not made with Params.Service", () => {
    class Db extends Context.Service<Db, { readonly rows: number }>()("Db") {}
    expect(Step.params).type.not.toBeCallableWith(Db)
    expect(Step.params).type.not.toBeCallableWith(step, Db)
    expect(Step.params).type.toBeCallableWith(step, Train)
  })
})
