/**
 * Remembers a value for each of the last 1,000 runs that ended, by run id.
 *
 * A step that was forked into a fiber of its own may end after its run. Without this its late events would be taken for
 * the beginning of a new run.
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

/** How many runs are remembered. */
const most = 1000
