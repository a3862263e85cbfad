/**
 * Runs in numbers: effect's metrics, for Prometheus, OpenTelemetry and whatever else reads them.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import * as internal from "./internal/metrics.ts"

/**
 * Counts what runs do in effect's `Metric`s, which the exporters of `effect/observability` show. It adds an observer
 * to those already provided, as `RunEvent.layer` does, and so belongs on top of other layers of observers, with
 * `Layer.provideMerge`.
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `epilogue_runs_total` | counter | `pipeline`, `outcome` |
 * | `epilogue_run_duration_seconds` | histogram | `pipeline`, `outcome` |
 * | `epilogue_steps_total` | counter | `pipeline`, `step`, `outcome` |
 * | `epilogue_step_duration_seconds` | histogram | `pipeline`, `step`, `outcome` |
 * | `epilogue_step_retries_total` | counter | `pipeline`, `step` |
 * | `epilogue_steps_running` | gauge | `pipeline`, `step` |
 * | `epilogue_hooks_total` | counter | `pipeline`, `hook`, `kind`, `outcome` |
 * | `epilogue_hook_duration_seconds` | histogram | `pipeline`, `hook`, `kind`, `outcome` |
 *
 * The outcome of a run or a step is `success`, `failure` or `interrupt`, that of a hook `success`, `failure` or
 * `skipped`. A step has as many attempts as it has retries, and one.
 *
 * These are counted always, also without this layer, as they stand for what went wrong:
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `epilogue_hook_failures_total` | counter | `hook`, `kind` |
 * | `epilogue_alerts_delivered_total` | counter | `channel` |
 * | `epilogue_alerts_failed_total` | counter | `channel`, `reason` |
 * | `epilogue_alerts_held_back_total` | counter | `policy` |
 *
 * An alert is counted once for each channel that it comes to, and for each policy that holds or drops it: one that is
 * held and posted later, alone or in a digest, is in two of them. A post that an outbox or a digest tries again is
 * counted again. Alerters that are not made by `Alerter.layer` or in `effect-epilogue/alerters` are not counted.
 *
 * Names and units are as Prometheus has them (https://prometheus.io/docs/practices/naming), which is what becomes of
 * them on the way through OTLP too
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus).
 *
 * Each combination of labels is a series that is kept for as long as the process lives. Labels are names alone: no
 * path, no run, no parameter. So that they are few, a step's name should say what is done and not to what, which
 * belongs in `Step.annotate`. From 2,000 series of a metric on, what is new is counted in one with the label
 * `otel.metric.overflow`: in each layer, and not where a metric is counted without it.
 *
 * @example
 * ```ts
 * import { Pipeline, Step } from "effect-epilogue"
 * import { Report } from "effect-epilogue/report"
 * import { Console, Effect } from "effect"
 * import { PrometheusMetrics } from "effect/observability"
 *
 * const program = Effect.gen(function*() {
 *   yield* Pipeline.make("nightly", Step.make("load", Effect.void))
 *   yield* Console.log(yield* PrometheusMetrics.format())
 * }).pipe(Effect.provide(Report.metrics))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const metrics: Layer.Layer<never> = internal.layer
