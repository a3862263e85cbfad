/** Sleeps that end on time, though the machine was suspended meanwhile. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** The longest sleep. Timers may stand still while the machine is suspended, so the clock is checked every hour. */
const longestSleep = Duration.toMillis("1 hour")

/** Sleeps for some milliseconds, or for an hour if that is less: the caller looks at the clock then. */
export const sleepAtMost = (millis: number): Effect.Effect<void> =>
  Effect.sleep(Math.min(Math.ceil(millis), longestSleep))

/** Calls a function once its time has come, or an hour has passed. */
export interface Alarm {
  /** Sets the time, in milliseconds of the caller's clock. The earlier of two counts. */
  readonly set: (at: number, now: number) => void
  readonly stop: () => void
}

/** Makes an alarm that is not set. */
export const alarm = (context: Context.Context<never>, ring: () => void): Alarm => {
  let current: { readonly at: number; readonly fiber: Fiber.Fiber<void> } | undefined
  const stop = (): void => {
    const stopped = current
    current = undefined
    stopped?.fiber.interruptUnsafe()
  }
  return {
    set: (at, now) => {
      if (current !== undefined && current.at <= at) return
      stop()
      const set = { at, fiber: Effect.runForkWith(context)(sleepAtMost(at - now)) }
      current = set
      set.fiber.addObserver(() => {
        if (current !== set) return
        current = undefined
        ring()
      })
    },
    stop
  }
}
