/** Reads the metrics that an effect has counted. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"

/** Runs an effect with a metric registry of its own. */
export const alone = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(effect, Metric.MetricRegistry, new Map()))

/** Reads the samples of the library's metrics from Prometheus' text, by name and labels. */
export const samples: Effect.Effect<Readonly<Record<string, number>>> = Effect.map(
  PrometheusMetrics.format(),
  (text) =>
    Object.fromEntries(
      text.split("\n").filter((line) => line.startsWith("epilogue_")).map((line) => {
        const end = line.lastIndexOf(" ")
        return [line.slice("epilogue_".length, end), Number(line.slice(end + 1))]
      })
    )
)

/** Reads the samples without those of histograms. */
export const counts = Effect.map(
  samples,
  (samples) => Object.fromEntries(Object.entries(samples).filter(([name]) => !/_(bucket|sum|count)\b/.test(name)))
)
