/** The combinators of `Step` that skip steps, and handle skips. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { LazyArg } from "effect/Function"
import * as Option from "effect/Option"
import { type HookImpl, modify as modifyHook, type Occasion, type Rollback } from "../model/hook.ts"
import { HooksImpl, tableOf } from "../model/hooks.ts"
import type { Body, Skips, StepOwner } from "../model/owner.ts"
import { skippedOf, StepSkipped } from "../model/skip.ts"
import type { Needs, Step } from "../model/step.ts"
import { combinator } from "./combinator.ts"
import { isStep, modify } from "./step.ts"

/**
 * The predicate of {@link when}: a boolean, a function that returns one, or an Effect.
 *
 * @category models
 * @since 0.1.0
 */
export type Condition<E = never, R = never> = boolean | LazyArg<boolean> | Effect.Effect<boolean, E, R>

/**
 * Options of {@link when}.
 *
 * @category models
 * @since 0.1.0
 */
export interface WhenOptions {
  /** The reason that is told where the predicate is `false`. Without one it is told that the step was skipped. */
  readonly reason?: string | undefined
}

/**
 * Skips the step from inside its body, or from anything in it: what would have followed in the body does not run.
 *
 * **Details**
 *
 * It is a typed failure with a {@link StepSkipped}, which the type of the step shows. It is not retried, and it runs the
 * step's skip hooks (`Step.onSkip`) and exit hooks. A caller gets the failure, unless it is handled: by
 * {@link whenSkipped}, by {@link when}, or by `Effect.catchTag("StepSkipped", …)` around the step. A step or a pipeline
 * that does not handle it is skipped, too.
 *
 * A cause is a skip where it holds nothing else than `StepSkipped`s and interruptions: beside an error or a defect it is a
 * failure.
 *
 * **Gotchas**
 *
 * `Effect.retry` inside the body retries it, as any failure. `Step.retry` does not.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * // Step<number, StepSkipped>
 * const load = Step.make("load", Effect.gen(function*() {
 *   const rows = yield* Effect.succeed<ReadonlyArray<string>>([])
 *   if (rows.length === 0) return yield* Step.skip("no rows today")
 *   return rows.length
 * }))
 * ```
 *
 * @see {@link when} for a predicate that is evaluated before the body
 * @see {@link whenSkipped} for the value of a step that was skipped
 *
 * @category skips
 * @since 0.1.0
 */
export const skip = (reason?: string): Effect.Effect<never, StepSkipped> => Effect.fail(new StepSkipped({ reason }))

/**
 * Evaluates the step only if the predicate is `true`, and skips it otherwise. Callers get an `Option`, as from
 * `Effect.when`: `Some` of the step's value, or `None` where it was skipped, also by {@link skip} in its body.
 *
 * **Details**
 *
 * - The predicate is evaluated once, before start hooks, an approval (`Step.requireApproval`) and the body, and neither
 *   retried nor part of a time limit. It sees the `StepContext` of the step.
 * - An Effect that fails, or dies, fails the step. One that skips (`Step.skip`) gives a reason of its own.
 * - Of several predicates all must be `true`; they are evaluated in the order attached, up to the first that is not.
 * - Hooks that were attached before see the value without `Option`, and those after it with.
 * - In a durable run the answer is recorded, and not asked for again.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 * import { Clock, Effect } from "effect"
 *
 * const isMonday = Effect.map(Clock.currentTimeMillis, (now) => new Date(now).getUTCDay() === 1)
 *
 * // Step<Option<string>>
 * const report = Step.make("weekly-report", Effect.succeed("sent")).pipe(
 *   Step.when(isMonday, { reason: "only on Mondays" }),
 *   Step.onSkip(({ reason }) => Effect.log(`no report: ${reason}`))
 * )
 * ```
 *
 * @see {@link skip} for skipping from inside the body
 * @see {@link whenSkipped} for another value than `None`
 * @see `Hook.when` for the predicate of a hook
 *
 * @category skips
 * @since 0.1.0
 */
export const when: {
  <E2 = never, R2 = never>(
    predicate: Condition<E2, R2>,
    options?: WhenOptions
  ): <A, E, R>(self: Step<A, E, R>) => Step<Option.Option<A>, Exclude<E | E2, StepSkipped>, R | Needs<R2>>
  <A, E, R, E2 = never, R2 = never>(
    self: Step<A, E, R>,
    predicate: Condition<E2, R2>,
    options?: WhenOptions
  ): Step<Option.Option<A>, Exclude<E | E2, StepSkipped>, R | Needs<R2>>
} = combinator(
  // a predicate may be a step, too
  ([self, predicate]) =>
    isStep(self) &&
    (typeof predicate === "boolean" || typeof predicate === "function" || Effect.isEffect(predicate)),
  (self: StepOwner, predicate: Condition<unknown, any>, options?: WhenOptions): any => {
    const added = conditionOf(predicate, options?.reason)
    const { condition, options: before } = self.skips ?? noSkips
    const all = condition === undefined ? added : Effect.andThen(condition, added)
    return modify(self, { skips: new Skipping(all, before + 1, Option.none) })
  }
)

const noSkips = { condition: undefined, options: 0 }

/** Turns skips of a step into exits for its callers, and for the hooks that are attached after this. */
class Skipping implements Skips {
  readonly condition: Body | undefined
  readonly options: number
  /** Returns the value in place of a skip. */
  private readonly value: (skipped: StepSkipped) => unknown

  constructor(condition: Body | undefined, options: number, value: (skipped: StepSkipped) => unknown) {
    this.condition = condition
    this.options = options
    this.value = value
  }

  forCallers(life: Body): Body {
    return Effect.matchCauseEffect(life, {
      onFailure: (cause) => this.exit(Exit.failCause(cause)),
      onSuccess: (value) => this.exit(Exit.succeed(value))
    })
  }

  seeing(hooks: any): HooksImpl {
    const table = tableOf(hooks)
    const seen = (hooks: ReadonlyArray<HookImpl>) => hooks.map((hook) => this.hook(hook))
    return new HooksImpl({
      ...table,
      success: seen(table.success),
      exit: seen(table.exit),
      rollback: seen(table.rollback)
    })
  }

  private hook(hook: HookImpl): HookImpl {
    const { kind, original, run } = hook
    const seen = (occasion: Occasion): Occasion => {
      // the casts: the engine calls a hook with an occasion of the hook's own kind only
      if (kind !== "rollback") return this.exit(occasion as Exit.Exit<unknown, unknown>)
      const { cause, value } = occasion as Rollback
      return { cause, value: this.some(value) }
    }
    // the hooks of a collection know each other by `original`
    return modifyHook(hook, { original, run: (occasion, context, applies) => run(seen(occasion), context, applies) })
  }

  private exit(exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> {
    if (exit._tag === "Success") return Exit.succeed(this.some(exit.value))
    const skipped = skippedOf(exit)
    return skipped === undefined ? exit : Exit.succeed(this.value(skipped))
  }

  private some(value: unknown): unknown {
    let some = value
    for (let i = 0; i < this.options; i++) some = Option.some(some)
    return some
  }
}

/** Returns the Effect that fails with a `StepSkipped` where the predicate is not `true`. */
const conditionOf = (predicate: Condition<unknown, any>, reason: string | undefined): Body => {
  const skipUnless = (yes: boolean): Effect.Effect<void, StepSkipped> => yes ? Effect.void : skip(reason)
  return Effect.isEffect(predicate)
    ? Effect.flatMap(predicate, skipUnless)
    : Effect.suspend(() => skipUnless(typeof predicate === "function" ? predicate() : predicate))
}

/**
 * Gives callers a value where the step was skipped.
 *
 * **Details**
 *
 * The skip stays one for hooks and observers. Exit hooks that are attached after it see a success with the value.
 *
 * @example
 * ```ts
 * import { Step } from "effect-epilogue"
 *
 * // Step<number>
 * const load = Step.make("load", Step.skip("no rows today")).pipe(
 *   Step.whenSkipped(() => 0)
 * )
 * ```
 *
 * @see {@link when} for an `Option`
 *
 * @category skips
 * @since 0.1.0
 */
export const whenSkipped: {
  <B>(
    value: (skipped: StepSkipped) => B
  ): <A, E, R>(self: Step<A, E, R>) => Step<A | B, Exclude<E, StepSkipped>, R>
  <A, E, R, B>(self: Step<A, E, R>, value: (skipped: StepSkipped) => B): Step<A | B, Exclude<E, StepSkipped>, R>
} = combinator(
  2,
  (self: StepOwner, value: (skipped: StepSkipped) => unknown): any =>
    modify(self, { skips: new Skipping(self.skips?.condition, self.skips?.options ?? 0, value) })
)
