/** Hooks: their public types, and their erased form, which the engine works with once the types have been checked. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import { returnedNoEffect } from "../text/noEffect.ts"
import type { StepContext } from "./context.ts"
import { retryMistakes } from "./options.ts"
import type { Overdue, OverdueInput, OverdueOptions, Watching } from "./overdue.ts"

/** @internal */
export const TypeId = "~effect-epilogue/Hook"

/**
 * The kinds of event that a hook can react to.
 *
 * @see {@link Hook} for a hook of a kind
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "start" | "retry" | "overdue" | "success" | "failure" | "interrupt" | "skip" | "exit" | "rollback"

/**
 * A reaction to one kind of event of a step that yields `A` or fails with `E`.
 *
 * **Details**
 *
 * | parameter | meaning | set by |
 * | --- | --- | --- |
 * | `A` | the value of the steps that it fits; `unknown` fits any | the argument of `Hook.onSuccess`, `Hook.onExit` and `Hook.onRollback` |
 * | `E` | the error of the steps that it fits; `unknown` fits any | the argument of `Hook.onFailure`, `Hook.onRetry` and `Hook.onExit` |
 * | `R` | the services that it requires, which its step then requires | the Effect of the hook, `Hook.when`, `Hook.retry` |
 * | `X` | the error that it adds to the step's: `HookError` or `never` | `Hook.required` |
 * | `T` | the tagged errors that it listens for: the step must be able to fail with each | `Hook.onFailureTag` |
 *
 * `X` and `T` are inferred and rarely written.
 *
 * @see `Hook.Any` for a hook of any types
 * @see `Hooks.Hooks` for a collection of hooks
 *
 * @category models
 * @since 0.1.0
 */
export interface Hook<in A, in E, out R, out X = never, out T = never> extends Pipeable {
  /** Holds the types of the hook. It has no value to read. */
  readonly [TypeId]: Hook.Variance<A, E, R, X, T>
  /** The kind of event that it reacts to. */
  readonly kind: Kind
  /** The name in logs, spans and events. Set with `Hook.named`. */
  readonly name: string
  /** Whether the step goes on without waiting for the hook. Set with `Hook.background`. */
  readonly background: boolean
  /** Whether a failure of the hook fails the step. Set with `Hook.required`. */
  readonly required: boolean
}

/**
 * The types of a hook.
 *
 * @category models
 * @since 0.1.0
 */
export declare namespace Hook {
  /**
   * The phantom types of a hook.
   *
   * @category models
   * @since 0.1.0
   */
  export interface Variance<in A, in E, out R, out X, out T> {
    /** The value of a step that it fits. */
    readonly _A: (_: A) => void
    /** The error of a step that it fits. */
    readonly _E: (_: E) => void
    /** The services that it requires. */
    readonly _R: () => R
    /** The error that it adds to those of a step. */
    readonly _X: () => X
    /** The tagged errors that it listens for. */
    readonly _T: () => T
  }
}

/**
 * The argument of an `onRetry` hook: the number of the attempt that failed (1 is the first), its cause, and when the
 * next attempt follows, if it does.
 *
 * @see `Hook.onRetry` for such hooks
 *
 * @category models
 * @since 0.1.0
 */
export interface FailedAttempt<out E> {
  /** The number of the attempt. 1 is the first. */
  readonly attempt: number
  /** Why it failed. */
  readonly cause: Cause.Cause<E>
  /** The time until the next attempt or, if this one `isLast`, until the time limit. */
  readonly delay: Duration.Duration
  /** Whether no other attempt follows, since a time limit of the step, or of one or a run around it, is up before. */
  readonly isLast: boolean
}

/** The default time limit of a hook. Defined here, and not in `Hook.ts`, so that an observer loads only this. */
export const defaultTimeout: Context.Reference<Duration.Input> = Context.Reference<Duration.Input>(
  "effect-epilogue/Hook/defaultTimeout",
  { defaultValue: () => Duration.seconds(30) }
)

/** The rollback of a run that failed or was interrupted with `cause`, for a step of it that had succeeded with `value`. */
export interface Rollback {
  readonly value: unknown
  readonly cause: Cause.Cause<unknown>
}

/**
 * The argument of a hook: nothing (start), an exit (terminal kinds), a failed attempt (retry), a limit (overdue) or the
 * value of the step and the cause of its run (rollback).
 */
export type Occasion = undefined | Exit.Exit<unknown, unknown> | FailedAttempt<unknown> | Overdue | Rollback

/** The value of a hook that had nothing to do: its predicate returned `false`, or the error had another tag. */
export const skipped: unique symbol = Symbol.for("effect-epilogue/Hook/skipped")

/** The services that a hook brings along, as one of a layer does. */
export interface HookServices {
  /** Returns the context of the hook, given that of its step and the `StepContext` of the step's hooks. */
  readonly hookContext: (step: Context.Context<never>, view: StepContext["Service"]) => Context.Context<never>
}

/** The function of a hook and its policies, erased: `Hook.ts` has checked `A`, `E` and `R`. */
export interface HookOptions {
  readonly kind: Kind
  readonly name: string
  /** A conditional hook calls `applies` once its condition holds. */
  readonly run: (
    occasion: Occasion,
    context: StepContext["Service"],
    applies?: () => void
  ) => Effect.Effect<unknown, unknown, unknown>
  /** Whether it has a condition, a tag or a predicate, by which it may have nothing to do. */
  readonly conditional?: boolean | undefined
  /** The conditional hooks in whose place it runs: only where none of them has something to do. */
  readonly unless?: ReadonlyArray<HookImpl> | undefined
  /** The hook that this is a copy of, with another `unless`. */
  readonly original?: HookImpl | undefined
  readonly timeout?: Duration.Input | undefined
  readonly background?: boolean | undefined
  readonly required?: boolean | undefined
  /** Whether the hook of a run wants to know its slowest steps, which costs each step a reading of the clock. */
  readonly measures?: boolean | undefined
  /** The limit of an overdue hook that has one of its own. */
  readonly overdue?: OverdueInput | undefined
  /** Of an overdue hook: watches the bodies of its steps. */
  readonly watching?: Watching | undefined
  /** The services of the layer that the hook comes from. */
  readonly services?: HookServices | undefined
  /** Of a rollback hook: remembers a step that has succeeded. It comes with the hook, and is not loaded without one. */
  readonly remember?: Remember | undefined
  /** The mistakes in arguments of policies that it does not keep, in words. */
  readonly mistakes?: ReadonlyArray<string> | undefined
  /** Of a hook that posts alerts. It comes with the hook, as `remember` does. */
  readonly alerting?: Alerting | undefined
}

/** The means by which a hook that posts alerts tells alerters that keep failures when these are over. */
export interface Alerting {
  /** Of one that tells of failures: returns the hooks to add to those of a success, by which their end is told. */
  readonly recoveries?: ((hooks: Readonly<Record<Kind, ReadonlyArray<Chosen>>>) => ReadonlyArray<Chosen>) | undefined
  /** Whether it tells of successes. */
  readonly tellsEnd?: boolean | undefined
  /** Returns whether there is anybody in a context for whom the hook does something. */
  readonly wanted?: ((context: Context.Context<never>) => boolean) | undefined
}

/** @internal */
export type Level = "step" | "pipeline" | "default"

/** @internal */
export type Chosen = readonly [hook: HookImpl, level: Level]

/** Remembers a step that has succeeded with a value until its run ends, to undo it where that fails. */
export type Remember = (evaluation: unknown, value: unknown) => void

// a phantom type needs a value at run time, which is never read
const variance = {}

const none: ReadonlyArray<never> = []

/** @internal */
export class HookImpl implements HookOptions {
  readonly [TypeId]: any = variance
  readonly kind: Kind
  readonly name: string
  readonly run: HookOptions["run"]
  readonly conditional: boolean
  readonly unless: ReadonlyArray<HookImpl> | undefined
  readonly original: HookImpl
  readonly timeout: Duration.Input | undefined
  readonly background: boolean
  readonly required: boolean
  readonly measures: boolean
  readonly overdue: OverdueInput | undefined
  readonly watching: Watching | undefined
  readonly services: HookServices | undefined
  readonly remember: Remember | undefined
  readonly mistakes: ReadonlyArray<string>
  readonly alerting: Alerting | undefined
  constructor(options: HookOptions) {
    this.kind = options.kind
    this.name = options.name
    this.run = options.run
    this.conditional = options.conditional === true
    this.unless = options.unless
    this.original = options.original ?? this
    this.timeout = options.timeout
    this.background = options.background === true
    this.required = options.required === true
    this.measures = options.measures === true
    this.overdue = options.overdue
    this.watching = options.watching
    this.services = options.services
    this.remember = options.remember
    this.mistakes = options.mistakes ?? none
    this.alerting = options.alerting
  }
  /** Whether it has policies that may be mistaken. */
  get hasPolicies(): boolean {
    return this.timeout !== undefined || this.background || this.overdue !== undefined ||
      this.kind === "overdue" || this.kind === "rollback" || this.mistakes.length > 0
  }
  pipe() {
    return pipeArguments(this, arguments)
  }
  toJSON() {
    return { _id: "Hook", kind: this.kind, name: this.name, required: this.required, background: this.background }
  }
}

/** Returns the erased form of a hook, whose function still needs the hook's services. */
export const erase = <R>(
  hook: Hook<never, never, R, unknown, unknown>
): { readonly run: (...args: Parameters<HookOptions["run"]>) => Effect.Effect<unknown, unknown, R> } & HookImpl =>
  hook as any // all hooks are made by `make` below, with the services that their types say

/** @internal */
export const isHook = (u: unknown): u is HookImpl => hasProperty(u, TypeId)

/** @internal */
export const modify = (self: any, options: Partial<HookOptions>): any =>
  new HookImpl({ ...(self as HookImpl), original: undefined, ...options })

/** Succeeds with the value of a hook that had nothing to do. */
export const skippedEffect: Effect.Effect<unknown> = Effect.succeed(skipped)

/** @internal */
export const named = (self: any, name: string): any => modify(self, { name })

/** Makes a run keep its slowest steps for the hook. */
export const measuring = (self: any): any => modify(self, { measures: true })

/** @internal */
export const alerting = (self: any, alerting: Alerting): any => modify(self, { alerting })

/** @internal */
export const overdueAfter = (self: any, after: Duration.Input, options?: OverdueOptions): any =>
  modify(self, { overdue: { ...options, after } })

/** @internal */
export const timeout = (self: any, timeout: Duration.Input): any => modify(self, { timeout })

/** @internal */
export const when = (
  self: any,
  predicate: (context: StepContext["Service"], exit?: Exit.Exit<any, any>) => boolean | Effect.Effect<boolean, any, any>
): any => {
  const { alerting, conditional, kind, run } = self as HookImpl
  return modify(self, {
    conditional: true,
    run(occasion, context, applies) {
      const answered = (yes: boolean) => {
        if (!yes) return skippedEffect
        // a hook with a condition of its own has yet to decide
        if (!conditional) applies?.()
        return run(occasion, context, applies)
      }
      const answer = answerOf(() => predicate(context, toExit(kind, occasion)))
      if (typeof answer === "boolean") return answered(answer)
      // nobody said that the alert is not wanted
      const told = alerting === undefined || kind === "success"
        ? answer
        : Effect.tapCause(answer, () => answered(true))
      return Effect.flatMap(told, answered)
    }
  })
}

const answerOf = <A>(predicate: () => A): A | Effect.Effect<never> => {
  try {
    return predicate()
  } catch (defect) {
    return Effect.die(defect)
  }
}

const toExit = (kind: Kind, occasion: Occasion): Exit.Exit<unknown, unknown> | undefined =>
  kind === "start" || kind === "overdue"
    ? undefined
    : kind === "retry" || kind === "rollback"
    ? Exit.failCause((occasion as FailedAttempt<unknown> | Rollback).cause)
    : occasion as Exit.Exit<unknown, unknown>

const effectOf = (returned: Effect.Effect<unknown, unknown, unknown>) =>
  Effect.isEffect(returned) ? returned : returnedNoEffect("its function returned", returned)

/** @internal */
export const retry = (self: any, policy: any): any => {
  const { mistakes, run } = self as HookImpl
  return modify(self, {
    mistakes: [...mistakes, ...retryMistakes("its retry", policy)],
    // suspended, so that each try calls the hook's function anew
    run: (occasion, context, applies) =>
      Effect.retry(Effect.suspend(() => effectOf(run(occasion, context, applies))), policy)
  })
}
