/** The signatures of `Step.fn` and `Pipeline.fn`: those of `Effect.fn`, with a step or a pipeline as the result. */
import type * as Effect from "effect/Effect"
import type { Needs, Pipeline, Step } from "../model/step.ts"

type AnyEffect = Effect.Effect<any, any, any>

/** The result of the function: an Effect, or a generator that yields Effects. */
type Body = AnyEffect | Generator<AnyEffect, any, never>

type Of<K, A, E, R> = K extends "Step" ? Step<A, E, R> : Pipeline<A, E, R, never>

type Any<K> = K extends "Step" ? Step<unknown, unknown, unknown> : Pipeline<unknown, unknown, unknown>

type ErrorOf<Eff> = [Eff] extends [never] ? never
  : [Eff] extends [Effect.Effect<infer _A, infer E, infer _R>] ? E
  : never

type ServicesOf<Eff> = [Eff] extends [never] ? never
  : [Eff] extends [Effect.Effect<infer _A, infer _E, infer R>] ? R
  : never

/** The step, or the pipeline, of a function with such a result. */
type Made<K, B> = [B] extends [Effect.Effect<infer A, infer E, infer R>] ? Of<K, A, E, Needs<R>>
  : [B] extends [Generator<infer Eff, infer A, never>] ? Of<K, A, ErrorOf<Eff>, Needs<ServicesOf<Eff>>>
  : never

/**
 * A combinator: it takes the step or the pipeline, and the arguments of the call. They are mapped, so that they are those
 * of the body: inferred from a combinator that leaves some out, the function would not take them.
 */
export type Then<Self, Args extends ReadonlyArray<unknown>, Next> = (
  self: Self,
  ...args: { [K in keyof Args]: Args[K] }
) => Next

type Args = ReadonlyArray<any>

/** A function with up to six combinators. */
export interface Fn<K extends "Step" | "Pipeline"> {
  <P extends Args, B extends Body>(body: (...args: P) => B): (...args: P) => Made<K, B>
  <P extends Args, B extends Body, C extends Any<K>>(
    body: (...args: P) => B,
    a: Then<Made<K, B>, P, C>
  ): (...args: P) => C
  <P extends Args, B extends Body, C extends Any<K>, D extends Any<K>>(
    body: (...args: P) => B,
    a: Then<Made<K, B>, P, C>,
    b: Then<C, P, D>
  ): (...args: P) => D
  <P extends Args, B extends Body, C extends Any<K>, D extends Any<K>, F extends Any<K>>(
    body: (...args: P) => B,
    a: Then<Made<K, B>, P, C>,
    b: Then<C, P, D>,
    c: Then<D, P, F>
  ): (...args: P) => F
  <P extends Args, B extends Body, C extends Any<K>, D extends Any<K>, F extends Any<K>, G extends Any<K>>(
    body: (...args: P) => B,
    a: Then<Made<K, B>, P, C>,
    b: Then<C, P, D>,
    c: Then<D, P, F>,
    d: Then<F, P, G>
  ): (...args: P) => G
  <
    P extends Args,
    B extends Body,
    C extends Any<K>,
    D extends Any<K>,
    F extends Any<K>,
    G extends Any<K>,
    H extends Any<K>
  >(
    body: (...args: P) => B,
    a: Then<Made<K, B>, P, C>,
    b: Then<C, P, D>,
    c: Then<D, P, F>,
    d: Then<F, P, G>,
    e: Then<G, P, H>
  ): (...args: P) => H
  <
    P extends Args,
    B extends Body,
    C extends Any<K>,
    D extends Any<K>,
    F extends Any<K>,
    G extends Any<K>,
    H extends Any<K>,
    I extends Any<K>
  >(
    body: (...args: P) => B,
    a: Then<Made<K, B>, P, C>,
    b: Then<C, P, D>,
    c: Then<D, P, F>,
    d: Then<F, P, G>,
    e: Then<G, P, H>,
    f: Then<H, P, I>
  ): (...args: P) => I
}

/** The signature of `Step.fn`. */
export type StepFn = Fn<"Step">

/** The signature of `Pipeline.fn`. */
export type PipelineFn = Fn<"Pipeline">
