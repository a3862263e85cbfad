/** Secrets in code: a layer keeps them out of all that steps and runs tell. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import { Slack } from "../src/alerters/index.ts"
import {
  Alerter,
  AlerterHooks,
  Approver,
  Decision,
  Params,
  Pipeline,
  Secrets,
  Step,
  StepContext
} from "../src/index.ts"
import { canary, leaks, recorder } from "./support/canary.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

const secret = `s3-${canary}/0123`

class Refused extends Data.TaggedError("Refused")<{ readonly url: string }> {
  override get message() {
    return `refused by ${this.url}`
  }
}

/** A step that puts a text wherever it can. */
const telling = (text: string) =>
  Step.make(
    `load ${text}`,
    Effect.gen(function*() {
      yield* StepContext.annotate({ [text]: [text] })
      yield* Effect.logInfo(text, { text }, Symbol(text)).pipe(Effect.annotateLogs({ text }), Effect.withLogSpan(text))
      const links = [{ span: Tracer.externalSpan({ spanId: "1", traceId: "2" }), attributes: { text } }]
      yield* Effect.void.pipe(Effect.withSpan(text, { attributes: { text }, links }))
      return yield* new Refused({ url: text })
    })
  ).pipe(
    Step.hooks(AlerterHooks.failure),
    Step.onFailure(() => Effect.die(new Error(encodeURIComponent(text)))),
    Step.onExit(() => Effect.die(Symbol(text)))
  )

it.effect("a layer of secrets keeps them out of alerts, logs, spans and events, and changes no error", () =>
  Effect.gen(function*() {
    const { counts, keep, layer, outputs } = recorder()
    const run = Pipeline.make(`etl ${secret}`, telling(secret)).pipe(Pipeline.hooks(AlerterHooks.failure))
    const exit = yield* Effect.exit(run).pipe(
      Effect.provide(Alerter.layer((alert) => Effect.sync(() => keep("alerts", alert)))),
      Effect.provide(layer),
      Effect.provide(Secrets.layer(Redacted.make(secret)))
    )
    assert.ok(Object.values(counts).every((count) => count > 0), JSON.stringify(counts))
    assert.deepEqual(leaks(outputs), [])
    assert.ok(Exit.isFailure(exit))
    const error = Cause.squash(exit.cause)
    assert.ok(error instanceof Refused && error.url === secret)
  }))

it.effect("a logged value of any size has no secret, and one that has none anywhere is logged as it is", () =>
  Effect.gen(function*() {
    const logged: Array<unknown> = []
    const logger = Logger.make(({ message }) => void logged.push(...[message].flat()))
    const many = (text: string) =>
      Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`K${i}`, i < 140 ? "v" : text]))
    const deep = (text: string): object => Array.from({ length: 12 }).reduce<object>((inner) => ({ inner }), { text })
    const values = (text: string): ReadonlyArray<object> => [
      many(text),
      { env: many(text) },
      deep(text),
      { list: Object.values(many(text)).map((text) => ({ text })) },
      new Map(Object.entries(many(text))),
      new Map([[deep(text), 1]]),
      { errors: Object.values(many(text)).map((text) => new Error(text)) }
    ]
    const plain = values("v")
    // with a length of four billion
    const sparse: Array<unknown> = []
    sparse[2 ** 32 - 2] = secret
    yield* Step.make(
      "load",
      Effect.forEach([...plain, ...values(secret), { sparse }], (value) => Effect.log(value))
    ).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.provide(Secrets.layer(Redacted.make(secret)))
    )
    plain.forEach((value, i) => assert.equal(logged[i], value))
    assert.equal(logged.length, 2 * plain.length + 1)
    assert.deepEqual(
      leaks(logged.slice(plain.length).map((value) => inspect(value, { depth: 20, maxArrayLength: 200 }))),
      []
    )
  }))

it.effect("a question comes to its approver without secrets", () =>
  Effect.gen(function*() {
    const asked: Array<unknown> = []
    const deny = Approver.layer((question) =>
      Effect.as(
        Effect.sync(() => asked.push(question)),
        Decision.Denied({ by: { id: "ann", name: "Ann" }, at: DateTime.makeUnsafe(0) })
      )
    )
    const question = {
      title: `Drop ${secret}?`,
      body: encodeURIComponent(secret),
      fields: [{ name: secret, value: secret }],
      options: { approve: `Yes, ${secret}` },
      timeout: "1 hour"
    } as const
    yield* Effect.exit(Step.make(`drop ${secret}`, Effect.void).pipe(Step.requireApproval(question))).pipe(
      Effect.provide(deny),
      Effect.provide(Secrets.layer(secret))
    )
    assert.equal(asked.length, 1)
    assert.deepEqual(leaks(asked), [])
  }))

class P extends Params.Service<P>()("P", { token: Schema.RedactedFromValue(Schema.String) }) {}

it.effect("parameters, addresses of channels and secrets that are added later are kept out, too", () =>
  Effect.gen(function*() {
    const { keep, layer, outputs } = recorder()
    const webhookUrl = `https://hooks.example.com/services/T0/${canary}0123`
    const program = Effect.gen(function*() {
      yield* Secrets.add(`later-${canary}`)
      const { token } = yield* P
      for (const text of [Redacted.value(token), `later-${canary}`, webhookUrl]) {
        yield* Effect.exit(
          telling(text).pipe(
            Effect.provide(Alerter.layer((alert) => Effect.sync(() => keep("alerts", alert))))
          )
        )
      }
    })
    yield* program.pipe(
      Effect.provide(
        Layer.mergeAll(P.layerUnknown({ token: secret }), Slack.layer({ webhookUrl: Redacted.make(webhookUrl) }))
      ),
      Effect.provide(layer),
      Effect.provide(Secrets.layer())
    )
    assert.ok(outputs.length > 10)
    assert.deepEqual(leaks(outputs), [])
  }))

it.effect("the beginning of an address alone is no secret, as where the variable behind it is empty", () =>
  Effect.gen(function*() {
    const bodies: Array<string | undefined> = []
    yield* Step.make("load", Effect.fail(new Error("no answer of https://example.com"))).pipe(
      Step.hooks(AlerterHooks.failure),
      Effect.exit,
      Effect.provide(Alerter.layer(({ body }) => Effect.sync(() => bodies.push(body)))),
      Effect.provide(Secrets.layer("https://"))
    )
    assert.deepEqual(bodies, ["Error: no answer of https://example.com"])
  }))

it.effect("without a layer of secrets nothing is replaced", () =>
  Effect.gen(function*() {
    const { layer, outputs } = recorder()
    yield* Secrets.add(secret)
    yield* Effect.exit(telling(secret)).pipe(Effect.provide(Alerter.layerNone), Effect.provide(layer))
    assert.ok(leaks(outputs).length > 5)
  }))
