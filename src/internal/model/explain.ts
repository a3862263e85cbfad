/** Says of each hook that would run for a step why it does. */
import { hasProperty } from "effect/Predicate"
import type { Chosen, HookImpl, Kind, Level } from "./hook.ts"
import { empty, type HooksImpl, type InheritMode, kinds, type Table, tableOf } from "./hooks.ts"
import { chosen, type Owner } from "./plan.ts"

/**
 * A hook that would run for a step, and why.
 *
 * @see `Hooks.explain` for listing them
 *
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  /** The kind of event that the hook reacts to. */
  readonly kind: Kind
  /** The name of the hook. */
  readonly name: string
  /** Whether the hook is the step's own, its pipeline's, or that of `Hooks.layerDefault`. */
  readonly level: "step" | "pipeline" | "default"
  /** The mode by which the step's hooks of this kind combine with those around it. */
  readonly mode: InheritMode
  /** Whether a failure of the hook fails the step. */
  readonly required: boolean
  /** Whether the step goes on without waiting for the hook. */
  readonly background: boolean
  /** The reason, in a sentence for people. */
  readonly reason: string
}

const none: ReadonlyArray<never> = []

/** @internal */
export const explain = (step: any, pipeline?: any, ofLayer?: any): ReadonlyArray<Explanation> => {
  const owner = step as Owner
  const inherited = pipeline === undefined
    ? empty.hooks as Table
    : hasProperty(pipeline, "stepHooks")
    ? (pipeline.stepHooks as HooksImpl).hooks as Table
    : tableOf(pipeline)
  const defaults = ofLayer === undefined ? undefined : tableOf(ofLayer)
  return kinds.flatMap((kind) => {
    const mode = owner.modes[kind] ?? "override"
    const all = chosen(owner, inherited, kind, defaults)
    const around: ReadonlyArray<Level> = [
      ...(inherited[kind].length > 0 ? ["pipeline" as const] : []),
      ...(defaults !== undefined && defaults[kind].length > 0 ? ["default" as const] : [])
    ]
    return all.map(([hook, level]): Explanation => ({
      kind,
      name: hook.name,
      level,
      mode,
      required: hook.required,
      background: hook.background,
      reason: reason(kind, hook, level, mode, all, around)
    }))
  })
}

const inWords: Readonly<Record<Level, string>> = {
  step: "the step's own",
  pipeline: "the pipeline's",
  default: "the default"
}

const reason = (
  kind: Kind,
  { original, unless = none }: HookImpl,
  level: Level,
  mode: InheritMode,
  all: ReadonlyArray<Chosen>,
  around: ReadonlyArray<Level>
): string => {
  if (unless.length > 0) {
    const above = new Set(all.flatMap(([other, level]) => unless.includes(other.original) ? [level] : []))
    const owners = [...above].map((level) => `${inWords[level]} ${kind} hooks`).join(" and ")
    return `${inWords[level]}, for where none of ${owners} has something to do`
  }
  const below = new Set(all.flatMap(([other, level]) => other.unless?.includes(original) === true ? [level] : []))
  if (below.size > 0) {
    const owners = [...below].map((level) => inWords[level]).join(" and ")
    return `${inWords[level]} takes precedence over ${owners} ${kind} hooks where its tag or predicate matches`
  }
  if (level !== "step") {
    if (mode !== "override") return `the step asked for ${inWords[level]} ${kind} hooks too (inherit: ${mode})`
    return level === "pipeline"
      ? `the step has no ${kind} hook of its own, so it inherits the pipeline's`
      : `neither the step nor the pipeline has a hook of kind ${kind}, so it inherits the default`
  }
  return mode === "override" && around.length > 0
    ? `the step's own ${kind} hooks take precedence over ${around.map((level) => inWords[level]).join(" and ")}`
    : "the step's own"
}
