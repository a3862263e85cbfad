/** Tests what people are told of an error, whatever it is: in alerts, events, records, lines of progress and logs. */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { AlerterHooks, Params, Pipeline, Step } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { canary, leaks } from "./support/canary.ts"
import { Hostile, hostile } from "./support/hostile.ts"
import { makeIt } from "./support/it.ts"
import { logs } from "./support/observe.ts"
import { forAll } from "./support/property.ts"
import { ownFields, told } from "./support/told.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number; readonly url: string }> {}

class DbError extends Data.TaggedError("DbError")<{ readonly cause: unknown }> {}

class Rejected extends Data.TaggedError("Rejected")<{
  readonly message: string
  readonly status: number
  readonly step: string
  readonly token: Redacted.Redacted
  readonly headers: Headers.Headers
}> {}

// -----------------------------------------------------------------------------
// what an error says
// -----------------------------------------------------------------------------

it.effect("a tagged error without a message is told by its tag and its fields", () =>
  Effect.gen(function*() {
    const { alert, recorded } = yield* told(Effect.fail(new HttpError({ status: 503, url: "/prices" })))
    assert.equal(alert.body, "HttpError: status 503, url /prices")
    assert.match(recorded, /^HttpError: status 503, url \/prices\n {4}at .*errors\.test\.ts/)
    assert.deepEqual(ownFields(alert), {})
  }))

it.effect("an error whose message says that a request failed, and not why, is told with its cause", () =>
  Effect.gen(function*() {
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:9"), { code: "ECONNREFUSED" })
    // as of a host with several addresses, on Node
    const each = Object.assign(new AggregateError([refused, new Error("connect ECONNREFUSED ::1:9")], ""), refused)
    for (const cause of [refused, each]) {
      const { alert, recorded } = yield* told(Effect.fail(new TypeError("fetch failed", { cause })))
      assert.match(alert.body!, /^TypeError: fetch failed: .*connect ECONNREFUSED 127\.0\.0\.1:9$/)
      assert.match(recorded, /^TypeError: fetch failed: .*connect ECONNREFUSED 127\.0\.0\.1:9\n/)
    }
    const request = HttpClientRequest.get("http://127.0.0.1:9/prices")
    const client = HttpClient.make(() =>
      Effect.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.TransportError({
            request,
            cause: new TypeError("fetch failed", { cause: refused })
          })
        })
      )
    )
    const { alert } = yield* told(client.execute(request))
    assert.equal(
      alert.body,
      "HttpClientError: Transport error (GET http://127.0.0.1:9/prices): TypeError: fetch failed: connect ECONNREFUSED 127.0.0.1:9"
    )
    // a cause that is in a circle ends
    const circle = new Error("fetch failed")
    circle.cause = circle
    assert.match((yield* told(Effect.fail(circle))).alert.body!, /^Error: fetch failed(: fetch failed)*$/)
  }))

it.effect("the fields of a tagged error with a message are fields of the alert, redacted as parameters are", () =>
  Effect.gen(function*() {
    const error = new Rejected({
      message: "the order was refused",
      status: 409,
      step: "payment",
      token: Redacted.make(canary),
      headers: Headers.fromInput({ authorization: `Bearer ${canary}`, accept: "text/plain" })
    })
    const { alert, recorded } = yield* told(Effect.fail(error))
    assert.equal(alert.body, "Rejected: the order was refused")
    assert.deepEqual(ownFields(alert), {
      status: "409",
      "error's step": "payment",
      token: "<redacted>",
      headers: `{"authorization":"<redacted>","accept":"text/plain"}`
    })
    assert.ok(recorded.includes("\n    status 409\n"))
    assert.deepEqual(leaks([alert, recorded]), [])
  }))

it.effect("the texts and numbers of a system error are shown, and the objects that clients of HTTP add are not", () =>
  Effect.gen(function*() {
    const error = Object.assign(new Error("connect ECONNREFUSED"), {
      code: "ECONNREFUSED",
      port: 5432,
      config: { headers: { authorization: canary } }
    })
    const { alert, recorded } = yield* told(Effect.fail(error))
    assert.deepEqual(ownFields(alert), { code: "ECONNREFUSED", port: "5432" })
    assert.deepEqual(leaks([alert, recorded]), [])
  }))

it.effect("an error without a message is told by its cause", () =>
  Effect.gen(function*() {
    const { alert } = yield* told(Effect.fail(new DbError({ cause: new Error("connection refused") })))
    assert.equal(alert.body, "DbError: connection refused")
    assert.match(alert.detail!, /\n\[cause\]: Error: connection refused\n/)
  }))

for (
  const [what, effect, body] of [
    ["a text", Effect.fail("no such file"), "no such file"],
    ["a text as a defect", Effect.die("no such file"), "no such file"],
    ["a plain object", Effect.fail({ code: 7 }), `{"code":7}`],
    ["a tagged plain object", Effect.fail({ _tag: "RowFailed", id: 10n }), "RowFailed: id 10"],
    ["an object with a message", Effect.fail({ message: "closed", code: 7 }), "closed"],
    ["nothing", Effect.fail(undefined), "undefined"],
    ["a symbol", Effect.fail(Symbol("stop")), "Symbol(stop)"],
    [
      "a promise's rejection",
      Effect.tryPromise(() => Promise.reject(new RangeError("too far"))),
      "RangeError: too far"
    ],
    ["a promise's rejection with a text", Effect.tryPromise(() => Promise.reject("gone")), "gone"],
    ["an error of several lines", Effect.fail(new Error("\nfirst\nsecond")), "Error: first"]
  ] as const
) {
  it.effect(`${what} is told as it is`, () =>
    Effect.map(told(effect), ({ alert, recorded }) => {
      assert.equal(alert.body, body)
      assert.ok(recorded.replaceAll(/\s+/g, " ").startsWith(body), recorded)
    }))
}

it.effect("a text, of which there is no more to say, is not repeated as the alert's detail", () =>
  Effect.map(told(Effect.fail("no such file")), ({ alert }) => assert.equal(alert.detail, undefined)))

it.effect("the members of an AggregateError are told, the first ten of many", () =>
  Effect.gen(function*() {
    const members = Array.from({ length: 5_000 }, (_, i) => new Error(`member ${i}`))
    const { recorded } = yield* told(Effect.fail(new AggregateError(members, "all failed")))
    assert.match(recorded, /^AggregateError: all failed\n/)
    assert.match(recorded, /\n {2}\[1 of 5000\]: Error: member 0\n/)
    assert.match(recorded, /\n {2}\[10 of 5000\]: Error: member 9\n/)
    assert.doesNotMatch(recorded, /member 10/)
    assert.match(recorded, /\n {2}… and 4,990 more errors$/)
  }))

it.effect("parallel errors are told together, the first ten of many", () =>
  Effect.gen(function*() {
    const all = Effect.failCause(
      Cause.fromReasons(Array.from({ length: 30 }, (_, i) => Cause.makeFailReason(`page ${i}`)))
    )
    const { alert, recorded } = yield* told(all)
    assert.equal(alert.body, "page 0 (and 29 more)")
    assert.match(recorded, /^page 0\npage 1\n/)
    assert.match(recorded, /\npage 9\n… and 20 more errors$/)
  }))

const chain = (length: number): Error => {
  let error = new Error("bottom")
  for (let i = 1; i <= length; i++) error = new Error(`level ${i}`, { cause: error })
  return error
}

for (const [length, more] of [[20_000, "19,990"], [11, "1"]] as const) {
  it.effect(`of a chain of ${length} causes the first ten are told, and how many there are more`, () =>
    Effect.gen(function*() {
      const { recorded } = yield* told(Effect.die(chain(length)))
      assert.ok(recorded.startsWith(`Error: level ${length}\n`))
      assert.equal(recorded.match(/^\[cause\]: /gm)?.length, 10)
      assert.ok(recorded.endsWith(`\n… and ${more} more`), recorded.slice(-200))
    }))
}

it.effect("a chain of causes that leads back to its beginning is told once", () =>
  Effect.gen(function*() {
    const [first, second] = [new Error("first"), new Error("second")]
    first.cause = second
    second.cause = first
    const { recorded } = yield* told(Effect.fail(first))
    assert.equal(recorded.match(/Error: first/g)?.length, 1)
    assert.ok(recorded.endsWith("\n[cause]: an error from above, again"))
  }))

it.effect("a message of 100 MB is cut, and its length told", () =>
  Effect.gen(function*() {
    const { alert, recorded } = yield* told(Effect.fail(new Error("x".repeat(100_000_000))))
    assert.ok(alert.body!.length < 2_000 && alert.detail!.length < 50_000 && recorded.length < 50_000)
    assert.match(recorded, /^Error: x+… 99,990,000 characters left out/)
  }))

// -----------------------------------------------------------------------------
// what can't be read
// -----------------------------------------------------------------------------

class LazyMessage extends Error {
  override get message(): string {
    throw new TypeError("response already consumed")
  }
}

it.effect("what can't be read of an error is named, with the reason", () =>
  Effect.gen(function*() {
    const { alert, recorded } = yield* told(Effect.fail(new LazyMessage()))
    assert.equal(alert.body, "Error: <unreadable: TypeError: response already consumed>")
    // Node formats a stack when it is read, with the message
    assert.match(recorded, /\n {4}(at .*errors\.test\.ts|stack <unreadable: TypeError: response already consumed>)/)
    const broken = Object.defineProperty(new Error("x"), "cause", { get: () => assert.fail("gone") })
    assert.match((yield* told(Effect.fail(broken))).recorded, /\n\[cause\]: <unreadable: AssertionError: gone>$/)
  }))

it.effect("an error with a field that throws, and a text as its cause, is logged", () =>
  Effect.gen(function*() {
    const log = logs()
    const inner = Object.defineProperty(new Error("inner", { cause: "refused" }), "response", {
      get: () => assert.fail("gone"),
      enumerable: true
    })
    const error = new Error("outer", { cause: inner })
    const failing = Step.make("load", Effect.void).pipe(Step.onSuccess(() => Effect.fail(error)))
    yield* Effect.provide(failing, log.layer)
    assert.match(Cause.pretty(log.list[0]!.cause), /outer/)
  }))

it.effect("a hook's error without a message is logged with its fields, or with its cause", () =>
  Effect.gen(function*() {
    const log = logs()
    const errors = [
      new HttpError({ status: 503, url: "/audit" }),
      { _tag: "Refused", code: 7 },
      new DbError({ cause: new Error("no route to db1") })
    ]
    for (const error of errors) {
      yield* Effect.provide(Step.make("load", Effect.void).pipe(Step.onSuccess(() => Effect.fail(error))), log.layer)
    }
    assert.deepEqual(log.list.map(({ cause }) => Cause.pretty(cause).split("\n", 1)[0]), [
      "HttpError: status 503, url /audit",
      "Refused: code 7",
      "DbError: no route to db1"
    ])
  }))

/** More than any rendering may take of a hostile error. */
const bound = 60_000

it.effect("whatever a step fails with is alerted, recorded and logged, in bounded text", () =>
  forAll(Hostile, (description) =>
    Effect.gen(function*() {
      const error = hostile(description)
      const log = logs()
      const logged = Logger.layer([Logger.make((options) => void Logger.formatSimple.log(options))])
      for (const effect of [Effect.fail(error), Effect.die(error)]) {
        const { alert, recorded } = yield* told(effect)
        const texts = [
          alert.title,
          alert.body!,
          alert.detail ?? "",
          recorded,
          ...alert.fields.map(({ value }) => value)
        ]
        for (const text of texts) assert.ok(typeof text === "string" && text.length < bound)
        assert.notEqual(alert.body!.trim(), "")
        assert.ok(!alert.body!.includes("\n"))
        JSON.stringify([alert, recorded])
        const failing = Step.make("load", Effect.void).pipe(Step.onSuccess(() => effect))
        for (const layer of [log.layer, logged]) yield* Effect.provide(failing, layer)
      }
      assert.equal(log.list.length, 2)
    }), 200))

it.effect("any JSON and any text that a step fails with is alerted", () =>
  forAll(
    Schema.Union([Schema.Json, Schema.String, Schema.Unknown]),
    (value) => Effect.map(told(Effect.fail(value)), ({ alert }) => assert.ok(alert.body!.length < bound))
  ))

it.effect("the exit of a step is the error itself, however it is told", () =>
  Effect.gen(function*() {
    const error = new LazyMessage()
    const exit = yield* Step.make("load", Effect.fail(error)).pipe(
      Step.hooks(AlerterHooks.failure),
      Effect.provide(TestAlerter.layer),
      Effect.exit
    )
    assert.ok(Exit.isFailure(exit))
    assert.ok(Object.is(Cause.squash(exit.cause), error))
  }))

// -----------------------------------------------------------------------------
// missing services, stacks
// -----------------------------------------------------------------------------

class Rows extends Params.Service<Rows>()("Rows", { count: Schema.Int }) {}

it.effect("a step whose parameters are not provided is alerted, with the name of the service", () =>
  Effect.gen(function*() {
    const step = Step.make("load", Effect.map(Rows, ({ count }) => count)).pipe(Step.params(Rows))
    const run = Pipeline.make("etl", step).pipe(Pipeline.stepHooks(AlerterHooks.failure))
    const [alert, ...more] = yield* Effect.exit(run as unknown as Effect.Effect<number>).pipe( // the cast is the mistake
      Effect.andThen(TestAlerter.sent),
      Effect.provide(TestAlerter.layer)
    )
    assert.deepEqual(more, [])
    assert.equal(alert!.body, "it needs the service Rows, which nothing provides")
    assert.deepEqual(alert!.fields.at(-1), { name: "Rows", value: "<not provided>" })
  }))

it.effect("frames of the library, of effect and of the runtime are counted and not listed", () =>
  Effect.gen(function*() {
    const thrown = Effect.sync(() =>
      [1].map((n) => {
        if (n > 0) throw new Error("no rows")
      })
    )
    const { alert } = yield* told(Step.make("inner", Effect.andThen(Effect.yieldNow, thrown)))
    const frames = alert.detail!.split("\n").slice(1)
    assert.ok(frames.length > 1)
    for (const frame of frames.slice(0, -1)) assert.match(frame, /^ {4}at .*errors\.test\.ts/)
    assert.match(frames.at(-1)!, /^ {4}… \d+ frames? of (effect|the runtime)/)
  }))

it.effect("frames of a parser of the runtime, which have no file, are counted and not listed", () =>
  Effect.gen(function*() {
    const { alert } = yield* told(Step.make("parse", Effect.sync(() => [JSON.parse("{")])))
    const frames = alert.detail!.split("\n").slice(1)
    assert.match(frames[0]!, /errors\.test\.ts/)
    assert.ok(frames.every((frame) => !frame.includes("<parse>")), frames.join("\n"))
    // of an error without a frame of the user's, some of others are listed
    const error = new Error("no rows")
    const others = ["<anonymous> (node:a:1:1)", "b (node:a:2:1)"].map((frame) => `    at ${frame}`)
    error.stack = ["Error: no rows", "    at <parse> (:0)", "    at parse (unknown)", ...others].join("\n")
    const { alert: parsed } = yield* told(Effect.fail(error))
    assert.deepEqual(parsed.detail!.split("\n").slice(1), [...others, "    … 2 frames of the runtime"])
  }))

it.effect("of an object with a property that can't be read, the others are told", () =>
  Effect.gen(function*() {
    class Entity {
      readonly id = 7
      // as an object-relational mapper makes them, own and enumerable
      constructor() {
        Object.defineProperty(this, "orders", {
          enumerable: true,
          get: () => {
            throw new RangeError("not loaded")
          }
        })
      }
    }
    const shown = `{"id":7,"orders":"<unreadable: RangeError>"}`
    assert.equal((yield* told(Effect.fail(new Entity()))).alert.body, shown)
    const tagged = { _tag: "NotSaved", entity: new Entity(), table: "customers" }
    assert.equal((yield* told(Effect.fail(tagged))).alert.body, `NotSaved: entity ${shown}, table customers`)
  }))

it.effect("frames of effect and of the library are known wherever a package manager has put them", () =>
  Effect.gen(function*() {
    const error = new Error("no rows")
    error.stack = [
      "Error: no rows",
      "    at load (file:///srv/etl/effect/nightly.ts:3:1)",
      "    at load (file:///srv/npm/effect/4-rows.ts:3:1)",
      "    at effect (file:///root/.cache/deno/npm/registry.npmjs.org/effect/4.1.0/src/internal/effect.ts:635:23)",
      "    at effect (file:///root/.cache/deno/npm/localhost_4873/effect/4.1.0/src/internal/effect.ts:635:23)",
      "    at effect (file:///cache/npm/npm.acme.example/api/npm/all/@effect/platform-node/4.1.0/dist/NodeHttpServer.js:1:1)",
      "    at step (file:///cache/npm/npm.acme.example/effect-epilogue/0.1.0/dist/Step.js:1:1)",
      "    at effect (/home/ada/.bun/install/cache/effect@4.1.0@@@1/dist/Effect.js:1:1)",
      "    at effect (/srv/etl/node_modules/.pnpm/effect@4.1.0/node_modules/effect/dist/Effect.js:1:1)"
    ].join("\n")
    const { alert } = yield* told(Step.make("load", Effect.fail(error)))
    assert.deepEqual(alert.detail!.split("\n").slice(1), [
      "    at load (file:///srv/etl/effect/nightly.ts:3:1)",
      "    at load (file:///srv/npm/effect/4-rows.ts:3:1)",
      "    … 5 frames of effect, 1 of effect-epilogue"
    ])
  }))

it.effect("a variable that is missing or wrong is named, in place of the errors that effect has wrapped", () =>
  Effect.gen(function*() {
    const database = Config.schema(Schema.Struct({ HOST: Schema.String, PORT: Schema.Int }), "DATABASE")
    const said = (config: Config.Config<unknown>, env: Readonly<Record<string, string>>) =>
      Effect.map(
        told(Effect.provide(config, ConfigProvider.layer(ConfigProvider.fromEnv({ env })))),
        ({ alert, recorded }) => [alert.body, recorded]
      )
    const expected: ReadonlyArray<readonly [string, Config.Config<unknown>, Readonly<Record<string, string>>]> = [
      ["SLACK_WEBHOOK_URL is not set", Config.Redacted("SLACK_WEBHOOK_URL"), {}],
      ["DATABASE_PORT is not set", database, { DATABASE_HOST: "db1" }],
      ["PORT: Expected a string representing a finite number", Config.Int("PORT"), { PORT: "80 or so" }]
    ]
    for (const [message, config, env] of expected) {
      assert.deepEqual(yield* said(config, env), [`ConfigError: ${message}`, `ConfigError: ${message}`])
    }
  }))

it.effect("a value that a schema refuses is told by what it says, without the tree of the schema", () =>
  Effect.gen(function*() {
    const order = Schema.Struct({ id: Schema.Int, customer: Schema.Struct({ email: Schema.String }) })
    const decode = Schema.decodeUnknownEffect(order)
    const { alert, recorded } = yield* told(decode({ id: 7, customer: { email: 3 } }))
    assert.equal(alert.body, "SchemaError: Expected string at [\"customer\"][\"email\"]")
    assert.equal(recorded, "SchemaError: Expected string\n  at [\"customer\"][\"email\"]")
    assert.deepEqual(ownFields(alert), {})
    const { alert: both } = yield* told(
      Schema.decodeUnknownEffect(order, { errors: "all" })({ id: "7", customer: {} })
    )
    assert.equal(both.body, "SchemaError: Expected number at [\"id\"]; Missing key at [\"customer\"][\"email\"]")
  }))
