import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Params, Step, StepContext } from "../src/index.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

class Train extends Params.Service<Train>()("Train", {
  epochs: Schema.Int.check(Schema.isGreaterThan(0)),
  rate: Schema.Number,
  key: Schema.RedactedFromValue(Schema.String.check(Schema.isMinLength(3))),
  since: Schema.optionalKey(Schema.Date),
  source: Schema.optionalKey(Schema.Struct({ bucket: Schema.String, shards: Schema.Array(Schema.Int) }))
}) {}

const value = <E>(layer: Layer.Layer<Train, E>) => Effect.provide(Effect.map(Train, (train) => train), layer)

const issues = <A>(layer: Layer.Layer<A, Params.ParamsError>) =>
  Layer.build(layer).pipe(
    Effect.flip,
    Effect.map((error) => error.issues.map(({ message, path }) => [path.join("."), message]).toSorted()),
    Effect.scoped
  )

const fromEnv = (env: Record<string, string>) =>
  ConfigProvider.layer(ConfigProvider.constantCase(ConfigProvider.fromEnv({ env })))

// -----------------------------------------------------------------------------
// layer
// -----------------------------------------------------------------------------

it.effect("layer provides the value", () =>
  Effect.gen(function*() {
    const key = Redacted.make("secret")
    const since = new Date(0)
    assert.deepEqual(yield* value(Train.layer({ epochs: 3, rate: 0.1, key, since })), {
      epochs: 3,
      rate: 0.1,
      key,
      since
    })
    assert.deepEqual(yield* value(Train.layer({ epochs: 3, rate: 0.1, key })), { epochs: 3, rate: 0.1, key })
  }))

it.effect("layer runs the Schema's checks and reports every issue with its path", () =>
  Effect.gen(function*() {
    const layer = Train.layer({
      epochs: -1.5,
      rate: 0.1,
      key: Redacted.make("secret"),
      source: { bucket: "b", shards: [1, 2.5, 3.5] }
    })
    const found = yield* issues(layer)
    assert.deepEqual([...new Set(found.map(([path]) => path))], ["epochs", "source.shards.1", "source.shards.2"])
    assert.ok(found.every(([, message]) => message !== ""))
  }))

it.effect("layer fills in defaults", () =>
  Effect.gen(function*() {
    class Defaulted extends Params.Service<Defaulted>()("Defaulted", {
      retries: Schema.Int.pipe(Schema.withConstructorDefault(Effect.succeed(3)))
    }) {}
    assert.deepEqual(yield* Effect.provide(Effect.map(Defaulted, (d) => d), Defaulted.layer({})), { retries: 3 })
    assert.deepEqual(yield* Effect.provide(Effect.map(Defaulted, (d) => d), Defaulted.layer({ retries: 1 })), {
      retries: 1
    })
  }))

// -----------------------------------------------------------------------------
// layerUnknown
// -----------------------------------------------------------------------------

it.effect("layerUnknown decodes JSON", () =>
  Effect.gen(function*() {
    const train = yield* value(Train.layerUnknown({
      epochs: 3,
      rate: 0.1,
      key: "secret",
      since: "1970-01-01T00:00:00.000Z",
      source: { bucket: "b", shards: [1] }
    }))
    assert.equal(Redacted.value(train.key), "secret")
    assert.deepEqual({ ...train, key: 0 }, {
      epochs: 3,
      rate: 0.1,
      key: 0,
      since: new Date(0),
      source: { bucket: "b", shards: [1] }
    })
  }))

it.effect("layerUnknown reports missing, wrong, nested and excess fields at once, each with its path", () =>
  Effect.gen(function*() {
    const found = yield* issues(Train.layerUnknown({
      epochs: "3",
      key: "ab",
      sicne: "1970-01-01",
      source: { bucket: 1, shards: [1, "two", 3.5], region: "eu" }
    }))
    assert.deepEqual(found.map(([path]) => path), [
      "epochs",
      "key",
      "rate",
      "sicne",
      "source.bucket",
      "source.region",
      "source.shards.1",
      "source.shards.2"
    ])
    assert.match(found.find(([path]) => path === "sicne")![1]!, /excess/)
    assert.match(found.find(([path]) => path === "rate")![1]!, /missing/i)
  }))

for (const input of [undefined, null, "text", 1, [], () => 1]) {
  it.effect(`layerUnknown rejects ${typeof input === "function" ? "a function" : JSON.stringify(input)}`, () =>
    Effect.gen(function*() {
      assert.ok((yield* issues(Train.layerUnknown(input))).length > 0)
    }))
}

it.effect("layerUnknown decodes optional fields and defaults", () =>
  Effect.gen(function*() {
    class Optional extends Params.Service<Optional>()("Optional", {
      retries: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(3))),
      note: Schema.optionalKey(Schema.String)
    }) {}
    const read = (input: unknown) => Effect.provide(Effect.map(Optional, (o) => o), Optional.layerUnknown(input))
    assert.deepEqual(yield* read({}), { retries: 3 })
    assert.deepEqual(yield* read({ retries: 1, note: "n" }), { retries: 1, note: "n" })
    assert.deepEqual((yield* issues(Optional.layerUnknown({ note: 1 }))).map(([path]) => path), ["note"])
  }))

it.effect("a ParamsError names the service and what is wrong with each field", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(value(Train.layerUnknown({ epochs: 1, rate: "x", key: "secret" })))
    assert.ok(error instanceof Params.ParamsError)
    assert.equal(error._tag, "ParamsError")
    assert.equal(error.service, "Train")
    assert.match(error.message, /^parameters Train are invalid\n  Train\.rate: \S/)
    assert.equal(error.message.split("\n").length, 2)
  }))

// -----------------------------------------------------------------------------
// layerConfig
// -----------------------------------------------------------------------------

class Batch extends Params.Service<Batch>()("Batch", {
  batchSize: Schema.Int,
  dryRun: Schema.Boolean,
  key: Schema.RedactedFromValue(Schema.String),
  note: Schema.optionalKey(Schema.String)
}) {}

const batch = Effect.map(Batch, ({ key, ...rest }) => ({ ...rest, key: Redacted.value(key) }))

it.effect("layerConfig decodes parameters from environment variables", () =>
  Effect.gen(function*() {
    const env = { BATCH_SIZE: "10", DRY_RUN: "true", KEY: "secret" }
    assert.deepEqual(
      yield* Effect.provide(batch, Layer.provide(Batch.layerConfig(), fromEnv(env))),
      { batchSize: 10, dryRun: true, key: "secret" }
    )
  }))

it.effect("layerConfig looks up the fields' own names where the ConfigProvider does not change their case", () =>
  Effect.gen(function*() {
    const env = { batchSize: "10", dryRun: "false", key: "secret", note: "n" }
    const provider = ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
    assert.deepEqual(
      yield* Effect.provide(batch, Layer.provide(Batch.layerConfig(), provider)),
      { batchSize: 10, dryRun: false, key: "secret", note: "n" }
    )
  }))

for (const path of ["etl", ["etl"], ["jobs", "etl"]]) {
  it.effect(`layerConfig reads below the path ${JSON.stringify(path)}`, () =>
    Effect.gen(function*() {
      const prefix = typeof path === "string" ? "ETL" : path.join("_").toUpperCase()
      const env = {
        BATCH_SIZE: "1",
        [`${prefix}_BATCH_SIZE`]: "10",
        [`${prefix}_DRY_RUN`]: "false",
        [`${prefix}_KEY`]: "secret"
      }
      assert.deepEqual(
        yield* Effect.provide(batch, Layer.provide(Batch.layerConfig(path), fromEnv(env))),
        { batchSize: 10, dryRun: false, key: "secret" }
      )
      // an issue's path leaves out the path of the config
      const found = yield* issues(
        Layer.provide(Batch.layerConfig(path), fromEnv({ ...env, [`${prefix}_BATCH_SIZE`]: "x" }))
      )
      assert.deepEqual(found.map(([at]) => at), ["batchSize"])
    }))
}

it.effect("layerConfig reports every issue at once", () =>
  Effect.gen(function*() {
    const found = yield* issues(Layer.provide(Batch.layerConfig(), fromEnv({ BATCH_SIZE: "1.5", DRY_RUN: "perhaps" })))
    assert.deepEqual(found.map(([path]) => path), ["batchSize", "dryRun", "key"])
  }))

it.effect("layerConfig reports a failure of the ConfigProvider", () =>
  Effect.gen(function*() {
    const failing = ConfigProvider.layer(
      ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message: "the vault is sealed" })))
    )
    const found = yield* issues(Layer.provide(Batch.layerConfig(), failing))
    assert.ok(found.length > 0)
    assert.match(found[0]![1]!, /the vault is sealed/)
  }))

// -----------------------------------------------------------------------------
// describe
// -----------------------------------------------------------------------------

test("describe encodes parameters and redacts secrets", () => {
  const shown = Train.describe({
    epochs: 3,
    rate: 0.1,
    key: Redacted.make("canary"),
    since: new Date(0),
    source: { bucket: "b", shards: [1] }
  })
  assert.deepEqual({ ...shown }, {
    epochs: 3,
    rate: 0.1,
    key: "<redacted>",
    since: "1970-01-01T00:00:00.000Z",
    source: { bucket: "b", shards: [1] }
  })
  assert.equal(
    JSON.stringify(shown),
    `{"epochs":3,"rate":0.1,"key":"<redacted>","since":"1970-01-01T00:00:00.000Z","source":{"bucket":"b","shards":[1]}}`
  )
})

test("describe redacts secrets inside any collection and shows the fields beside them", () => {
  const Secret = Schema.RedactedFromValue(Schema.String)
  class Deep extends Params.Service<Deep>()("Deep", {
    list: Schema.Array(Schema.Struct({ user: Schema.String, token: Secret, since: Schema.DateTimeUtc })),
    option: Schema.Option(Secret),
    record: Schema.Record(Schema.String, Secret),
    map: Schema.ReadonlyMap(Schema.String, Secret),
    keys: Schema.ReadonlyMap(Secret, Schema.String),
    set: Schema.ReadonlySet(Secret),
    hashMap: Schema.HashMap(Schema.String, Secret),
    json: Schema.fromJsonString(Schema.Struct({ token: Secret })),
    labelled: Schema.RedactedFromValue(Schema.String, { label: "token" })
  }) {}
  const token = Redacted.make("canary")
  const shown = JSON.stringify(Deep.describe({
    list: [{ user: "ann", token, since: DateTime.makeUnsafe(0) }],
    option: Option.some(token),
    record: { a: token },
    map: new Map([["a", token]]),
    keys: new Map([[token, "a"]]),
    set: new Set([token]),
    hashMap: HashMap.make(["a", token]),
    json: { token },
    labelled: Redacted.make("canary", { label: "token" })
  }))
  assert.doesNotMatch(shown, /canary/)
  assert.match(shown, /"list":\[\{"user":"ann","token":"<redacted>","since":"1970-01-01T00:00:00.000Z"\}\]/)
  assert.match(shown, /"labelled":"<redacted:token>"/)
})

test("describe hides secrets below its depth limit, also inside fields that are encoded as JSON text", () => {
  let schema: Schema.Codec<unknown, unknown> = Schema.RedactedFromValue(Schema.String)
  let secret: unknown = Redacted.make("canary")
  for (let depth = 1; depth <= 12; depth++) {
    schema = Schema.Struct({ x: schema })
    secret = { x: secret }
    class Deep extends Params.Service<Deep>()("Deep", { text: Schema.fromJsonString(schema), plain: schema }) {}
    assert.doesNotMatch(JSON.stringify(Deep.describe({ text: secret, plain: secret })), /canary/, `depth ${depth}`)
  }
})

// -----------------------------------------------------------------------------
// Step.params
// -----------------------------------------------------------------------------

it.effect("Step.params puts the redacted parameters into the step's context, by the key of the service", () =>
  Effect.gen(function*() {
    const step = Step.make("train", Effect.map(StepContext, ({ params }) => JSON.stringify(params))).pipe(
      Step.params(Train),
      Step.params(Batch)
    )
    const shown = yield* step.pipe(Effect.provide([
      Train.layerUnknown({ epochs: 3, rate: 0.1, key: "canary" }),
      Layer.provide(Batch.layerConfig(), fromEnv({ BATCH_SIZE: "10", DRY_RUN: "true", KEY: "canary" }))
    ]))
    assert.equal(
      shown,
      `{"Train":{"epochs":3,"rate":0.1,"key":"<redacted>"},"Batch":{"batchSize":10,"dryRun":true,"key":"<redacted>"}}`
    )
  }))

it.effect("parameters that a body uses without Step.params do not appear in the step's context", () =>
  Effect.gen(function*() {
    const step = Step.make("train", Effect.andThen(Train, Effect.map(StepContext, ({ params }) => ({ ...params }))))
    const shown = yield* Effect.provide(step, Train.layerUnknown({ epochs: 3, rate: 0.1, key: "secret" }))
    assert.deepEqual(shown, {})
  }))
