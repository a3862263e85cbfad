/** Collections of hooks, erased; and the plan: which of them run for a step in a pipeline. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import type { Kind } from "../../Hook.ts"
import type { Explanation, InheritMode } from "../../Hooks.ts"
import { formatDuration } from "../text/duration.ts"
import { type HookImpl, isHook } from "./hook.ts"

/** @internal */
export const TypeId = "~effect-epilogue/Hooks"

/** In the order in which they run. */
export const kinds: ReadonlyArray<Kind> = ["start", "retry", "success", "failure", "interrupt", "exit"]

/** @internal */
export type Table = Readonly<Record<Kind, ReadonlyArray<HookImpl>>>

const tabulate = <X>(f: (kind: Kind) => X): Record<Kind, X> => ({
  start: f("start"),
  retry: f("retry"),
  success: f("success"),
  failure: f("failure"),
  interrupt: f("interrupt"),
  exit: f("exit")
})

/** @internal */
export class HooksImpl {
  // phantom types need a value at run time; it is never read
  readonly [TypeId]: any = undefined
  // `any`: this is the erased form of `Hooks.hooks`, whose element types were checked where it was made
  readonly hooks: any
  constructor(hooks: Table) {
    this.hooks = hooks
  }
  pipe() {
    return pipeArguments(this, arguments)
  }
  toJSON() {
    return { _id: "Hooks", hooks: this.hooks }
  }
}

/** @internal */
export const empty: HooksImpl = new HooksImpl(tabulate(() => []))

const isHooks = (u: unknown): u is HooksImpl => hasProperty(u, TypeId)

const tableOf = (item: any): Table => {
  if (isHooks(item)) return item.hooks
  if (isHook(item)) return { ...empty.hooks, [item.kind]: [item] }
  throw new TypeError(`expected a Hook or a Hooks, got ${item === null ? "null" : typeof item}`)
}

/** @internal */
export const make = (...items: ReadonlyArray<any>): any => {
  const tables = items.map(tableOf)
  return new HooksImpl(
    tabulate((kind) => tables.reduce<ReadonlyArray<HookImpl>>((all, table) => join(all, table[kind]), none))
  )
}

const none: ReadonlyArray<never> = []

/** Most kinds have no hooks, and a step made anew for each call is merged and planned anew: so nothing is copied. */
const join = (a: ReadonlyArray<HookImpl>, b: ReadonlyArray<HookImpl>): ReadonlyArray<HookImpl> =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b]

/** @internal */
export const merge = (self: any, that: any): any => make(self, that)

/** @internal */
export const mergeUnder = (stepHooks: any, pipelineHooks: any): any => {
  const step = tableOf(stepHooks)
  const pipeline = tableOf(pipelineHooks)
  return new HooksImpl(tabulate((kind) => step[kind].length > 0 ? step[kind] : pipeline[kind]))
}

// -----------------------------------------------------------------------------
// the plan
// -----------------------------------------------------------------------------

/** @internal */
export type Level = "step" | "pipeline"

/** A hook of a plan: which level it came from, and which of its kind it is. */
export interface Planned {
  readonly hook: HookImpl
  readonly level: Level
  readonly index: number
}

/** @internal */
export type Modes = Partial<Record<Kind, InheritMode>>

/** Hooks laid over those of the code, and how they stand to them. */
export interface Laid {
  readonly hooks: Table
  readonly modes: Modes
  readonly level: Level
}

/** Whatever has a name and hooks: a step, or the run of a pipeline. */
export interface Owner {
  readonly name: string
  readonly label: "Step" | "Pipeline"
  readonly own: HooksImpl
  readonly modes: Modes
  /** What was wrong with an argument of a combinator, in words. */
  readonly mistakes: ReadonlyArray<string>
  readonly gate?: unknown
  /** The lowest first. */
  readonly laid?: ReadonlyArray<Laid> | undefined
}

/**
 * Chosen once for a step and the hooks of its pipeline, not at each evaluation.
 * Terminal hooks are in running order, those of the outcome before `exit`.
 */
export interface Plan {
  /** Whether anything comes before the body: start hooks of either sort, or a gate. */
  readonly starts: boolean
  readonly requiredStart: ReadonlyArray<Planned>
  readonly start: ReadonlyArray<Planned>
  readonly retry: ReadonlyArray<Planned>
  readonly required: Readonly<Record<Outcome, ReadonlyArray<Planned>>>
  readonly ordinary: Readonly<Record<Outcome, ReadonlyArray<Planned>>>
  /** A mistake in the program, on which the step dies. */
  readonly defect: TypeError | undefined
}

/** @internal */
export type Outcome = "success" | "failure" | "interrupt"

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
      return own.length > 0 ? own : inherited
  }
}

const at = (hooks: ReadonlyArray<HookImpl>, level: Level): ReadonlyArray<Chosen> =>
  hooks.length === 0 ? none : hooks.map((hook) => [hook, level])

/** The mode that is laid over a step without hooks of the kind, and so is that of the hooks which the step has. */
const asksFor = (laid: ReadonlyArray<Laid>, kind: Kind): InheritMode | undefined => {
  const step = laid.find(({ hooks, level }) => level === "step" && hooks[kind].length === 0)
  const mode = step?.modes[kind]
  return mode === "append" || mode === "prepend" ? mode : undefined
}

/** The hooks of a kind, in running order: the step's over the pipeline's, and over both what is laid over them. */
export const chosen = (owner: Owner, inherited: Table, kind: Kind): ReadonlyArray<Chosen> => {
  const own: ReadonlyArray<HookImpl> = owner.own.hooks[kind]
  const { laid = none } = owner
  const over = (lower: ReadonlyArray<Chosen>, { hooks, level, modes }: Laid): ReadonlyArray<Chosen> =>
    choose(at(hooks[kind], level), lower, modes[kind] ?? "override")
  const asked = asksFor(laid, kind)
  if (asked !== undefined) {
    const ofPipeline = laid.filter(({ level }) => level === "pipeline")
    return choose(at(own, "step"), ofPipeline.reduce(over, at(inherited[kind], "pipeline")), asked)
  }
  return laid.reduce(over, choose(at(own, "step"), at(inherited[kind], "pipeline"), owner.modes[kind] ?? "override"))
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
    if (owner.own.hooks[kind].length === 0 && inherited[kind].length === 0 && owner.laid === undefined) return none
    return chosen(owner, inherited, kind).map(([hook, level], index): Planned => {
      mistakes.push(...hookMistakes(hook))
      return { hook, level, index }
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
    required: byOutcome(terminal(true)),
    ordinary: byOutcome(terminal(false)),
    defect: mistakes.length === 0
      ? undefined
      : new TypeError(`${owner.label} ${JSON.stringify(owner.name)}: ${mistakes.join("; ")}`)
  }
}

/** A time limit in milliseconds, or `undefined` where the input is no duration or negative. */
export const limitMillis = (input: Duration.Input): number | undefined => {
  const duration = Option.getOrUndefined(Duration.fromInput(input))
  return duration === undefined || Number.isNaN(input) || Duration.isNegative(duration)
    ? undefined
    : Duration.toMillis(duration)
}

/** The error of whatever exceeded its limit, in milliseconds. */
export const exceeded = (what: string, limit: number): Cause.TimeoutError =>
  new Cause.TimeoutError(`${what} exceeded its time limit of ${formatDuration(limit)}`)

/** What is wrong with a time limit, in words. */
export const limitMistakes = (of: string, input: Duration.Input): ReadonlyArray<string> =>
  limitMillis(input) === undefined
    ? [`the time limit of ${of} must be a duration that is not negative, got ${JSON.stringify(input)}`]
    : []

/** What is wrong with a hook, in words. */
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
    return chosen(owner, inherited, kind).map(([hook, level]): Explanation => ({
      kind,
      name: hook.name,
      level,
      mode,
      required: hook.required,
      background: hook.background,
      reason: reason(kind, level, mode, inherited[kind].length)
    }))
  })
}

const reason = (kind: Kind, level: Level, mode: InheritMode, inherited: number): string => {
  if (level === "pipeline") {
    return mode === "override"
      ? `the step has no ${kind} hook of its own, so it inherits the pipeline's`
      : `the step asked for the pipeline's ${kind} hooks too (inherit: ${mode})`
  }
  return mode === "override" && inherited > 0
    ? `the step's own ${kind} hooks take precedence over the pipeline's`
    : `the step's own`
}
