/** The messages of a child to its supervisor: their content, their length, and how torn lines are read. */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { connect } from "../../../src/cli/supervise/child.ts"
import {
  fromLine,
  maxLine,
  type Message,
  reader,
  toLine,
  toMessage,
  variable
} from "../../../src/cli/supervise/protocol.ts"
import { Alert, Hook, Params, Pipeline, type RunEvent, Step } from "../../../src/index.ts"
import { digestOf } from "../../../src/internal/alerts/digest.ts"
import { type AlertJson, toJson } from "../../../src/internal/alerts/json.ts"
import { english } from "../../../src/internal/text/alertWords.ts"
import { bytes } from "../../../src/internal/text/fit.ts"
import { makeIt } from "../../support/it.ts"
import { events } from "../../support/observe.ts"
import { forAll } from "../../support/property.ts"

const it = makeIt(test)

class LoadParams extends Params.Service<LoadParams>()("LoadParams", {
  rows: Schema.Int,
  token: Schema.Redacted(Schema.String)
}) {}

const observed = (effect: Effect.Effect<unknown, unknown>): Effect.Effect<ReadonlyArray<RunEvent.RunEvent>> =>
  Effect.suspend(() => {
    const { layer, list } = events()
    return effect.pipe(Effect.exit, Effect.provide(layer), Effect.as(list))
  })

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}

let attempts = 0

const bucket: Effect.Effect<void, Error | HttpError> = Effect.suspend(() =>
  Effect.fail(new Error(`no bucket ${++attempts}`))
)

const everything = Pipeline.make(
  "nightly",
  Step.make("load", bucket).pipe(
    Step.params(LoadParams),
    Step.annotate({ key: Redacted.make("hunter2"), big: 10n }),
    Step.retry({ times: 1 }),
    Step.hooks(Hook.named(Hook.onFailure(() => Effect.fail("no phone")), "page")),
    Step.hooks(Hook.named(Hook.onFailure(() => Effect.void), "note")),
    Step.hooks(Hook.named(Hook.onFailureTag("HttpError", (_: HttpError) => Effect.void), "http")),
    Effect.provideService(LoadParams, LoadParams.of({ rows: 3, token: Redacted.make("hunter2") }))
  )
).pipe(Pipeline.runName("nightly-7"))

it.effect("an event survives encoding and decoding, with its secrets redacted", () =>
  Effect.gen(function*() {
    const list = yield* observed(everything)
    const lines = list.map((event) => toLine(toMessage(event)))
    assert.ok(!lines.join("").includes("hunter2"))
    for (const line of lines) assert.match(line, /^[^\n]+\n$/)
    const message = lines.map((line) => fromLine(line) ?? assert.fail(`can't be read: ${line}`))
    assert.deepEqual(message.map(({ _tag }) => _tag), list.map(({ _tag }) => _tag))
    const find = <T extends Message["_tag"]>(tag: T) =>
      message.find((one): one is Extract<Message, { _tag: T }> => one._tag === tag) ?? assert.fail(`no ${tag}`)
    const started = find("StepStarted")
    const { runId } = list[0]!
    const run = { pipelineName: "nightly", runId, runName: "nightly-7", at: 0 }
    const step = { stepName: "load", stepPath: ["load"], index: 0 }
    assert.deepEqual(started, {
      _tag: "StepStarted",
      ...run,
      ...step,
      params: { LoadParams: { rows: 3, token: "<redacted>" } }
    })
    assert.match(find("AttemptFailed").cause, /^Error: no bucket 1\n/)
    const ended = find("StepEnded")
    assert.deepEqual([ended.outcome, ended.attempts], ["failure", 2])
    assert.deepEqual(ended.annotations, { key: "<redacted>", big: "10" })
    assert.match(ended.cause!, /^Error: no bucket 2\n/)
    const { cause, durationMillis, ...failed } = find("HookFailed")
    assert.match(cause, /no phone/)
    assert.ok(durationMillis >= 0)
    const hook = { ...run, hook: "page", kind: "failure", level: "step", hookIndex: 0, step }
    assert.deepEqual(failed, { _tag: "HookFailed", ...hook })
    assert.equal(find("HookEnded").hook, "note")
    assert.equal(find("HookSkipped").hook, "http")
    assert.deepEqual([find("RunEnded").outcome, find("RunEnded").hookFailures], ["failure", 1])
  }))

it.effect("the event of a pipeline's hook has no step", () =>
  Effect.gen(function*() {
    const list = yield* observed(
      Pipeline.make("nightly", Effect.void).pipe(Pipeline.hooks(Hook.onSuccess((_: void) => Effect.void)))
    )
    const [, hook] = list.map((event) => fromLine(toLine(toMessage(event))))
    assert.ok(hook?._tag === "HookEnded" && !("step" in hook))
  }))

const Texts = Schema.Struct({ name: Schema.String, cause: Schema.String, depth: Schema.Int })

it.effect("every line is within the limit, and can be decoded", () =>
  forAll(Texts, ({ cause, depth, name }) =>
    Effect.sync(() => {
      for (const times of [1, 5000]) {
        const long = name.repeat(times)
        const message: Message = {
          _tag: "StepEnded",
          pipelineName: long,
          runId: "1",
          runName: long,
          at: 0,
          stepName: long,
          stepPath: Array.from({ length: 1 + (Math.abs(depth) % 100) }, () => `${name}\u0000`.repeat(times)),
          index: 0,
          outcome: "failure",
          cause: cause.repeat(times),
          attempts: 1,
          durationMillis: 1,
          annotations: { [name]: cause.repeat(times) }
        }
        const line = toLine(message)
        assert.ok(Buffer.byteLength(line) <= maxLine, `${Buffer.byteLength(line)} bytes`)
        assert.equal(fromLine(line)?._tag, "StepEnded")
      }
    })))

const closed = toLine({ _tag: "Closed" })

const read = (...pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const list: Array<string> = []
  const take = reader(({ _tag }) => void list.push(_tag))
  for (const piece of pieces) take(piece)
  return list
}

it.effect("messages are read from lines in pieces, and torn or foreign lines are skipped", () =>
  Effect.sync(() => {
    assert.deepEqual(read(closed + closed), ["Closed", "Closed"])
    assert.deepEqual(read(...closed), ["Closed"])
    assert.deepEqual(read(closed, closed.slice(0, -2)), ["Closed"])
    assert.deepEqual(read("\n", "null\n", "{\n", "[]\n", "{\"_tag\":\"RunStarted\"}\n", "hello\n", closed), ["Closed"])
    assert.deepEqual(read(...Array.from({ length: 200 }, () => "x".repeat(10_000)), "\n", closed), ["Closed"])
  }))

it.effect("parameters may have the names of an event's own fields", () =>
  Effect.sync(() => {
    const params = { cause: 1, stepPath: 2, hook: { stepPath: {} }, nested: { params: null } }
    const info = { pipelineName: "p", runId: "1", runName: "r", at: 0 }
    const message: Message = { _tag: "StepStarted", ...info, stepName: "s", stepPath: ["s"], index: 0, params }
    assert.deepEqual(fromLine(toLine(message)), message)
  }))

it.effect("a number in the environment that is not a pipe connects to no supervisor", () =>
  Effect.sync(() => {
    for (const number of ["99", "-1", "", "1.5", "x"]) {
      process.env[variable] = number
      assert.equal(connect(), undefined)
      // processes that this one starts must not connect with it
      assert.ok(!(variable in process.env))
    }
  }))

const digest = (count: number, padding = ""): Alert =>
  digestOf(
    Array.from({ length: count }, (_, i) =>
      Alert.make({
        title: `part ${i} failed ${padding}`,
        severity: i === count - 1 ? "critical" : "error",
        body: "no such bucket",
        tags: [i % 2 === 0 ? "even" : "odd"],
        source: { pipeline: "nightly", runId: "1", runName: "nightly-7", stepPath: ["load", `part-${i}`] }
      })),
    english.digest,
    { zone: DateTime.zoneMakeOffset(0), words: english }
  )

/** Sends an alert to the supervisor, and returns it as it arrives there. */
const sent = (alert: Alert): AlertJson => {
  const line = toLine({ _tag: "AlertTaken", id: 1, by: "digest", alert: toJson(alert) })
  assert.ok(bytes(line) <= maxLine)
  const message = fromLine(line)
  return message?._tag === "AlertTaken" ? message.alert : assert.fail("it can't be read")
}

for (const count of [3, 60, 500, 5000]) {
  for (const padding of ["", "\u0000".repeat(2000)]) {
    test(`a digest of ${count} alerts${padding === "" ? "" : " with long titles"} arrives, and tells how many it lacks`, () => {
      const { combines = [], fields, severity, title } = sent(digest(count, padding))
      assert.ok(title.startsWith(`${count.toLocaleString("en")} alerts`), title)
      assert.equal(severity, "critical")
      assert.ok(combines.length > 2 && combines.some(({ severity }) => severity === "critical"))
      assert.deepEqual(
        fields.map(({ value }) => value),
        combines.length === count ? [] : [`${count - combines.length} of the ${count} alerts that this one combines`]
      )
    })
  }
}

test("of the alerts that a digest combines one of each kind arrives, however many there are of others", () => {
  const many = Array.from(
    { length: 2000 },
    (_, i) => Alert.make({ title: `row ${i}`, severity: "error", tags: ["rows"] })
  )
  const one = Alert.make({ title: "invoice", severity: "info", tags: ["billing"] })
  const { combines = [] } = sent(
    digestOf([...many, one], english.digest, { zone: DateTime.zoneMakeOffset(0), words: english })
  )
  assert.ok(combines.some(({ tags }) => tags.includes("billing")))
})

test("a recovery arrives with the failures that it is about, by which policies send it", () => {
  const failure = Alert.make({ title: "load failed", severity: "critical", tags: ["billing"] })
  const { recovers } = sent(Alert.make({ title: "load recovered", severity: "success", recovers: [failure] }))
  assert.deepEqual(recovers?.map(({ severity, tags }) => [severity, ...tags]), [["critical", "billing"]])
})
