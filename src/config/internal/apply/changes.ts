/** Steps and runs with what a file changes of them. */
import type * as Context from "effect/Context"
import type { Occurrence } from "../../../internal/model/occurrence.ts"
import type { Overrides } from "../../../internal/model/overrides.ts"
import type { Describable, PipelineOwner, StepOwner, Wrap } from "../../../internal/model/owner.ts"
import type { HookOverrides } from "../../../internal/model/plan.ts"

/** In place of what the code says, `false` for none of it. */
type Instead = Wrap | false | undefined

/** What is provided: services, and which fields of parameters nobody is to see. */
export interface Provided {
  readonly services: Context.Context<never>
  readonly hidden: ReadonlyMap<string, ReadonlySet<string>>
}

/** @internal */
export interface StepOverride {
  /** Over the code's hooks, in this order. */
  readonly hooks: ReadonlyArray<HookOverrides>
  readonly retry: Instead
  readonly timeout: Instead
  /** In place of what is provided around it. */
  readonly provided: Provided | undefined
  readonly annotations: Readonly<Record<string, unknown>>
}

/** @internal */
export interface RunOverride {
  readonly hooks: ReadonlyArray<HookOverrides>
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

/** What counts for what is evaluated in a step or a run. */
interface Place {
  readonly provided: Provided | undefined
  /** Whether a hook runs it: then it has no hooks that the file gives to all, or these would call themselves. */
  readonly inHook: boolean
  /** Whether it is a pipeline in another, and so not the run that the file is about. */
  readonly isInner: boolean
}

type Changed<Owner> = Owner & { readonly place: Place }

/** Each owner is changed once for each place, and not at each of its evaluations. */
export const overridesOf = ({ run, step }: Changes): Overrides => {
  const steps = new WeakMap<StepOwner, Array<Changed<StepOwner>>>()
  const runs = new WeakMap<PipelineOwner, Array<Changed<PipelineOwner>>>()
  // by this file, and not by another that has a step run a pipeline of its own
  const places = new WeakMap<object, Place>()
  const placeIn = (around: Occurrence | undefined, inHook: boolean): Place => {
    const place = around === undefined ? undefined : places.get(around.owner)
    return place === undefined
      ? { provided: run.provided, inHook: false, isInner: false }
      : { ...place, inHook: place.inHook || inHook, isInner: true }
  }
  const once = <Owner extends object>(
    made: WeakMap<Owner, Array<Changed<Owner>>>,
    owner: Owner,
    place: Place,
    make: () => Owner
  ): Owner => {
    const all = made.get(owner) ?? []
    const known = all.find((one) => isSame(one.place, place))
    if (known !== undefined) return known
    const changed = { ...make(), place }
    made.set(owner, [...all, changed])
    places.set(changed, place)
    return changed
  }
  return {
    run: (owner, around, inHook) => {
      const place = placeIn(around, inHook)
      return once(runs, owner, place, () => changedRun(owner, run, place))
    },
    step: (owner, around, inHook) => {
      const override = step(owner.name)
      const outer = placeIn(around, inHook)
      const place = { ...outer, provided: override.provided ?? outer.provided }
      return once(steps, owner, place, () => changedStep(owner, override, place))
    }
  }
}

const isSame = (a: Place, b: Place): boolean =>
  a.provided === b.provided && a.inHook === b.inHook && a.isInner === b.isInner

const changedStep = (owner: StepOwner, override: StepOverride, { inHook, provided }: Place): StepOwner => ({
  ...owner,
  ...bodyOf(owner, override),
  overrides: inHook ? override.hooks.filter(({ level }) => level === "step") : override.hooks,
  annotations: { ...owner.annotations, ...override.annotations },
  provided: provided?.services,
  params: owner.params.map((service) => hiding(service, provided?.hidden.get(service.key))),
  cache: { under: undefined, plan: undefined }
})

const changedRun = (owner: PipelineOwner, run: RunOverride, { isInner, provided }: Place): PipelineOwner => ({
  ...owner,
  ...(isInner ? undefined : {
    overrides: run.hooks,
    annotations: { ...owner.annotations, ...run.annotations },
    givenName: run.runName ?? owner.givenName
  }),
  provided: provided?.services,
  cache: { under: undefined, plan: undefined }
})

/**
 * Each wrap in the place where the code has one of its kind. Where it has none, the
 * retry comes inside all others and the time limit outside, so that it holds for all
 * attempts together.
 */
const bodyOf = (
  owner: StepOwner,
  { retry, timeout }: StepOverride
): Pick<StepOwner, "body" | "raw" | "wraps"> => {
  if (retry === undefined && timeout === undefined) return { body: owner.body, raw: owner.raw, wraps: owner.wraps }
  const raw = owner.raw ?? owner.body
  let wraps: ReadonlyArray<Wrap> = owner.wraps ?? []
  wraps = replaced(wraps, "retry", retry)
  wraps = replaced(wraps, "timeout", timeout)
  return { body: wraps.reduce((body, { wrap }) => wrap(body), raw), raw, wraps }
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
  return [...others.slice(0, at), instead, ...others.slice(at)]
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
