/** Applies the overrides of a file to steps and pipelines where they are evaluated. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Occurrence } from "../../../internal/model/occurrence.ts"
import type { Deadline, Limits, OverdueLimit } from "../../../internal/model/overdue.ts"
import type { Overrides } from "../../../internal/model/overrides.ts"
import type { Describable, PipelineOwner, StepOwner, Wrap } from "../../../internal/model/owner.ts"
import type { HookOverrides } from "../../../internal/model/plan.ts"

/** Replaces a wrap of the code. `false` removes it, `undefined` keeps it. */
export type Replacement = Wrap | false | undefined

/** Replaces the limits at which something is overdue, as a {@link Replacement} does. */
export interface LateReplacement {
  readonly limit: OverdueLimit | false | undefined
  readonly deadline: Deadline | false | undefined
}

/** Services to provide. */
export interface Provided {
  readonly services: Context.Context<never>
  /** The fields that come from variables and are shown as `<redacted>`, by the key of their `Params` service. */
  readonly hidden: ReadonlyMap<string, ReadonlySet<string>>
}

/** The settings that apply where the code has nothing of the kind. */
export interface Fallback {
  readonly retry: Replacement
  readonly timeout: Replacement
  readonly overdue: LateReplacement
  readonly annotations: Readonly<Record<string, unknown>>
}

/** The changes of a file to the steps of one name. */
export interface StepOverride {
  /** Hooks that override those of the code, in this order. */
  readonly hooks: ReadonlyArray<HookOverrides>
  readonly retry: Replacement
  readonly timeout: Replacement
  readonly overdue: LateReplacement
  /** Services in place of those that the run provides. */
  readonly provided: Provided | undefined
  readonly annotations: Readonly<Record<string, unknown>>
  readonly fallback: Fallback
}

/** The changes of a file to a run. */
export interface RunOverride {
  readonly hooks: ReadonlyArray<HookOverrides>
  readonly provided: Provided | undefined
  readonly annotations: Readonly<Record<string, unknown>>
  readonly runName: string | undefined
  readonly timeout: Replacement
  readonly overdue: LateReplacement
  readonly fallback: Fallback
  /** Called with the exit of the body, before the hooks run. */
  readonly ended?: ((exit: Exit.Exit<unknown, unknown>) => void) | undefined
}

/** The changes of a file to a run and its steps. */
export interface FileOverrides {
  readonly run: RunOverride
  /** Returns the changes to the steps of a name. */
  readonly step: (name: string) => StepOverride
}

/** How the overrides depend on where a step or pipeline is evaluated. */
interface Place {
  readonly provided: Provided | undefined
  /** Whether a hook evaluates it. Then it has none of the file's `stepHooks`, or a hook would run itself for ever. */
  readonly inHook: boolean
  /** Whether it is a pipeline inside of another. The settings of the run apply to the outermost pipeline only. */
  readonly isInner: boolean
}

type Overridden<Owner> = Owner & { readonly place: Place }

/** Returns the overrides for the engine. Each owner is copied once for each place, not at each of its evaluations. */
export const overridesOf = ({ run, step }: FileOverrides): Overrides => {
  const steps = new WeakMap<StepOwner, Array<Overridden<StepOwner>>>()
  const runs = new WeakMap<PipelineOwner, Array<Overridden<PipelineOwner>>>()
  // The places of the owners that this file has overridden. A pipeline of another file may run inside a step of this one.
  const places = new WeakMap<object, Place>()
  const placeIn = (around: Occurrence | undefined, inHook: boolean): Place => {
    const place = around === undefined ? undefined : places.get(around.owner)
    return place === undefined
      ? { provided: run.provided, inHook: false, isInner: false }
      : { ...place, inHook: place.inHook || inHook, isInner: true }
  }
  const once = <Owner extends object>(
    made: WeakMap<Owner, Array<Overridden<Owner>>>,
    owner: Owner,
    place: Place,
    make: () => Owner
  ): Owner => {
    const all = made.get(owner) ?? []
    const known = all.find((one) => isSame(one.place, place))
    if (known !== undefined) return known
    const overridden = { ...make(), place }
    made.set(owner, [...all, overridden])
    places.set(overridden, place)
    return overridden
  }
  return {
    run: (owner, around, inHook) => {
      const place = placeIn(around, inHook)
      return once(runs, owner, place, () => overriddenRun(owner, run, place))
    },
    step: (owner, around, inHook) => {
      const override = step(owner.name)
      const outer = placeIn(around, inHook)
      const place = { ...outer, provided: override.provided ?? outer.provided }
      return once(steps, owner, place, () => overriddenStep(owner, override, place))
    }
  }
}

const isSame = (a: Place, b: Place): boolean =>
  a.provided === b.provided && a.inHook === b.inHook && a.isInner === b.isInner

const overriddenStep = (owner: StepOwner, override: StepOverride, { inHook, provided }: Place): StepOwner => ({
  ...owner,
  ...bodyOf(owner, filled(owner, override)),
  overdue: lateOf(owner.overdue, override),
  overrides: inHook ? override.hooks.filter(({ level }) => level === "step") : override.hooks,
  annotations: { ...owner.annotations, ...override.annotations },
  provided: provided?.services,
  params: owner.params.map((service) => hiding(service, provided?.hidden.get(service.key))),
  cache: { under: undefined, plan: undefined }
})

const overriddenRun = (owner: PipelineOwner, run: RunOverride, { isInner, provided }: Place): PipelineOwner => ({
  ...owner,
  ...(isInner ? undefined : {
    overrides: run.hooks,
    ...watched(bodyOf(owner, filled(owner, { ...run, retry: undefined })), run.ended),
    overdue: lateOf(owner.overdue, run),
    annotations: { ...run.fallback.annotations, ...owner.annotations, ...run.annotations },
    givenName: run.runName ?? owner.givenName
  }),
  provided: provided?.services,
  cache: { under: undefined, plan: undefined }
})

type Wrapped = Pick<StepOwner, "wraps">

/** Returns the replacements of a file, and the fallbacks for what neither the file nor the code has. */
export const filled = (
  { wraps = [] }: Wrapped,
  { fallback, retry, timeout }: Pick<StepOverride, "retry" | "timeout" | "fallback">
): Pick<StepOverride, "retry" | "timeout"> => {
  const has = (kind: Wrap["kind"]) => wraps.some((wrap) => wrap.kind === kind)
  return {
    retry: retry ?? (has("retry") ? undefined : fallback.retry),
    timeout: timeout ?? (has("timeout") ? undefined : fallback.timeout)
  }
}

/** Returns the limits of the code where a file replaces some of them. */
export const lateOf = (
  ofCode: Limits | undefined,
  { fallback, overdue: { deadline, limit } }: Pick<StepOverride, "overdue" | "fallback">
): Limits | undefined => {
  const late = {
    limit: orNone(limit ?? ofCode?.limit ?? fallback.overdue.limit),
    deadline: orNone(deadline ?? ofCode?.deadline ?? fallback.overdue.deadline)
  }
  return late.limit === undefined && late.deadline === undefined ? undefined : late
}

const orNone = <A>(value: A | false | undefined): A | undefined => value === false ? undefined : value

const watched = <Owner extends Pick<PipelineOwner, "body">>(owner: Owner, ended: RunOverride["ended"]): Owner =>
  ended === undefined
    ? owner
    : { ...owner, body: Effect.onExit(owner.body, (exit) => Effect.sync(() => ended(exit))) }

/**
 * Replaces the retry and the timeout of a step where the code has them. Where it has none, the retry is placed inside
 * all other wraps and the timeout around them, so that the timeout applies to all attempts together.
 */
const bodyOf = (
  owner: StepOwner | PipelineOwner,
  { retry, timeout }: Pick<StepOverride, "retry" | "timeout">
): Pick<StepOwner, "body" | "raw" | "wraps"> => {
  if (retry === undefined && timeout === undefined) return { body: owner.body, raw: owner.raw, wraps: owner.wraps }
  const raw = owner.raw ?? owner.body
  let wraps: ReadonlyArray<Wrap> = owner.wraps ?? []
  wraps = replaced(wraps, "retry", retry)
  wraps = replaced(wraps, "timeout", timeout)
  return { body: wraps.reduce((body, { wrap }) => wrap(body), raw), raw, wraps }
}

const replaced = (wraps: ReadonlyArray<Wrap>, kind: Wrap["kind"], replacement: Replacement): ReadonlyArray<Wrap> => {
  if (replacement === undefined) return wraps
  const others = wraps.filter((wrap) => wrap.kind !== kind)
  if (replacement === false) return others
  const first = wraps.findIndex((wrap) => wrap.kind === kind)
  const usual = kind === "retry" ? 0 : others.length
  // all before the first are others
  const at = first >= 0 ? first : usual
  return [...others.slice(0, at), replacement, ...others.slice(at)]
}

const hiding = <Service extends Describable>(service: Service, fields: ReadonlySet<string> | undefined): Service =>
  fields === undefined
    ? service
    // An object that inherits from the service, so that it keeps its key and everything else.
    : Object.assign(Object.create(service), {
      describe: (value: unknown) =>
        Object.fromEntries(
          // a cast, since `describe` of a `Params` service returns a record of its fields, and only those have hidden ones
          Object.entries(service.describe(value) as Readonly<Record<string, unknown>>)
            .map(([name, field]) => [name, fields.has(name) ? "<redacted>" : field])
        )
    })
