/**
 * Searches every output (alerts, console, logs, spans, events, errors) for secrets, in each form in which
 * a program might print it.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import {
  Alert,
  Alerter,
  AlerterError,
  AlerterHooks,
  Hook,
  Params,
  Pipeline,
  RunEvent,
  Step,
  StepContext
} from "../src/index.ts"
import { Report } from "../src/report/index.ts"
import { canary, leaks, printouts, recorder } from "./support/canary.ts"
import { makeIt } from "./support/it.ts"
import { plain } from "./support/observe.ts"
import { forAll, seed } from "./support/property.ts"

const it = makeIt(test)

// -----------------------------------------------------------------------------
// the search itself
// -----------------------------------------------------------------------------

test("leaks finds a secret in plain sight, so that the tests below can fail", () => {
  const error = Object.assign(new Error("outer", { cause: new Error(canary) }))
  for (const open of [canary, { a: [canary] }, new Map([["a", canary]]), new Error(canary), error, Cause.fail(error)]) {
    assert.notDeepEqual(leaks([open]), [])
  }
  assert.deepEqual(leaks([Redacted.make(canary)]), [])
})

it.effect("leaks finds a secret in every kind of output", () =>
  Effect.gen(function*() {
    const { counts, keep, layer, outputs } = recorder()
    const step = Step.make("open", Effect.fail(new Error(canary))).pipe(
      Step.annotate({ [canary]: 1 }),
      Step.hooks(AlerterHooks.all),
      Step.onFailure(() => Effect.fail(canary))
    )
    yield* Effect.exit(step).pipe(
      Effect.provide(Alerter.layer((alert) => Effect.sync(() => keep("alerts", alert)))),
      Effect.provide(layer)
    )
    assert.ok(Object.values(counts).every((count) => count > 0), JSON.stringify(counts))
    assert.ok(leaks(outputs).length > 4)
  }))

// -----------------------------------------------------------------------------
// parameters and annotations
// -----------------------------------------------------------------------------

it.effect("a huge cyclic annotation or one that throws neither leaks secrets nor hides the other annotations", () =>
  Effect.gen(function*() {
    const nodes = Array.from({ length: 12 }, (): Record<string, unknown> => ({ token: Redacted.make(canary) }))
    for (const node of nodes) nodes.forEach((other, i) => Object.assign(node, { [`to${i}`]: other }))
    const broken = {
      id: 7,
      get row(): string {
        throw new Error(canary)
      }
    }
    const emitted: Array<Report.Event> = []
    yield* Step.make("s", StepContext.annotate({ rows: 3, graph: nodes[0], broken })).pipe(
      Effect.provide(RunEvent.layer((event) => void emitted.push(Report.fromRunEvent(event))))
    )
    const ended = emitted.find(({ _tag }) => _tag === "StepEnded")
    assert.ok(ended?._tag === "StepEnded")
    assert.equal(ended.annotations?.["rows"], 3)
    assert.deepEqual(ended.annotations?.["broken"], { id: 7, row: "<unreadable: Error>" })
    const text = JSON.stringify(ended)
    assert.ok(text.length < 2_000_000, `${text.length}`)
    assert.deepEqual(leaks([text]), [])
  }))

/** Arbitrary texts for parameters; each secret is prefixed with the canary, which `leaks` looks for. */
const Inputs = Schema.Struct({
  secrets: Schema.Array(Schema.String).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  user: Schema.String,
  port: Schema.Int,
  withOptional: Schema.Boolean,
  fails: Schema.Literals(["error", "defect", "not at all"])
})

const Secret = Schema.RedactedFromValue(Schema.String)

const Account = Schema.Struct({ user: Schema.String, token: Secret, port: Schema.Int })

class Everything extends Params.Service<Everything>()("Everything", {
  top: Secret,
  labelled: Schema.RedactedFromValue(Schema.String, { label: "token" }),
  kept: Schema.Redacted(Schema.String),
  account: Account,
  accounts: Schema.Array(Account),
  list: Schema.Array(Secret),
  optional: Schema.optionalKey(Secret),
  nestedOptional: Schema.optionalKey(Schema.Struct({ token: Schema.optionalKey(Secret) })),
  nullable: Schema.NullOr(Secret),
  record: Schema.Record(Schema.String, Secret),
  pair: Schema.Tuple([Schema.String, Secret]),
  map: Schema.ReadonlyMap(Schema.String, Secret),
  keyed: Schema.ReadonlyMap(Secret, Schema.String),
  set: Schema.ReadonlySet(Secret),
  maybe: Schema.Option(Secret),
  chunk: Schema.Chunk(Secret),
  json: Schema.fromJsonString(Schema.Struct({ token: Secret })),
  whole: Schema.RedactedFromValue(Schema.Struct({ user: Schema.String, token: Schema.String })),
  port: Schema.Int
}) {}

class Broken extends Data.TaggedError("Broken")<{ readonly token: Redacted.Redacted<string>; readonly port: number }> {}

it.effect("no secret of a step's parameters, annotations or errors shows in any output", () => {
  const seen: Record<string, number> = { alerts: 0, logs: 0, spans: 0, events: 0, lines: 0 }
  return Effect.gen(function*() {
    yield* forAll(Inputs, ({ fails, port, secrets, user, withOptional }) =>
      Effect.gen(function*() {
        const { counts, keep, layer, outputs } = recorder()
        const secret = (n: number) => Redacted.make(`${canary}${secrets[n % secrets.length]}`)
        const account = { user, token: secret(0), port }
        const everything = Everything.layer({
          top: secret(0),
          labelled: Redacted.make(`${canary}${secrets[0]}`, { label: "token" }),
          kept: secret(1),
          account,
          accounts: secrets.map((_, n) => ({ user, token: secret(n), port })),
          list: secrets.map((_, n) => secret(n)),
          ...(withOptional ? { optional: secret(2), nestedOptional: { token: secret(3) } } : {}),
          nullable: withOptional ? secret(0) : null,
          record: { user: secret(0) },
          pair: [user, secret(1)],
          map: new Map([[user, secret(0)]]),
          keyed: new Map([[secret(0), user]]),
          set: new Set([secret(0)]),
          maybe: Option.some(secret(1)),
          chunk: Chunk.of(secret(2)),
          json: { token: secret(0) },
          whole: Redacted.make({ user, token: `${canary}${secrets[0]}` }),
          port
        })
        const body = Effect.gen(function*() {
          const params = yield* Everything
          yield* StepContext.annotate({
            found: params.top,
            deep: { accounts: [account] },
            map: new Map([[params.top, 1]])
          })
          keep("events", yield* StepContext)
          yield* Effect.log("working", params)
          if (fails === "error") return yield* new Broken({ token: params.top, port })
          if (fails === "defect") return yield* Effect.die(new Broken({ token: params.top, port }))
          return params
        })
        const step = Step.make("work", body).pipe(
          Step.params(Everything),
          Step.annotate({ given: secret(0), list: [secret(1)], set: new Set([secret(2)]) }),
          Step.retry({ times: 1 }),
          Step.onRetry((failed) => Effect.sync(() => keep("events", failed.cause))),
          Step.hooks(AlerterHooks.all),
          // this hook's failure, secrets included, is logged
          Step.hooks(Hook.onExit((exit) => Effect.fail({ exit, account })))
        )
        const run = Pipeline.make("all", step).pipe(
          Pipeline.annotate({ run: secret(0) }),
          Pipeline.hooks(AlerterHooks.all)
        )
        const recording = Alerter.layer((alert) => Effect.sync(() => keep("alerts", alert)))
        const before = (yield* TestConsole.logLines).length
        for (const alerter of [recording, Alerter.layerConsole]) {
          outputs.push(yield* Effect.exit(run).pipe(Effect.provide([alerter, everything]), Effect.provide(layer)))
        }
        const lines = (yield* TestConsole.logLines).slice(before)
        outputs.push(...lines)
        // a failure is alerted by the step alone, and a success by the run too
        const alerts = fails === "error" || fails === "defect" ? 1 : 2
        assert.equal(counts.alerts, alerts)
        assert.equal(lines.length, alerts)
        for (const [kind, count] of Object.entries({ ...counts, lines: lines.length })) seen[kind]! += count
        assert.deepEqual(leaks(outputs), [])
      }), 60)
    assert.ok(Object.values(seen).every((count) => count > 0), JSON.stringify(seen))
  })
})

// -----------------------------------------------------------------------------
// invalid parameters
// -----------------------------------------------------------------------------

/** Prefixes every string inside a JSON value with the canary. */
const tainted = (value: unknown): unknown => {
  if (typeof value === "string") return `${canary}${value}`
  if (Array.isArray(value)) return value.map(tainted)
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tainted(item)]))
    : value
}

class Bad extends Params.Service<Bad>()("Bad", {
  port: Schema.Int,
  when: Schema.Date,
  mode: Schema.Literals(["a", "b"]),
  token: Schema.RedactedFromValue(Schema.String.check(Schema.isMaxLength(3))),
  kept: Schema.Redacted(Schema.Int),
  pattern: Schema.String.check(Schema.isPattern(/^\d+$/)),
  either: Schema.Union([Schema.Int, Schema.Struct({ n: Schema.Int })]),
  accounts: Schema.Array(Schema.Struct({ token: Schema.RedactedFromValue(Schema.Int), user: Schema.Literal("ann") })),
  json: Schema.fromJsonString(Schema.Struct({ token: Schema.Int })),
  map: Schema.ReadonlyMap(Schema.String, Schema.Int)
}) {}

const fieldNames = Object.keys(Bad.schema.fields)

/** Asserts that a layer's parameters are rejected, and that no output of the rejection leaks the canary. */
const assertRejected = (layer: Layer.Layer<Bad, Params.ParamsError>, atLeast: number) =>
  Effect.gen(function*() {
    const { layer: recording, outputs } = recorder()
    const step = Step.make("work", Effect.void).pipe(Step.params(Bad), Effect.provide(layer))
    const outer = Step.make("outer", step).pipe(Step.hooks(AlerterHooks.all))
    const exit = yield* Effect.exit(outer).pipe(
      Effect.tapCause((cause) => Effect.logError("parameters", cause)),
      Effect.provide(Alerter.layer((alert) => Effect.sync(() => outputs.push(alert)))),
      Effect.provide(recording)
    )
    assert.ok(Exit.isFailure(exit))
    const error = Cause.squash(exit.cause)
    assert.ok(error instanceof Params.ParamsError, String(error))
    assert.ok(error.issues.length >= atLeast, error.message)
    assert.deepEqual(leaks([...outputs, exit, exit.cause, error, error.issues]), [])
  })

it.effect("a ParamsError of layerUnknown quotes no value", () =>
  assertRejected(
    Bad.layerUnknown({
      port: canary,
      when: canary,
      mode: canary,
      token: canary,
      kept: canary,
      pattern: canary,
      either: { n: canary },
      accounts: [{ token: canary, user: canary }],
      json: `{"token":"${canary}"}`,
      map: [["a", canary]],
      // a misspelt name: the secret is in a field that the Schema does not know
      tokne: canary
    }),
    11
  ))

it.effect("a ParamsError quotes no value where a field is not valid JSON", () =>
  assertRejected(Bad.layerUnknown({ json: `{"token":"${canary}` }), 1))

it.effect("a ParamsError of layerUnknown quotes no value of any JSON", () =>
  forAll(
    Schema.Record(Schema.Literals(fieldNames), Schema.Json),
    (input) => assertRejected(Bad.layerUnknown(tainted(input)), 1),
    60
  ))

it.effect("a ParamsError of a typed layer quotes no value", () =>
  assertRejected(
    Bad.layer({
      port: 1.5,
      when: new Date(0),
      mode: "a",
      token: Redacted.make(canary),
      kept: Redacted.make(1.5),
      pattern: canary,
      either: 1,
      accounts: [],
      json: { token: 1 },
      map: new Map()
    }),
    3
  ))

it.effect("a ParamsError of layerConfig quotes no value", () => {
  const env = Object.fromEntries(fieldNames.map((name) => [name, canary]))
  const provider = ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
  return assertRejected(Layer.provide(Bad.layerConfig(), provider), 5)
})

// -----------------------------------------------------------------------------
// webhook addresses
// -----------------------------------------------------------------------------

const addresses = Arbitrary.schema(Schema.Struct({
  scheme: Schema.Literals(["https", "http", "HTTPS", "wss", "slack+https"]),
  before: Schema.Literals(["", "POST ", "(", "\"", "<", "'", "url=", "fetch failed: "]),
  path: Schema.Literals([
    "/services/T0/B0/",
    "/api/webhooks/1/",
    "/?token=",
    "/#",
    "/a%20b/",
    "/x;y=",
    "/x,y/",
    "/a(b)",
    "/it's/",
    "/?a[]=",
    "/a:b!"
  ]),
  after: Schema.Literals(["", " failed", ")", "\"", ">", "'", ", then", "?wait=true", "\nagain", ": 500"]),
  user: Schema.Literals(["", `${canary}@`, `bot:${canary}@`])
}))

it.effect("a webhook URL in the error of a custom alerter appears in no output", () =>
  Effect.gen(function*() {
    const result = yield* Arbitrary.checkEffect(addresses, ({ after, before, path, scheme, user }) =>
      Effect.sandbox(Effect.gen(function*() {
        const message = `${before}${scheme}://${user}hooks.example.com${path}${canary}${after}`
        const failures = [
          Effect.fail(new Error(message, { cause: new Error(message) })),
          Effect.fail(message),
          Effect.die(new TypeError(message)),
          Effect.fail({ _tag: "HttpClientError", request: { url: message }, message })
        ]
        for (const failure of failures) {
          const { counts, layer, outputs } = recorder()
          const step = Step.make("work", Effect.fail("no")).pipe(Step.hooks(AlerterHooks.failure))
          const alerter = Alerter.layer(() =>
            failure
          )
          const posted = Effect.flatMap(Alerter, ({ post }) => Effect.flip(post("hello")))
          const [exit, error] = yield* Effect.all([Effect.exit(step), posted]).pipe(
            Effect.provide(alerter),
            Effect.provide(layer)
          )
          assert.deepEqual(plain(exit), [{ fail: "no" }])
          assert.ok(error instanceof AlerterError)
          assert.ok(counts.logs > 0 && counts.events > 0)
          assert.deepEqual(leaks([...outputs, error, Cause.fail(error)]), [])
        }
        return true
      })), { runs: 60, seed })
    assert.equal(Arbitrary.formatCheckFailure(result), undefined)
  }))

it.effect("a webhook URL in the defect of an alerter made with Alerter.of appears in no output", () =>
  Effect.gen(function*() {
    const { layer, outputs } = recorder()
    const defect = new Error(`POST https://hooks.example.com/${canary}`)
    yield* Step.make("work", Effect.fail("no")).pipe(
      Step.hooks(AlerterHooks.failure),
      Effect.exit,
      Effect.provideService(Alerter, Alerter.of({ post: () => Effect.die(defect) })),
      Effect.provide(layer)
    )
    assert.ok(outputs.some((output) => printouts(output).join().includes("<url>")))
    assert.deepEqual(leaks(outputs), [])
  }))

// -----------------------------------------------------------------------------
// alerts made with Alert.make
// -----------------------------------------------------------------------------

test("an alert's fields hide Redacted values inside any collection", () => {
  const token = Redacted.make(canary)
  const alert = Alert.make({
    title: "t",
    fields: {
      token,
      list: [[token]],
      map: new Map<unknown, unknown>([["a", token], [token, "b"], [{ token }, "c"]]),
      error: new Broken({ token, port: 1 }),
      option: Option.some(token),
      chunk: Chunk.of(token)
    }
  })
  assert.deepEqual(leaks([alert, alert.with({ severity: "error" }), alert.fields]), [])
})
