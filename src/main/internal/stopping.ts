/** Tells the inside of a program that its process is asked to stop. */
import type * as Fiber from "effect/Fiber"
import type { Stopping } from "../../internal/model/stopping.ts"

/** @internal */
export interface Stop extends Stopping {
  /** Tells that the process is to stop: on a signal, if one is given, or for a failure. The first ones count. */
  readonly stop: (signal?: NodeJS.Signals, failure?: string) => void
  readonly signal: () => NodeJS.Signals | undefined
  /** Whether the program has evaluated runs, and all of them have ended. */
  readonly isOver: () => boolean
  /** Interrupts the program, and calls a function when it does. A program that is being closed ends by itself. */
  readonly interrupt: (fiber: Fiber.Fiber<unknown, unknown>, then?: () => void) => void
}

/** The time between two looks at whether a program that was being closed can be interrupted, in milliseconds. */
const looking = 10

/** Whether a fiber does something that no interruption cuts off. The cast: the type of fibers does not tell of it. */
const isUninterruptible = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.pollUnsafe() === undefined && (fiber as { readonly interruptible?: boolean }).interruptible === false

/**
 * Makes the end of a process that has not been asked to stop. `staying` counts the durable runs under way. `changed` is
 * called when {@link Stop.isOver} may be another.
 */
export const make = (staying: () => number = () => 0, changed: () => void = () => {}): Stop => {
  const listeners = new Set<() => void>()
  let isStopping = false
  let signalled: NodeJS.Signals | undefined
  let failed: string | undefined
  let open = 0
  let ended = 0
  let look = () => {}
  const isOver = () => ended > 0 && open === 0
  /** The fiber that has evaluated the latest run, and closes the layers around that: the program may wait for it. */
  let latest: Fiber.Fiber<unknown, unknown> | undefined
  const closes = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
    isUninterruptible(fiber) || (latest !== undefined && isUninterruptible(latest))
  return {
    signal: () => signalled,
    failure: () => failed,
    staying,
    isOver,
    runBegun: (fiber) => {
      open++
      // before it does anything, where the program goes on after all
      look()
      // a finalizer may evaluate steps in a fiber of its own
      if (latest === undefined || !isUninterruptible(latest)) latest = fiber
      if (open === 1) changed()
    },
    runEnded: () => {
      open--
      ended++
      if (open === 0) changed()
    },
    interrupt: (fiber, then = () => {}) => {
      // Where its runs have ended and what they have used is being closed, the interruption would change nothing but the
      // exit, and with it the exit code. If the program goes on after that, it is interrupted then.
      let isLeft = isOver() && closes(fiber)
      look = () => {
        // its finalizers may evaluate steps
        isLeft &&= closes(fiber)
        if (isLeft) return
        look = () => {}
        clearInterval(timer)
        if (fiber.pollUnsafe() !== undefined) return
        then()
        fiber.interruptUnsafe(fiber.id)
      }
      const timer = setInterval(() => look(), looking)
      timer.unref()
      look()
    },
    onStop: (then) => {
      if (isStopping) {
        then()
        return () => {}
      }
      // a listener of its own, though several may listen with one function
      const listener = () => then()
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop: (signal, failure) => {
      failed ??= failure
      signalled ??= signal
      isStopping = true
      const told = [...listeners]
      listeners.clear()
      for (const listener of told) listener()
    }
  }
}
