/** What a child has told so far: which runs and steps are open, and what is known to have been alerted. */
import type { Told } from "./protocol.ts"

/** A step that has not ended, or has failed and is still in its hooks, as far as can be told. */
export interface OpenStep {
  readonly index: number
  readonly stepPath: ReadonlyArray<string>
  readonly startedAt: number
  readonly params: Readonly<Record<string, unknown>>
  attempt: number
  /** Why it failed, where it has. */
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
  /** The step that ended last, and how. */
  last: string | undefined
  alerted: boolean
}

type Of<Tag extends Told["_tag"]> = Extract<Told, { readonly _tag: Tag }>

export class State {
  readonly runs: Map<string, OpenRun> = new Map()
  /** Whether any run has begun. */
  begun = false
  /** The hooks that run. */
  readonly hooks: Map<number, Of<"HookOpened">> = new Map()
  /** What the pipeline is called. */
  pipelineName: string | undefined = undefined
  /** Whether the child's main came to its end. */
  closed = false
  /** Whether a run of the child's ended other than well. */
  failed = false

  tell(told: Told): void {
    switch (told._tag) {
      case "Closed":
        this.closed = true
        return
      case "Loaded":
        this.pipelineName = told.pipelineName
        return
      case "HookOpened":
        this.hooks.set(told.id, told)
        return
      case "HookClosed":
        this.hooks.delete(told.id)
        return
      case "Alerted":
        return this.alerted(told)
      case "RunStarted": {
        const { at, pipelineName, runId, runName } = told
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
        this.runs.delete(told.runId)
        if (told.outcome !== "success") this.failed = true
        return
      default: {
        const run = this.runs.get(told.runId)
        if (run !== undefined) inRun(run, told)
      }
    }
  }

  /**
   * Two evaluations of one step have the same path: the alert is about the one that
   * has failed the longest. Of a step that is not known to have failed it is only
   * where the alert itself says so: a body may post what it likes.
   */
  private alerted({ named, runId, severity, stepPath }: Of<"Alerted">): void {
    const run = this.runs.get(runId)
    if (run === undefined || severity === "info" || severity === "success") return
    if (stepPath.length === 0) {
      if (named) run.alerted = true
      return
    }
    const steps = [...run.steps.values()].filter((step) => !step.alerted && isSame(step.stepPath, stepPath))
    const about = steps.find(({ cause }) => cause !== undefined) ?? (named ? steps[0] : undefined)
    if (about !== undefined) about.alerted = true
  }
}

const inRun = (
  run: OpenRun,
  told: Extract<Told, { readonly stepPath: unknown } | { readonly hook: unknown }>
): void => {
  switch (told._tag) {
    case "StepStarted": {
      const { at, index, params = {}, stepPath } = told
      // what comes next in the surrounding body comes after the hooks of what failed in it
      settle(run, (failed) => !isWithin(stepPath, failed) && isWithin(stepPath, failed.slice(0, -1)))
      run.steps.set(index, { index, stepPath, startedAt: at, params, attempt: 1, cause: undefined, alerted: false })
      return
    }
    case "AttemptFailed": {
      settle(run, (failed) => isWithin(failed, told.stepPath))
      const step = run.steps.get(told.index)
      if (step !== undefined) step.attempt = told.attempt + 1
      return
    }
    case "StepEnded": {
      const step = run.steps.get(told.index)
      settle(run, (failed) => isWithin(failed, told.stepPath))
      run.last = `${told.stepPath.join(" › ")} ${ended[told.outcome]}`
      if (told.outcome === "failure" && step !== undefined) step.cause = told.cause ?? ""
      else run.steps.delete(told.index)
      return
    }
    case "HookEnded": {
      // the standard hooks, with an alerter that does not tell what it delivers
      if (told.kind !== "failure" || !told.hook.startsWith("AlerterHooks.")) return
      const owner = told.step === undefined ? run : run.steps.get(told.step.index)
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

/** Forgets steps that have failed and whose hooks are over. */
const settle = (run: OpenRun, isOver: (stepPath: ReadonlyArray<string>) => boolean): void => {
  for (const { cause, index, stepPath } of run.steps.values()) {
    if (cause !== undefined && isOver(stepPath)) run.steps.delete(index)
  }
}

const isSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean => a.length === b.length && isWithin(a, b)

/** Whether a path is another, or goes on from it. */
const isWithin = (path: ReadonlyArray<string>, outer: ReadonlyArray<string>): boolean =>
  outer.length <= path.length && outer.every((name, i) => path[i] === name)

/** The innermost of the open steps, one of each path. What failed and was alerted is over. */
export const innermost = (run: OpenRun): ReadonlyArray<OpenStep> => {
  const open = [...run.steps.values()].filter(({ alerted, cause }) => cause === undefined || !alerted)
  return open.filter((step, i) =>
    open.every((other, j) => isSame(other.stepPath, step.stepPath) ? i <= j : !isWithin(other.stepPath, step.stepPath))
  )
}
