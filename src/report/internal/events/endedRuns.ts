/**
 * What is remembered of runs that have ended, by their ids, of the last of them: a step on a fiber of its own may end
 * after its run, and what comes then is of no new one.
 */
export class EndedRuns<A> {
  readonly #byId = new Map<string, A>()

  add(runId: string, value: A): void {
    this.#byId.set(runId, value)
    if (this.#byId.size > most) this.#byId.delete(this.#byId.keys().next().value!)
  }

  get(runId: string): A | undefined {
    return this.#byId.get(runId)
  }
}

const most = 1000
