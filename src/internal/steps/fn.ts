/** The signatures of `Step.fn` and `Pipeline.fn`: those of `Effect.fn`, with a step or a pipeline as the result. */
import type * as Effect from "effect/Effect"
import type { Needs, Pipeline, Step } from "../model/step.ts"

/**
 * The result of a function that `Step.fn` or `Pipeline.fn` takes: an Effect, or a generator that yields Effects.
 *
 * @category models
 * @since 0.1.0
 */
export type FnBody =
  | Effect.Effect<unknown, unknown, unknown>
  | Generator<Effect.Effect<unknown, unknown, unknown>, unknown, never>

/**
 * The step, or the pipeline, of a call of a function whose result is `B`.
 *
 * @category models
 * @since 0.1.0
 */
export type FnResult<K extends "Step" | "Pipeline", B> = [B] extends [Effect.Effect<infer A, infer E, infer R>]
  ? Of<K, A, E, Needs<R>>
  : [B] extends [Generator<infer Eff, infer A, never>] ? Of<K, A, ErrorOf<Eff>, Needs<ServicesOf<Eff>>>
  : never

/** @internal */
type Of<K, A, E, R> = K extends "Step" ? Step<A, E, R> : Pipeline<A, E, R, never>

/** @internal */
type ErrorOf<Eff> = [Eff] extends [never] ? never
  : [Eff] extends [Effect.Effect<infer _A, infer E, infer _R>] ? E
  : never

/** @internal */
type ServicesOf<Eff> = [Eff] extends [never] ? never
  : [Eff] extends [Effect.Effect<infer _A, infer _E, infer R>] ? R
  : never

/**
 * Not of `unknown`, which a parameter with a default value and no annotation would be.
 *
 * @internal
 */
type Args = ReadonlyArray<any>

/** @internal */
type Any<K> = K extends "Step" ? Step<unknown, unknown, unknown> : Pipeline<unknown, unknown, unknown>

/**
 * A combinator that `Step.fn`, `Step.fnPromise` or `Pipeline.fn` takes: a function of the step or the pipeline, and of the
 * arguments of the call. They are mapped, so that they are those of the body: inferred from a combinator that leaves some
 * out, the function would not take them.
 *
 * @category models
 * @since 0.1.0
 */
export type FnCombinator<Self, Args extends ReadonlyArray<unknown>, Next> = (
  self: Self,
  ...args: { [K in keyof Args]: Args[K] }
) => Next

/**
 * The signature of `Step.fn` and `Pipeline.fn`: they take a generator function, or a function that returns an Effect, and
 * up to six combinators that take and return a step, or a pipeline.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fn<K extends "Step" | "Pipeline"> {
  <P extends Args, B extends FnBody>(body: (...args: P) => B): (...args: P) => FnResult<K, B>
  <P extends Args, B extends FnBody, C extends Any<K>>(
    body: (...args: P) => B,
    a: FnCombinator<FnResult<K, B>, P, C>
  ): (...args: P) => C
  <P extends Args, B extends FnBody, C extends Any<K>, D extends Any<K>>(
    body: (...args: P) => B,
    a: FnCombinator<FnResult<K, B>, P, C>,
    b: FnCombinator<C, P, D>
  ): (...args: P) => D
  <P extends Args, B extends FnBody, C extends Any<K>, D extends Any<K>, F extends Any<K>>(
    body: (...args: P) => B,
    a: FnCombinator<FnResult<K, B>, P, C>,
    b: FnCombinator<C, P, D>,
    c: FnCombinator<D, P, F>
  ): (...args: P) => F
  <
    P extends Args,
    B extends FnBody,
    C extends Any<K>,
    D extends Any<K>,
    F extends Any<K>,
    G extends Any<K>
  >(
    body: (...args: P) => B,
    a: FnCombinator<FnResult<K, B>, P, C>,
    b: FnCombinator<C, P, D>,
    c: FnCombinator<D, P, F>,
    d: FnCombinator<F, P, G>
  ): (...args: P) => G
  <
    P extends Args,
    B extends FnBody,
    C extends Any<K>,
    D extends Any<K>,
    F extends Any<K>,
    G extends Any<K>,
    H extends Any<K>
  >(
    body: (...args: P) => B,
    a: FnCombinator<FnResult<K, B>, P, C>,
    b: FnCombinator<C, P, D>,
    c: FnCombinator<D, P, F>,
    d: FnCombinator<F, P, G>,
    e: FnCombinator<G, P, H>
  ): (...args: P) => H
  <
    P extends Args,
    B extends FnBody,
    C extends Any<K>,
    D extends Any<K>,
    F extends Any<K>,
    G extends Any<K>,
    H extends Any<K>,
    I extends Any<K>
  >(
    body: (...args: P) => B,
    a: FnCombinator<FnResult<K, B>, P, C>,
    b: FnCombinator<C, P, D>,
    c: FnCombinator<D, P, F>,
    d: FnCombinator<F, P, G>,
    e: FnCombinator<G, P, H>,
    f: FnCombinator<H, P, I>
  ): (...args: P) => I
}
