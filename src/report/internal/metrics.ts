/** Counts what runs do, in effect's metrics. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { type HookInfo, type Observer, Observers, type RunEvent } from "../../RunEvent.ts"

type Labels = Metric.Metric.AttributeSet
type Instrument = (labels: Labels, value?: number) => void

/**
 * What one metric may have of series, and what all others are counted as then: as in the SDKs of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits).
 */
export const maxSeries = 2000

const overflow: Labels = { "otel.metric.overflow": "true" }

/** From what a step does in memory to what runs all night, about three to a power of ten. */
const longBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 43_200]

/** As OpenTelemetry has them for requests, and on to the 30 seconds that a hook may take. */
const hookBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30]

/** Not a label in Prometheus' text, and the unit in OTLP. */
const seconds: Labels = { unit: "seconds" }

/**
 * One metric, with a series for each set of labels. They are kept, since to make one costs more than to update it, and
 * since no more than so many may be made.
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

/** Updates the metrics of a registry: of the context, since an observer has no fiber to find it in. */
const make = (context: Context.Context<never>): Observer => {
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
        // or what reads OTLP may take the number for a ratio
        attributes: { ...attributes, unit: "{step}" }
      }),
    "modifyUnsafe"
  )
  const hooks = counter(context, "epilogue_hooks_total", "Hooks that were come to, by kind and outcome")
  const hookSeconds = histogram(context, "epilogue_hook_duration_seconds", "How long hooks took", hookBoundaries)

  // by run, the labels of each step that has begun: a durable step that was cut off may begin more than once
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
        // none should be left, but one that is would be running for ever
        for (const index of begun.get(event.runId)?.keys() ?? []) end(event.runId, index)
        runs(labels)
        return runSeconds(labels, Duration.toSeconds(event.duration))
      }
    }
  }
}

/** Whose observers count in which registry: a layer that is provided twice, one around the other, counts once. */
const registries = new WeakMap<Observer, Metric.MetricRegistry>()

/** Built anew wherever it is provided: one that is remembered would bring back the observers of where it was first. */
export const layer: Layer.Layer<never> = Layer.fresh(Layer.effect(
  Observers,
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => {
      const present = Context.get(context, Observers)
      const registry = Context.get(context, Metric.MetricRegistry)
      if (present.some((observer) => registries.get(observer) === registry)) return present
      const observer = make(context)
      registries.set(observer, registry)
      return [...present, observer]
    })
  )
))
