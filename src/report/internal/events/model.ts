/** Builds models of runs from their events. */
import { labelsOf, stepLabel } from "../../../internal/text/stepLabel.ts"
import type { EventJson, StepJson } from "./eventJson.ts"
import { stepAt } from "./stepAt.ts"

type Outcome = Extract<EventJson, { readonly _tag: "StepEnded" }>["outcome"]
type HookEvent = Extract<EventJson, { readonly hook: string }>
type Values = Readonly<Record<string, unknown>>

/** An attempt at a step's body. Times are in milliseconds since 1970. */
export interface AttemptModel {
  readonly number: number
  readonly startedAt: number
  endedAt: number | undefined
  cause: string | undefined
}

/** @internal */
export interface HookModel {
  readonly name: string
  readonly kind: HookEvent["kind"]
  readonly level: HookEvent["level"]
  readonly index: number
  startedAt: number
  endedAt: number | undefined
  durationMillis: number | undefined
  outcome: "running" | "ended" | "failed" | "skipped"
  cause: string | undefined
}

/** @internal */
export interface StepModel {
  readonly index: number
  /** With its key, like the names of the path. */
  readonly name: string
  readonly path: ReadonlyArray<string>
  readonly parent: number | undefined
  readonly startedAt: number
  readonly params: Values
  readonly attempts: Array<AttemptModel>
  readonly hooks: Array<HookModel>
  /** The steps that run inside this one, in the order in which they began. */
  readonly children: Array<StepModel>
  endedAt: number | undefined
  /** More exact than the difference of the two times. */
  durationMillis: number | undefined
  outcome: Outcome | undefined
  cause: string | undefined
  annotations: Values
  progress: { readonly done: number; readonly total: number | undefined; readonly at: number } | undefined
}

/** @internal */
export interface RunModel {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly startedAt: number
  readonly steps: Set<StepModel>
  /** The latest step of each index. */
  readonly byIndex: Map<number, StepModel>
  /** The steps that run in no other step. */
  readonly roots: Array<StepModel>
  /** The hooks of the run itself. */
  readonly hooks: Array<HookModel>
  /** The time of the last event. */
  lastAt: number
  endedAt: number | undefined
  durationMillis: number | undefined
  outcome: Outcome | undefined
  cause: string | undefined
  annotations: Values
  hookFailures: number
}

/** Builds a model of each run. The first event of a run need not be its start. */
export class Runs {
  readonly byId: Map<string, RunModel> = new Map()

  apply(event: EventJson): void {
    const run = this.#run(event)
    run.lastAt = Math.max(run.lastAt, event.at)
    switch (event._tag) {
      case "RunStarted":
        return
      case "RunEnded":
        run.endedAt = event.at
        run.durationMillis = event.durationMillis
        run.outcome = event.outcome
        run.cause = event.cause
        run.annotations = event.annotations ?? {}
        run.hookFailures = event.hookFailures
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
      case "StepEnded": {
        const step = stepIn(run, event, event.at - event.durationMillis)
        const attempt = step.attempts.at(-1)
        if (attempt !== undefined) {
          attempt.endedAt = event.at
          attempt.cause = event.cause
        }
        step.endedAt = event.at
        step.durationMillis = event.durationMillis
        step.outcome = event.outcome
        step.cause = event.cause
        step.annotations = event.annotations ?? {}
        return
      }
      default:
        hook(run, event)
    }
  }

  #run({ at, pipelineName, runId, runName }: EventJson): RunModel {
    const known = this.byId.get(runId)
    if (known !== undefined) return known
    const run: RunModel = {
      pipelineName,
      runId,
      runName,
      startedAt: at,
      steps: new Set(),
      byIndex: new Map(),
      roots: [],
      hooks: [],
      lastAt: at,
      endedAt: undefined,
      durationMillis: undefined,
      outcome: undefined,
      cause: undefined,
      annotations: {},
      hookFailures: 0
    }
    this.byId.set(runId, run)
    return run
  }
}

const begin = (run: RunModel, info: StepJson, startedAt: number, params: Values): StepModel => {
  const step: StepModel = {
    index: info.index,
    name: stepLabel(info.stepName, info.stepKey),
    path: labelsOf(info),
    parent: info.parent,
    startedAt,
    params,
    attempts: [{ number: 1, startedAt, endedAt: undefined, cause: undefined }],
    hooks: [],
    children: [],
    endedAt: undefined,
    durationMillis: undefined,
    outcome: undefined,
    cause: undefined,
    annotations: {},
    progress: undefined
  }
  const parent = info.parent === undefined ? undefined : known(run, info.parent, labelsOf(info).slice(0, -1))
  const siblings = parent === undefined ? run.roots : parent.children
  // A durable step that a crash cut off starts again: the new model takes the place of the old one.
  const before = known(
    run,
    info.index,
    labelsOf(info),
    () => [...run.steps].filter(({ outcome }) => outcome === undefined)
  )
  const place = before === undefined ? -1 : siblings.indexOf(before)
  if (before !== undefined) run.steps.delete(before)
  if (place >= 0) siblings[place] = step
  else siblings.push(step)
  run.steps.add(step)
  run.byIndex.set(info.index, step)
  return step
}

const known = (
  run: RunModel,
  index: number,
  path: ReadonlyArray<string>,
  others: () => ReadonlyArray<StepModel> = () => [...run.steps]
): StepModel | undefined => stepAt(run.byIndex, index, path, others)

const stepIn = (run: RunModel, info: StepJson, startedAt: number): StepModel =>
  known(run, info.index, labelsOf(info)) ?? begin(run, info, startedAt, {})

const hook = (run: RunModel, event: HookEvent): void => {
  const step = event.step === undefined ? undefined : stepIn(run, event.step, event.at)
  const hooks = step === undefined ? run.hooks : step.hooks
  const durationMillis = "durationMillis" in event ? event.durationMillis : 0
  const startedAt = event.at - durationMillis
  let hook = hooks.findLast((hook) =>
    hook.outcome === "running" && hook.kind === event.kind && hook.index === event.hookIndex
  )
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
  }
  if (event._tag === "HookStarted") return
  hook.startedAt = startedAt
  hook.endedAt = event.at
  hook.durationMillis = durationMillis
  hook.outcome = event._tag === "HookEnded" ? "ended" : event._tag === "HookFailed" ? "failed" : "skipped"
  if (event._tag === "HookFailed") hook.cause = event.cause
}
