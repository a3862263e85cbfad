/** Hooks that have not ended. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

type Observe = (exit: Exit.Exit<unknown, unknown>) => void

/** A hook that has not ended. Its fiber is one. */
export interface Pending {
  readonly addObserver: (observer: Observe) => unknown
  readonly interruptUnsafe: (fiberId: number) => void
}

/** Interrupts a hook, and waits until it has ended. */
export const stop = (hook: Pending): Effect.Effect<void> =>
  Effect.withFiber((fiber) =>
    Effect.callback((resume) => {
      hook.addObserver(() => resume(Effect.void))
      hook.interruptUnsafe(fiber.id)
    })
  )

type AnyEffect = Effect.Effect<unknown, unknown>

/** The function of `Effect.callback`. */
export type Register = (resume: (effect: AnyEffect) => void, signal: AbortSignal | undefined) => AnyEffect | undefined

/** An asynchronous call, as of a function that returns a promise, which is evaluated without a fiber. */
export class Call implements Pending {
  private readonly context: Context.Context<never>
  private readonly controller: AbortController | undefined
  private exit: Exit.Exit<unknown, unknown> | undefined
  private observer: Observe | undefined
  private resumed = false
  /** Stops the call, where it has said how. */
  private onCancel: AnyEffect | undefined
  /** Evaluates the Effect that the call has ended with. */
  private rest: Fiber.Fiber<unknown, unknown> | undefined

  constructor(context: Context.Context<never>, takesSignal: boolean) {
    this.context = context
    this.controller = takesSignal ? new AbortController() : undefined
  }

  /** Makes the call, and returns its exit where it has ended at once. `scheduler` is what the function is a method of. */
  begin(register: Register, scheduler: unknown): Exit.Exit<unknown, unknown> | Pending {
    this.onCancel = register.call(scheduler, (effect) => {
      if (this.resumed) return
      this.resumed = true
      if (Exit.isExit(effect)) return this.end(effect)
      this.rest = this.fork(Effect.onInterrupt(effect, () => Effect.exit(this.cancel())))
      this.rest.addObserver((exit) => this.end(exit))
    }, this.controller?.signal)
    return this.exit ?? this
  }

  addObserver(observer: Observe): void {
    const { exit, observer: before } = this
    if (exit !== undefined) return observer(exit)
    this.observer = before === undefined ? observer : (exit) => {
      before(exit)
      observer(exit)
    }
  }

  interruptUnsafe(fiberId: number): void {
    if (this.rest !== undefined) return this.rest.interruptUnsafe(fiberId)
    if (this.resumed) return
    this.resumed = true
    this.fork(this.cancel()).addObserver(() => this.end(Exit.interrupt(fiberId)))
  }

  private fork(effect: AnyEffect): Fiber.Fiber<unknown, unknown> {
    return Effect.runForkWith(this.context)(effect)
  }

  private cancel(): AnyEffect {
    return Effect.uninterruptible(Effect.suspend(() => {
      this.controller?.abort()
      return this.onCancel ?? Effect.void
    }))
  }

  private end(exit: Exit.Exit<unknown, unknown>): void {
    this.exit = exit
    this.observer?.(exit)
  }
}
