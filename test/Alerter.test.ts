import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import { TestClock, TestConsole } from "effect/testing"
import * as Tracer from "effect/Tracer"
import * as assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { test } from "node:test"
import { mailbox, onLost } from "../src/delivery/index.ts"
import {
  Alert,
  Alerter,
  AlerterError,
  AlerterErrorReason,
  Hook,
  isAlerterError,
  Pipeline,
  type Severity,
  Step,
  StepContext
} from "../src/index.ts"
import { makeIt } from "./support/it.ts"
import { setTerminal } from "./support/terminal.ts"

const it = makeIt(test)

const post = (alert: Alert | string) => Effect.flatMap(Alerter, (alerter) => alerter.post(alert))

/** Posts an alert through `Alerter.layer(fail)` and returns the error. */
const errorOf = (fail: () => Effect.Effect<unknown, unknown>, options?: { readonly channel: string }) =>
  post("hello").pipe(Effect.flip, Effect.provide(Alerter.layer(fail, options)))

// -----------------------------------------------------------------------------
// custom alerters
// -----------------------------------------------------------------------------

it.effect("Alerter.of makes an alerter from a post function", () =>
  Effect.gen(function*() {
    const posted: Array<Alert | string> = []
    const byHand = Layer.succeed(Alerter, Alerter.of({ post: (alert) => Effect.sync(() => void posted.push(alert)) }))
    yield* Effect.provide(post("hello"), byHand)
    assert.deepEqual(posted, ["hello"])
  }))

it.effect("Alerter.layer turns a string into an alert and sets the time of the post where none is set", () =>
  Effect.gen(function*() {
    const posted: Array<Alert> = []
    const layer = Alerter.layer((alert) => Effect.sync(() => posted.push(alert)))
    yield* TestClock.setTime(1_000)
    const before = DateTime.makeUnsafe(5)
    yield* Effect.all([
      post("hello"),
      post(Alert.make({ title: "t", body: "b" })),
      post(Alert.make({ title: "u", at: before }))
    ])
      .pipe(Effect.provide(layer))
    assert.ok(posted.every((alert) => alert instanceof Alert))
    assert.deepEqual(posted.map(({ at, body, title }) => [title, body, at!.epochMilliseconds]), [
      ["hello", undefined, 1_000],
      ["t", "b", 1_000],
      ["u", undefined, 5]
    ])
  }))

it.effect("Alerter.layer takes what is no severity for an error, so that nobody misses it", () =>
  Effect.gen(function*() {
    const posted: Array<Alert> = []
    const layer = Alerter.layer((alert) => Effect.sync(() => posted.push(alert)))
    yield* Effect.provide(post(Alert.make({ title: "t", severity: "warn" as Severity })), layer)
    assert.deepEqual(posted.map(({ severity }) => severity), ["error"])
  }))

it.effect("Alerter.layer reads the clock when the post runs, not when its Effect is constructed", () =>
  Effect.gen(function*() {
    const posted: Array<number> = []
    const layer = Alerter.layer((alert) => Effect.sync(() => posted.push(alert.at!.epochMilliseconds)))
    yield* Effect.gen(function*() {
      const made = (yield* Alerter).post("hello")
      yield* TestClock.adjust("1 second")
      yield* made
      yield* TestClock.adjust("1 second")
      yield* made
    }).pipe(Effect.provide(layer))
    assert.deepEqual(posted, [1_000, 2_000])
  }))

it.effect("Alerter.layer turns a failure, a defect or a throw into an AlerterError without URLs", () =>
  Effect.gen(function*() {
    const url = "https://hooks.example.com/services/T0/B0/canary?token=canary#canary"
    const failures: ReadonlyArray<readonly [() => Effect.Effect<unknown, unknown>, string]> = [
      [() => Effect.fail(new Error(`POST ${url} failed`)), "POST <url> failed"],
      [() => Effect.fail(`POST "${url}": 500`), `POST "<url>": 500`],
      [() => Effect.fail({ url }), "{\"url\":\"<url>\"}"],
      [() => Effect.die(new TypeError(`${url} is down`)), "<url> is down"],
      [() => Effect.fail(new Error(`(${url.toUpperCase()}) and wss://user:canary@host/x`)), "(<url>) and <url>"],
      [() => {
        throw new Error(`thrown at ${url}`)
      }, "thrown at <url>"]
    ]
    for (const [fail, detail] of failures) {
      const error = yield* errorOf(fail)
      assert.ok(isAlerterError(error))
      assert.equal(error.channel, "custom")
      assert.deepEqual({ ...error.reason }, { _tag: "Rejected", detail })
      assert.equal(error.message, `custom: the alert was rejected: ${detail}`)
      assert.doesNotMatch(Cause.pretty(Cause.fail(error)), /canary/i)
    }
    assert.equal((yield* errorOf(() => Effect.fail("no"), { channel: "pager" })).channel, "pager")
  }))

it.effect("the log of a hook that could not post lists no frames of the library", () =>
  Effect.gen(function*() {
    const refused = new AlerterError({
      channel: "pager",
      reason: AlerterErrorReason.Unreachable({ detail: "ENOTFOUND" })
    })
    assert.equal(Cause.pretty(Cause.fail(refused)), "AlerterError: pager: could not be reached: ENOTFOUND")
    const error = yield* errorOf(() => Effect.fail(new Error("no route")))
    assert.equal(error.stack, `AlerterError: ${error.message}`)
  }))

it.effect("Alerter.layer passes an AlerterError on unchanged, also where it was a defect", () =>
  Effect.gen(function*() {
    const error = new AlerterError({ channel: "pager", reason: AlerterErrorReason.RateLimited({}) })
    assert.equal(yield* errorOf(() => Effect.fail(error)), error)
    assert.equal(yield* errorOf(() => Effect.die(error)), error)
  }))

it.effect("Alerter.layer keeps an interruption of the post an interruption", () =>
  Effect.gen(function*() {
    const inside = yield* Effect.exit(Effect.provide(post("hello"), Alerter.layer(() => Effect.interrupt)))
    assert.ok(Exit.isFailure(inside) && Cause.hasInterruptsOnly(inside.cause))

    let finalized = false
    const hanging = Alerter.layer(() =>
      Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (finalized = true)))
    )
    const fiber = yield* Effect.forkChild(Effect.provide(post("hello"), hanging), { startImmediately: true })
    yield* Fiber.interrupt(fiber)
    const outside = yield* Fiber.await(fiber)
    assert.ok(Exit.isFailure(outside) && Cause.hasInterruptsOnly(outside.cause))
    assert.ok(finalized)
  }))

it.effect("an alerter that waited for something that was interrupted has failed, and says so", () =>
  Effect.gen(function*() {
    const alerter = Alerter.layer(() =>
      Effect.gen(function*() {
        const queue = yield* Queue.unbounded<string>()
        yield* Queue.shutdown(queue)
        return yield* Queue.take(queue)
      }), { channel: "pager" })
    const failed = "pager: the alert was rejected: what it waited for was interrupted"
    assert.equal((yield* Effect.flip(Effect.provide(post("hello"), alerter))).message, failed)
    const lost: Array<string> = []
    const kept = alerter.pipe(mailbox(), onLost((_, { message }) => Effect.sync(() => lost.push(message))))
    yield* Effect.exit(Effect.provide(post("hello"), kept))
    assert.deepEqual(lost, [failed])
  }))

it.effect("post uses the services of the layer, not those of its caller", () =>
  Effect.gen(function*() {
    class Channel extends Context.Service<Channel, { readonly name: string }>()("Channel") {}
    const posted: Array<string> = []
    const layer = Alerter.layer((alert) => Effect.map(Channel, ({ name }) => posted.push(`${name}: ${alert.title}`)))
      .pipe(
        Layer.provide(Layer.succeed(Channel, { name: "of the layer" }))
      )
    yield* post("hello").pipe(Effect.provideService(Channel, { name: "of the caller" }), Effect.provide(layer))
    assert.deepEqual(posted, ["of the layer: hello"])
  }))

test("each AlerterErrorReason has a message", () => {
  const R = AlerterErrorReason
  const message = (reason: AlerterErrorReason) => new AlerterError({ channel: "c", reason }).message
  assert.deepEqual(
    [
      R.Unauthorized({}),
      R.Unauthorized({ detail: "expired" }),
      R.RateLimited({}),
      R.RateLimited({ retryAfter: Duration.seconds(5) }),
      R.Rejected({ detail: "too long" }),
      R.Rejected({ detail: "", status: 400 }),
      R.Unreachable({}),
      R.Unreachable({ detail: "ECONNREFUSED" }),
      R.TimedOut({}),
      R.TimedOut({ limit: Duration.seconds(5) }),
      R.InvalidAlert({ detail: "no title" })
    ].map(message),
    [
      "c: the credentials were not accepted",
      "c: the credentials were not accepted: expired",
      "c: too many alerts",
      "c: too many alerts, the next may come in 5 s",
      "c: the alert was rejected: too long",
      "c: the alert was rejected (400)",
      "c: could not be reached",
      "c: could not be reached: ECONNREFUSED",
      "c: no answer in time",
      "c: no answer within 5 s",
      "c: the alert can't be sent: no title"
    ]
  )
  assert.equal(isAlerterError({ _tag: "AlerterError" }), false)
})

it.effect("Alerter.layerNone drops alerts and prints nothing", () =>
  Effect.gen(function*() {
    assert.equal(yield* Effect.provide(post("hello"), Alerter.layerNone), undefined)
    assert.deepEqual(yield* TestConsole.logLines, [])
    assert.deepEqual(yield* TestConsole.errorLines, [])
  }))

// -----------------------------------------------------------------------------
// Alerter.layerConsole
// -----------------------------------------------------------------------------

const full = Alert.make({
  title: "etl › load failed",
  body: "Error: no such file\nsecond line",
  severity: "error",
  fields: { pipeline: "etl", run: "etl-1", note: "one\ntwo" },
  detail: "Error: no such file\n    at load (etl.ts:1:1)"
})

const plainText = `✗ ERROR etl › load failed 1970-01-01T00:00:00.000Z
  Error: no such file
  second line
  pipeline  etl
  run       etl-1
  note      one
            two
  │ Error: no such file
  │     at load (etl.ts:1:1)`

/** Posts an alert to `Alerter.layerConsole`, with standard output posing as a terminal or not, and returns the printed text. */
const printed = (alert: Alert | string, options: { readonly tty: boolean; readonly noColor?: string }) =>
  setTerminal("stdout", options.tty, { NO_COLOR: options.noColor }).pipe(
    Effect.andThen(Effect.provide(post(alert), Alerter.layerConsole)),
    Effect.andThen(TestConsole.logLines),
    Effect.map((lines) => lines.map(String).join("\n")),
    Effect.scoped
  )

it.effect("layerConsole prints without colours where standard output is not a terminal", () =>
  Effect.gen(function*() {
    assert.equal(yield* printed(full, { tty: false }), plainText)
  }))

it.effect("layerConsole prints an alert that has only a title on one line", () =>
  Effect.gen(function*() {
    assert.equal(yield* printed("hello", { tty: false }), "i INFO hello 1970-01-01T00:00:00.000Z")
  }))

it.effect("layerConsole prints in colour on a terminal", () =>
  Effect.gen(function*() {
    const text = yield* printed(full, { tty: true })
    assert.ok(
      text.startsWith("\u001b[31m✗ ERROR\u001b[0m \u001b[1metl › load failed\u001b[0m \u001b[2m1970"),
      JSON.stringify(text)
    )
    // oxlint-disable-next-line no-control-regex -- strips the escape sequences of colours
    assert.equal(text.replace(/\u001b\[\d+m/g, ""), plainText)
  }))

it.effect("layerConsole prints without colours on a terminal where NO_COLOR is set and not empty", () =>
  Effect.gen(function*() {
    assert.equal(yield* printed(full, { tty: true, noColor: "1" }), plainText)
  }))

it.effect("layerConsole prints in colour on a terminal where NO_COLOR is empty", () =>
  Effect.gen(function*() {
    assert.ok((yield* printed(full, { tty: true, noColor: "" })).includes("\u001b[31m"))
  }))

for (const severity of ["info", "success", "warning", "error", "critical"] as const) {
  it.effect(`layerConsole writes the severity ${severity} as a word, so that it does not depend on colour`, () =>
    Effect.gen(function*() {
      const text = yield* printed(Alert.make({ title: "t", severity }), { tty: false })
      assert.ok(text.includes(severity.toUpperCase()))
    }))
}

const hostile = "\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u009b2J \u0000\b\u007f\r\u001b[2K end"

for (const tty of [true, false]) {
  it.effect(`layerConsole shows control characters in every text of an alert, and obeys none (${tty ? "terminal" : "not a terminal"})`, () =>
    Effect.gen(function*() {
      const alert = Alert.make({
        title: hostile,
        body: hostile,
        fields: [{ name: hostile, value: hostile }],
        detail: hostile
      })
      const text = yield* printed(alert, { tty })
      // oxlint-disable-next-line no-control-regex -- strips the escape sequences that layerConsole itself writes
      const ours = text.replace(/\u001b\[(0|1|2|36)m/g, "")
      // oxlint-disable-next-line no-control-regex -- looks for control characters
      assert.doesNotMatch(ours, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
      assert.equal(text.includes("\u001b[31m"), false)
      assert.equal(text.includes("\u001b[2K"), false)
      assert.equal(text.match(/end/g)!.length, 5)
      assert.equal(text.match(/red \\u\{1b\}\]0;title\\u\{7\} \\u\{9b\}2J/g)!.length, 5)
    }))
}

it.effect("layerConsole prints titles and field names on one line, so that a line break cannot fake another alert", () =>
  Effect.gen(function*() {
    const alert = Alert.make({ title: "one\r\n✓ SUCCESS two", fields: { "a\n✓ SUCCESS b": "c" } })
    assert.deepEqual((yield* printed(alert, { tty: false })).split("\n"), [
      "i INFO one\\u{d}\\u{a}✓ SUCCESS two 1970-01-01T00:00:00.000Z",
      "  a\\u{a}✓ SUCCESS b  c"
    ])
  }))

// -----------------------------------------------------------------------------
// layerConsole in a child process
// -----------------------------------------------------------------------------

const script = `
import * as Effect from "effect/Effect"
import { Alert, Alerter } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)}
await Effect.runPromise(Effect.flatMap(Alerter, (alerter) =>
  alerter.post(Alert.make({ title: "hello", severity: "success" }))).pipe(Effect.provide(Alerter.layerConsole)))
`

test("layerConsole prints without colours to standard output where that is a pipe", () => {
  const args = "Bun" in globalThis ? ["-e", script] : ["--input-type=module", "-e", script]
  const child = spawnSync(process.execPath, args, {
    cwd: new URL("..", import.meta.url),
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "" }
  })
  assert.equal(child.stderr, "")
  assert.match(child.stdout, /^✓ SUCCESS hello \d{4}-\d\d-\d\dT[\d:.]+Z\n$/)
})

it.effect("post runs with the span, the log annotations and the step context of its caller", () =>
  Effect.gen(function*() {
    const seen: Array<unknown> = []
    const layer = Alerter.layer(() =>
      Effect.gen(function*() {
        const annotations = yield* References.CurrentLogAnnotations
        const span = yield* Effect.serviceOption(Tracer.ParentSpan)
        const context = yield* Effect.serviceOption(StepContext)
        seen.push([annotations, Option.getOrUndefined(span), Option.map(context, (c) => c.stepName)])
      })
    )
    const external = Tracer.externalSpan({ spanId: "1", traceId: "2" })
    const inner = Step.make("inner", Effect.void).pipe(
      Step.onSuccess(() => post("hello")),
      Effect.annotateLogs("request", "inner"),
      Effect.withParentSpan(external)
    )
    // the layer is built inside the outer step, whose context the posts must not see
    const outer = Step.make("outer", Effect.provide(inner, layer))
    yield* outer.pipe(Effect.annotateLogs("request", "outer"))
    yield* post("outside").pipe(Effect.provide(layer))
    assert.deepEqual(seen, [
      [{ request: "inner" }, external, Option.some("inner")],
      [{}, undefined, Option.none()]
    ])
  }))

it.effect("a step that an alerter evaluates while a hook posts does not inherit the pipeline's hooks", () =>
  Effect.gen(function*() {
    let inherited = 0
    const layer = Alerter.layer(() => Step.make("post", Effect.void))
    yield* Pipeline.make(
      "p",
      Step.make("s", Effect.void).pipe(Step.onSuccess(() => post("x")), Effect.provide(layer))
    ).pipe(Pipeline.stepHooks(Hook.onSuccess(() => Effect.sync(() => inherited++))))
    assert.equal(inherited, 0)
  }))
