/** Tests what people are told of errors that hold others, and of values that are no errors. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Alert, AlerterHooks, Hook, Pipeline, Step } from "../src/index.ts"
import { TestAlerter } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"
import { told } from "./support/told.ts"

const it = makeIt(test)

class ReadError extends Data.TaggedError("ReadError")<{ readonly status?: number; readonly cause?: unknown }> {}

class LoadError extends Data.TaggedError("LoadError")<{ readonly reason: unknown }> {}

class Refused extends Data.TaggedError("Refused")<{ readonly message: string; readonly cause: unknown }> {}

/** As that of effect: its name is an identifier, its message that of its reason, and so is its cause. */
class SqlError extends Schema.TaggedError<SqlError>("effect/sql/SqlError")("SqlError", { reason: Schema.Any }) {
  override readonly cause = this.reason
  override get message(): string {
    return this.reason.message
  }
}

/** Makes the error of a block whose resources could not be disposed, as compilers do where the runtime has none. */
const suppressed = (first: unknown, then: unknown): Error =>
  Object.assign(new Error("An error was suppressed during disposal."), {
    name: "SuppressedError",
    error: then,
    suppressed: first
  })

for (
  const [what, error, body] of [
    ["an error in a field is told by its fields", new LoadError({ reason: new ReadError({ status: 503 }) }), [
      "LoadError: reason ReadError: status 503"
    ]],
    [
      "an error in a field is told by its cause",
      new LoadError({ reason: new ReadError({ cause: new Error("no disk") }) }),
      ["LoadError: reason ReadError: cause Error: no disk"]
    ],
    [
      "an error in a field of an error in a field is told",
      new LoadError({ reason: new LoadError({ reason: new ReadError({ status: 7 }) }) }),
      ["LoadError: reason LoadError: reason ReadError: status 7"]
    ],
    [
      "an error that has the message of the error in its field is told by the cause of that",
      new SqlError({ reason: new Refused({ message: "Pg: Failed to connect", cause: new Error("no route to db") }) }),
      ["SqlError: Pg: Failed to connect: no route to db", "[cause]: Error: no route to db"]
    ],
    [
      "an error that says only what failed is told with its cause",
      new Error("Failed to load prices", { cause: new ReadError({ status: 503 }) }),
      ["Error: Failed to load prices: ReadError: status 503", "[cause]: ReadError: status 503"]
    ],
    [
      "an error of Promise.any is told with its first member",
      new AggregateError([new Error("no route to a"), new Error("no route to b")], "All promises were rejected"),
      [
        "AggregateError: All promises were rejected: no route to a",
        "[1 of 2]: Error: no route to a",
        "[2 of 2]: Error: no route to b"
      ]
    ],
    [
      "an AggregateError without a message is told by its first member",
      Object.assign(new AggregateError([new Error("connect ::1"), new Error("connect 127.0.0.1")]), {
        code: "REFUSED"
      }),
      [
        "AggregateError: code REFUSED; connect ::1",
        "[1 of 2]: Error: connect ::1",
        "[2 of 2]: Error: connect 127.0.0.1"
      ]
    ],
    [
      "the error that another has suppressed is told first",
      suppressed(new Error("query failed"), new Error("close failed")),
      ["SuppressedError: query failed", "[1 of 2]: Error: query failed", "[2 of 2]: Error: close failed"]
    ],
    ["a Cause that was taken for an error is told as its error", Cause.fail(new Error("no disk")), ["Error: no disk"]],
    [
      "all errors of a Cause that was taken for an error are told",
      Cause.combine(Cause.fail("no disk"), Cause.die("no net")),
      [
        "AggregateError: no disk",
        "[1 of 2]: no disk",
        "[2 of 2]: no net"
      ]
    ],
    ["a Cause of an interruption that was taken for an error is told", Cause.interrupt(7), ["interrupted"]],
    ["a response of HTTP is told by its status", new Response("", { status: 503 }), ["<Response 503>"]],
    ["an object without properties is told by its class", Promise.resolve(), ["<Promise>"]],
    ["bytes that are text are told as text", new LoadError({ reason: new TextEncoder().encode("disk full") }), [
      "LoadError: reason disk full"
    ]],
    ["bytes that are no text are counted", new LoadError({ reason: new Uint8Array([0, 255, 1]) }), [
      "LoadError: reason <3 bytes>"
    ]]
  ] as ReadonlyArray<readonly [string, unknown, readonly [string, ...ReadonlyArray<string>]]>
) {
  it.effect(what, () =>
    Effect.map(told(Effect.fail(error)), ({ alert, recorded }) => {
      assert.equal(alert.body, body[0])
      for (const line of body) assert.ok(recorded.includes(line), recorded)
    }))
}

it.effect("the text of an alert has a message of JSON on one line, and why a required hook failed", () =>
  Effect.gen(function*() {
    const issues = JSON.stringify([{ path: ["a"], message: "Required" }], null, 2)
    const invalid = yield* told(Effect.fail(Object.assign(new Error(issues), { name: "ZodError" })))
    assert.equal(invalid.alert.body, "ZodError: [ { \"path\": [ \"a\" ], \"message\": \"Required\" } ]")
    const upload = Hook.onSuccess(() => Effect.fail(new ReadError({ status: 507 }))).pipe(
      Hook.named("upload"),
      Hook.required
    )
    const [alert] = yield* Step.make("load", Effect.void).pipe(
      Step.hooks(upload),
      Step.hooks(AlerterHooks.failure),
      Effect.exit,
      Effect.andThen(TestAlerter.sent),
      Effect.provide(TestAlerter.layer)
    )
    const failed = "HookError: required hook \"upload\" (success) of \"load\" failed"
    assert.equal(alert!.body, `${failed}: ReadError: status 507`)
  }))

it.effect("an error of disposal is alerted though the error that it suppresses has been", () =>
  Effect.gen(function*() {
    const inner = Step.make("query", Effect.fail(new Error("query failed")))
    const outer = Step.make(
      "load",
      Effect.catch(inner, (error) => Effect.fail(suppressed(error, new Error("close failed"))))
    )
    const alerts = yield* Pipeline.make("nightly", outer).pipe(
      Pipeline.stepHooks(AlerterHooks.failure),
      Effect.exit,
      Effect.andThen(TestAlerter.sent),
      Effect.provide(TestAlerter.layer)
    )
    assert.deepEqual(alerts.map(({ title }) => title), ["nightly › load › query failed", "nightly › load failed"])
    assert.match(alerts[1]!.detail!, /\[2 of 2\]: Error: close failed/)
  }))

for (
  const [what, adjust] of [
    ["throws", (alert) => JSON.parse(alert.title)],
    ["returns nothing", () => undefined],
    ["returns a promise", (alert) => Promise.resolve(alert)]
  ] as ReadonlyArray<readonly [string, (alert: Alert) => unknown]>
) {
  it.effect(`a failure is alerted though the function of failureWith ${what}`, () =>
    Effect.gen(function*() {
      const alerts = yield* Step.make("load", Effect.fail(new Error("no disk"))).pipe(
        Step.hooks(AlerterHooks.failureWith(adjust as (alert: Alert) => Alert)),
        Effect.exit,
        Effect.andThen(TestAlerter.sent),
        Effect.provide(TestAlerter.layer)
      )
      assert.deepEqual(alerts.map(({ body, title }) => [title, body]), [["load failed", "Error: no disk"]])
      assert.match(alerts[0]!.fields.find(({ name }) => name === "failureWith")!.value, /^(Syntax|Type)Error: /)
    }))
}

it.effect("a defect that was stored without its stack is told without the frames of what has decoded it", () =>
  Effect.gen(function*() {
    const stored = yield* Effect.sync(() =>
      Schema.decodeSync(Schema.Defect())({ name: "TypeError", message: "no rows" })
    )
    assert.equal((yield* told(Effect.die(stored))).recorded, "TypeError: no rows")
  }))
