/** Builds models of runs from their events. */
import { labelsOf, stepLabel } from "../../../internal/text/stepLabel.ts"
import { Clock } from "./clock.ts"
import type { EventJson, StepJson } from "./eventJson.ts"
import type { AlertsModel, HookModel, LogModel, OverdueModel, RunModel, StepModel, StepPaths } from "./runModel.ts"
import { stepAt, StepsByPath } from "./stepAt.ts"

type Outcome = Extract<EventJson, { readonly _tag: "RunEnded" }>["outcome"]
type AlertEvent = Extract<EventJson, { readonly _tag: "AlertPosted" }>
type HookEvent = Extract<EventJson, { readonly hook: string }>
type Values = Readonly<Record<string, unknown>>

/** Says how the process of a run ended before the run did. */
export const crashText = (
  { exitCode, signal }: { readonly signal?: string | undefined; readonly exitCode?: number | undefined }
): string =>
  signal !== undefined
    ? `killed by ${signal}`
    : exitCode !== undefined
    ? `its process ended with exit code ${exitCode}`
    : "its process has ended"

/** Builds a model of each run. The first event of a run need not be its start. */
export class Runs {
  readonly byId: Map<string, RunModel> = new Map()
  readonly #clocks = new WeakMap<RunModel, Clock>()
  readonly #logs: boolean

  constructor({ logs = false }: { readonly logs?: boolean } = {}) {
    this.#logs = logs
  }

  apply(told: EventJson): void {
    const run = this.#run(told)
    const event = this.#clocks.get(run)!.steady(told, (event) => startOf(run, event))
    // it says nothing of the process: a mailbox may deliver an alert after the run has ended, or was left
    if (event._tag === "AlertPosted") return alertPosted(run, event, event.at - told.at)
    run.lastAt = Math.max(run.lastAt, event.at)
    // an event after it: another process has continued the run
    run.left = undefined
    switch (event._tag) {
      case "RunStarted":
        // a durable run that is retried begins anew
        run.retried ||= run.outcome !== undefined
        run.endedAt = undefined
        run.durationMillis = undefined
        run.outcome = undefined
        run.cause = undefined
        return
      case "RunEnded":
        run.endedAt = event.at
        run.durationMillis = event.durationMillis
        run.outcome = event.outcome
        run.cause = event.cause
        run.annotations = event.annotations ?? {}
        run.hookFailures = event.hookFailures
        return
      case "RunCrashed":
        // the process had ended the run before
        if (run.outcome === undefined) run.left = { _tag: "crashed", why: crashText(event) }
        return
      case "RunSuspended":
        run.left = { _tag: "suspended" }
        return
      case "ClockChanged":
        return
      case "StepStarted":
        begin(run, event, event.at, event.params ?? {})
        return
      case "StepProgress": {
        const step = stepIn(run, event, event.at)
        step.progress = { done: event.done, total: event.total, at: event.at }
        return
      }
      case "AttemptFailed": {
        const step = stepIn(run, event, event.at)
        const attempt = step.attempts.at(-1)
        if (attempt !== undefined) {
          attempt.endedAt = event.at
          attempt.cause = event.cause
        }
        step.attempts.push({
          number: event.attempt + 1,
          startedAt: event.at + event.delayMillis,
          endedAt: undefined,
          cause: undefined
        })
        step.progress = undefined
        return
      }
      case "StepOverdue": {
        const step = stepIn(run, event, event.at - event.elapsedMillis)
        step.overdue = overdue(step.overdue, event)
        return
      }
      case "RunOverdue":
        run.overdue = overdue(run.overdue, event)
        return
      case "StepEnded":
        return end(run, event, event.outcome, event.cause)
      case "StepSkipped":
        return end(run, event, "skip", event.reason)
      case "StepLogged":
        if (this.#logs) stepIn(run, event, event.at).logs.push(logOf(event))
        return
      case "RunLogged":
        if (this.#logs) run.logs.push(logOf(event))
        return
      case "AlertsOmitted": {
        const alerts = alertsOf(run, event)
        alerts.omitted += event.deliveries
        alerts.omittedFailed += event.failed
        return
      }
      case "HookStarted":
      case "HookEnded":
      case "HookFailed":
      case "HookSkipped":
        hook(run, event)
    }
  }

  #run({ at, pipelineName, runId, runName }: EventJson): RunModel {
    const known = this.byId.get(runId)
    if (known !== undefined) return known
    const clock = new Clock()
    const run: RunModel = {
      clock: clock.changes,
      pipelineName,
      runId,
      runName,
      startedAt: at,
      steps: new Set(),
      byIndex: new Map(),
      paths: undefined,
      roots: [],
      hooks: [],
      alerts: noAlerts(),
      logs: [],
      lastAt: at,
      endedAt: undefined,
      durationMillis: undefined,
      outcome: undefined,
      cause: undefined,
      annotations: {},
      hookFailures: 0,
      overdue: undefined,
      retried: false,
      left: undefined
    }
    this.byId.set(runId, run)
    this.#clocks.set(run, clock)
    return run
  }
}

/** Returns when the thing began whose end an event tells, where that is known. */
const startOf = (run: RunModel, event: EventJson): number | undefined => {
  if (event._tag === "RunEnded") return run.startedAt
  if (event._tag === "StepEnded" || event._tag === "StepSkipped") {
    return known(run, event.index, labelsOf(event))?.startedAt
  }
  return undefined
}

const end = (
  run: RunModel,
  event: Extract<EventJson, { readonly _tag: "StepEnded" | "StepSkipped" }>,
  outcome: Outcome,
  cause: string | undefined
): void => {
  const step = stepIn(run, event, event.at - event.durationMillis)
  const attempt = step.attempts.at(-1)
  if (attempt !== undefined) {
    attempt.endedAt = event.at
    attempt.cause = cause
    // the step has ended in the delay before it
    if (attempt.number > event.attempts) attempt.startedAt = Math.max(attempt.startedAt, event.at + 1)
  }
  step.endedAt = event.at
  step.durationMillis = event.durationMillis
  if (step.outcome === undefined) run.paths?.open.delete(step)
  step.outcome = outcome
  step.cause = cause
  step.annotations = event.annotations ?? {}
}

const logOf = (
  { at, logLevel, message, omitted = 0 }: Extract<EventJson, { readonly logLevel: unknown }>
): LogModel => ({ at, logLevel, message, omitted })

const overdue = (
  before: OverdueModel | undefined,
  event: Extract<EventJson, { readonly _tag: "StepOverdue" | "RunOverdue" }>
): OverdueModel => {
  if (before !== undefined) return { ...before, times: before.times + 1 }
  const { at, limitMillis } = event
  return { at, limitMillis, deadline: event._tag === "RunOverdue" ? event.deadline : undefined, times: 1 }
}

const begin = (run: RunModel, info: StepJson, startedAt: number, params: Values): StepModel => {
  const step: StepModel = {
    index: info.index,
    name: stepLabel(info.stepName, info.stepKey),
    hasKey: info.stepKey !== undefined,
    path: labelsOf(info),
    parent: info.parent,
    startedAt,
    params,
    attempts: [{ number: 1, startedAt, endedAt: undefined, cause: undefined }],
    hooks: [],
    alerts: noAlerts(),
    children: [],
    logs: [],
    endedAt: undefined,
    durationMillis: undefined,
    outcome: undefined,
    cause: undefined,
    annotations: {},
    progress: undefined,
    overdue: undefined,
    revision: 0
  }
  const parent = info.parent === undefined ? undefined : known(run, info.parent, labelsOf(info).slice(0, -1))
  const siblings = parent === undefined ? run.roots : parent.children
  // A durable step that a crash cut off starts again: the new model takes the place of the old one.
  const before = known(run, info.index, labelsOf(info), "open")
  const place = before === undefined ? -1 : siblings.indexOf(before)
  if (before !== undefined) {
    run.steps.delete(before)
    run.paths?.all.delete(before)
    run.paths?.open.delete(before)
    step.logs.push(...before.logs)
    before.alerts.shown.forEach((alert, id) => step.alerts.shown.set(id, alert))
  }
  if (place >= 0) siblings[place] = step
  else siblings.push(step)
  run.steps.add(step)
  run.byIndex.set(info.index, step)
  run.paths?.all.add(step)
  run.paths?.open.add(step)
  return step
}

const known = (
  run: RunModel,
  index: number,
  path: ReadonlyArray<string>,
  which: keyof StepPaths = "all"
): StepModel | undefined =>
  stepAt(run.byIndex, index, path, () => {
    run.paths ??= {
      all: new StepsByPath(run.steps),
      open: new StepsByPath([...run.steps].filter(({ outcome }) => outcome === undefined))
    }
    return run.paths[which].last(path)
  })

/** Returns the step that an event is about, which is about to change. */
const stepIn = (run: RunModel, info: StepJson, startedAt: number): StepModel => {
  const step = known(run, info.index, labelsOf(info)) ?? begin(run, info, startedAt, {})
  step.revision++
  return step
}

const noAlerts = (): AlertsModel => ({ shown: new Map(), omitted: 0, omittedFailed: 0 })

/** Returns the alerts of the step that an event is about, or those of the run. */
const alertsOf = (run: RunModel, { step: info }: { readonly step?: StepJson }): AlertsModel => {
  const step = info === undefined ? undefined : known(run, info.index, labelsOf(info))
  if (step !== undefined) step.revision++
  return step?.alerts ?? run.alerts
}

/** `shift` is what was added to the time of the event. */
const alertPosted = (run: RunModel, event: AlertEvent, shift: number): void => {
  const { at, by, deliveryId, postedAt, reason, result, severity, title } = event
  const { shown } = alertsOf(run, event)
  const before = shown.get(deliveryId)
  if (before === undefined) {
    const wasHeld = result === "held"
    shown.set(deliveryId, { title, severity, by, postedAt: postedAt + shift, result, at, reason, wasHeld })
    return
  }
  before.result = result
  before.at = at
  before.reason = reason
  before.wasHeld ||= result === "held"
}

const runningHooks = new WeakMap<Array<HookModel>, Set<HookModel>>()

/** Returns those of the hooks that are running: few, while a step that polls for hours has run ten thousands. */
const runningIn = (hooks: Array<HookModel>): Set<HookModel> => {
  const known = runningHooks.get(hooks)
  if (known !== undefined) return known
  const made = new Set<HookModel>()
  runningHooks.set(hooks, made)
  return made
}

const hook = (run: RunModel, event: HookEvent): void => {
  const step = event.step === undefined ? undefined : stepIn(run, event.step, event.at)
  const hooks = step === undefined ? run.hooks : step.hooks
  const durationMillis = "durationMillis" in event ? event.durationMillis : 0
  const startedAt = event.at - durationMillis
  const running = runningIn(hooks)
  let hook = [...running].findLast(({ index, kind }) => kind === event.kind && index === event.hookIndex)
  if (hook === undefined) {
    const { hook: name, hookIndex, kind, level } = event
    hook = {
      name,
      kind,
      level,
      index: hookIndex,
      startedAt,
      endedAt: undefined,
      durationMillis: undefined,
      outcome: "running",
      cause: undefined
    }
    hooks.push(hook)
    running.add(hook)
  }
  if (event._tag === "HookStarted") return
  running.delete(hook)
  hook.startedAt = startedAt
  hook.endedAt = event.at
  hook.durationMillis = durationMillis
  hook.outcome = event._tag === "HookEnded" ? "ended" : event._tag === "HookFailed" ? "failed" : "skipped"
  if (event._tag === "HookFailed") hook.cause = event.cause
}
