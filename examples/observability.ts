/**
 * A small pipeline that can be watched: its spans and metrics go to an OTLP endpoint, such as that of an OpenTelemetry
 * collector or of Jaeger, and the metrics are printed as Prometheus reads them.
 *
 *     docker run --rm -p 4318:4318 -p 16686:16686 jaegertracing/jaeger    # or any other receiver
 *     bun examples/observability.ts
 *     OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 bun examples/observability.ts
 *
 * The trace is a tree: the run, its steps, and below each step what it did and the hooks that it had.
 */
import { Config, Console, Effect, Layer, Schedule, Schema } from "effect"
import { Alerter, AlerterHooks, Hook, Pipeline, Step, StepContext } from "effect-epilogue"
import { Report } from "effect-epilogue/report"
import { FetchHttpClient } from "effect/http"
import { Otlp, PrometheusMetrics } from "effect/observability"

class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { what: Schema.String }) {
  override get message(): string {
    return `${this.what} is not there`
  }
}

/** The source is not there at first, as it may be at night: the second attempt succeeds. */
const read = (attempt: number) =>
  attempt === 1 ? Effect.fail(new Unavailable({ what: "the source" })) : Effect.succeed([3, 1, 2])

const extract = Step.make(
  "extract",
  Effect.gen(function*() {
    const { attempt } = yield* StepContext
    // a span of your own is one below the step's
    return yield* Effect.withSpan(read(attempt), "GET /numbers")
  })
).pipe(Step.retry({ times: 2, schedule: Schedule.spaced("20 millis") }))

const transform = Step.fn("transform")((numbers: ReadonlyArray<number>) =>
  Effect.succeed(numbers.toSorted()).pipe(Effect.delay("10 millis"))
)

const load = Step.fn("load")(
  (numbers: ReadonlyArray<number>) => Effect.as(Effect.sleep("10 millis"), numbers.length),
  Step.hooks(Hook.onSuccess((rows) => Effect.log(`${rows} rows`)).pipe(Hook.named("say how many")))
)

/** It fails, which is no reason for the pipeline to. */
const publish = Step.make("publish", Effect.fail(new Unavailable({ what: "the channel" })))

const nightly = Pipeline.make(
  "nightly",
  Effect.gen(function*() {
    const numbers = yield* extract
    const rows = yield* load(yield* transform(numbers))
    yield* Effect.ignore(publish)
    return rows
  })
).pipe(
  Pipeline.stepHooks(AlerterHooks.failure),
  Pipeline.hooks(AlerterHooks.success)
)

/** What it has is sent when the layer closes, so nothing is lost of a short run. */
const otlp = Layer.unwrap(
  Effect.gen(function*() {
    const endpoint = Config.String("OTEL_EXPORTER_OTLP_ENDPOINT").pipe(Config.withDefault("http://localhost:4318"))
    return Otlp.layerJson({ baseUrl: yield* endpoint, resource: { serviceName: "nightly" } })
  })
).pipe(Layer.provide(FetchHttpClient.layer))

const program = Effect.gen(function*() {
  yield* nightly
  yield* Console.log(yield* PrometheusMetrics.format())
}).pipe(Effect.provide([Report.layerMetrics, Alerter.layerConsole, otlp]))

if (import.meta.main) await Effect.runPromise(program)
