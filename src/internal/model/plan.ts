/** The plan of a step: which hooks run for it, its own, its pipeline's and those of overrides, and in which order. */
import { shown } from "../text/shown.ts"
import type { Outcome } from "./events.ts"
import type { Chosen, HookImpl, Kind, Level } from "./hook.ts"
import { empty, type HooksImpl, type InheritMode, join, type Table, tabulate, under } from "./hooks.ts"
import { limitMistakes } from "./limit.ts"
import { type Deadline, type Limits, type OverdueLimit, overdueMistakes, toMillis } from "./overdue.ts"

/** A hook of a plan, the level that it comes from, and its position among the hooks of its kind. */
export interface Planned {
  readonly hook: HookImpl
  readonly level: Level
  readonly index: number
  /** Whether other hooks run only where it has nothing to do. */
  readonly decides: boolean
}

/** @internal */
export type Modes = Partial<Record<Kind, InheritMode>>

/** Hooks that are added from outside the code, by a config file say, and how they combine with the hooks below. */
export interface HookOverrides {
  readonly hooks: Table
  readonly modes: Modes
  readonly level: Level
}

/** A step, or the run of a pipeline: it has a name and hooks. */
export interface Owner {
  readonly name: string
  readonly label: "Step" | "Pipeline"
  readonly own: HooksImpl
  readonly modes: Modes
  /** The mistakes in arguments of combinators, in words: evaluating the owner dies with them. */
  readonly mistakes: ReadonlyArray<string>
  readonly skips?: { readonly condition: unknown } | undefined
  readonly gate?: unknown
  /** When it is overdue, for hooks that have no limit of their own. */
  readonly overdue?: Limits | undefined
  /** Applied in this order. */
  readonly overrides?: ReadonlyArray<HookOverrides> | undefined
}

/**
 * The hooks that run for a step, chosen once for the step and its pipeline, and not at
 * each evaluation. Terminal hooks are in running order, those of the outcome before `exit`.
 */
export interface Plan {
  /** Whether anything comes before the body: a condition, start hooks, required or not, or a gate. */
  readonly starts: boolean
  readonly requiredStart: ReadonlyArray<Planned>
  readonly start: ReadonlyArray<Planned>
  readonly retry: ReadonlyArray<Planned>
  /** The limits at which it is overdue. `undefined` without any, as usual. */
  readonly overdue: ReadonlyArray<PlannedLimit> | undefined
  readonly required: Readonly<Record<Outcome, ReadonlyArray<Planned>>>
  readonly ordinary: Readonly<Record<Outcome, ReadonlyArray<Planned>>>
  /** The hooks that run where the step has succeeded and its run fails later. */
  readonly rollback: ReadonlyArray<Planned>
  /** Whether a hook of a run wants to know its slowest steps. */
  readonly measures: boolean
  /** The hooks of layers that it was made for. */
  readonly defaults: Table | undefined
  /** A mistake in the program: evaluating the owner dies with it. */
  readonly defect: TypeError | undefined
}

/** A limit at which a step or a run is overdue, and the hooks that are told of it. */
export interface PlannedLimit {
  readonly limit: OverdueLimit | Deadline
  readonly hooks: ReadonlyArray<Planned>
}

const none: ReadonlyArray<never> = []

const modes: ReadonlyArray<InheritMode> = ["override", "append", "prepend", "off"]

const choose = (
  own: ReadonlyArray<Chosen>,
  inherited: ReadonlyArray<Chosen>,
  mode: InheritMode
): ReadonlyArray<Chosen> => {
  switch (mode) {
    case "append":
      return [...inherited, ...own]
    case "prepend":
      return [...own, ...inherited]
    case "off":
      return own
    default:
      return under(own, inherited, ([hook]) => hook, ([, level], hook) => [hook, level])
  }
}

const at = (hooks: ReadonlyArray<HookImpl>, level: Level): ReadonlyArray<Chosen> =>
  hooks.length === 0 ? none : hooks.map((hook) => [hook, level])

/**
 * Returns the hooks of a kind that an event can run. An overdue hook without a limit has nothing to do where the step
 * has no limit either, and leaves its place to others.
 */
const idleLeftOut = (hooks: ReadonlyArray<HookImpl>, kind: Kind, owner: Owner): ReadonlyArray<HookImpl> =>
  kind === "overdue" && hooks.length > 0 && owner.overdue === undefined
    ? hooks.filter(({ overdue }) => overdue !== undefined)
    : hooks

/**
 * Returns the mode by which a config file changes how the step's hooks in code combine with the pipeline's. The file
 * sets a mode for the step and gives it no hooks of the kind, so that the mode can be about those in code only:
 *
 * ```yaml
 * steps:
 *   load: { inherit: { failure: append } } # the pipeline's failure hooks run, and then those that the code gives `load`
 * ```
 */
const modeForCode = (overrides: ReadonlyArray<HookOverrides>, kind: Kind): InheritMode | undefined => {
  const ofStep = overrides.find(({ hooks, level }) => level === "step" && hooks[kind].length === 0)
  const mode = ofStep?.modes[kind]
  return mode === "append" || mode === "prepend" ? mode : undefined
}

/**
 * Returns the hooks of a kind in running order: those of the step and of the pipeline, which stands over the defaults,
 * combined by the step's mode, and then each of the overrides combined with the result.
 */
export const chosen = (
  owner: Owner,
  inherited: Table,
  kind: Kind,
  defaults: Table | undefined
): ReadonlyArray<Chosen> => {
  const hooksAt = (hooks: Table, level: Level) => at(idleLeftOut(hooks[kind], kind, owner), level)
  const { overrides = none } = owner
  const apply = (lower: ReadonlyArray<Chosen>, { hooks, level, modes }: HookOverrides): ReadonlyArray<Chosen> =>
    choose(hooksAt(hooks, level), lower, modes[kind] ?? "override")
  const around = choose(
    hooksAt(inherited, "pipeline"),
    defaults === undefined ? none : hooksAt(defaults, "default"),
    "override"
  )
  const mode = modeForCode(overrides, kind)
  if (mode !== undefined) {
    const ofPipeline = overrides.filter(({ level }) => level === "pipeline")
    return choose(hooksAt(owner.own.hooks, "step"), ofPipeline.reduce(apply, around), mode)
  }
  const inCode = choose(
    hooksAt(owner.own.hooks, "step"),
    around,
    owner.modes[kind] ?? "override"
  )
  return overrides.reduce(apply, inCode)
}

/** Returns the hooks that tell when failures are over which others of the hooks have told. */
const recoveries = (hooks: Readonly<Record<Kind, ReadonlyArray<Chosen>>>): ReadonlyArray<Chosen> => {
  const isTelling = ([{ alerting }]: Chosen) => alerting?.recoveries !== undefined
  const telling = hooks.failure.find(isTelling) ?? hooks.interrupt.find(isTelling) ?? hooks.overdue.find(isTelling)
  return telling?.[0].alerting?.recoveries?.(hooks) ?? none
}

/** The hooks of an outcome: those whose failure fails the step, and the others. */
interface Terminal {
  readonly required: ReadonlyArray<Planned>
  readonly ordinary: ReadonlyArray<Planned>
}

const split = (hooks: ReadonlyArray<Planned>): Terminal => ({
  required: hooks.filter(({ hook }) => hook.required),
  ordinary: hooks.filter(({ hook }) => !hook.required)
})

const noRequired: Plan["required"] = { success: none, failure: none, interrupt: none, skip: none }

/** Returns the plan of a kind with one hook of the step or none, and `undefined` where anything about it is unusual. */
const single = (hooks: ReadonlyArray<HookImpl>): ReadonlyArray<Planned> | undefined => {
  const hook = hooks[0]
  if (hook === undefined) return none
  return hooks.length > 1 || hook.required || hook.measures || hook.alerting?.recoveries || hook.hasPolicies ||
      hook.name === ""
    ? undefined
    : [{ hook, level: "step", index: 0, decides: false }]
}

/** Returns the mistake in a name. It may be a variable that is not set, or the number of a row. */
const nameMistakes = ({ name }: Owner): ReadonlyArray<string> =>
  typeof name !== "string"
    ? [`its name must be a text, got ${shown(name)}`]
    : name === ""
    ? ["its name is empty"]
    : none

/** Returns the plan of a step with nothing but a hook for each outcome: that of most steps which are made in a loop. */
const simplePlan = (owner: Owner): Plan | undefined => {
  const { exit, failure, interrupt, overdue, retry, rollback, skip, start, success }: Table = owner.own.hooks
  if (
    start.length + retry.length + overdue.length + exit.length + rollback.length + owner.mistakes.length > 0 ||
    owner.label === "Pipeline" || owner.overrides || owner.overdue || nameMistakes(owner).length > 0
  ) return undefined
  for (const _ in owner.modes) return undefined
  const onSuccess = single(success)
  const onFailure = single(failure)
  const onInterrupt = single(interrupt)
  const onSkip = single(skip)
  return !(onSuccess && onFailure && onInterrupt && onSkip)
    ? undefined
    : {
      starts: owner.gate !== undefined || owner.skips?.condition !== undefined,
      requiredStart: none,
      start: none,
      retry: none,
      overdue: undefined,
      measures: false,
      defaults: undefined,
      required: noRequired,
      ordinary: { success: onSuccess, failure: onFailure, interrupt: onInterrupt, skip: onSkip },
      rollback: none,
      defect: undefined
    }
}

/** Returns the plan of an owner. A step that is made in a loop has a new one each time, so that this must not take long. */
export const plan = (owner: Owner, inherited: Table, defaults?: Table): Plan => {
  const simple = inherited === empty.hooks && defaults === undefined ? simplePlan(owner) : undefined
  return simple ?? wholePlan(owner, inherited, defaults)
}

const wholePlan = (owner: Owner, inherited: Table, defaults: Table | undefined): Plan => {
  let mistakes: Array<string> | undefined
  const mistaken = (more: ReadonlyArray<string>) => {
    if (more.length > 0) mistakes = [...mistakes ?? [], ...more]
  }
  mistaken(nameMistakes(owner))
  mistaken(owner.mistakes)
  let measures = false
  const look = (hook: HookImpl): void => {
    if (hook.hasPolicies || hook.name === "") mistaken(hookMistakes(hook))
    if (hook.measures) measures = true
  }
  const every = tabulate((kind): ReadonlyArray<Chosen> => {
    const mode = owner.modes[kind] ?? "override"
    if (!modes.includes(mode)) {
      mistaken([`unknown inherit mode ${JSON.stringify(mode)} (expected ${modes.join(", ")})`])
    }
    return chosen(owner, inherited, kind, defaults)
  })
  every.success = join(every.success, recoveries(every))
  const planned = tabulate((kind): ReadonlyArray<Planned> => {
    const all = every[kind]
    const deciding: ReadonlyArray<HookImpl> = all.flatMap(([{ unless = none }]) => unless)
    return all.map(([hook, level], index): Planned => {
      look(hook)
      return { hook, level, index, decides: deciding.includes(hook.original) }
    })
  })
  if (owner.label === "Pipeline" && planned.rollback.length > 0) mistaken([runRollback])
  const { exit, failure, interrupt, skip, start, success } = planned
  const onSuccess = split(join(success, exit))
  const onFailure = split(join(failure, exit))
  const onInterrupt = split(join(interrupt, exit))
  const onSkip = split(join(skip, exit))
  const onStart = split(start)
  return {
    starts: start.length > 0 || owner.gate !== undefined || owner.skips?.condition !== undefined,
    requiredStart: onStart.required,
    start: onStart.ordinary,
    retry: planned.retry,
    overdue: planned.overdue.length === 0 && owner.overdue === undefined
      ? undefined
      : limitsOf(planned.overdue, owner.overdue),
    measures,
    defaults,
    required: {
      success: onSuccess.required,
      failure: onFailure.required,
      interrupt: onInterrupt.required,
      skip: onSkip.required
    },
    ordinary: {
      success: onSuccess.ordinary,
      failure: onFailure.ordinary,
      interrupt: onInterrupt.ordinary,
      skip: onSkip.ordinary
    },
    rollback: planned.rollback,
    defect: mistakes === undefined
      ? undefined
      : new TypeError(`${owner.label} ${JSON.stringify(owner.name)}: ${[...new Set(mistakes)].join("; ")}`)
  }
}

/**
 * Returns the limits at which a step or a run is overdue, each with the hooks that hear it: the limit of a hook, the hooks
 * that have this one; the limit of the step, those that have none; a deadline, all hooks of the run.
 */
const limitsOf = (hooks: ReadonlyArray<Planned>, { deadline, limit }: Limits = {}): ReadonlyArray<PlannedLimit> => {
  const limits: Array<{ readonly limit: OverdueLimit; readonly hooks: Array<Planned> }> = []
  const find = ({ after, every, watching }: OverdueLimit): Array<Planned> => {
    const known = limits.find(({ limit }) => limit.after === after && limit.every === every)
    if (known !== undefined) return known.hooks
    const hooks: Array<Planned> = []
    limits.push({ limit: { after, every, watching }, hooks })
    return hooks
  }
  if (limit !== undefined) find(limit)
  for (const planned of hooks) {
    const { overdue, watching } = planned.hook
    const own = overdue === undefined || watching === undefined ? limit : { ...toMillis(overdue), watching }
    if (own !== undefined) find(own).push(planned)
  }
  return deadline === undefined ? limits : [...limits, { limit: deadline, hooks }]
}

const runRollback = "a run has no rollback hooks: attach them to its steps, as with Step.onRollback"

/** Returns the mistakes in a hook's policies, in words. */
export const hookMistakes = (hook: HookImpl): ReadonlyArray<string> => [
  ...hook.mistakes.map((mistake) => `hook "${hook.name}": ${mistake}`),
  ...(hook.overdue === undefined ? [] : overdueMistakes(`the step of hook "${hook.name}"`, hook.overdue)),
  ...(hook.overdue !== undefined && hook.kind !== "overdue"
    ? [`hook "${hook.name}" has a time after which its step is overdue, and is of kind ${hook.kind}`]
    : []),
  ...(hook.kind === "overdue" && hook.required
    ? [`hook "${hook.name}" can't be required: its step goes on whatever an overdue hook does`]
    : []),
  ...(hook.timeout === undefined ? [] : limitMistakes(`hook "${hook.name}"`, hook.timeout)),
  ...(hook.kind === "rollback" && hook.required
    ? [`hook "${hook.name}" can't be required: its run has failed before a rollback hook runs`]
    : []),
  ...(hook.kind === "rollback" && hook.background
    ? [`hook "${hook.name}" can't be in the background: rollback hooks run one after another`]
    : []),
  ...(hook.background && hook.required ? [`hook "${hook.name}" can't be both background and required`] : []),
  ...(hook.name === "" ? [`a hook of kind ${hook.kind} has an empty name`] : [])
]
