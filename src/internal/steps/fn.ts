/**
 * The signatures of `Step.fn` and `Pipeline.fn`, one overload for each number of
 * combinators, as `Effect.fn` has them.
 */
import type * as Effect from "effect/Effect"
import type { Pipeline } from "../../Pipeline.ts"
import type { Needs, Step } from "../../Step.ts"

/** The errors of what a generator function yields. */
export type FnError<Eff> = [Eff] extends [never] ? never
  : Eff extends Effect.Effect<infer _A, infer E, infer _R> ? E
  : never

/** The services of what a generator function yields. */
export type FnServices<Eff> = [Eff] extends [never] ? never
  : Eff extends Effect.Effect<infer _A, infer _E, infer R> ? R
  : never

/** Of `Step.fn`. */
export interface StepFn {
  <Eff extends Effect.Effect<unknown, unknown, unknown>, A, Args extends ReadonlyArray<unknown>>(
    body: (...args: Args) => Generator<Eff, A, never>
  ): (...args: Args) => Step<A, FnError<Eff>, Needs<FnServices<Eff>>>
  <A, E, R, Args extends ReadonlyArray<unknown>>(
    body: (...args: Args) => Effect.Effect<A, E, R>
  ): (...args: Args) => Step<A, E, Needs<R>>
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Step<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B
  ): (...args: Args) => B
  <A, E, R, Args extends ReadonlyArray<unknown>, B extends Step<unknown, unknown, unknown>>(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Step<A, E, Needs<R>>, ...args: Args) => B
  ): (...args: Args) => B
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Step<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C
  ): (...args: Args) => C
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Step<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C
  ): (...args: Args) => C
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Step<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D
  ): (...args: Args) => D
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Step<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D
  ): (...args: Args) => D
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>,
    F extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Step<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F
  ): (...args: Args) => F
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>,
    F extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Step<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F
  ): (...args: Args) => F
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>,
    F extends Step<unknown, unknown, unknown>,
    G extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Step<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G
  ): (...args: Args) => G
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>,
    F extends Step<unknown, unknown, unknown>,
    G extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Step<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G
  ): (...args: Args) => G
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>,
    F extends Step<unknown, unknown, unknown>,
    G extends Step<unknown, unknown, unknown>,
    H extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Step<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G,
    f: (self: G, ...args: Args) => H
  ): (...args: Args) => H
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Step<unknown, unknown, unknown>,
    C extends Step<unknown, unknown, unknown>,
    D extends Step<unknown, unknown, unknown>,
    F extends Step<unknown, unknown, unknown>,
    G extends Step<unknown, unknown, unknown>,
    H extends Step<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Step<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G,
    f: (self: G, ...args: Args) => H
  ): (...args: Args) => H
}

/** Of `Pipeline.fn`. */
export interface PipelineFn {
  <Eff extends Effect.Effect<unknown, unknown, unknown>, A, Args extends ReadonlyArray<unknown>>(
    body: (...args: Args) => Generator<Eff, A, never>
  ): (...args: Args) => Pipeline<A, FnError<Eff>, Needs<FnServices<Eff>>>
  <A, E, R, Args extends ReadonlyArray<unknown>>(
    body: (...args: Args) => Effect.Effect<A, E, R>
  ): (...args: Args) => Pipeline<A, E, Needs<R>>
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Pipeline<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B
  ): (...args: Args) => B
  <A, E, R, Args extends ReadonlyArray<unknown>, B extends Pipeline<unknown, unknown, unknown>>(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Pipeline<A, E, Needs<R>>, ...args: Args) => B
  ): (...args: Args) => B
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Pipeline<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C
  ): (...args: Args) => C
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Pipeline<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C
  ): (...args: Args) => C
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Pipeline<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D
  ): (...args: Args) => D
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Pipeline<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D
  ): (...args: Args) => D
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>,
    F extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Pipeline<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F
  ): (...args: Args) => F
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>,
    F extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Pipeline<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F
  ): (...args: Args) => F
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>,
    F extends Pipeline<unknown, unknown, unknown>,
    G extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Pipeline<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G
  ): (...args: Args) => G
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>,
    F extends Pipeline<unknown, unknown, unknown>,
    G extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Pipeline<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G
  ): (...args: Args) => G
  <
    Eff extends Effect.Effect<unknown, unknown, unknown>,
    A,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>,
    F extends Pipeline<unknown, unknown, unknown>,
    G extends Pipeline<unknown, unknown, unknown>,
    H extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Generator<Eff, A, never>,
    a: (self: Pipeline<A, FnError<Eff>, Needs<FnServices<Eff>>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G,
    f: (self: G, ...args: Args) => H
  ): (...args: Args) => H
  <
    A,
    E,
    R,
    Args extends ReadonlyArray<unknown>,
    B extends Pipeline<unknown, unknown, unknown>,
    C extends Pipeline<unknown, unknown, unknown>,
    D extends Pipeline<unknown, unknown, unknown>,
    F extends Pipeline<unknown, unknown, unknown>,
    G extends Pipeline<unknown, unknown, unknown>,
    H extends Pipeline<unknown, unknown, unknown>
  >(
    body: (...args: Args) => Effect.Effect<A, E, R>,
    a: (self: Pipeline<A, E, Needs<R>>, ...args: Args) => B,
    b: (self: B, ...args: Args) => C,
    c: (self: C, ...args: Args) => D,
    d: (self: D, ...args: Args) => F,
    e: (self: F, ...args: Args) => G,
    f: (self: G, ...args: Args) => H
  ): (...args: Args) => H
}
