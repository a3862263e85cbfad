/** Waits for hooks within their time limits. */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { defaultTimeout, type HookImpl } from "../model/hook.ts"
import { exceeded, limitMillis, limitMistakes } from "../model/limit.ts"
import { postingOf, postingOfHook } from "../model/posting.ts"
import { CurrentStopping, type Stopping } from "../model/stopping.ts"
import * as Writer from "../text/writer.ts"
import type { Pending } from "./pending.ts"
import { Watchdog } from "./watchdog.ts"

/** The time limits of hooks that a fiber waits for in a context. */
export interface HookLimits {
  readonly context: Context.Context<never>
  /** The limit of a hook without one of its own. */
  readonly usual: Duration.Input
  readonly watchdog: Watchdog
  readonly stopping: Stopping | undefined
}

/** Returns the time limits of hooks that a fiber waits for. */
export const hookLimits = (fiber: Fiber.Fiber<unknown, unknown>, watchdog: Watchdog): HookLimits => ({
  context: fiber.context,
  usual: fiber.getRef(defaultTimeout),
  watchdog,
  stopping: fiber.getRef(CurrentStopping)
})

/** The value of a standard hook that has left its alert in a mailbox. */
export const onItsWay: unique symbol = Symbol.for("effect-epilogue/Hook/onItsWay")

/** For how long a standard hook waits for its alert when the process is to stop: the mailbox is emptied after that. */
const stopMillis = 1_000

/**
 * Calls back when a hook has ended, or at its time limit from `now` on, which interrupts it. `waiting` is the id of the
 * fiber that waits for it.
 */
export const whenEnded = (
  { name, required, timeout }: Pick<HookImpl, "name" | "required" | "timeout">,
  hook: Pending,
  waiting: number,
  { stopping, usual, watchdog }: HookLimits,
  now: number,
  then: (exit: Exit.Exit<unknown, unknown>) => void
): void => {
  const input = timeout ?? usual
  const limit = limitMillis(input)
  if (limit === undefined) {
    hook.interruptUnsafe(waiting)
    return then(Exit.die(new TypeError(limitMistakes("Hook.defaultTimeout", input)[0])))
  }
  let forget: (() => void) | undefined
  // one function for all limits, as a hook that waits costs what is made for it
  const onLimit = (): void => {
    const at = watchdog.now()
    // of a standard hook, what is over is the time to wait: who requires the hook requires the delivery
    const left = !required && postingOf(hook)?.isOnItsWay === true
    // the process is to stop, and the alert is not in a mailbox; a timer may fire early by a fraction of a millisecond
    if (!left && now + limit - at >= 1) {
      deadline = watchdog.add(Math.min(stopMillis, now + limit - at), onLimit, at)
      return
    }
    forget?.()
    hook.interruptUnsafe(waiting)
    then(left ? Exit.succeed(onItsWay) : Exit.fail(exceeded(`hook "${name}"`, limit)))
  }
  let deadline = watchdog.add(limit, onLimit, now)
  if (stopping !== undefined && !required) {
    forget = stopping.onStop(() => {
      const at = watchdog.now()
      if (deadline.cancel()) deadline = watchdog.add(Math.min(stopMillis, now + limit - at), onLimit, at)
    })
  }
  // a hook that ends later, as one that was interrupted does, is not waited for any more
  hook.addObserver((exit) => {
    if (!deadline.cancel()) return
    forget?.()
    then(exit)
  })
}

/** Waits for a hook within its time limit. Then interrupts it, and does not wait until it has ended. */
export const withinLimit = (
  hook: Pick<HookImpl, "name" | "required" | "timeout">,
  started: Pending
): Effect.Effect<Exit.Exit<unknown, unknown>> =>
  Effect.withFiber((fiber) =>
    Effect.callback<Exit.Exit<unknown, unknown>>((resume) => {
      const watchdog = new Watchdog(fiber)
      whenEnded(hook, started, fiber.id, hookLimits(fiber, watchdog), watchdog.now(), (exit) => {
        watchdog.stop()
        resume(Effect.succeed(exit))
      })
      return Effect.sync(() => watchdog.stop())
    })
  )

/** Posts as a standard hook does, and logs a failure: `told` says what could not be posted. */
export const postTold = (post: Effect.Effect<void, unknown>, told: string): Effect.Effect<void> =>
  Effect.withFiber((fiber) =>
    Effect.flatMap(
      withinLimit(
        { name: told, required: false, timeout: undefined },
        Effect.runForkWith(fiber.context)(postingOfHook(post))
      ),
      (exit) =>
        exit._tag === "Success"
          ? Effect.void
          : Writer.logError(`effect-epilogue: it could not be posted that ${told}`, exit.cause)
    )
  )
