/**
 * The erased form of a hook: what the runner works with once the types have been checked.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import type { FailedAttempt, Kind } from "../../Hook.ts"
import type { StepContext } from "../../StepContext.ts"

/** @internal */
export const TypeId = "~effect-epilogue/Hook"

/** Defined here, and not in `Hook.ts`, so that an observer loads no more than the reference. */
export const defaultTimeout: Context.Reference<Duration.Input> = Context.Reference<Duration.Input>(
  "effect-epilogue/Hook/defaultTimeout",
  { defaultValue: () => Duration.seconds(30) }
)

/** What a hook is called with: nothing (start), an exit (terminal kinds) or a failed attempt (retry). */
export type Occasion = undefined | Exit.Exit<unknown, unknown> | FailedAttempt<unknown>

/** What a hook yields when it had nothing to do: its predicate said no, or the tag was another one. */
export const skipped: unique symbol = Symbol.for("effect-epilogue/Hook/skipped")

/** A hook's policies and its function. `A`, `E` and `R` are gone: `Hook.ts` has checked them. */
export interface HookOptions {
  readonly kind: Kind
  readonly name: string
  readonly run: (occasion: Occasion, context: StepContext["Service"]) => Effect.Effect<unknown, unknown, unknown>
  readonly timeout?: Duration.Input | undefined
  readonly background?: boolean | undefined
  readonly required?: boolean | undefined
}

// Phantom types need a value at run time; it is never read.
const variance = {}

/** @internal */
export class HookImpl implements HookOptions {
  readonly [TypeId]: any = variance
  readonly kind: Kind
  readonly name: string
  readonly run: HookOptions["run"]
  readonly timeout: Duration.Input | undefined
  readonly background: boolean
  readonly required: boolean
  constructor(options: HookOptions) {
    this.kind = options.kind
    this.name = options.name
    this.run = options.run
    this.timeout = options.timeout
    this.background = options.background === true
    this.required = options.required === true
  }
  pipe() {
    return pipeArguments(this, arguments)
  }
  toJSON() {
    return { _id: "Hook", kind: this.kind, name: this.name, required: this.required, background: this.background }
  }
}

/** @internal */
export const isHook = (u: unknown): u is HookImpl => hasProperty(u, TypeId)

/** The function's own name where it has one, so that `Hook.onFailure(pageOnCall)` is called "pageOnCall". */
const nameOf = (f: unknown, kind: Kind): string =>
  typeof f === "function" && f.name !== "" ? f.name : `on${kind[0]!.toUpperCase()}${kind.slice(1)}`

/** @internal */
export const make = (kind: Kind, f: unknown, run: HookOptions["run"]): any =>
  new HookImpl({ kind, name: nameOf(f, kind), run })

/** @internal */
export const modify = (self: any, options: Partial<HookOptions>): any =>
  new HookImpl({ ...(self as HookImpl), ...options })

// The casts below are sound: the runner calls a hook with the occasion of its own kind only.

/** @internal */
export const onStart = (effect: Effect.Effect<any, any, any>): any => make("start", undefined, () => effect)

/** @internal */
export const onSuccess = (f: (value: any) => Effect.Effect<any, any, any>): any =>
  make("success", f, (exit) => f((exit as Exit.Success<any>).value))

const withCause = (kind: Kind) => (f: (cause: any) => Effect.Effect<any, any, any>): any =>
  make(kind, f, (exit) => f((exit as Exit.Failure<never, any>).cause))

/** @internal */
export const onFailure = withCause("failure")

/** @internal */
export const onInterrupt = withCause("interrupt")

/** @internal */
export const onFailureTag = (tag: string, f: (error: any) => Effect.Effect<any, any, any>): any =>
  make("failure", f, (exit) => {
    for (const reason of (exit as Exit.Failure<never, any>).cause.reasons) {
      if (Cause.isFailReason(reason) && hasProperty(reason.error, "_tag") && reason.error._tag === tag) {
        return f(reason.error)
      }
    }
    return skippedEffect
  })

/** @internal */
export const onRetry = (f: (failed: FailedAttempt<any>) => Effect.Effect<any, any, any>): any =>
  make("retry", f, (failed) => f(failed as FailedAttempt<any>))

/** @internal */
export const onExit = (f: (exit: Exit.Exit<any, any>) => Effect.Effect<any, any, any>): any =>
  make("exit", f, (exit) => f(exit as Exit.Exit<any, any>))

const skippedEffect: Effect.Effect<unknown> = Effect.succeed(skipped)

/** @internal */
export const named = (self: any, name: string): any => modify(self, { name })

/** @internal */
export const timeout = (self: any, timeout: Duration.Input): any => modify(self, { timeout })

/** @internal */
export const when = (
  self: any,
  predicate: (context: StepContext["Service"], exit?: Exit.Exit<any, any>) => boolean | Effect.Effect<boolean, any, any>
): any => {
  const { kind, run } = self as HookImpl
  return modify(self, {
    run(occasion, context) {
      const answer = predicate(context, toExit(kind, occasion))
      if (typeof answer === "boolean") return answer ? run(occasion, context) : skippedEffect
      return Effect.flatMap(answer, (yes) => yes ? run(occasion, context) : skippedEffect)
    }
  })
}

const toExit = (kind: Kind, occasion: Occasion): Exit.Exit<unknown, unknown> | undefined =>
  kind === "start"
    ? undefined
    : kind === "retry"
    ? Exit.failCause((occasion as FailedAttempt<unknown>).cause)
    : occasion as Exit.Exit<unknown, unknown>

/** @internal */
export const retry = (self: any, policy: any): any => {
  const { run } = self as HookImpl
  return modify(self, {
    // suspended, so that each try calls the hook's function anew
    run: (occasion, context) => Effect.retry(Effect.suspend(() => run(occasion, context)), policy)
  })
}
