/** Limits how many mails are under way at a time, to what the server accepts. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/** The connections that a pool may have at a time. */
export interface Slots {
  /**
   * Runs an effect when a slot is free. The effect may give its slot up: the server has refused a connection while it has
   * others of this pool. That succeeds with `false`, and changes nothing, if there are no others. All slots are there
   * again when no mail is under way any more.
   */
  readonly within: <A, E, R>(use: (giveUp: Effect.Effect<boolean>) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** @internal */
export const make = (slots: number): Slots => {
  const semaphore = Semaphore.makeUnsafe(slots)
  let taken = 0
  let fewer = false
  return {
    within: (use) =>
      Semaphore.withPermit(
        semaphore,
        Effect.suspend(() => {
          taken++
          let counted = true
          const leave = () => {
            if (counted) taken--
            counted = false
          }
          const giveUp = Effect.suspend(() => {
            // one mail keeps its slot, and waits longer each time: if all left, all would try again at once
            if (taken < 2) return Effect.succeed(false)
            leave()
            fewer = true
            return Effect.as(Semaphore.resize(semaphore, taken), true)
          })
          return Effect.ensuring(
            use(giveUp),
            Effect.suspend(() => {
              leave()
              if (taken > 0 || !fewer) return Effect.void
              fewer = false
              return Semaphore.resize(semaphore, slots)
            })
          )
        })
      )
  }
}
