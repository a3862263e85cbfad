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
  test("are layers that need nothing; only a record can fail", () => {
    expect(Report.layerProgress()).type.toBe<Layer.Layer<never>>()
    expect(Report.layerProgress({ mode: "plain", stream: "stdout" })).type.toBe<Layer.Layer<never>>()
    expect(Report.layerMetrics).type.toBe<Layer.Layer<never>>()
    expect(Report.layerRecord()).type.toBe<Layer.Layer<never, Report.RecordError>>()
    expect(Report.layerRecord({ file: "run.jsonl" })).type.toBe<Layer.Layer<never, Report.RecordError>>()
  })

  test("a mode or a stream that there is none of does not compile", () => {
    expect(Report.layerProgress).type.not.toBeCallableWith({ mode: "fancy" })
    expect(Report.layerProgress).type.not.toBeCallableWith({ stream: "stdin" })
  })

  test("add nothing to what a pipeline needs, and to its errors what they may fail with", () => {
    expect(Effect.provide(job, Report.layerProgress())).type.toBe<Effect.Effect<number, "bad", "Db">>()
    expect(Effect.provide(job, Report.layerRecord())).type.toBe<
      Effect.Effect<number, "bad" | Report.RecordError, "Db">
    >()
  })
})

describe("records", () => {
  test("are read as a stream of events, and listed", () => {
    expect(Report.read("run.jsonl")).type.toBe<Stream.Stream<Report.Event, Report.RecordError>>()
    expect(Report.list()).type.toBe<Effect.Effect<ReadonlyArray<Report.Recorded>, Report.RecordError>>()
    expect(Report.find("7f6c")).type.toBe<Effect.Effect<Report.Recorded, Report.RecordError>>()
    expect(Report.prune({ keep: 20 })).type.toBe<Effect.Effect<ReadonlyArray<Report.Recorded>, Report.RecordError>>()
  })

  test("how many are kept is not left out", () => {
    expect(Report.prune).type.not.toBeCallableWith()
    expect(Report.prune).type.not.toBeCallableWith({ folder: "runs" })
  })

  test("their schemas are those of what they hold", () => {
    expect(Report.Event).type.toBe<Schema.Codec<Report.Event>>()
    expect(Report.RecordLine).type.toBe<Schema.Codec<Report.RecordLine>>()
    expect(Report.fromRunEvent(event)).type.toBe<Report.Event>()
  })

  test("an event of a run is none of a record", () => {
    expect(Report.html).type.not.toBeCallableWith([event])
    expect(Report.html).type.toBeCallableWith([event].map(Report.fromRunEvent))
  })
})

describe("timelines", () => {
  test("are texts, but for the one that needs a renderer", () => {
    expect(Report.html(events)).type.toBe<string>()
    expect(Report.svg(events, { theme: "dark" })).type.toBe<string>()
    expect(Report.mermaid(events, { title: "Last night" })).type.toBe<string>()
    expect(Report.png(events)).type.toBe<Effect.Effect<Uint8Array<ArrayBuffer>, Report.RendererMissing>>()
  })

  test("a theme is for pictures: the page has both", () => {
    expect(Report.html).type.not.toBeCallableWith(events, { theme: "dark" })
    expect(Report.svg).type.not.toBeCallableWith(events, { theme: "sepia" })
  })
})

describe("attachTimeline", () => {
  test("keeps what the alerter's layer fails with and needs", () => {
    expect(Report.attachTimeline(alerter)).type.toBe<Layer.Layer<Alerter, "setup", "Http">>()
    expect(Report.attachTimeline(alerter, { theme: "dark" })).type.toBe<Layer.Layer<Alerter, "setup", "Http">>()
    expect(alerter.pipe(Report.attachTimeline(), minSeverity("warning"))).type.toBe<
      Layer.Layer<Alerter, "setup", "Http">
    >()
  })

  test("around anything else than an alerter it does not compile", () => {
    expect(Report.attachTimeline).type.not.toBeCallableWith(Report.layerMetrics)
  })
})

describe("what is told of a step", () => {
  test("progress is told in a step, and never fails", () => {
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
