/**
 * Keeps the state of running runs, as far as progress shows it. Of ended steps only the latest are kept, so that a run
 * of a million steps takes no more memory than one of a few hundred.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { reasonOf, skippedOf } from "../../../internal/model/skip.ts"
import { label } from "../../../internal/text/columns.ts"
import { causeLine } from "../../../internal/text/errors.ts"
import { limitText } from "../../../internal/text/overdueText.ts"
import { text } from "../../../internal/text/redact.ts"
import { labelsOf, stepLabel } from "../../../internal/text/stepLabel.ts"
import type { HookInfo, Outcome, RunEvent, StepInfo } from "../../../RunEvent.ts"
import { EndedRuns } from "../events/endedRuns.ts"
import { samePath, shortPath } from "../events/shortPath.ts"
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

/** The owner of hooks: a step, or the run. */
export interface Owner {
  readonly name: string
  readonly startedAt: number
  readonly hooks: Map<string, HookState>
  readonly failedHooks: Array<FailedHook>
  ended: Ended | undefined
  /** The limit at which it is overdue, in words, once it is. */
  overdue: string | undefined
}

/** @internal */
export interface Ended {
  readonly outcome: Outcome
  readonly millis: number
  readonly attempts: number
  /** Of what was skipped the reason. */
  readonly cause: string | undefined
  readonly annotations: ReadonlyArray<readonly [key: string, value: string]>
}

/** @internal */
export interface StepState extends Owner {
  readonly index: number
  readonly path: ReadonlyArray<string>
  readonly parent: StepState | undefined
  /** The kept steps that run inside this one, in the order in which they began. */
  readonly children: Set<StepState>
  attempt: number
  /** The annotations that it started with. `undefined` where its start is not known. */
  given: Readonly<Record<string, unknown>> | undefined
  /** Whether rollback hooks have undone it, or one of them has failed. `undefined` where none has run. */
  undone: boolean | undefined
  /** Set between two attempts, or between the last one and the time limit. */
  waiting: { readonly until: number; readonly what: string; readonly cause: string } | undefined
  rate: Rate | undefined
}

/** @internal */
export interface RunState extends Owner {
  readonly id: string
  readonly runName: string
  /** The latest kept step of each index. */
  readonly steps: Map<number, StepState>
  readonly roots: Set<StepState>
  readonly running: Set<StepState>
  /** The kept steps that ended: without any trouble, and with a failure of the step or of one of its hooks. */
  readonly calm: Set<StepState>
  readonly troubled: Set<StepState>
  readonly counts: Record<Outcome, number>
  hookFailures: number
}

/** How many ended steps are kept of each kind, and how many failed hooks of one step. */
const remembered = 100
const rememberedHooks = 5

/** The running runs. */
export class Runs {
  readonly byId: Map<string, RunState> = new Map()
  readonly #ended = new EndedRuns<true>()

  /**
   * Applies an event and returns its run. A run that ends with the event is removed, and later events of it, such as
   * the end of a step that outlived its run, return `undefined`. `at` is the time in milliseconds on the clock by which
   * frames are drawn: unless that is the monotonic one, a running time is wrong once the clock of the machine is set.
   */
  apply(event: RunEvent, at: number = DateTime.toEpochMillis(event.at)): RunState | undefined {
    if (this.#ended.get(event.runId)) return undefined
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
        begin(run, event, at).given = event.annotations
        break
      case "StepProgress": {
        const step = known(run, event.index, pathOf(event))
        if (step === undefined || step.ended !== undefined) break
        step.rate ??= new Rate()
        step.rate.tell(event.done, event.total, at)
        break
      }
      case "AttemptFailed": {
        const step = stepOf(run, event, at)
        step.attempt = event.isLast ? event.attempt : event.attempt + 1
        step.rate = undefined
        step.waiting = {
          until: at + Duration.toMillis(event.delay),
          what: `attempt ${event.attempt} failed, ${event.isLast ? "the time is up" : "again"}`,
          cause: label(causeLine(event.cause))
        }
        break
      }
      case "StepEnded":
        end(run, stepOf(run, event, at - Duration.toMillis(event.duration)), endedOf(event, event.attempts))
        break
      case "StepSkipped":
        end(run, stepOf(run, event, at - Duration.toMillis(event.duration)), skippedBy(event))
        break
      case "StepOverdue": {
        const step = known(run, event.index, pathOf(event))
        if (step !== undefined) step.overdue ??= limitText(Duration.toMillis(event.limit))
        break
      }
      case "RunOverdue": {
        const { deadline, limit } = event
        run.overdue ??= label(limitText(Duration.toMillis(limit), deadline && DateTime.formatIsoZoned(deadline)))
        break
      }
      case "StepLogged":
      case "RunLogged":
        // loggers print it
        break
      case "AlertPosted":
        // of one that fails, its hook or the end of the run tells
        break
      case "HookStarted":
      case "HookEnded":
      case "HookFailed":
      case "HookSkipped":
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
      counts: { success: 0, failure: 0, interrupt: 0, skip: 0 },
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
  ended: undefined,
  overdue: undefined
})

const siblings = (run: RunState, { parent }: StepState): Set<StepState> => parent?.children ?? run.roots

/** Shortened, since many steps, nested one in another, would take quadratic space. */
const pathOf = (info: StepInfo): ReadonlyArray<string> => shortPath(labelsOf(info))

const begin = (run: RunState, info: StepInfo, at: number): StepState => {
  const path = pathOf(info)
  const step: StepState = {
    ...owner(stepLabel(info.stepName, info.stepKey), at),
    index: info.index,
    path,
    parent: info.parent === undefined ? undefined : known(run, info.parent, path.slice(0, -1)),
    children: new Set(),
    attempt: 1,
    given: undefined,
    undone: undefined,
    waiting: undefined,
    rate: undefined
  }
  // A durable step that a crash cut off starts again: the new one takes the place of the old one.
  const before = known(run, info.index, path, () => [...run.running])
  if (before !== undefined) forget(run, before)
  siblings(run, step).add(step)
  // Another step may have its former index by now: finding this one there, `stepAt` goes on to search by path.
  if (before !== undefined) run.steps.set(before.index, step)
  run.steps.set(info.index, step)
  run.running.add(step)
  return step
}

const stepOf = (run: RunState, info: StepInfo, at: number): StepState =>
  known(run, info.index, pathOf(info)) ?? begin(run, info, at)

const known = (
  run: RunState,
  index: number,
  path: ReadonlyArray<string>,
  others: () => ReadonlyArray<StepState> = () => [...run.calm, ...run.troubled, ...run.running]
): StepState | undefined => stepAt(run.steps, index, path, () => others().findLast((step) => samePath(step.path, path)))

const endedOf = (
  event: Extract<RunEvent, { readonly _tag: "StepEnded" | "RunEnded" }>,
  attempts: number
): Ended => ({
  outcome: event.outcome,
  millis: Duration.toMillis(event.duration),
  attempts,
  cause: event.exit._tag === "Success"
    ? undefined
    : event.outcome === "skip"
    ? labelOf(reasonOf(skippedOf(event.exit)))
    : label(causeLine(event.exit.cause)),
  annotations: annotationsOf(event)
})

const skippedBy = (event: Extract<RunEvent, { readonly _tag: "StepSkipped" }>): Ended => ({
  outcome: "skip",
  millis: Duration.toMillis(event.duration),
  attempts: event.attempts,
  cause: labelOf(event.reason),
  annotations: annotationsOf(event)
})

const labelOf = (reason: string | undefined): string | undefined => reason === undefined ? undefined : label(reason)

const annotationsOf = (
  { annotations }: { readonly annotations: Readonly<Record<string, unknown>> }
): Ended["annotations"] => Object.entries(annotations).map(([key, value]) => [label(key), label(text(value))])

const end = (run: RunState, step: StepState, ended: Ended): void => {
  step.ended = ended
  step.waiting = undefined
  step.rate = undefined
  run.counts[ended.outcome]++
  run.running.delete(step)
  remember(run, step, ended.outcome === "failure" || step.failedHooks.length > 0)
}

const remember = (run: RunState, step: StepState, isTroubled: boolean): void => {
  const kept = isTroubled ? run.troubled : run.calm
  kept.add(step)
  if (kept.size <= remembered) return
  // a step is kept while steps inside it are: those ended before it, and are forgotten before it
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
  // a failure of a hook whose step is no longer kept is counted, but not shown
  const owner = event.step === undefined ? run : known(run, event.step.index, pathOf(event.step))
  if (owner === undefined) return
  const { kind } = event
  // most hooks end at once, and no line of them is to be removed
  if (event._tag === "HookEnded" && kind !== "rollback" && owner.hooks.size === 0) return
  const key = `${kind} ${event.level} ${event.hookIndex} ${event.hook}`
  const name = label(event.hook)
  if (event._tag === "HookStarted") {
    owner.hooks.set(key, { name, kind, startedAt: at })
    return
  }
  owner.hooks.delete(key)
  if (kind === "rollback" && "undone" in owner) {
    if (event._tag === "HookEnded") owner.undone ??= true
    if (event._tag === "HookFailed") owner.undone = false
  }
  if (event._tag !== "HookFailed" || owner.failedHooks.length >= rememberedHooks) return
  owner.failedHooks.push({
    name,
    kind,
    millis: Duration.toMillis(event.duration),
    cause: label(causeLine(event.cause))
  })
  // the step had ended without trouble before its hook failed
  if ("path" in owner && run.calm.delete(owner)) remember(run, owner, true)
}
