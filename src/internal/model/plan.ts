/** The plan of a step: which hooks run for it, its own, its pipeline's and those of overrides, and in which order. */
import { hasProperty } from "effect/Predicate"
import type { Outcome } from "./events.ts"
import type { HookImpl, Kind } from "./hook.ts"
import { empty, type HooksImpl, type InheritMode, kinds, type Table, tableOf, tabulate, under } from "./hooks.ts"
import { limitMistakes } from "./limit.ts"

/** @internal */
export type Level = "step" | "pipeline"

/**
 * A hook that would run for a step, and why.
 *
 * @see `Hooks.explain` for listing them
 *
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  readonly kind: Kind
  readonly name: string
  /** Whether the hook is the step's own or its pipeline's. */
  readonly level: "step" | "pipeline"
  /** The mode by which the step's hooks of this kind combine with its pipeline's. */
  readonly mode: InheritMode
  readonly required: boolean
  readonly background: boolean
  /** The reason, in a sentence for people. */
  readonly reason: string
}

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
  readonly gate?: unknown
  /** Applied in this order. */
  readonly overrides?: ReadonlyArray<HookOverrides> | undefined
}

/**
 * The hooks that run for a step, chosen once for the step and its pipeline, and not at
 * each evaluation. Terminal hooks are in running order, those of the outcome before `exit`.
 */
export interface Plan {
  /** Whether anything comes before the body: start hooks, required or not, or a gate. */
  readonly starts: boolean
  readonly requiredStart: ReadonlyArray<Planned>
  readonly start: ReadonlyArray<Planned>
  readonly retry: ReadonlyArray<Planned>
  readonly required: Readonly<Record<Outcome, ReadonlyArray<Planned>>>
  readonly ordinary: Readonly<Record<Outcome, ReadonlyArray<Planned>>>
  /** Whether a hook of a run wants to know its slowest steps. */
  readonly measures: boolean
  /** A mistake in the program: evaluating the owner dies with it. */
  readonly defect: TypeError | undefined
}

const none: ReadonlyArray<never> = []

const modes: ReadonlyArray<InheritMode> = ["override", "append", "prepend", "off"]

type Chosen = readonly [hook: HookImpl, level: Level]

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
 * Returns the hooks of a kind in running order: those of the step and of the pipeline,
 * combined by the step's mode, and then each of the overrides combined with the result.
 */
export const chosen = (owner: Owner, inherited: Table, kind: Kind): ReadonlyArray<Chosen> => {
  const own: ReadonlyArray<HookImpl> = owner.own.hooks[kind]
  const { overrides = none } = owner
  const apply = (lower: ReadonlyArray<Chosen>, { hooks, level, modes }: HookOverrides): ReadonlyArray<Chosen> =>
    choose(at(hooks[kind], level), lower, modes[kind] ?? "override")
  const mode = modeForCode(overrides, kind)
  if (mode !== undefined) {
    const ofPipeline = overrides.filter(({ level }) => level === "pipeline")
    return choose(at(own, "step"), ofPipeline.reduce(apply, at(inherited[kind], "pipeline")), mode)
  }
  const inCode = choose(at(own, "step"), at(inherited[kind], "pipeline"), owner.modes[kind] ?? "override")
  return overrides.reduce(apply, inCode)
}

/** @internal */
export const plan = (owner: Owner, inherited: Table): Plan => {
  const mistakes = [...owner.mistakes]
  if (owner.name === "") mistakes.unshift("its name is empty")
  const planned = tabulate((kind): ReadonlyArray<Planned> => {
    const mode = owner.modes[kind] ?? "override"
    if (!modes.includes(mode)) {
      mistakes.push(`unknown inherit mode ${JSON.stringify(mode)} (expected ${modes.join(", ")})`)
    }
    if (owner.own.hooks[kind].length === 0 && inherited[kind].length === 0 && owner.overrides === undefined) return none
    const all = chosen(owner, inherited, kind)
    const deciding = new Set(all.flatMap(([{ unless = none }]) => unless))
    return all.map(([hook, level], index): Planned => {
      mistakes.push(...hookMistakes(hook))
      return { hook, level, index, decides: deciding.has(hook.original) }
    })
  })
  const terminal = (required: boolean) => (outcome: Outcome) =>
    planned[outcome].length === 0 && planned.exit.length === 0
      ? none
      : [...planned[outcome], ...planned.exit].filter(({ hook }) => hook.required === required)
  const byOutcome = (f: (outcome: Outcome) => ReadonlyArray<Planned>) => ({
    success: f("success"),
    failure: f("failure"),
    interrupt: f("interrupt")
  })
  return {
    starts: planned.start.length > 0 || owner.gate !== undefined,
    requiredStart: planned.start.filter(({ hook }) => hook.required),
    start: planned.start.filter(({ hook }) => !hook.required),
    retry: planned.retry,
    measures: Object.values(planned).some((hooks) => hooks.some(({ hook }) => hook.measures)),
    required: byOutcome(terminal(true)),
    ordinary: byOutcome(terminal(false)),
    defect: mistakes.length === 0
      ? undefined
      : new TypeError(`${owner.label} ${JSON.stringify(owner.name)}: ${mistakes.join("; ")}`)
  }
}

/** Returns the mistakes in a hook's policies, in words. */
export const hookMistakes = (hook: HookImpl): ReadonlyArray<string> => [
  ...(hook.timeout === undefined ? [] : limitMistakes(`hook "${hook.name}"`, hook.timeout)),
  ...(hook.background && hook.required ? [`hook "${hook.name}" can't be both background and required`] : []),
  ...(hook.name === "" ? [`a hook of kind ${hook.kind} has an empty name`] : [])
]

/** @internal */
export const explain = (step: any, pipeline?: any): ReadonlyArray<Explanation> => {
  const owner = step as Owner
  const inherited = pipeline === undefined
    ? empty.hooks as Table
    : hasProperty(pipeline, "stepHooks")
    ? (pipeline.stepHooks as HooksImpl).hooks as Table
    : tableOf(pipeline)
  return kinds.flatMap((kind) => {
    const mode = owner.modes[kind] ?? "override"
    const all = chosen(owner, inherited, kind)
    const isConditional = all.some(([{ unless }]) => unless !== undefined)
    return all.map(([hook, level]): Explanation => ({
      kind,
      name: hook.name,
      level,
      mode,
      required: hook.required,
      background: hook.background,
      reason: reason(kind, level, mode, inherited[kind].length, isConditional)
    }))
  })
}

const reason = (
  kind: Kind,
  level: Level,
  mode: InheritMode,
  inherited: number,
  isConditional: boolean
): string => {
  if (isConditional) {
    return level === "pipeline"
      ? `the pipeline's, for where none of the step's own ${kind} hooks has something to do`
      : `the step's own takes precedence over the pipeline's ${kind} hooks where its tag or predicate matches`
  }
  if (level === "pipeline") {
    return mode === "override"
      ? `the step has no ${kind} hook of its own, so it inherits the pipeline's`
      : `the step asked for the pipeline's ${kind} hooks too (inherit: ${mode})`
  }
  return mode === "override" && inherited > 0
    ? `the step's own ${kind} hooks take precedence over the pipeline's`
    : `the step's own`
}
