/** Keeps what a rollback of a run would undo, and what it has undone. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { RolledBack } from "../model/occurrence.ts"
import * as Writer from "../text/writer.ts"

/** A step that has succeeded. */
interface Succeeded {
  /** Undoes it, in a run that has failed with a cause. */
  readonly undo: (cause: Cause.Cause<unknown>) => Effect.Effect<void>
  /** When it ended, in milliseconds, where that is recorded: a run that goes on after a crash reads ends in any order. */
  readonly endedMillis: number | undefined
}

/** The steps of a run that a rollback would undo. Made for the first of them: most runs have none. */
export class Rollback implements RolledBack {
  readonly undone = new Set<string>()
  readonly failed = new Map<string, Cause.Cause<unknown>>()
  /** Whether the run is recorded. What is not recorded of it could not be undone after a crash, and is not remembered. */
  readonly isRecorded: boolean
  private readonly succeeded: Array<Succeeded> = []
  /** Closes what the rollback needs. */
  private readonly closing: Array<Effect.Effect<void>> = []
  private begun = false

  constructor(isRecorded: boolean) {
    this.isRecorded = isRecorded
  }

  /** Whether the run has not failed yet, and would have steps to undo if it did. */
  get isPending(): boolean {
    return !this.begun && this.succeeded.length > 0
  }

  /** Remembers a step until its run ends, unless a hook has evaluated it during or after the rollback. */
  remember(step: Succeeded, inHook: boolean): void {
    if (this.begun && inHook) return
    let place = this.succeeded.length
    // from the end, since most come in order
    while (place > 0 && endedAt(this.succeeded[place - 1]!) > endedAt(step)) place--
    this.succeeded.splice(place, 0, step)
  }

  /** Undoes the steps, the last one first. A step that succeeds meanwhile, on a fiber of its own, is undone too. */
  run(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.begun = true
      const last = this.succeeded.pop()
      return last === undefined ? Effect.void : Effect.flatMap(last.undo(cause), () => this.run(cause))
    })
  }

  /** Keeps what a step is told to be: undone where all of its hooks succeeded, as often as it was evaluated. */
  ended(name: string, failed: Cause.Cause<unknown> | undefined): void {
    if (failed === undefined) {
      if (!this.failed.has(name)) this.undone.add(name)
    } else {
      this.undone.delete(name)
      if (!this.failed.has(name)) this.failed.set(name, failed)
    }
  }

  /** Keeps open what the rollback needs, until {@link close} is called. */
  keepOpen(close: Effect.Effect<void>): void {
    this.closing.push(close)
  }

  /** Closes what was kept open. A failure of that is logged: the exit of the run is known by now. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() =>
      Effect.forEach(
        this.closing.splice(0),
        (close) =>
          Effect.catchCause(close, (cause) =>
            Writer.logError("effect-epilogue: a layer failed to close after a rollback", cause)),
        { discard: true }
      )
    )
  }
}

const endedAt = ({ endedMillis = 0 }: Succeeded): number => endedMillis
