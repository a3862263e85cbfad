/** Steps and runs with what a file changes of them. */
import type * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import type { Describable, PipelineOwner, StepOwner } from "../evaluation.ts"
import type { Laid } from "../hooks.ts"
import type { Overrides, Wrap } from "../overrides.ts"

type Body = Effect<unknown, unknown, any>

/** In place of what the code says, `false` for none of it. */
type Instead = Wrap["wrap"] | false | undefined

/** What is provided: services, and which fields of parameters nobody is to see. */
export interface Provided {
  readonly services: Context.Context<never>
  readonly hidden: ReadonlyMap<string, ReadonlySet<string>>
}

/** @internal */
export interface StepOverride {
  /** Over the code's hooks, in this order. */
  readonly hooks: ReadonlyArray<Laid>
  readonly retry: Instead
  readonly timeout: Instead
  readonly provided: Provided | undefined
  readonly annotations: Readonly<Record<string, unknown>>
}

/** @internal */
export interface RunOverride {
  readonly hooks: ReadonlyArray<Laid>
  readonly provided: Provided | undefined
  readonly annotations: Readonly<Record<string, unknown>>
  readonly runName: string | undefined
}

/** What is to be changed. */
export interface Changes {
  readonly run: RunOverride
  /** Of the steps of a name. */
  readonly step: (name: string) => StepOverride
}

/** Each owner is changed once, and not at each of its evaluations. */
export const overridesOf = ({ run, step }: Changes): Overrides => {
  const steps = new WeakMap<StepOwner, StepOwner>()
  const stepsInHooks = new WeakMap<StepOwner, StepOwner>()
  const runs = new WeakMap<PipelineOwner, PipelineOwner>()
  return {
    run: (owner) => once(runs, owner, () => changedRun(owner, run)),
    step: (owner, inHook) => {
      const changes = step(owner.name)
      return once(inHook ? stepsInHooks : steps, owner, () => changedStep(owner, changes, inHook))
    }
  }
}

const once = <A extends object>(made: WeakMap<A, A>, owner: A, make: () => A): A => {
  const known = made.get(owner) ?? make()
  made.set(owner, known)
  return known
}

/** A step that runs in a hook inherits nothing, of a file no more than of its pipeline. */
const changedStep = (owner: StepOwner, override: StepOverride, inHook: boolean): StepOwner => ({
  ...owner,
  body: bodyOf(owner, override),
  laid: inHook ? override.hooks.filter(({ level }) => level === "step") : override.hooks,
  annotations: { ...owner.annotations, ...override.annotations },
  provided: override.provided?.services,
  params: owner.params.map((service) => hiding(service, override.provided?.hidden.get(service.key))),
  cache: { under: undefined, plan: undefined }
})

const changedRun = (owner: PipelineOwner, run: RunOverride): PipelineOwner => ({
  ...owner,
  laid: run.hooks,
  annotations: { ...owner.annotations, ...run.annotations },
  givenName: run.runName ?? owner.givenName,
  provided: run.provided?.services,
  cache: { under: undefined, plan: undefined }
})

/**
 * Each wrap in the place where the code has one of its kind. Where it has none, the
 * retry comes inside all others and the time limit outside, so that it holds for all
 * attempts together.
 */
const bodyOf = (owner: StepOwner, { retry, timeout }: StepOverride): Body => {
  if (retry === undefined && timeout === undefined) return owner.body
  let wraps: ReadonlyArray<Wrap> = owner.wraps ?? []
  wraps = replaced(wraps, "retry", retry)
  wraps = replaced(wraps, "timeout", timeout)
  return wraps.reduce((body, { wrap }) => wrap(body), owner.raw ?? owner.body)
}

const replaced = (wraps: ReadonlyArray<Wrap>, kind: Wrap["kind"], instead: Instead): ReadonlyArray<Wrap> => {
  if (instead === undefined) return wraps
  const others = wraps.filter((wrap) => wrap.kind !== kind)
  if (instead === false) return others
  const first = wraps.findIndex((wrap) => wrap.kind === kind)
  const at = first >= 0
    ? wraps.slice(0, first).filter((wrap) => wrap.kind !== kind).length
    : kind === "retry"
    ? 0
    : others.length
  return [...others.slice(0, at), { kind, wrap: instead }, ...others.slice(at)]
}

const hiding = <Service extends Describable>(service: Service, fields: ReadonlySet<string> | undefined): Service =>
  fields === undefined
    ? service
    // the same service, so its key and all else of it stay
    : Object.assign(Object.create(service), {
      describe: (value: unknown) =>
        Object.fromEntries(
          // a cast, since `describe` gives a record of fields for those of `Params`, and no others are hidden
          Object.entries(service.describe(value) as Readonly<Record<string, unknown>>)
            .map(([name, field]) => [name, fields.has(name) ? "<redacted>" : field])
        )
    })
