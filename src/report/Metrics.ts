/**
 * Counts runs, steps and hooks in effect's metrics, for Prometheus, OpenTelemetry and other readers of metrics.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { type HookInfo, type Observer, Observers, type RunEvent } from "../RunEvent.ts"

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
 * | `epilogue_steps_running` | gauge | `pipeline`, `step` |
 * | `epilogue_hooks_total` | counter | `pipeline`, `hook`, `kind`, `outcome` |
 * | `epilogue_hook_duration_seconds` | histogram | `pipeline`, `hook`, `kind`, `outcome` |
 *
 * The outcome of a run or a step is `success`, `failure` or `interrupt`; the outcome of a hook is `success`, `failure`
 * or `skipped`. A step has one attempt more than it has retries.
 *
 * These are counted without this layer, too, since they tell of alerts and hooks that went wrong:
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `epilogue_hook_failures_total` | counter | `hook`, `kind` |
 * | `epilogue_alerts_delivered_total` | counter | `channel` |
 * | `epilogue_alerts_failed_total` | counter | `channel`, `reason` |
 * | `epilogue_alerts_held_back_total` | counter | `policy` |
 *
 * An alert is counted once for each channel that it is posted to, and once for each policy that holds or drops it: an
 * alert that is held and posted later, alone or in a digest, is in both. A post that an outbox or a digest tries again
 * is counted again. Only alerters made by `Alerter.layer` or in `effect-epilogue/alerters` are counted.
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

type Labels = Metric.Metric.AttributeSet
type Instrument = (labels: Labels, value?: number) => void

/**
 * How many series a metric may have. All further ones are counted as `overflow`, as in the SDKs of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits).
 *
 * @internal
 */
export const maxSeries = 2000

const overflow: Labels = { "otel.metric.overflow": "true" }

/** In seconds: from a step in memory to a run that takes all night, about three for each power of ten. */
const longBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 43_200]

/** In seconds: OpenTelemetry's for HTTP requests, and then up to a hook's time limit of 30 seconds. */
const hookBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30]

/** Becomes the unit in OTLP. Prometheus' text leaves it out. */
const seconds: Labels = { unit: "seconds" }

/**
 * Returns a function that updates one metric, which has a series for each set of labels.
 *
 * Series are kept, since making one costs more than updating it, and so that they can be counted.
 */
const instrument = (
  context: Context.Context<never>,
  make: (attributes: Labels) => Metric.Metric<number, unknown>,
  how: "updateUnsafe" | "modifyUnsafe" = "updateUnsafe"
): Instrument => {
  const series = new Map<string, Metric.Metric<number, unknown>>()
  const of = (labels: Labels): Metric.Metric<number, unknown> => {
    const key = Object.values(labels).join("\u0000")
    const known = series.get(key)
    if (known !== undefined) return known
    if (series.size >= maxSeries && labels !== overflow) return of(overflow)
    const made = make(labels)
    series.set(key, made)
    return made
  }
  return (labels, value = 1) => of(labels)[how](value, context)
}

const counter = (context: Context.Context<never>, id: string, description: string): Instrument =>
  instrument(context, (attributes) => Metric.counter(id, { description, attributes, incremental: true }))

const histogram = (
  context: Context.Context<never>,
  id: string,
  description: string,
  boundaries: ReadonlyArray<number>
): Instrument =>
  instrument(
    context,
    (attributes) => Metric.histogram(id, { description, attributes: { ...attributes, ...seconds }, boundaries })
  )

/** Makes an observer that updates the registry of the given context: it is called outside of any fiber. */
const makeObserver = (context: Context.Context<never>): Observer => {
  const runs = counter(context, "epilogue_runs_total", "Runs that ended, by pipeline and outcome")
  const runSeconds = histogram(context, "epilogue_run_duration_seconds", "How long runs took", longBoundaries)
  const steps = counter(context, "epilogue_steps_total", "Steps that ended, by pipeline, step and outcome")
  const stepSeconds = histogram(
    context,
    "epilogue_step_duration_seconds",
    "How long steps took, all attempts and the delays between them included",
    longBoundaries
  )
  const retries = counter(context, "epilogue_step_retries_total", "Attempts that failed and were followed by another")
  const running = instrument(
    context,
    (attributes) =>
      Metric.gauge("epilogue_steps_running", {
        description: "Steps that have begun and not ended",
        // without a unit, OTLP's readers may take the gauge for a ratio
        attributes: { ...attributes, unit: "{step}" }
      }),
    "modifyUnsafe"
  )
  const hooks = counter(context, "epilogue_hooks_total", "Hooks that were come to, by kind and outcome")
  const hookSeconds = histogram(context, "epilogue_hook_duration_seconds", "How long hooks took", hookBoundaries)

  // the labels of running steps, by run and index: a durable step that a crash cut off starts twice and must count once
  const begun = new Map<string, Map<number, Labels>>()
  const begin = (runId: string, index: number, labels: Labels): void => {
    const ofRun = begun.get(runId) ?? new Map<number, Labels>()
    begun.set(runId, ofRun)
    if (ofRun.has(index)) return
    ofRun.set(index, labels)
    running(labels, 1)
  }
  const end = (runId: string, index: number): void => {
    const ofRun = begun.get(runId)
    const labels = ofRun?.get(index)
    if (ofRun === undefined || labels === undefined) return
    ofRun.delete(index)
    if (ofRun.size === 0) begun.delete(runId)
    running(labels, -1)
  }

  const hook = (event: RunEvent & HookInfo, outcome: string, duration?: Duration.Duration): void => {
    const labels = { pipeline: event.pipelineName, hook: event.hook, kind: event.kind, outcome }
    hooks(labels)
    if (duration !== undefined) hookSeconds(labels, Duration.toSeconds(duration))
  }

  return (event) => {
    const pipeline = event.pipelineName
    switch (event._tag) {
      case "StepStarted":
        return begin(event.runId, event.index, { pipeline, step: event.stepName })
      case "AttemptFailed":
        return retries({ pipeline, step: event.stepName })
      case "StepEnded": {
        const labels = { pipeline, step: event.stepName, outcome: event.outcome }
        end(event.runId, event.index)
        steps(labels)
        return stepSeconds(labels, Duration.toSeconds(event.duration))
      }
      case "HookEnded":
        return hook(event, "success", event.duration)
      case "HookFailed":
        return hook(event, "failure", event.duration)
      case "HookSkipped":
        return hook(event, "skipped")
      case "RunEnded": {
        const labels = { pipeline, outcome: event.outcome }
        // a step without an end would be shown as running for as long as the process lives
        for (const index of begun.get(event.runId)?.keys() ?? []) end(event.runId, index)
        runs(labels)
        return runSeconds(labels, Duration.toSeconds(event.duration))
      }
    }
  }
}

/** The registry that each observer updates, so that a layer provided twice, one around the other, counts once. */
const registries = new WeakMap<Observer, Metric.MetricRegistry>()
