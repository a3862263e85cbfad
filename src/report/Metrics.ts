/**
 * Counts runs, steps and hooks in effect's metrics, for Prometheus, OpenTelemetry and other readers of metrics.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { type Observer, Observers } from "../RunEvent.ts"
import { makeObserver } from "./internal/metrics/observer.ts"

/**
 * Counts runs, steps and hooks in effect's `Metric`s, for the exporters of `effect/observability`.
 *
 * **Details**
 *
 * The layer adds an observer to those already provided, as `RunEvent.layer` does. Combine it with other such layers by
 * `Layer.provideMerge`: layers that are merged side by side replace each other's observers. Provided twice, it counts
 * once.
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `epilogue_runs_total` | counter | `pipeline`, `outcome` |
 * | `epilogue_run_duration_seconds` | histogram | `pipeline`, `outcome` |
 * | `epilogue_steps_total` | counter | `pipeline`, `step`, `outcome` |
 * | `epilogue_step_duration_seconds` | histogram | `pipeline`, `step`, `outcome` |
 * | `epilogue_step_retries_total` | counter | `pipeline`, `step` |
 * | `epilogue_steps_overdue_total` | counter | `pipeline`, `step` |
 * | `epilogue_runs_overdue_total` | counter | `pipeline` |
 * | `epilogue_steps_running` | gauge | `pipeline`, `step` |
 * | `epilogue_hooks_total` | counter | `pipeline`, `hook`, `kind`, `outcome` |
 * | `epilogue_hook_duration_seconds` | histogram | `pipeline`, `hook`, `kind`, `outcome` |
 *
 * The outcome of a run or a step is `success`, `failure`, `interrupt` or `skip`; the outcome of a hook is `success`,
 * `failure` or `skipped`. A step has one attempt more than it has retries, unless it ends in the delay before an attempt. What is overdue is counted once for each of
 * its limits.
 *
 * These are counted without this layer, too, since they tell of alerts and hooks that went wrong:
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `epilogue_hook_failures_total` | counter | `hook`, `kind` |
 * | `epilogue_alerts_delivered_total` | counter | `channel` |
 * | `epilogue_alerts_failed_total` | counter | `channel`, `reason` |
 * | `epilogue_alerts_held_back_total` | counter | `policy` |
 * | `epilogue_alerts_waiting` | gauge | `channel` |
 * | `epilogue_alerts_folded_total` | counter | `channel` |
 * | `epilogue_alerts_lost_total` | counter | `channel` |
 *
 * An alert is counted once for each channel that it is posted to, and once for each policy that holds or drops it: an
 * alert that is held and posted later, alone or in a digest, is in both. A post that an outbox or a digest tries again
 * is counted again. The last three are of mailboxes: the alerts that are in one, those that were folded into another,
 * and those that will not arrive though nobody waits for them, which no hook reports. Only alerters made by
 * `Alerter.layer` or in `effect-epilogue/alerters` are counted.
 *
 * Names and units follow Prometheus' conventions (https://prometheus.io/docs/practices/naming), and stay the same when
 * Prometheus receives them by OTLP
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus).
 *
 * **Gotchas**
 *
 * Each combination of labels is a series, kept for as long as the process lives. Labels are names only, never a path, a
 * run or a parameter. Give steps names that say what is done, and put what it is done to into `Step.annotate`, so that
 * names stay few. From 2,000 series of a metric on, each layer counts all further ones in one with the label
 * `otel.metric.overflow`. The metrics that need no layer have no such limit.
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
 * }).pipe(Effect.provide(Report.layerMetrics))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMetrics: Layer.Layer<never> = Layer.fresh(Layer.effect(
  Observers,
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => {
      const present = Context.get(context, Observers)
      const registry = Context.get(context, Metric.MetricRegistry)
      if (present.some((observer) => registries.get(observer) === registry)) return present
      const observer = makeObserver(context)
      registries.set(observer, registry)
      return [...present, observer]
    })
  )
  // fresh, since a memoized layer would bring back the observers of the place where it was built first
))

/** The registry that each observer updates, so that a layer provided twice, one around the other, counts once. */
const registries = new WeakMap<Observer, Metric.MetricRegistry>()
