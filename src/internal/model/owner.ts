/** Steps and pipelines, erased: what the engine evaluates. */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { identity } from "effect/Function"
import type * as Schedule from "effect/Schedule"
import type { HooksImpl, Table } from "./hooks.ts"
import type { Owner, Plan } from "./plan.ts"

/** @internal */
export type Body = Effect.Effect<unknown, unknown, any>

/** A parameter service, which describes its value for people: `Params.Service` without its Schema. */
export interface Describable {
  readonly key: string
  readonly describe: (value: any) => unknown
}

/** The plan that an owner was last evaluated with, and the hooks around that it was made for. */
export interface PlanCache {
  under: Table | undefined
  /** The hooks of layers that it was made for. */
  defaults?: Table | undefined
  plan: Plan | undefined
  /** The path of its evaluations in no other step. */
  path?: ReadonlyArray<string> | undefined
  /** The caches of the owners that combinators make of those with this cache, where they read nothing but the owner. */
  after?: Map<unknown, PlanCache> | undefined
}

/** @internal */
export type AnySchedule = Schedule.Schedule<any, unknown, any, any>

/** The policies that `Effect.retry` takes. */
export type RetryPolicy = AnySchedule | Effect.Retry.Options<any> | (($: typeof identity) => AnySchedule)

/** In milliseconds. */
export interface Limits {
  readonly limit: number
  /** How long a body may take to stop once it was interrupted at the limit. */
  readonly grace: number
}

/** A combinator's change of a body, kept apart from the body so that a config file can replace it. */
export type Wrap =
  & (
    | { readonly kind: "retry"; readonly policy: RetryPolicy }
    | { readonly kind: "timeout" } & Limits
  )
  & { readonly wrap: (body: Body) => Body }

/** When a step is skipped before its body, and what callers get of it. */
export interface Skips {
  /** Runs before all else, and fails with a `StepSkipped` where the step is to be skipped. */
  readonly condition: Body | undefined
  /** How many times a success is wrapped in `Option.some`. */
  readonly options: number
  /** Turns the exit of the step into what callers get. */
  readonly forCallers: (life: Body) => Body
  /** Gives hooks, or a hook, that are attached to the step the value that callers get. */
  readonly seeing: (hooks: any) => HooksImpl
}

/** A step, as its combinators made it. */
export interface StepOwner extends Owner {
  readonly label: "Step"
  /** The key of `Step.key`, as text. */
  readonly key: string | undefined
  readonly body: Body
  readonly cache: PlanCache
  /** Set for a step that has a condition, or whose skips are handled. One field, as it is copied for each step. */
  readonly skips?: Skips | undefined
  readonly annotations: Readonly<Record<string, unknown>>
  readonly params: ReadonlyArray<Context.Key<any, any> & Describable>
  /** Runs between the start hooks and the body, which runs only if this succeeds. */
  readonly gate?: Body | undefined
  /** The body before it was wrapped, and its wraps, the innermost first. */
  readonly raw?: Body | undefined
  readonly wraps?: ReadonlyArray<Wrap> | undefined
  /** Services that take precedence over those of the environment. */
  readonly provided?: Context.Context<never> | undefined
  readonly evaluator?: Evaluator | undefined
}

/** Evaluates a step otherwise than in memory: `Durable.step` has one that records the result. */
export interface Evaluator {
  readonly evaluate: (owner: StepOwner, fiber: Fiber.Fiber<unknown, unknown>) => Body
}

/** A pipeline, as its combinators made it. */
export interface PipelineOwner extends Owner {
  readonly label: "Pipeline"
  readonly skips?: undefined
  readonly gate?: undefined
  readonly body: Body
  /** The body before it was wrapped, and its wraps, the innermost first. */
  readonly raw?: Body | undefined
  readonly wraps?: ReadonlyArray<Wrap> | undefined
  readonly cache: PlanCache
  readonly annotations: Readonly<Record<string, unknown>>
  readonly stepHooks: HooksImpl
  readonly givenName: string | undefined
  readonly provided?: Context.Context<never> | undefined
  /** The id of the run, where it is known before the run starts. */
  readonly runId?: string | undefined
  readonly evaluator?: undefined
}
