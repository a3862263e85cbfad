import { Cause, DateTime, Duration, Effect, Exit, type Layer, Schema, Stream } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as path from "node:path"
import { test } from "node:test"
import { Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { forAll } from "../support/property.ts"
import { filesIn, linesOf, readAll, tempFolder } from "../support/record.ts"

const it = makeIt(test)

/** Makes the `RunEvent` from which `Report.fromRunEvent` makes the given event. */
const toRunEvent = (event: Report.Event): RunEvent.RunEvent => {
  // all events of a run have the same names
  const run = { pipelineName: `p ${event.runId}`, runId: event.runId, runName: `n ${event.runId}` }
  const exit = "cause" in event && event.cause !== undefined ? Exit.die(new Error(event.cause)) : Exit.succeed(1)
  return {
    params: {},
    annotations: {},
    parent: undefined,
    total: undefined,
    step: undefined,
    ...event,
    ...run,
    at: DateTime.makeUnsafe(new Date(Math.abs(Math.trunc(event.at % 4e12)))),
    duration: Duration.millis("durationMillis" in event ? event.durationMillis : 0),
    delay: Duration.millis("delayMillis" in event ? event.delayMillis : 0),
    elapsed: Duration.millis("elapsedMillis" in event ? event.elapsedMillis : 0),
    limit: Duration.millis("limitMillis" in event ? event.limitMillis : 0),
    deadline: "deadline" in event && event.deadline !== undefined
      ? DateTime.makeZonedUnsafe(0, { timeZone: "UTC" })
      : undefined,
    postedAt: DateTime.makeUnsafe("postedAt" in event ? Math.abs(Math.trunc(event.postedAt % 4e12)) : 0),
    exit,
    cause: Exit.isFailure(exit) ? exit.cause : Cause.fail("no")
  } as unknown as RunEvent.RunEvent // what an event has too much is not looked at
}

/** Whether an event is one that a run emits, and not one that a record alone has. */
const isOfRun = ({ _tag }: Report.Event): boolean =>
  _tag !== "RunCrashed" && _tag !== "RunSuspended" && _tag !== "ClockChanged" && _tag !== "AlertsOmitted"

/** Passes events to a recorder as a run does. */
const record = (layer: Layer.Layer<never, Report.RecordError>, events: ReadonlyArray<RunEvent.RunEvent>) =>
  Effect.provide(
    Effect.map(RunEvent.Observers, (observers) => {
      for (const event of events) for (const observer of observers) observer(event)
    }),
    layer
  )

it.live("read returns any events as they were recorded, from a file of several runs and from a file of one", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    let n = 0
    yield* forAll(Schema.Array(Report.Event), (some) =>
      Effect.gen(function*() {
        const file = path.join(folder, `${++n}.jsonl`)
        const events = some.filter(isOfRun).map(toRunEvent)
        // through JSON, which has no negative zero
        const expected = (events: ReadonlyArray<RunEvent.RunEvent>) =>
          JSON.parse(JSON.stringify(events.map(Report.fromRunEvent)))
        yield* record(Report.layerRecord({ file }), events)
        const read = yield* readAll(file)
        assert.deepEqual(read.skipped, [])
        assert.deepEqual(read.events.filter(isOfRun), expected(events))
        const own = path.join(folder, `${n}`)
        const ofOne = events.map((event) => ({ ...event, pipelineName: "p", runId: "id", runName: "name" }))
        yield* record(Report.layerRecord({ folder: own }), ofOne)
        assert.equal(filesIn(own).length, events.length === 0 ? 0 : 1)
        for (const file of filesIn(own)) {
          assert.deepEqual((yield* readAll(file)).events.filter(isOfRun), expected(ofOne))
        }
      }), 100)
  }))

const recorded = (file: string) =>
  Effect.provide(
    Pipeline.make("p", Effect.andThen(Step.make("a", Effect.void), Step.make("b", Effect.void))),
    Report.layerRecord({ file })
  )

it.live("read skips a torn line at the end, and before the lines of a process that continued the file", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    yield* recorded(file)
    const whole = yield* readAll(file)
    const bytes = fs.readFileSync(file)
    const last = bytes.lastIndexOf(10, bytes.length - 2) + 1
    // torn at any place
    for (let end = last + 1; end < bytes.length - 1; end += 3) {
      fs.writeFileSync(file, bytes.subarray(0, end))
      const cut = yield* readAll(file)
      assert.deepEqual(cut.events, whole.events.slice(0, -1))
      assert.deepEqual(cut.skipped, [{ line: 7, reason: "torn", events: 1 }])
      yield* recorded(file)
      const gone = yield* readAll(file)
      assert.equal(gone.events.length, 5 + 6)
      assert.deepEqual(gone.skipped, cut.skipped)
    }
    // a line that lacks only its line end can be read
    fs.writeFileSync(file, bytes.subarray(0, -1))
    assert.deepEqual(yield* readAll(file), whole)
  }))

it.live("read accepts a record whose first header was torn", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const header = `{"_tag":"Record","version":2,"pipelineName":"p"}`
    for (let end = 0; end < header.length; end++) {
      fs.writeFileSync(file, header.slice(0, end))
      const { events, skipped } = yield* readAll(file)
      assert.deepEqual([events, skipped.length], [[], end === 0 ? 0 : 1])
      yield* recorded(file)
      assert.equal((yield* readAll(file)).events.length, 6)
    }
  }))

it.live("read logs a warning about skipped lines at the end, unless onSkipped is given", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    yield* recorded(file)
    fs.appendFileSync(
      file,
      `{"_tag":"StepEn\n{"_tag":"Moved","runId":"x"}\n\n5\n{"_tag":"StepStarted","at":"noon"}\n{"_tag":"Lost","events":7}\n`
    )
    const logged = logs()
    const events = yield* Effect.provide(Stream.runCollect(Report.read(file)), logged.layer)
    assert.equal(events.length, 6)
    assert.deepEqual(logged.list.map(({ level, message }) => [level, message]), [
      ["Warn", `${file}: events are left out: 2 torn, 2 unknown, 7 lost`]
    ])
    const { skipped } = yield* readAll(file)
    assert.deepEqual(skipped, [
      { line: 8, reason: "torn", events: 1 },
      { line: 9, reason: "unknown", events: 1 },
      { line: 11, reason: "torn", events: 1 },
      { line: 12, reason: "unknown", events: 1 },
      { line: 13, reason: "lost", events: 7 }
    ])
  }))

it.live("read drops fields of events that a later version added", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    yield* recorded(file)
    const before = yield* readAll(file)
    const lines = linesOf(file).map((line) => JSON.stringify({ ...line, colour: "blue", at: line.at ?? 1 }))
    fs.writeFileSync(file, `${lines.join("\n")}\n`)
    assert.deepEqual(yield* readAll(file), before)
  }))

it.live("read fails on a record of another version, on other files and on a missing one", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "runs.jsonl")
    const failure = (text?: string) => {
      if (text !== undefined) fs.writeFileSync(file, text)
      return Effect.map(Effect.flip(Stream.runDrain(Report.read(file))), (error) => {
        assert.equal(error.path, file)
        return [{ ...error.reason }, error.message.replace(file, "FILE")]
      })
    }
    assert.deepEqual(yield* failure(), [
      { _tag: "Inaccessible", operation: "open", code: "ENOENT" },
      "can't open FILE: ENOENT"
    ])
    for (const [found, which] of [[1, "an earlier"], [3, "a later"]] as const) {
      assert.deepEqual(yield* failure(`{"_tag":"Record","version":${found},"shape":[]}\n`), [
        { _tag: "OtherVersion", line: 1, expected: 2, found },
        `FILE:1: this record has version ${found} of the format, and version 2 is expected: it was written by ${which} ` +
        "version of effect-epilogue"
      ])
    }
    const none = (line: number, expected = `a line that begins with {"_tag":"Record","version":`) => [
      { _tag: "NotARecord", line, expected },
      `FILE:${line}: this is no record of a run: expected ${expected}`
    ]
    for (const text of ["hello\n", "hello", `{"_tag":"StepStarted"}\n`, "[]\n", "7\n", "\u0000\u0001"]) {
      assert.deepEqual(yield* failure(text), none(1))
    }
    assert.deepEqual(yield* failure("\n\nhello\n"), none(3))
    for (const version of [`"2"`, "0", "-1", "null"]) {
      assert.deepEqual(yield* failure(`{"_tag":"Record","version":${version}}\n`), none(1, "a header of version 2"))
    }
    // a process of a later version continued the file
    yield* Effect.andThen(Effect.sync(() => fs.rmSync(file)), recorded(file))
    fs.appendFileSync(file, `{"_tag":"Record","version":3}\n`)
    assert.deepEqual((yield* failure())[0], { _tag: "OtherVersion", line: 8, expected: 2, found: 3 })
    assert.match(String((yield* Effect.flip(Stream.runDrain(Report.read(folder)))).message), /EISDIR/)
  }))

it.live("read decodes long lines and multi-byte characters across the borders of chunks", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const name = (n: number) => "夜🔥é".repeat(n)
    const lengths = [1, 100, 5_000, 20_000, 7, 200_000, 3]
    yield* Effect.provide(
      Pipeline.make("p", Effect.forEach(lengths, (n) => Step.make(name(n), Effect.void))),
      Report.layerRecord({ file })
    )
    const { events, skipped } = yield* readAll(file)
    assert.deepEqual(skipped, [])
    assert.deepEqual(
      events.flatMap((event) => event._tag === "StepEnded" ? [event.stepName] : []),
      lengths.map(name)
    )
  }))

it.live("read takes constant memory for 100,000 events", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const steps = 50_000
    const step = Step.make("step", Effect.void)
    yield* Effect.provide(
      Pipeline.make(
        "p",
        Effect.gen(function*() {
          for (let i = 0; i < steps; i++) yield* step
        })
      ),
      Report.layerRecord({ file })
    )
    const heap = () => {
      globalThis.Bun?.gc(true)
      return process.memoryUsage().heapUsed / 2 ** 20
    }
    let events = 0
    let most = 0
    const before = heap()
    yield* Stream.runForEach(Report.read(file), () =>
      Effect.sync(() => {
        if (++events % 10_000 === 0) most = Math.max(most, heap() - before)
      }))
    assert.equal(events, 2 * steps + 2)
    // all events at once take several times that
    assert.ok(most < 16, `${most} MB`)
    // a stream of which only a few events are taken
    const few = yield* Stream.runCollect(Stream.take(Report.read(file), 3))
    assert.deepEqual(few.map(({ _tag }) => _tag), ["RunStarted", "StepStarted", "StepEnded"])
  }))

it.live("a record that is larger than maxBytes is refused before it is read", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "large.jsonl")
    fs.writeFileSync(file, `{"_tag":"Record","version":2}\n`)
    const reason = (options?: Report.ReadOptions) =>
      Effect.map(Effect.flip(Stream.runDrain(Report.read(file, options))), ({ reason }) => ({ ...reason }))
    assert.deepEqual(yield* reason({ maxBytes: 10 }), { _tag: "TooLarge", size: 30, limit: 10 })
    fs.truncateSync(file, 2 ** 40)
    assert.deepEqual(yield* reason(), { _tag: "TooLarge", size: 2 ** 40, limit: 256 * 2 ** 20 })
  }))
