/** A finalizer that has nothing to do. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** The result of the trial. It is held in an array, since `undefined` is a result, too. */
let tried: readonly [Effect.Effect<void>] | undefined

/**
 * Returns a finalizer that has nothing to do. `Effect.onExit` accepts `undefined` for it, as `Effect.provideService` makes
 * use of, and then does not combine causes, which takes a third of the time of a step that fails. Its public type does
 * not say so: hence the trial, in which a later version that rejects `undefined` would die. It takes as long as a tenth of
 * what the library adds to a start, and is left to the first step.
 */
export const nothing = (): Effect.Effect<void> => (tried ??= [trial()])[0]

const trial = (): Effect.Effect<void> => {
  const none = undefined as unknown as Effect.Effect<void>
  const failed = Effect.onExit(Effect.fail("trial"), () => none)
  return Exit.isSuccess(Effect.runSyncExit(Effect.onExit(Effect.exit(failed), () => none))) ? none : Effect.void
}
