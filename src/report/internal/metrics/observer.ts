/** Makes the observer that counts runs, steps and hooks. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type { Outcome } from "../../../internal/model/events.ts"
import type { Kind } from "../../../internal/model/hook.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import { type Tap, TapKey, type Tapped } from "../../../internal/model/tap.ts"
import type { HookInfo, RunEvent } from "../../../RunEvent.ts"
import { Running } from "./running.ts"
import { type Counter, counter, type Gauge, gauge, type Histogram, histogram, Registry } from "./series.ts"

/** In seconds: from a step in memory to a run that takes all night, about three for each power of ten. */
const longBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 43_200]

/** In seconds: OpenTelemetry's for HTTP requests, and then up to a hook's time limit of 30 seconds. */
const hookBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30]

/** A counter and a histogram with the same labels. */
interface Timed {
  readonly total: Counter
  readonly seconds: Histogram
}

/** The series of the steps of one name in a pipeline. */
interface StepSeries {
  readonly step: string
  readonly running: Gauge
  readonly ends: { [K in Outcome]: Timed | undefined }
}

/** The series of a hook in a pipeline. */
interface HookSeries extends Timed {
  readonly pipeline: string
}

/** How many names are kept with their series. The series themselves are kept in any case. */
const maxNames = 1_000

/** Makes an observer that updates the registry of the given context: it is called outside of any fiber. */
export const makeObserver = (context: Context.Context<never>): Tapped => {
  const registry = new Registry(context)
  const runs = counter(registry, "epilogue_runs_total", "Runs that ended, by pipeline and outcome")
  const runSeconds = histogram(registry, "epilogue_run_duration_seconds", "How long runs took", longBoundaries)
  const steps = counter(registry, "epilogue_steps_total", "Steps that ended, by pipeline, step and outcome")
  const stepSeconds = histogram(
    registry,
    "epilogue_step_duration_seconds",
    "How long steps took, all attempts and the delays between them included",
    longBoundaries
  )
  const retries = counter(registry, "epilogue_step_retries_total", "Attempts that failed and were followed by another")
  const overdueSteps = counter(registry, "epilogue_steps_overdue_total", "Limits that steps have exceeded and gone on")
  const overdueRuns = counter(registry, "epilogue_runs_overdue_total", "Limits that runs have exceeded and gone on")
  const running = gauge(registry, "epilogue_steps_running", "Steps that have begun and not ended", "{step}")
  const hooks = counter(registry, "epilogue_hooks_total", "Hooks that were come to, by kind and outcome")
  const hookSeconds = histogram(registry, "epilogue_hook_duration_seconds", "How long hooks took", hookBoundaries)

  const pipelines = new Map<string, Map<string, StepSeries>>()
  let lastPipeline: string | undefined
  let last: StepSeries | undefined

  const seriesOf = (pipeline: string, step: string): StepSeries => {
    if (pipeline === lastPipeline && step === last?.step) return last
    if (pipelines.size === maxNames) pipelines.clear()
    const ofPipeline = pipelines.get(pipeline) ?? new Map<string, StepSeries>()
    pipelines.set(pipeline, ofPipeline)
    let series = ofPipeline.get(step)
    if (series === undefined) {
      if (ofPipeline.size === maxNames) ofPipeline.clear()
      const ends = { success: undefined, failure: undefined, interrupt: undefined, skip: undefined }
      series = { step, running: running({ pipeline, step }), ends }
      ofPipeline.set(step, series)
    }
    lastPipeline = pipeline
    last = series
    return series
  }

  const begun = new Map<string, Running<StepSeries>>()
  let lastRun: string | undefined
  let lastBegun: Running<StepSeries> | undefined

  const begunIn = (runId: string): Running<StepSeries> | undefined =>
    runId === lastRun && lastBegun !== undefined ? lastBegun : begun.get(runId)

  const stepStarted = (runId: string, index: number, pipeline: string, step: string): void => {
    let ofRun = begunIn(runId)
    if (ofRun === undefined) {
      ofRun = new Running()
      begun.set(runId, ofRun)
    }
    if (ofRun !== lastBegun) {
      // that of the last run was kept for its next step
      if (lastRun !== undefined && lastBegun?.isEmpty === true) begun.delete(lastRun)
      lastRun = runId
      lastBegun = ofRun
    }
    const series = seriesOf(pipeline, step)
    if (ofRun.add(index, series)) series.running.add(1)
  }

  const forget = (runId: string): void => {
    begun.delete(runId)
    if (runId === lastRun) lastBegun = undefined
  }

  const stepEnded = (
    runId: string,
    index: number,
    pipeline: string,
    step: string,
    outcome: Outcome,
    seconds: number
  ): void => {
    const ofRun = begunIn(runId)
    const begunAs = ofRun?.take(index)
    begunAs?.running.add(-1)
    if (ofRun !== undefined && ofRun !== lastBegun && ofRun.isEmpty) begun.delete(runId)
    const { ends } = begunAs ?? seriesOf(pipeline, step)
    let series = ends[outcome]
    if (series === undefined) {
      const labels = { pipeline, step, outcome }
      series = ends[outcome] = { total: steps(labels), seconds: stepSeconds(labels) }
    }
    series.total.increment()
    series.seconds.observe(seconds)
  }

  const hookLabels = (pipeline: string, hook: string, kind: Kind, outcome: string) => ({
    pipeline,
    hook,
    kind,
    outcome
  })

  const succeeded = new WeakMap<Planned, HookSeries>()
  let lastHook: Planned | undefined
  let lastSeries: HookSeries | undefined

  const hookSeriesOf = (pipeline: string, planned: Planned): HookSeries => {
    if (planned === lastHook && lastSeries?.pipeline === pipeline) return lastSeries
    let series = succeeded.get(planned)
    if (series?.pipeline !== pipeline) {
      const labels = hookLabels(pipeline, planned.hook.name, planned.hook.kind, "success")
      series = { pipeline, total: hooks(labels), seconds: hookSeconds(labels) }
      succeeded.set(planned, series)
    }
    lastHook = planned
    lastSeries = series
    return series
  }

  const hookEnded = (pipeline: string, planned: Planned, seconds: number): void => {
    const series = hookSeriesOf(pipeline, planned)
    series.total.increment()
    series.seconds.observe(seconds)
  }

  const hook = (event: RunEvent & HookInfo, outcome: string, duration?: Duration.Duration): void => {
    const labels = hookLabels(event.pipelineName, event.hook, event.kind, outcome)
    hooks(labels).increment()
    if (duration !== undefined) hookSeconds(labels).observe(Duration.toSeconds(duration))
  }

  const tap: Tap = {
    stepStarted: ({ index, owner, run }, at) => {
      registry.turnTo(at)
      stepStarted(run.id, index, run.pipelineName, owner.name)
    },
    stepEnded: ({ index, owner, run }, at, _exit, outcome, nanos) => {
      registry.turnTo(at)
      stepEnded(run.id, index, run.pipelineName, owner.name, outcome, nanos / 1e9)
    },
    hookEnded: ({ run }, at, planned, nanos) => {
      registry.turnTo(at)
      hookEnded(run.pipelineName, planned, nanos / 1e9)
    }
  }

  const observe = (event: RunEvent): void => {
    const { pipelineName: pipeline, runId } = event
    registry.turnTo(event.at.epochMilliseconds)
    switch (event._tag) {
      case "StepStarted":
        return stepStarted(runId, event.index, pipeline, event.stepName)
      case "AttemptFailed":
        return retries({ pipeline, step: event.stepName }).increment()
      case "StepOverdue":
        return event.times === 1 ? overdueSteps({ pipeline, step: event.stepName }).increment() : undefined
      case "RunOverdue":
        return event.times === 1 ? overdueRuns({ pipeline }).increment() : undefined
      case "StepEnded": {
        const seconds = Duration.toSeconds(event.duration)
        return stepEnded(runId, event.index, pipeline, event.stepName, event.outcome, seconds)
      }
      case "StepSkipped": {
        const seconds = Duration.toSeconds(event.duration)
        return stepEnded(runId, event.index, pipeline, event.stepName, "skip", seconds)
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
        for (const { running } of begun.get(runId)?.takeAll() ?? []) running.add(-1)
        forget(runId)
        runs(labels).increment()
        return runSeconds(labels).observe(Duration.toSeconds(event.duration))
      }
    }
  }
  return Object.assign(observe, { [TapKey]: tap })
}
