/** The questions of a run that this process waits for, to be withdrawn once nothing waits for them any more. */
import * as Effect from "effect/Effect"

interface OpenQuestion {
  /** A path: the key of the step or run that asks, and the attempt. */
  readonly owner: string
  readonly withdraw: Effect.Effect<void>
}

/** @internal */
export class OpenQuestions {
  private readonly open = new Map<string, OpenQuestion>()

  add(id: string, question: OpenQuestion): void {
    this.open.set(id, question)
  }

  delete(id: string): void {
    this.open.delete(id)
  }

  /** Withdraws the questions of owners whose path begins so: those of a step, or an attempt, that has ended. */
  withdraw(path: string): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.open.size === 0 ? Effect.void : Effect.forEach(
        [...this.open].filter(([, { owner }]) => owner.startsWith(path)),
        ([id, { withdraw }]) => {
          this.open.delete(id)
          return withdraw
        },
        { discard: true }
      )
    )
  }
}
