/** Keeps which steps are running, of all runs: a run may be inside of a step of another one. */
import type { Occurrence } from "../../internal/model/occurrence.ts"
import { nameRunning, runningText, stepAround } from "../../internal/model/running.ts"

interface OpenStep {
  readonly step: Occurrence
  /** When it began, in milliseconds. */
  readonly at: number
}

/**
 * The steps that are running. They are known by their runs and indexes: a step without secrets is another object than the
 * one that a step inside has around it, and a durable step may end as another one than it began.
 */
export class Running {
  readonly #runs = new Map<string, Map<number, OpenStep>>()

  begin(step: Occurrence, at: number): void {
    const steps = this.#runs.get(step.run.id) ?? new Map<number, OpenStep>()
    this.#runs.set(step.run.id, steps.set(step.index, { step, at }))
  }

  end(runId: string, index: number): void {
    this.#runs.get(runId)?.delete(index)
  }

  endRun(runId: string): void {
    this.#runs.delete(runId)
  }

  /** Names the innermost steps inside of a run that are running `now`, and for how long. */
  text(runId: string, now: number): string {
    const all = [...this.#runs.values()].flatMap((steps) => [...steps.values()])
    const outer = new Set(all.map(({ step }) => this.#known(stepAround(step))))
    return runningText(all.flatMap((open) => {
      const path = outer.has(open) ? undefined : this.#pathIn(runId, open.step)
      return path === undefined ? [] : [nameRunning(path, now - open.at)]
    }))
  }

  #known(step: Occurrence | undefined): OpenStep | undefined {
    return step && this.#runs.get(step.run.id)?.get(step.index)
  }

  /** Returns the path of a step from a run that it is inside of. A run in between has its pipeline's name in the path. */
  #pathIn(runId: string, step: Occurrence): ReadonlyArray<string> | undefined {
    const parts = [step.labels]
    for (let { run } = step; run.id !== runId;) {
      if (run.around === undefined) return undefined
      const around = this.#known(run.around)?.step ?? run.around
      parts.push([run.pipelineName], around.labels)
      run = around.run
    }
    return parts.toReversed().flat()
  }
}
