/** Chooses the runs that a monitor is told of. */
import type { RunInfo } from "../../RunEvent.ts"
import type { Monitor } from "./model.ts"

type Run = Pick<RunInfo, "pipelineName" | "runId">

/** The runs that a monitor is told of, as they begin and end. */
export class Selection {
  readonly #pipelines: Monitor["pipelines"]
  readonly #open = new Set<string>()

  constructor({ pipelines }: Pick<Monitor, "pipelines">) {
    this.#pipelines = pipelines
  }

  /** Takes note that a run begins, and returns whether the monitor is told of it. `when` chooses, too, where it is set. */
  begins({ pipelineName, runId }: Run, when?: () => boolean): boolean {
    const isChosen = this.#pipelines === undefined && when === undefined
      ? this.#open.size === 0
      : (this.#pipelines?.includes(pipelineName) ?? true) && (when?.() ?? true)
    if (isChosen) this.#open.add(runId)
    return isChosen
  }

  /** Takes note that a run has ended. */
  ends(runId: string): void {
    this.#open.delete(runId)
  }
}
