/** The state of a child by its messages so far: its open runs and steps, and which of them have been alerted. */
import type { Alert } from "../../Alert.ts"
import { isDigest } from "../../internal/alerts/digest.ts"
import { fromJson } from "../../internal/alerts/json.ts"
import { type Note, Undelivered } from "../../internal/alerts/undelivered.ts"
import { labelsOf, pathText } from "../../internal/text/stepLabel.ts"
import { samePath, shortPath } from "../../report/internal/events/shortPath.ts"
import type { RecordPlace } from "../../report/internal/record/crash.ts"
import type { Message } from "./protocol.ts"

/** A step that has not ended, or that has failed and whose hooks may still be running. */
export interface OpenStep {
  readonly index: number
  /** The step around it. */
  readonly parent: OpenStep | undefined
  readonly stepKey: string | undefined
  readonly stepPath: ReadonlyArray<string>
  readonly stepLabels: ReadonlyArray<string>
  readonly startedAt: number
  readonly params: Readonly<Record<string, unknown>>
  attempt: number
  /** The cause, if the step has failed. */
  cause: string | undefined
  alerted: boolean
}

/** A run that has not ended. */
export interface OpenRun {
  readonly pipelineName: string
  readonly runId: string
  readonly runName: string
  readonly startedAt: number
  readonly steps: Map<number, OpenStep>
  /** The path and outcome of the step that ended last, as text. */
  last: string | undefined
  alerted: boolean
}

/** An alert that somebody in the child has taken and not settled. */
export interface TakenAlert {
  readonly alert: Alert
  /** The channel or the policy. */
  readonly by: string
}

/** Why a child has interrupted its runs, and when, with the steps that were running then. */
export interface Failing {
  readonly why: string
  readonly at: number
  readonly steps: ReadonlyArray<OpenStep>
}

/** The alerts of a child that nobody in it has settled. */
export interface TakenOver {
  readonly alerts: ReadonlyArray<TakenAlert>
  /** The number of others, of which nothing else is known. */
  readonly more: number
}

/** The largest number of taken alerts that are kept. Others are counted. */
const maxTaken = 1000

type Of<Tag extends Message["_tag"]> = Extract<Message, { readonly _tag: Tag }>

/** Collects the messages of a child. */
export class State {
  readonly runs: Map<string, OpenRun> = new Map()
  /** The durable runs that are being evaluated, by their ids. */
  readonly held: Map<string, OpenRun> = new Map()
  /** Whether a run has begun. */
  begun = false
  /** The hooks that are running, by their ids. */
  readonly hooks: Map<number, Of<"HookOpened">> = new Map()
  /** The name of the pipeline, once the child has reported it. */
  pipelineName: string | undefined = undefined
  /** The answer of the child to a signal that asks it to stop. */
  answer = "interrupting"
  /** Whether the child has heard of a signal that asks it to stop. */
  stopping = false
  /** Where the child records its runs, if it does. */
  recording: RecordPlace | undefined = undefined
  /** Whether the main of the child has ended. */
  closed = false
  /** The run that was interrupted last. */
  interrupted: OpenRun | undefined = undefined
  /** Why the child has interrupted its runs, if it has done so by itself. */
  failing: Failing | undefined = undefined
  /** Whether an alert has told of an interruption; of the last one, where the child was failing. */
  interruptionAlerted = false
  /** Whether a run of the child has failed or was interrupted. */
  failed = false
  /** The alerts of the child that did not arrive, and those that this process does not deliver either. */
  readonly undelivered = new Undelivered()
  /** The alerts that somebody in the child has taken and not settled, by their ids. */
  private readonly taken = new Map<number, TakenAlert & { readonly note: Note }>()
  /** The number of taken alerts beyond those that are kept. */
  moreTaken = 0

  receive(message: Message): void {
    switch (message._tag) {
      case "Closed":
        this.closed = true
        return
      case "Loaded":
        this.pipelineName = message.pipelineName
        return
      case "Answer":
        this.answer = message.text
        return
      case "Stopping":
        this.stopping = true
        return
      case "Failing":
        if (this.failing !== undefined) return
        this.failing = { ...message, steps: [...this.runs.values()].flatMap(innermost) }
        this.interruptionAlerted = false
        return
      case "Recording":
        this.recording = message
        return
      case "HookOpened":
        this.hooks.set(message.id, message)
        return
      case "HookClosed":
        this.hooks.delete(message.id)
        return
      case "Secret":
      case "PingTaken":
      case "PingSettled":
      case "OverdueWatched":
      case "OverdueLeft":
        // for the guard of the supervisor, its pings and its clock
        return
      case "AlertTaken": {
        if (this.taken.size >= maxTaken) {
          this.moreTaken++
          return
        }
        const { by, id } = message
        const alert = fromJson(message.alert)
        this.taken.set(id, { alert, by, note: this.undelivered.take(alert, by) })
        return
      }
      case "AlertSettled": {
        const taken = this.taken.get(message.id)
        if (taken === undefined) {
          // one of those that were only counted
          this.moreTaken = Math.max(0, this.moreTaken - 1)
          if (message.lost !== undefined) this.undelivered.addMore(1)
          return
        }
        this.taken.delete(message.id)
        if (message.lost === undefined) taken.note.delivered()
        else taken.note.lost(message.lost)
        return
      }
      case "Alerted":
        if (message.interrupted === true) this.interruptionAlerted = true
        return this.alerted(message)
      case "HookEnded":
        // a standard hook has posted its alert, perhaps by an alerter of the pipeline's own, which reports nothing
        if (message.kind === "interrupt" && message.hook.startsWith("AlerterHooks.")) this.interruptionAlerted = true
        return this.inRun(message)
      case "RunStarted":
        this.begun = true
        this.open(message)
        return
      case "RunHeld": {
        // one that goes on after a wait has its steps already
        const run = this.runs.get(message.runId) ?? this.open({ ...message, runName: message.runId })
        this.held.set(run.runId, run)
        return
      }
      case "RunReleased":
        if (this.runs.get(message.runId)?.steps.size === 0) this.runs.delete(message.runId)
        this.held.delete(message.runId)
        return
      case "RunOverdue":
      case "StepLogged":
      case "RunLogged":
      case "AlertPosted":
      // in records only
      case "RunCrashed":
      case "RunSuspended":
      case "ClockChanged":
      case "AlertsOmitted":
        return
      case "RunEnded":
        if (message.outcome === "interrupt") this.interrupted = this.runs.get(message.runId)
        this.runs.delete(message.runId)
        if (message.outcome !== "success" && message.outcome !== "skip") this.failed = true
        return
      default:
        return this.inRun(message)
    }
  }

  /** Returns the alerts that nobody in the child has settled, and counts those of failures as alerted. */
  takeOver(): TakenOver {
    const alerts = [...this.taken.values()]
    const more = this.moreTaken
    this.taken.clear()
    this.moreTaken = 0
    for (const { alert, note } of alerts) {
      note.delivered()
      const { severity, source } = alert
      // one that combines others has a source in common with them, of which it does not tell that it failed
      if (source === undefined || isDigest(alert)) continue
      this.alerted({ runId: source.runId, stepLabels: shortPath(labelsOf(source)), severity, named: true })
    }
    return { alerts, more }
  }

  private open(
    { at, pipelineName, runId, runName }: Pick<Of<"RunStarted">, "at" | "pipelineName" | "runId" | "runName">
  ): OpenRun {
    const run: OpenRun = {
      pipelineName,
      runId,
      runName,
      startedAt: at,
      steps: new Map(),
      last: undefined,
      alerted: false
    }
    this.runs.set(runId, run)
    if (this.held.has(runId)) this.held.set(runId, run)
    return run
  }

  private inRun(message: OfRun): void {
    const run = this.runs.get(message.runId)
    if (run !== undefined) inRun(run, message)
  }

  /**
   * Marks the step or run of a delivered alert.
   *
   * Several evaluations of one step have the same path: the alert counts for the one that failed first. For a step that
   * has not failed it counts only if the alert names its source, since the body of a step may post any alert.
   */
  private alerted({ named, runId, severity, stepLabels }: Omit<Of<"Alerted">, "_tag">): void {
    const run = this.runs.get(runId)
    if (run === undefined || severity === "info" || severity === "success") return
    if (stepLabels.length === 0) {
      if (named) run.alerted = true
      return
    }
    const steps = [...run.steps.values()].filter((step) => !step.alerted && samePath(step.stepLabels, stepLabels))
    const about = steps.find(({ cause }) => cause !== undefined) ?? (named ? steps[0] : undefined)
    if (about !== undefined) about.alerted = true
  }
}

/** A message about a step or a hook of a run. */
type OfRun = Exclude<Extract<Message, { readonly stepPath: unknown } | { readonly hook: unknown }>, Of<"StepLogged">>

const inRun = (run: OpenRun, message: OfRun): void => {
  switch (message._tag) {
    case "StepStarted": {
      const { at, index, params = {}, stepKey, stepPath } = message
      const stepLabels = labelsOf(message)
      const parent = message.parent === undefined ? undefined : run.steps.get(message.parent)
      // the next step of a body begins after the hooks of the steps that failed in that body
      settle(
        run,
        (failed) => !isWithin(parent, failed) && (failed.parent === undefined || isWithin(parent, failed.parent))
      )
      const step = { index, parent, stepKey, stepPath, stepLabels, startedAt: at, params }
      run.steps.set(index, { ...step, attempt: 1, cause: undefined, alerted: false })
      return
    }
    case "AttemptFailed": {
      const step = run.steps.get(message.index)
      settle(run, (failed) => step !== undefined && isWithin(failed, step))
      if (step !== undefined && message.isLast !== true) step.attempt = message.attempt + 1
      return
    }
    case "StepEnded": {
      const step = run.steps.get(message.index)
      settle(run, (failed) => step !== undefined && isWithin(failed, step))
      run.last = `${pathText(labelsOf(message), " › ")} ${ended[message.outcome]}`
      if (message.outcome === "failure" && step !== undefined) step.cause = message.cause ?? ""
      else run.steps.delete(message.index)
      return
    }
    case "StepSkipped": {
      const step = run.steps.get(message.index)
      settle(run, (failed) => step !== undefined && isWithin(failed, step))
      run.last = `${pathText(labelsOf(message), " › ")} was skipped`
      run.steps.delete(message.index)
      return
    }
    case "HookEnded": {
      // a standard hook has posted its alert, perhaps by an alerter of the pipeline's own, which reports nothing
      if (message.kind !== "failure" || !message.hook.startsWith("AlerterHooks.")) return
      const owner = message.step === undefined ? run : run.steps.get(message.step.index)
      if (owner !== undefined) owner.alerted = true
      return
    }
    case "StepProgress":
    case "StepOverdue":
    case "HookStarted":
    case "HookFailed":
    case "HookSkipped":
      return
  }
}

const ended = { success: "succeeded", failure: "failed", interrupt: "was interrupted" }

/** Removes the failed steps whose hooks have ended. */
const settle = (run: OpenRun, isOver: (step: OpenStep) => boolean): void => {
  for (const step of run.steps.values()) {
    if (step.cause !== undefined && isOver(step)) run.steps.delete(step.index)
  }
}

/** Whether a step is `outer`, or runs inside it. */
const isWithin = (step: OpenStep | undefined, outer: OpenStep): boolean => {
  for (let at = step; at !== undefined; at = at.parent) {
    if (at === outer) return true
  }
  return false
}

/** Returns the innermost open steps, one for each path. Steps that failed and have been alerted count as ended. */
export const innermost = (run: OpenRun): ReadonlyArray<OpenStep> => {
  const open = [...run.steps.values()].filter(({ alerted, cause }) => cause === undefined || !alerted)
  const outer = new Set<OpenStep>()
  for (const { parent } of open) {
    for (let at = parent; at !== undefined && !outer.has(at); at = at.parent) outer.add(at)
  }
  const byPath = new Map<string, OpenStep>()
  for (const step of open) {
    const path = JSON.stringify(step.stepLabels)
    if (!outer.has(step) && !byPath.has(path)) byPath.set(path, step)
  }
  return [...byPath.values()]
}
