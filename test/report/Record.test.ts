import { Effect, Fiber, Layer, Metric, Redacted, References, Schema } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { test } from "node:test"
import { Hook, Params, Pipeline, RunEvent, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"
import { canary, leaks } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { events } from "../support/observe.ts"
import { forAll } from "../support/property.ts"
import { countOf, filesIn, linesOf, readAll, step, tempFolder } from "../support/record.ts"

const it = makeIt(test)

it.live("a run has a file of its own, whose name has its time, pipeline and id", () =>
  Effect.gen(function*() {
    const folder = path.join(yield* tempFolder, "a", "runs")
    const told = events()
    const run = Pipeline.make("nightly/load 夜", Effect.andThen(step("a"), Effect.exit(step("b", Effect.fail("no")))))
    yield* run.pipe(
      Pipeline.runName("tonight"),
      Effect.provide(Report.layerRecord({ folder })),
      Effect.provide(told.layer)
    )
    const [file, ...others] = filesIn(folder)
    assert.deepEqual(others, [])
    const { runId } = told.list[0]!
    assert.match(path.basename(file!), /^\d{8}T\d{9}Z\.nightly-load-\.[0-9a-f-]{36}\.jsonl$/)
    assert.ok(file!.endsWith(`.${runId}.jsonl`))
    if (os.platform() !== "win32") {
      assert.equal(fs.statSync(file!).mode & 0o777, 0o600)
      assert.equal(fs.statSync(folder).mode & 0o777, 0o700)
    }
    const [header, ...lines] = linesOf(file!)
    const { process: recordedBy, ...names } = header as { readonly process?: { readonly pid: number } }
    // other systems do not tell whether a process is the one that was noted
    if (os.platform() === "linux") assert.equal(recordedBy?.pid, process.pid)
    assert.deepEqual(names, {
      _tag: "Record",
      version: 2,
      pipelineName: "nightly/load 夜",
      runId,
      runName: "tonight",
      at: told.list[0]!.at.epochMilliseconds
    })
    assert.ok(lines.every((line) => !("runId" in line) && !("pipelineName" in line)))
    const { events: read, skipped } = yield* readAll(file!)
    assert.deepEqual(skipped, [])
    assert.deepEqual(read, told.list.map(Report.fromRunEvent))
    const decode = Schema.decodeUnknownEffect(Report.RecordLine, { onExcessProperty: "error" })
    for (const line of [header, ...lines]) yield* decode(line)
  }))

it.live("layerRecord() writes to .epilogue/runs in the working directory, and needs no other service", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const before = process.cwd()
    yield* Effect.acquireRelease(
      Effect.sync(() => process.chdir(folder)),
      () => Effect.sync(() => process.chdir(before))
    )
    yield* Effect.provide(Pipeline.make("p", step("a")), Report.layerRecord())
    assert.equal(filesIn(path.join(folder, ".epilogue", "runs")).length, 1)
  }))

it.live("an event is in the file before the run ends", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const tags = () =>
      linesOf(filesIn(folder)[0]!).map((line) => `${line._tag} ${line.stepName ?? line.hook ?? ""}`.trim())
    const seen: Array<ReadonlyArray<string>> = []
    // read synchronously, so no timer can have written it meanwhile
    const look = Effect.sync(() => void seen.push(tags()))
    const hooked = step("a", look).pipe(Step.hooks(Hook.onSuccess(() => look).pipe(Hook.named("h"))))
    yield* Effect.provide(
      Pipeline.make("p", Effect.andThen(hooked, Effect.andThen(Effect.sleep("3 millis"), step("b", look)))),
      Report.layerRecord({ folder })
    )
    assert.deepEqual(seen, [
      ["Record", "RunStarted", "StepStarted a"],
      ["Record", "RunStarted", "StepStarted a", "StepEnded"],
      ["Record", "RunStarted", "StepStarted a", "StepEnded", "HookEnded h", "StepStarted b"]
    ])
  }))

it.live("after a burst of events, the rest is in the file a moment later", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const burst = Effect.forEach(Array.from({ length: 500 }), () => step("s"), { discard: true })
    let written = 0
    yield* Effect.provide(
      Pipeline.make(
        "p",
        Effect.gen(function*() {
          yield* burst
          yield* Effect.sleep("30 millis")
          written = countOf(linesOf(filesIn(folder)[0]!))
        })
      ),
      Report.layerRecord({ folder })
    )
    assert.equal(written, 2 + 1_000)
  }))

it.live("concurrent runs in one file do not mix, and each event is recorded once", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const told = events()
    const pause = Effect.sleep("1 millis")
    const run = (n: number) =>
      Pipeline.make(`p${n % 3}`, Effect.forEach(["a", "b", "c"], (name) => step(name, pause), { concurrency: 2 }))
    yield* Effect.forEach(Array.from({ length: 40 }, (_, n) => n), run, { concurrency: "unbounded" }).pipe(
      Effect.provide(Report.layerRecord({ file })),
      Effect.provide(told.layer)
    )
    const { events: read, skipped } = yield* readAll(file)
    assert.deepEqual(skipped, [])
    assert.deepEqual(read, told.list.map(Report.fromRunEvent))
    const [header, ...lines] = linesOf(file)
    const { process: writer, recorder, ...rest } = header
    assert.deepEqual(rest, { _tag: "Record", version: 2 })
    assert.equal(writer?.pid, process.platform === "linux" ? process.pid : writer?.pid)
    assert.ok(lines.every((line) => line.run.startsWith(`${recorder}.`)))
    assert.equal(lines.filter((line) => "pipelineName" in line).length, 40)
  }))

it.live("more concurrent runs than open files are recorded", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const run = (n: number) =>
      Pipeline.make(`p${n}`, Effect.forEach(["a", "b"], (name) => step(name, Effect.sleep("5 millis"))))
    yield* Effect.forEach(Array.from({ length: 300 }, (_, n) => n), run, { concurrency: "unbounded" }).pipe(
      Effect.provide(Report.layerRecord({ folder }))
    )
    const files = filesIn(folder)
    assert.equal(files.length, 300)
    for (const file of files) {
      assert.deepEqual(linesOf(file).map(({ _tag }) => _tag), [
        "Record",
        "RunStarted",
        "StepStarted",
        "StepEnded",
        "StepStarted",
        "StepEnded",
        "RunEnded"
      ])
    }
  }))

it.live("two layers that record to the same place record each event once", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const recording = Report.layerRecord({ folder })
    yield* Effect.provide(Pipeline.make("p", step("a")), recording).pipe(
      Effect.provide(Report.layerRecord({ folder: `${folder}/.` }))
    )
    assert.deepEqual(linesOf(filesIn(folder)[0]!).length, 5)
  }))

const Name = Schema.String
const Program = Schema.Struct({
  pipeline: Name,
  steps: Schema.Array(Schema.Struct({
    name: Name,
    inner: Schema.optionalKey(Name),
    hook: Name,
    ends: Schema.Literals(["success", "failure", "interrupt"]),
    notes: Schema.Record(Schema.String, Schema.Json)
  }))
})

const runOf = ({ pipeline, steps }: typeof Program.Type) =>
  Pipeline.make(
    // with a dot, since an empty name is a defect
    `${pipeline}.`,
    Effect.forEach(steps, ({ ends, hook, inner, name, notes }) => {
      const body = ends === "success" ? Effect.void : ends === "failure" ? Effect.fail("no") : Effect.interrupt
      const whole = inner === undefined ? body : Effect.andThen(step(`${inner}.`), body)
      return Effect.exit(
        step(`${name}.`, whole).pipe(
          Step.annotate(notes),
          Step.hooks(Hook.onExit(() => Effect.void).pipe(Hook.named(`${hook}.`))),
          Step.hooks(Hook.onStart(Effect.void))
        )
      )
    }, { discard: true })
  )

it.live("the events of a run are read as its observers are told of them, though a recorder gets no objects", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    let n = 0
    yield* forAll(Program, (program) =>
      Effect.gen(function*() {
        const file = path.join(folder, `${++n}`)
        const told = events()
        yield* Effect.exit(runOf(program)).pipe(
          Effect.provide(Report.layerRecord({ file })),
          Effect.provide(told.layer)
        )
        const { events: read } = yield* readAll(file)
        // through JSON, which has no negative zero
        assert.deepEqual(read, JSON.parse(JSON.stringify(told.list.map(Report.fromRunEvent))))
      }), 60)
  }))

class Secrets extends Params.Service<Secrets>()("Secrets", { token: Schema.Redacted(Schema.String) }) {}

it.live("a record has no secrets", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const secret = Redacted.make(canary)
    const hidden = step("a").pipe(
      Step.params(Secrets),
      Step.annotate({ deep: { secret: [secret] } }),
      Step.onSuccess(() => Effect.fail({ secret }))
    )
    yield* Effect.provide(Pipeline.make("p", hidden).pipe(Pipeline.annotate({ secret })), [
      Report.layerRecord({ folder }),
      Secrets.layer({ token: secret })
    ])
    const text = fs.readFileSync(filesIn(folder)[0]!, "utf8")
    assert.match(text, /"token":"<redacted/)
    assert.match(text, /HookFailed/)
    assert.deepEqual(leaks([text]), [])
  }))

it.live("when the layer closes in the middle of a run, all events so far are in the file", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const recording = yield* Effect.scoped(
      Effect.gen(function*() {
        const services = yield* Layer.build(Report.layerRecord({ folder }))
        const steps = Effect.forEach(Array.from({ length: 20 }), () => step("s"), { discard: true })
        const fiber = yield* Effect.forkDetach(
          Effect.provide(Pipeline.make("p", Effect.andThen(steps, Effect.never)), services),
          { startImmediately: true }
        )
        return fiber
      })
    )
    // read synchronously: closing the layer wrote all of it
    assert.equal(countOf(linesOf(filesIn(folder)[0]!)), 2 + 40)
    yield* Fiber.interrupt(recording)
    // the run outlives the layer
    assert.equal(linesOf(filesIn(folder)[0]!).at(-1)._tag, "RunEnded")
  }))

it.live("layerRecord that is provided twice records once, and keeps other observers", () =>
  Effect.gen(function*() {
    const file = path.join(yield* tempFolder, "runs.jsonl")
    const record = Report.layerRecord({ file })
    const between = events()
    yield* Pipeline.make("p", step("a")).pipe(
      Effect.provide(record),
      Effect.provide(between.layer),
      Effect.provide(record)
    )
    assert.equal(between.list.length, 4)
    assert.deepEqual((yield* readAll(file)).events, between.list.map(Report.fromRunEvent))
  }))

it.live("layerRecord combines with other observers, and without it nothing is written", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const first = events()
    const last = events()
    const run = Pipeline.make("p", step("a"))
    yield* run.pipe(
      Effect.provide(last.layer),
      Effect.provide(Report.layerRecord({ folder })),
      Effect.provide(first.layer),
      Effect.provideService(References.MinimumLogLevel, "None")
    )
    assert.equal(first.list.length, 4)
    assert.deepEqual(first.list, last.list)
    yield* Effect.provide(run, RunEvent.layer())
    assert.equal(filesIn(folder).length, 1)
  }))

it.live("a run is recorded in two places, counted, and told to an observer at once: each gets every event", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const file = path.join(folder, "all.jsonl")
    const told = events()
    const hooked = step("a").pipe(
      Step.onSuccess(() => Effect.void),
      Step.onSuccess(() => Effect.sleep(1)),
      Step.onSuccess(() => Effect.sync(() => {}))
    )
    const registry: Metric.MetricRegistry = new Map()
    yield* Pipeline.make("p", Effect.andThen(hooked, Step.make("b", hooked))).pipe(
      Effect.provide(Report.layerRecord({ file })),
      Effect.provide(Report.layerMetrics),
      Effect.provide(told.layer),
      Effect.provide(Report.layerRecord({ folder: path.join(folder, "runs") })),
      Effect.provideService(Metric.MetricRegistry, registry)
    )
    const expected = told.list.map(Report.fromRunEvent)
    assert.equal(expected.filter(({ _tag }) => _tag === "HookEnded").length, 6)
    assert.deepEqual((yield* readAll(file)).events, expected)
    assert.deepEqual((yield* readAll(filesIn(path.join(folder, "runs"))[0]!)).events, expected)
    const counted = [...registry.values()].filter(({ id }) =>
      id === "epilogue_hooks_total" || id === "epilogue_steps_total"
    )
    const context = yield* Effect.context<never>()
    const sum = counted.reduce((sum, { hooks }) => sum + hooks.get(context).count, 0)
    assert.equal(sum, 6 + 3)
  }))
