import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { describe, expect, test } from "tstyche"
import { minSeverity } from "../../src/delivery/index.ts"
import { Alert, type Alerter, type Pipeline, type RunEvent, Step, StepContext } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"

declare const alerter: Layer.Layer<Alerter, "setup", "Http">
declare const event: RunEvent.RunEvent
declare const events: ReadonlyArray<Report.Event>
declare const job: Pipeline.Pipeline<number, "bad", "Db">

describe("observers", () => {
  test("are layers without requirements, and only layerRecord can fail", () => {
    expect(Report.layerProgress()).type.toBe<Layer.Layer<never>>()
    expect(Report.layerProgress({ mode: "plain", stream: "stdout" })).type.toBe<Layer.Layer<never>>()
    expect(Report.layerMetrics).type.toBe<Layer.Layer<never>>()
    expect(Report.layerRecord()).type.toBe<Layer.Layer<never, Report.RecordError>>()
    expect(Report.layerRecord({ file: "run.jsonl" })).type.toBe<Layer.Layer<never, Report.RecordError>>()
  })

  test("an unknown mode or stream does not compile", () => {
    expect(Report.layerProgress).type.not.toBeCallableWith({ mode: "fancy" })
    expect(Report.layerProgress).type.not.toBeCallableWith({ stream: "stdin" })
  })

  test("add no requirements to a pipeline, and only the error of layerRecord", () => {
    expect(Effect.provide(job, Report.layerProgress())).type.toBe<Effect.Effect<number, "bad", "Db">>()
    expect(Effect.provide(job, Report.layerRecord())).type.toBe<
      Effect.Effect<number, "bad" | Report.RecordError, "Db">
    >()
  })
})

describe("records", () => {
  test("are read as a stream of events and listed as an array", () => {
    expect(Report.read("run.jsonl")).type.toBe<Stream.Stream<Report.Event, Report.RecordError>>()
    expect(Report.list()).type.toBe<Effect.Effect<ReadonlyArray<Report.Recorded>, Report.RecordError>>()
    expect(Report.find("7f6c")).type.toBe<Effect.Effect<Report.Recorded, Report.RecordError>>()
    expect(Report.prune({ keep: 20 })).type.toBe<Effect.Effect<ReadonlyArray<Report.Recorded>, Report.RecordError>>()
  })

  test("a recorder keeps runs of a folder, and never parts of one file", () => {
    expect(Report.layerRecord({ folder: "runs", keep: { runs: 200, age: "30 days" } })).type.toBe<
      Layer.Layer<never, Report.RecordError>
    >()
    expect(Report.layerRecord).type.not.toBeCallableWith({ file: "run.jsonl", keep: 200 })
    expect(Report.layerRecord).type.not.toBeCallableWith({ file: "run.jsonl", folder: "runs" })
  })

  test("prune without anything to keep does not compile", () => {
    expect(Report.prune).type.not.toBeCallableWith()
    expect(Report.prune).type.not.toBeCallableWith({ folder: "runs" })
  })

  test("have schemas of their own types", () => {
    expect(Report.Event).type.toBe<Schema.Codec<Report.Event>>()
    expect(Report.RecordLine).type.toBe<Schema.Codec<Report.RecordLine>>()
    expect(Report.fromRunEvent(event)).type.toBe<Report.Event>()
  })

  test("a RunEvent is not a recorded Event", () => {
    expect(Report.html).type.not.toBeCallableWith([event])
    expect(Report.html).type.toBeCallableWith([event].map(Report.fromRunEvent))
  })
})

describe("timelines", () => {
  test("are strings, except for png, which is an effect", () => {
    expect(Report.html(events)).type.toBe<string>()
    expect(Report.svg(events, { theme: "dark" })).type.toBe<string>()
    expect(Report.mermaid(events, { title: "Last night" })).type.toBe<string>()
    expect(Report.png(events)).type.toBe<Effect.Effect<Uint8Array<ArrayBuffer>, Report.RendererMissing>>()
  })

  test("html takes no theme, and pictures do", () => {
    expect(Report.html).type.not.toBeCallableWith(events, { theme: "dark" })
    expect(Report.svg).type.not.toBeCallableWith(events, { theme: "sepia" })
  })
})

describe("attachTimeline", () => {
  test("keeps the errors and requirements of the alerter's layer", () => {
    expect(Report.attachTimeline(alerter)).type.toBe<Layer.Layer<Alerter, "setup", "Http">>()
    expect(Report.attachTimeline(alerter, { theme: "dark" })).type.toBe<Layer.Layer<Alerter, "setup", "Http">>()
    expect(alerter.pipe(Report.attachTimeline(), minSeverity("warning"))).type.toBe<
      Layer.Layer<Alerter, "setup", "Http">
    >()
  })

  test("does not compile around any other layer", () => {
    expect(Report.attachTimeline).type.not.toBeCallableWith(Report.layerMetrics)
  })
})

describe("reports of a step", () => {
  test("progress needs a StepContext and never fails", () => {
    expect(StepContext.progress(1, 10)).type.toBe<Effect.Effect<void, never, StepContext>>()
    expect(Step.make("load", StepContext.progress(1))).type.toBe<Step.Step<void>>()
  })

  test("an attachment has a name, a type and bytes", () => {
    const content = new Uint8Array()
    expect(Alert.make({ title: "t", attachments: [{ name: "a.png", mediaType: "image/png", content }] })).type.toBe<
      Alert
    >()
    expect(Alert.make).type.not.toBeCallableWith({ title: "t", attachments: [{ name: "a.png", content }] })
    expect(Alert.make).type.not.toBeCallableWith({
      title: "t",
      attachments: [{ name: "a.txt", mediaType: "text/plain", content: "text" }]
    })
  })
})
