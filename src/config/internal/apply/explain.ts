/** Explains which hooks would run for each step, where each comes from, and why. */
import type { Kind } from "../../../Hook.ts"
import type { HookImpl, Level } from "../../../internal/model/hook.ts"
import { empty, kinds, type Table } from "../../../internal/model/hooks.ts"
import { type OverdueMillis, toMillis } from "../../../internal/model/overdue.ts"
import type { StepOwner } from "../../../internal/model/owner.ts"
import { chosen, type HookOverrides, type Owner } from "../../../internal/model/plan.ts"
import { isStep } from "../../../internal/steps/step.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import type { ExplainedHook, ExplainedStep, ExplainedTimeout, Loaded } from "../../Loaded.ts"
import type { Exported, Origin } from "../loading.ts"
import { compile, type FileSettings } from "./compile.ts"
import { type FileOverrides, filled, lateOf, type Replacement } from "./overrides.ts"
import { stepNames } from "./stepNames.ts"

interface Explained extends FileSettings {
  readonly origins: ReadonlyMap<HookImpl, Origin>
  /** The hooks that the project file gives to steps. */
  readonly stepDefaults: Table
}

/** Explains the limits of the run, and the hooks and limits of its steps. */
export const explain = (
  settings: Explained,
  exported: Exported
): Pick<Loaded, "timeout" | "overdue" | "deadline" | "steps"> => {
  // not those that the run is evaluated with, which note the steps that they are asked for
  const overrides = compile(settings).overrides()
  return { ...explainRun(overrides, exported), steps: explainSteps(settings, overrides, exported) }
}

/** Explains the steps that the module exports, then those that its functions make and the others that the file names. */
const explainSteps = (
  settings: Explained,
  overrides: FileOverrides,
  { module, pipeline }: Exported
): ReadonlyArray<ExplainedStep> => {
  // casts, since the exports of a module have no types at run time: `isStep` and the field's name identify them
  const steps = Object.values(module).filter(isStep) as unknown as ReadonlyArray<StepOwner>
  const inherited = ((pipeline as { readonly stepHooks?: { readonly hooks: Table } }).stepHooks?.hooks) ?? empty.hooks
  const known = new Set(steps.map(({ name }) => name))
  const others = new Set([...stepNames(module), ...settings.steps.keys()].filter((name) => !known.has(name)))
  const ofCode = (name: string): Owner => steps.find((step) => step.name === name) ?? unknownStep(name)
  return [...known, ...others].map((name) => {
    const override = overrides.step(name)
    const code = ofCode(name)
    const inCode = steps.find((step) => step.name === name)
    const limits = lateOf(code.overdue, override)
    const owner = { ...code, overrides: override.hooks, overdue: limits }
    return {
      step: name,
      inCode: known.has(name),
      timeout: explainTimeout(inCode, filled(inCode ?? {}, override).timeout),
      overdue: explainOverdue(limits?.limit),
      hooks: kinds.flatMap((kind) => {
        const all = chosen(owner, inherited, kind, settings.stepDefaults)
        return all.map(([hook, level]): ExplainedHook => ({
          kind,
          name: hook.name,
          level,
          from: settings.origins.get(hook.original) ?? "code",
          why: `${why(kind, owner.overrides, settings.origins.has(hook.original), level)}${condition(all, hook)}${
            own(hook)
          }`
        }))
      })
    }
  })
}

/** Returns the time limit of a step or a run after the file's has replaced that of the code. */
const explainTimeout = (
  owner: Pick<StepOwner, "wraps"> | undefined,
  replacement: Replacement
): ExplainedTimeout | undefined => {
  const wrap = replacement ?? owner?.wraps?.findLast(({ kind }) => kind === "timeout")
  return wrap !== undefined && wrap !== false && wrap.kind === "timeout"
    ? { limit: wrap.limit, grace: wrap.grace }
    : undefined
}

const explainOverdue = (limit: OverdueMillis | undefined): OverdueMillis | undefined =>
  limit && { after: limit.after, every: limit.every }

const explainRun = (
  { run }: FileOverrides,
  { pipeline }: Exported
): Pick<Loaded, "timeout" | "overdue" | "deadline"> => {
  // the cast: a pipeline is made with such fields, and other effects have none
  const owner = pipeline as Pick<StepOwner, "wraps" | "overdue">
  const late = lateOf(owner.overdue, run)
  return {
    timeout: explainTimeout(owner, filled(owner, { ...run, retry: undefined }).timeout),
    overdue: explainOverdue(late?.limit),
    deadline: late?.deadline === undefined ? undefined : { at: late.deadline.text, every: late.deadline.every }
  }
}

/** Says after which time of its own an overdue hook runs. */
const own = ({ overdue }: HookImpl): string => {
  if (overdue === undefined) return ""
  const { after, every } = toMillis(overdue)
  return `; after ${formatDuration(after)}${every === undefined ? "" : `, then every ${formatDuration(every)}`}`
}

const unknownStep = (name: string): Owner => ({ name, label: "Step", own: empty, modes: {}, mistakes: [] })

/** Says on which other hooks it depends whether a hook runs, and which others depend on it. */
const condition = (all: ReturnType<typeof chosen>, { original, unless }: HookImpl): string => {
  if (unless !== undefined) {
    const names = unless.map(({ name }) => name).join(", ")
    return `; only where ${names} ${unless.length === 1 ? "has" : "have"} nothing to do`
  }
  const isNeeded = all.some(([other]) => other.unless?.includes(original) === true)
  return isNeeded ? "; where it has nothing to do, the hooks below run" : ""
}

const why = (kind: Kind, overrides: ReadonlyArray<HookOverrides>, isFile: boolean, level: Level): string => {
  const ofFile = overrides.filter(({ hooks }) => hooks[kind].length > 0)
  const modeOf = (at: Level) => overrides.find((one) => one.level === at)?.modes[kind] ?? "override"
  if (level === "default") return "the project's, as neither this file nor the code has one of this kind"
  const ofStep = modeOf("step")
  const inherits = ofStep === "append" || ofStep === "prepend"
  if (isFile && level === "step") {
    return ofStep === "override"
      ? `the file's ${kind} hooks of the step replace all others`
      : `the file's ${kind} hooks of the step (inherit: ${ofStep})`
  }
  if (isFile) {
    if (inherits || ofFile.some((one) => one.level === "step")) {
      return `the step inherits the file's stepHooks (inherit: ${ofStep})`
    }
    const ofPipeline = modeOf("pipeline")
    return ofPipeline === "override"
      ? `the file's stepHooks replace the code's ${kind} hooks`
      : `the file's stepHooks (inherit: ${ofPipeline})`
  }
  const of = level === "step" ? "the step's own in code" : "the pipeline's in code"
  return ofFile.length === 0 && !inherits
    ? `${of}; the file has none of this kind`
    : `${of}, which the file's hooks inherit`
}
