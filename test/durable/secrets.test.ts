/** Secrets in what is stored of durable runs. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const Token = Schema.Redacted(Schema.String)

const pipelineOf = <P extends Schema.Struct.Fields>(payload: P) =>
  Durable.pipeline("nightly", { payload, idempotencyKey: () => "1" }, () => Effect.void)

test("a pipeline whose payload would store a secret is refused, with the place of the secret and what to do", () => {
  const refused = {
    token: { token: Token },
    "account.password": { account: Schema.Struct({ password: Schema.optionalKey(Token) }) },
    "keys.*": { keys: Schema.Array(Schema.RedactedFromValue(Schema.String)) },
    "byName.*": { byName: Schema.Record(Schema.String, Schema.Option(Token)) },
    either: { either: Schema.Union([Schema.Int, Token]) }
  }
  for (const [path, payload] of Object.entries(refused)) {
    assert.throws(() => pipelineOf(payload), (error) => {
      assert.ok(error instanceof Durable.StoredSecret)
      assert.deepEqual({ owner: error.owner, schema: error.schema, paths: error.paths }, {
        owner: "nightly",
        schema: "payload",
        paths: [path]
      })
      assert.match(error.message, /^"nightly" would store a secret as it is: payload\..* is Redacted\. Store the name/)
      return true
    }, path)
  }
})

test("a step whose result or error would store a secret is refused", () => {
  const step = Step.make("login", Effect.succeed(Redacted.make("s3cret")))
  assert.throws(() => step.pipe(Durable.step({ success: Token })), {
    _tag: "StoredSecret",
    schema: "success",
    paths: [""]
  })
  assert.throws(() => Step.make("login", Effect.void).pipe(Durable.step({ error: Schema.Struct({ token: Token }) })), {
    _tag: "StoredSecret",
    schema: "error",
    paths: ["token"]
  })
})

it.effect("a schema that encrypts a secret and says so is accepted, and its text is stored", () =>
  Effect.gen(function*() {
    const reversed = (text: string) => [...text].toReversed().join("")
    const Sealed = Schema.String.pipe(
      Schema.decodeTo(
        Schema.Redacted(Schema.String),
        SchemaTransformation.transform({
          decode: (text) => Redacted.make(reversed(text)),
          encode: (redacted) => reversed(Redacted.value(redacted))
        })
      ),
      Schema.annotate({ sealed: true })
    )
    const { workflow } = pipelineOf({ token: Sealed })
    const encoded = yield* Schema.encodeEffect(Schema.toCodecJson(workflow.payloadSchema))({
      token: Redacted.make("s3cret")
    })
    assert.deepEqual(encoded, { token: "terc3s" })
  }))
