/** The state of a child by its messages so far: its open runs and steps, and which of them have been alerted. */
import { labelsOf, pathText } from "../../internal/text/stepLabel.ts"
import { samePath } from "../../report/internal/events/shortPath.ts"
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

type Of<Tag extends Message["_tag"]> = Extract<Message, { readonly _tag: Tag }>

/** Collects the messages of a child. */
export class State {
  readonly runs: Map<string, OpenRun> = new Map()
  /** Whether a run has begun. */
  begun = false
  /** The hooks that are running, by their ids. */
  readonly hooks: Map<number, Of<"HookOpened">> = new Map()
  /** The name of the pipeline, once the child has reported it. */
  pipelineName: string | undefined = undefined
  /** Whether the main of the child has ended. */
  closed = false
  /** The run that was interrupted last. */
  interrupted: OpenRun | undefined = undefined
  /** Whether an alert has told of an interruption. */
  interruptionAlerted = false
  /** Whether a run of the child has failed or was interrupted. */
  failed = false

  receive(message: Message): void {
    switch (message._tag) {
      case "Closed":
        this.closed = true
        return
      case "Loaded":
        this.pipelineName = message.pipelineName
        return
      case "HookOpened":
        this.hooks.set(message.id, message)
        return
      case "HookClosed":
        this.hooks.delete(message.id)
        return
      case "Secret":
        // for the guard of the supervisor alone
        return
      case "Alerted":
        if (message.interrupted === true) this.interruptionAlerted = true
        return this.alerted(message)
      case "HookEnded":
        // a standard hook has posted its alert, perhaps by an alerter of the pipeline's own, which reports nothing
        if (message.kind === "interrupt" && message.hook.startsWith("AlerterHooks.")) this.interruptionAlerted = true
        return this.inRun(message)
      case "RunStarted": {
        const { at, pipelineName, runId, runName } = message
        this.begun = true
        this.runs.set(runId, {
          pipelineName,
          runId,
          runName,
          startedAt: at,
          steps: new Map(),
          last: undefined,
          alerted: false
        })
        return
      }
      case "RunEnded":
        if (message.outcome === "interrupt") this.interrupted = this.runs.get(message.runId)
        this.runs.delete(message.runId)
        if (message.outcome !== "success") this.failed = true
        return
      default:
        return this.inRun(message)
    }
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
  private alerted({ named, runId, severity, stepLabels }: Of<"Alerted">): void {
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
type OfRun = Extract<Message, { readonly stepPath: unknown } | { readonly hook: unknown }>

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
      if (step !== undefined) step.attempt = message.attempt + 1
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
    case "HookEnded": {
      // a standard hook has posted its alert, perhaps by an alerter of the pipeline's own, which reports nothing
      if (message.kind !== "failure" || !message.hook.startsWith("AlerterHooks.")) return
      const owner = message.step === undefined ? run : run.steps.get(message.step.index)
      if (owner !== undefined) owner.alerted = true
      return
    }
    case "StepProgress":
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
