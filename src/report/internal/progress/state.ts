/**
 * What goes on in runs, as far as it is shown. What is over is remembered as long as it may be seen, so that a million
 * steps take no more room than some hundred; a record of all there was is another matter.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { label } from "../../../internal/text/columns.ts"
import { text } from "../../../internal/text/redact.ts"
import { causeLine } from "../../../internal/text/words.ts"
import type { HookInfo, Outcome, RunEvent, StepInfo } from "../../../RunEvent.ts"
import { EndedRuns } from "../events/endedRuns.ts"
import { stepAt } from "../events/stepAt.ts"
import { Rate } from "./rate.ts"

/** @internal */
export interface HookState {
  readonly name: string
  readonly kind: HookInfo["kind"]
  readonly startedAt: number
}

/** @internal */
export interface FailedHook extends Pick<HookState, "name" | "kind"> {
  readonly millis: number
  readonly cause: string
}

/** What has hooks: a step, or the run. */
export interface Owner {
  readonly name: string
  readonly startedAt: number
  readonly hooks: Map<string, HookState>
  readonly failedHooks: Array<FailedHook>
  ended: Ended | undefined
}

/** @internal */
export interface Ended {
  readonly outcome: Outcome
  readonly millis: number
  readonly attempts: number
  readonly cause: string | undefined
  readonly annotations: ReadonlyArray<readonly [key: string, value: string]>
}

/** @internal */
export interface StepState extends Owner {
  readonly index: number
  readonly path: ReadonlyArray<string>
  readonly parent: StepState | undefined
  /** Those that are remembered, in the order in which they began. */
  readonly children: Set<StepState>
  attempt: number
  /** Between two attempts. */
  waiting: { readonly until: number; readonly cause: string } | undefined
  rate: Rate | undefined
}

/** @internal */
export interface RunState extends Owner {
  readonly id: string
  readonly runName: string
  /** The last that had an index, of those that are remembered. */
  readonly steps: Map<number, StepState>
  readonly roots: Set<StepState>
  readonly running: Set<StepState>
  /** What ended and is remembered: nothing was wrong with the one, something with the other. */
  readonly calm: Set<StepState>
  readonly troubled: Set<StepState>
  readonly counts: Record<Outcome, number>
  hookFailures: number
}

/** So many steps that have ended are remembered of each kind, and so many failures of hooks of one step. */
const remembered = 100
const rememberedHooks = 5

/** The runs that go on. */
export class Runs {
  readonly byId: Map<string, RunState> = new Map()
  readonly #ended = new EndedRuns<true>()

  /**
   * The run that the event is about. One that ends with it is not among the others any more, and of what comes after
   * that, as the end of a step that outlived its run, nothing is shown.
   */
  apply(event: RunEvent): RunState | undefined {
    if (this.#ended.get(event.runId)) return undefined
    const at = DateTime.toEpochMillis(event.at)
    const run = this.byId.get(event.runId) ?? this.#begin(event, at)
    switch (event._tag) {
      case "RunStarted":
        break
      case "RunEnded":
        run.ended = endedOf(event, 1)
        run.hookFailures = event.hookFailures
        this.byId.delete(run.id)
        this.#ended.add(run.id, true)
        break
      case "StepStarted":
        begin(run, event, at)
        break
      case "StepProgress": {
        const step = known(run, event.index, event.stepPath)
        if (step === undefined || step.ended !== undefined) break
        step.rate ??= new Rate()
        step.rate.tell(event.done, event.total, at)
        break
      }
      case "AttemptFailed": {
        const step = stepOf(run, event, at)
        step.attempt = event.attempt + 1
        step.rate = undefined
        step.waiting = { until: at + Duration.toMillis(event.delay), cause: label(causeLine(event.cause)) }
        break
      }
      case "StepEnded":
        end(run, stepOf(run, event, at - Duration.toMillis(event.duration)), event)
        break
      default:
        hook(run, event, at)
    }
    return run
  }

  #begin({ pipelineName, runId, runName }: RunEvent, at: number): RunState {
    const run: RunState = {
      ...owner(pipelineName, at),
      id: runId,
      runName: label(runName),
      steps: new Map(),
      roots: new Set(),
      running: new Set(),
      calm: new Set(),
      troubled: new Set(),
      counts: { success: 0, failure: 0, interrupt: 0 },
      hookFailures: 0
    }
    this.byId.set(runId, run)
    return run
  }
}

const owner = (name: string, startedAt: number): Owner => ({
  name: label(name),
  startedAt,
  hooks: new Map(),
  failedHooks: [],
  ended: undefined
})

const siblings = (run: RunState, { parent }: StepState): Set<StepState> => parent?.children ?? run.roots

const begin = (run: RunState, info: StepInfo, at: number): StepState => {
  const step: StepState = {
    ...owner(info.stepName, at),
    index: info.index,
    path: info.stepPath,
    parent: info.parent === undefined ? undefined : known(run, info.parent, info.stepPath.slice(0, -1)),
    children: new Set(),
    attempt: 1,
    waiting: undefined,
    rate: undefined
  }
  // a step that was cut off by a crash, and begins again
  const before = known(run, info.index, info.stepPath, () => [...run.running])
  if (before !== undefined) forget(run, before)
  siblings(run, step).add(step)
  // its former index is another step's by now
  if (before !== undefined) run.steps.set(before.index, step)
  run.steps.set(info.index, step)
  run.running.add(step)
  return step
}

const stepOf = (run: RunState, info: StepInfo, at: number): StepState =>
  known(run, info.index, info.stepPath) ?? begin(run, info, at)

const known = (
  run: RunState,
  index: number,
  path: ReadonlyArray<string>,
  others: () => ReadonlyArray<StepState> = () => [...run.calm, ...run.troubled, ...run.running]
): StepState | undefined => stepAt(run.steps, index, path, others)

const endedOf = (
  event: Extract<RunEvent, { readonly _tag: "StepEnded" | "RunEnded" }>,
  attempts: number
): Ended => ({
  outcome: event.outcome,
  millis: Duration.toMillis(event.duration),
  attempts,
  cause: event.exit._tag === "Failure" ? label(causeLine(event.exit.cause)) : undefined,
  annotations: Object.entries(event.annotations).map(([key, value]) => [label(key), label(text(value))])
})

const end = (run: RunState, step: StepState, event: Extract<RunEvent, { readonly _tag: "StepEnded" }>): void => {
  step.ended = endedOf(event, event.attempts)
  step.waiting = undefined
  step.rate = undefined
  run.counts[event.outcome]++
  run.running.delete(step)
  remember(run, step, event.outcome === "failure" || step.failedHooks.length > 0)
}

const remember = (run: RunState, step: StepState, isTroubled: boolean): void => {
  const kept = isTroubled ? run.troubled : run.calm
  kept.add(step)
  if (kept.size <= remembered) return
  // not the one above others that are remembered; these ended before it, so theirs is the first turn
  for (const oldest of kept) {
    if (oldest.children.size > 0 || oldest.hooks.size > 0) continue
    forget(run, oldest)
    return
  }
}

const forget = (run: RunState, step: StepState): void => {
  siblings(run, step).delete(step)
  if (run.steps.get(step.index) === step) run.steps.delete(step.index)
  run.running.delete(step)
  run.calm.delete(step)
  run.troubled.delete(step)
}

type HookEvent = Extract<RunEvent, HookInfo>

const hook = (run: RunState, event: HookEvent, at: number): void => {
  if (event._tag === "HookFailed") run.hookFailures++
  // of a step that is forgotten already, or was never heard of: then it is counted at most
  const owner = event.step === undefined ? run : known(run, event.step.index, event.step.stepPath)
  if (owner === undefined) return
  const { kind } = event
  const key = `${kind} ${event.level} ${event.hookIndex} ${event.hook}`
  const name = label(event.hook)
  if (event._tag === "HookStarted") {
    owner.hooks.set(key, { name, kind, startedAt: at })
    return
  }
  owner.hooks.delete(key)
  if (event._tag !== "HookFailed" || owner.failedHooks.length >= rememberedHooks) return
  owner.failedHooks.push({
    name,
    kind,
    millis: Duration.toMillis(event.duration),
    cause: label(causeLine(event.cause))
  })
  // it had ended well, and now something is wrong with it
  if ("path" in owner && run.calm.delete(owner)) remember(run, owner, true)
}
