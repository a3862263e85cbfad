/**
 * Exports the spans and metrics of a small pipeline to an OTLP endpoint, such as an OpenTelemetry collector or Jaeger,
 * and prints the metrics in the format of Prometheus.
 *
 *     docker run --rm -p 4318:4318 -p 16686:16686 jaegertracing/jaeger    # or any other receiver
 *     bun examples/observability.ts
 *     OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 bun examples/observability.ts
 *
 * The trace is a tree: the run, its steps, and below each step the spans of its body and its hooks.
 */
import { Config, Console, Effect, Layer, Schedule, Schema } from "effect"
import { Alerter, AlerterHooks, Hook, Pipeline, Step, StepContext } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"
import { Report } from "effect-epilogue/report"
import { FetchHttpClient } from "effect/http"
import { Otlp, PrometheusMetrics } from "effect/observability"

class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { what: Schema.String }) {
  override get message(): string {
    return `${this.what} is not there`
  }
}

/** Fails on the first attempt, and succeeds on the second. */
const read = (attempt: number) =>
  attempt === 1 ? Effect.fail(new Unavailable({ what: "the source" })) : Effect.succeed([3, 1, 2])

const extract = Step.make(
  "extract",
  Effect.gen(function*() {
    const { attempt } = yield* StepContext
    // a span in the body is a child of the step's span
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

/** Fails, but the pipeline ignores it: only the alert tells of it. */
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

/** Sends pending spans and metrics when the layer closes, so that a short run loses none. */
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

if (import.meta.main) runMain(program)
