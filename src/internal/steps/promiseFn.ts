/** The signature of `Step.fnPromise`: that of `Step.fn`, for functions that return promises. */
import type * as Duration from "effect/Duration"
import type { Step } from "../model/step.ts"
import type { FnCombinator } from "./fn.ts"

/**
 * A function that returns a promise and gets an `AbortSignal` before its arguments, and what becomes of its rejections.
 *
 * @see `Step.promise` and `Step.fnPromise`, which take it
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseOptions<in Args extends ReadonlyArray<unknown>, out A, out E> {
  /** Called for each attempt. The signal is aborted when the step is interrupted, or its time limit is reached. */
  readonly try: (signal: AbortSignal, ...args: Args) => PromiseLike<A>
  /** Returns the step's error for a rejection, or for an error that the function has thrown. Without it, that is the error. */
  readonly catch?: ((error: unknown) => E) | undefined
  /**
   * How long the promise may take to settle once the signal was aborted; what takes longer is left behind. Unless set, as
   * long as the `grace` of the step's time limit, or 5 seconds without one.
   */
  readonly grace?: Duration.Input | undefined
}

/**
 * Not of `unknown`, which a parameter with a default value and no annotation would be.
 *
 * @internal
 */
type Args = ReadonlyArray<any>

/** @internal */
type Any = Step<unknown, unknown, unknown>

/**
 * A function that returns a promise, as `Step.fnPromise` takes it: as it is, or with options where it can be stopped.
 *
 * @category models
 * @since 0.1.0
 */
export type PromiseBody<P extends ReadonlyArray<unknown>, A, E> =
  | ((...args: P) => PromiseLike<A>)
  | PromiseOptions<P, A, E>

/**
 * The signature of `Step.fnPromise`: it takes a function that returns a promise, with or without an `AbortSignal`, and
 * up to six combinators that take and return a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface PromiseFn {
  <P extends Args, A, E>(body: PromiseBody<P, A, E>): (...args: P) => Step<A, E>
  <P extends Args, A, E, B extends Any>(
    body: PromiseBody<P, A, E>,
    a: FnCombinator<Step<A, E>, P, B>
  ): (...args: P) => B
  <P extends Args, A, E, B extends Any, C extends Any>(
    body: PromiseBody<P, A, E>,
    a: FnCombinator<Step<A, E>, P, B>,
    b: FnCombinator<B, P, C>
  ): (...args: P) => C
  <P extends Args, A, E, B extends Any, C extends Any, D extends Any>(
    body: PromiseBody<P, A, E>,
    a: FnCombinator<Step<A, E>, P, B>,
    b: FnCombinator<B, P, C>,
    c: FnCombinator<C, P, D>
  ): (...args: P) => D
  <P extends Args, A, E, B extends Any, C extends Any, D extends Any, F extends Any>(
    body: PromiseBody<P, A, E>,
    a: FnCombinator<Step<A, E>, P, B>,
    b: FnCombinator<B, P, C>,
    c: FnCombinator<C, P, D>,
    d: FnCombinator<D, P, F>
  ): (...args: P) => F
  <P extends Args, A, E, B extends Any, C extends Any, D extends Any, F extends Any, G extends Any>(
    body: PromiseBody<P, A, E>,
    a: FnCombinator<Step<A, E>, P, B>,
    b: FnCombinator<B, P, C>,
    c: FnCombinator<C, P, D>,
    d: FnCombinator<D, P, F>,
    e: FnCombinator<F, P, G>
  ): (...args: P) => G
  <
    P extends Args,
    A,
    E,
    B extends Any,
    C extends Any,
    D extends Any,
    F extends Any,
    G extends Any,
    H extends Any
  >(
    body: PromiseBody<P, A, E>,
    a: FnCombinator<Step<A, E>, P, B>,
    b: FnCombinator<B, P, C>,
    c: FnCombinator<C, P, D>,
    d: FnCombinator<D, P, F>,
    e: FnCombinator<F, P, G>,
    f: FnCombinator<G, P, H>
  ): (...args: P) => H
}
