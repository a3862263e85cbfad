/** The type of what a function returns that is called for its side effect. */
import type * as Effect from "effect/Effect"

/**
 * A value of any type but an Effect or a promise: the result of a function that is called at once, whose result nobody
 * runs or awaits.
 *
 * **Details**
 *
 * With `void` in its place, the compiler would accept a function that returns an Effect, and that Effect would never
 * run. `Cure` is what the compiler's message tells the user to do.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Synchronous<Cure extends string> =
  | void
  | null
  | undefined
  | string
  | number
  | bigint
  | boolean
  | symbol
  | (object & {
    readonly [Effect.TypeId]?: `an Effect, which is not run here: ${Cure}`
    readonly then?: `a promise, which is not awaited here: ${Cure}`
  })
