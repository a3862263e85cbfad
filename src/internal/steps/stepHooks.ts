/** The combinators of `Step` that attach hooks. */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Types from "effect/Types"
import type { FitsTags } from "../../Hook.ts"
import { onRollback as rollbackHook } from "../engine/undo.ts"
import type { FailedAttempt, Kind } from "../model/hook.ts"
import * as hook from "../model/hookKinds.ts"
import type { Any, InheritMode, Others, Several } from "../model/hooks.ts"
import type { Overdue, OverdueOptions } from "../model/overdue.ts"
import type { StepSkipped } from "../model/skip.ts"
import type { Needs, Step } from "../model/step.ts"
import { combinator } from "./combinator.ts"
import * as lateness from "./overdue.ts"
import * as internal from "./step.ts"

// Each combinator has two data-last forms. In the first, inside a pipe, the step's types give the type of the
// function's argument; in the second, outside of a pipe, the argument's type decides which steps fit. Neither widens
// the types of the step.

/**
 * Attaches a hook that runs before the first attempt.
 *
 * @see `Hook.onStart` for the hook as a value
 * @see {@link onRetry} for a hook that runs between attempts
 *
 * @category hooks
 * @since 0.1.0
 */
export const onStart: {
  <R2 = never>(effect: Effect.Effect<unknown, unknown, R2>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(self: Step<A, E, R>, effect: Effect.Effect<unknown, unknown, R2>): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onStart)

/**
 * Attaches a hook that runs after the step succeeded, with the value that the step's caller gets.
 *
 * @see `Hook.onSuccess` for the hook as a value
 * @see {@link onExit} for a hook that runs after any outcome
 *
 * @category hooks
 * @since 0.1.0
 */
export const onSuccess: {
  <A, R2 = never>(
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): <E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A2, R2 = never>(
    f: (value: A2) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (value: Types.NoInfer<A>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onSuccess)

/**
 * Attaches a hook that runs after the step failed or died in its last attempt.
 *
 * @see `Hook.onFailure` for the hook as a value
 * @see {@link onFailureTag} for one tagged error
 * @see {@link onInterrupt} for interruptions, which are not failures
 *
 * @category hooks
 * @since 0.1.0
 */
export const onFailure: {
  <E, R2 = never>(
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <E2, R2 = never>(
    f: (cause: Cause.Cause<E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E extends E2, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (cause: Cause.Cause<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onFailure)

/**
 * Attaches a hook that runs after the step failed with the error of that tag. A tag that the step can't fail
 * with does not compile.
 *
 * **Gotchas**
 *
 * For that error it takes precedence over the pipeline's failure hooks; for all other errors, and for defects, those
 * run. `Step.inherit("append", "failure")` runs both.
 *
 * @see `Hook.onFailureTag` for the hook as a value
 * @see {@link onFailure} for all errors and defects
 * @see {@link inherit} for keeping the pipeline's failure hooks
 *
 * @category hooks
 * @since 0.1.0
 */
export const onFailureTag: {
  <const K extends Types.Tags<E>, E, R2 = never>(
    tag: K,
    f: (error: Types.ExtractTag<Types.NoInfer<E>, K>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, const K extends Types.Tags<E>, R2 = never>(
    self: Step<A, E, R>,
    tag: K,
    f: (error: Types.ExtractTag<E, K>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attachTag

/**
 * Attaches a hook that runs after the step was interrupted, unless it also failed or died.
 *
 * **Details**
 *
 * A step is interrupted where its own fiber is asked to end, or interrupts itself. A step that waits for something else
 * that is interrupted (a joined fiber, a queue that is shut down) fails: a defect `WaitInterrupted` is added to its
 * cause.
 *
 * @see `Hook.onInterrupt` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onInterrupt: {
  <R2 = never>(
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (cause: Cause.Cause<never>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onInterrupt)

/**
 * Attaches a hook that runs after the step was skipped, by `Step.when` or by `Step.skip` in its body, with the reason.
 *
 * **Details**
 *
 * A step that was skipped runs neither its success hooks nor its failure hooks. Its exit hooks run after these.
 *
 * @see `Hook.onSkip` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onSkip: {
  <R2 = never>(
    f: (skipped: StepSkipped) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (skipped: StepSkipped) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onSkip)

/**
 * Attaches a hook that runs after an attempt failed and another follows, before the delay in between.
 *
 * @see `Hook.onRetry` for the hook as a value
 * @see `Step.retry` for the retries themselves
 *
 * @category hooks
 * @since 0.1.0
 */
export const onRetry: {
  <E, R2 = never>(
    f: (failed: FailedAttempt<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <A, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <E2, R2 = never>(
    f: (failed: FailedAttempt<E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A, E extends E2, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (failed: FailedAttempt<Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onRetry)

/**
 * Attaches a hook that runs while the step is still running: after a time, and again at an interval if one is set.
 *
 * **Details**
 *
 * Without a time, the hook runs at the limit of {@link overdue}, or of a config file. `Hook.onOverdue` has the details.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.sleep("2 hours")).pipe(
 *   Step.onOverdue("10 minutes", ({ elapsed, times }) => Effect.log(`told ${times} times`, elapsed), { every: "1 hour" })
 * )
 * ```
 *
 * @see `Hook.onOverdue` for the hook as a value
 * @see {@link overdue} for a limit without a hook
 *
 * @category hooks
 * @since 0.1.0
 */
export const onOverdue: {
  <R2 = never>(
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <R2 = never>(
    after: Duration.Input,
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>,
    options?: OverdueOptions
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    after: Duration.Input,
    f: (overdue: Overdue) => Effect.Effect<unknown, unknown, R2>,
    options?: OverdueOptions
  ): Step<A, E, R | Needs<R2>>
} = lateness.attachOverdue

/**
 * Sets after which time the step is overdue, and how often that is told again. The step goes on.
 *
 * **When to use**
 *
 * For hooks that have no limit of their own, as those that a pipeline gives its steps, and for observers: progress,
 * records and timelines show what is overdue.
 *
 * **Details**
 *
 * Of several in a pipe the last one counts. For several limits, attach a hook for each ({@link onOverdue}).
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.sleep("2 hours")).pipe(Step.overdue("10 minutes", { every: "1 hour" }))
 *
 * const nightly = Pipeline.make("nightly", load).pipe(
 *   Pipeline.stepHooks(AlerterHooks.all) // "nightly › load is still running after 10 min"
 * )
 * ```
 *
 * @see {@link onOverdue} for a hook with a limit of its own
 * @see `Step.timeout` for a limit that ends the step
 *
 * @category hooks
 * @since 0.1.0
 */
export const overdue: {
  (after: Duration.Input, options?: OverdueOptions): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R>
  <A, E, R>(self: Step<A, E, R>, after: Duration.Input, options?: OverdueOptions): Step<A, E, R>
} = lateness.overdue

/**
 * Attaches a hook that runs after the step ended, whatever the outcome, and after the hooks of that outcome.
 *
 * @see `Hook.onExit` for the hook as a value
 *
 * @category hooks
 * @since 0.1.0
 */
export const onExit: {
  <A, E, R2 = never>(
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): <R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A2, E2, R2 = never>(
    f: (exit: Exit.Exit<A2, E2>) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E extends E2, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (exit: Exit.Exit<Types.NoInfer<A>, Types.NoInfer<E>>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(hook.onExit)

/**
 * Attaches a hook that undoes what the step has done: it runs where the step has succeeded, and its run fails or is
 * interrupted later. The hooks of all steps that have succeeded run in reverse order. `Hook.onRollback` has the details.
 *
 * @example
 * ```ts
 * import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const charge = Step.make("charge", Effect.succeed({ payment: 7 })).pipe(
 *   Step.onRollback(({ payment }) => Effect.log(`refunding payment ${payment}`))
 * )
 *
 * const order = Pipeline.make("order", Effect.andThen(charge, Step.make("ship", Effect.fail("no carrier")))).pipe(
 *   Pipeline.hooks(AlerterHooks.failure) // "order failed: no carrier", with the field "undone: charge"
 * )
 * ```
 *
 * @see `Hook.onRollback` for the hook as a value, which takes policies such as `Hook.timeout` and `Hook.retry`
 *
 * @category hooks
 * @since 0.1.0
 */
export const onRollback: {
  <A, R2 = never>(
    f: (value: Types.NoInfer<A>, cause: Cause.Cause<unknown>) => Effect.Effect<unknown, unknown, R2>
  ): <E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A2, R2 = never>(
    f: (value: A2, cause: Cause.Cause<unknown>) => Effect.Effect<unknown, unknown, R2>
  ): <A extends A2, E, R>(self: Step<A, E, R>) => Step<A, E, R | Needs<R2>>
  <A, E, R, R2 = never>(
    self: Step<A, E, R>,
    f: (value: Types.NoInfer<A>, cause: Cause.Cause<unknown>) => Effect.Effect<unknown, unknown, R2>
  ): Step<A, E, R | Needs<R2>>
} = internal.attach(rollbackHook)

/**
 * Attaches a `Hook` or `Hooks`, with their policies.
 *
 * **When to use**
 *
 * For hooks with policies such as `Hook.timeout`, and for hooks that several steps share. For a plain function,
 * {@link onSuccess}, {@link onFailure} and the others are shorter.
 *
 * @example
 * ```ts
 * import { Hook, Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const step = Step.make("load", Effect.succeed(42)).pipe(
 *   Step.hooks(
 *     Hook.onSuccess((n: number) => Effect.log(n)).pipe(Hook.named("log the number"), Hook.timeout("5 seconds"))
 *   )
 * )
 * ```
 *
 * @see `Pipeline.stepHooks` for hooks of all steps of a pipeline
 * @see {@link inherit} for how they combine with those
 *
 * @category hooks
 * @since 0.1.0
 */
export const hooks: {
  <A2, E2, R2, X, T>(
    hooks: Any<A2, E2, R2, X, T>
  ): <A extends A2, E extends E2, R>(self: Step<A, E, R> & FitsTags<E, T>) => Step<A, E | X, R | Needs<R2>>
  <First extends Any | Step<unknown, unknown, unknown>>(
    first: First,
    second: Any,
    ...others: Others<First>
  ): Several<First>
  <A extends A2, E extends E2, R, A2, E2, R2, X, T>(
    self: Step<A, E, R> & FitsTags<E, T>,
    hooks: Any<A2, E2, R2, X, T>
  ): Step<A, E | X, R | Needs<R2>>
} = combinator(2, internal.hooks)

/**
 * Sets how the step's hooks combine with those of its pipeline, for the kinds given, or for all kinds if none is
 * given:
 *
 * | mode | runs |
 * | --- | --- |
 * | `"override"` (default) | the step's hooks if one of the kind has something to do, else the pipeline's |
 * | `"append"` | the pipeline's hooks, then the step's |
 * | `"prepend"` | the step's hooks, then the pipeline's |
 * | `"off"` | the step's hooks only |
 *
 * **Details**
 *
 * A hook has nothing to do where its tag ({@link onFailureTag}) or its predicate (`Hook.when`) does not match. Where
 * that holds for all of the step's hooks of a kind, the pipeline's run after them. A predicate that fails does not
 * match.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * const quiet = Step.make("probe", Effect.void).pipe(Step.inherit("off", "failure"))
 * const loud = Step.inherit(quiet, "append", "success", "exit")
 * ```
 *
 * @see `Hooks.explain` for the hooks that run for a step in a pipeline, and why
 * @see `Pipeline.stepHooks` for the hooks that a pipeline gives its steps
 *
 * @category hooks
 * @since 0.1.0
 */
export const inherit: {
  (mode: InheritMode, ...kinds: ReadonlyArray<Kind>): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R>
  <A, E, R>(self: Step<A, E, R>, mode: InheritMode, ...kinds: ReadonlyArray<Kind>): Step<A, E, R>
  // the first form again, with the modes listed: the compiler's error is about the last one
  (
    mode: "override" | "append" | "prepend" | "off",
    ...kinds: ReadonlyArray<Kind>
  ): <A, E, R>(self: Step<A, E, R>) => Step<A, E, R>
} = internal.inherit
