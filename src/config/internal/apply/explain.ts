/** Explains which hooks would run for each step, where each comes from, and why. */
import type { Kind } from "../../../Hook.ts"
import type { HookImpl } from "../../../internal/model/hook.ts"
import { empty, kinds, type Table } from "../../../internal/model/hooks.ts"
import type { StepOwner } from "../../../internal/model/owner.ts"
import { chosen, type HookOverrides, type Level, type Owner } from "../../../internal/model/plan.ts"
import { isStep } from "../../../internal/steps/step.ts"
import type { ExplainedHook, ExplainedStep, ExplainedTimeout } from "../../Loaded.ts"
import type { Path, Position } from "../file/positions.ts"
import type { Exported } from "../loading.ts"
import { compile, type FileSettings } from "./compile.ts"
import type { Replacement } from "./overrides.ts"

interface Explained extends FileSettings {
  readonly file: string
  readonly origins: ReadonlyMap<HookImpl, Position | undefined>
  readonly positionOf: (path: Path) => Position | undefined
}

/** Explains the steps that the module exports, then the others that the file names. */
export const explain = (settings: Explained, { module, pipeline }: Exported): ReadonlyArray<ExplainedStep> => {
  // casts, since the exports of a module have no types at run time: `isStep` and the field's name identify them
  const steps = Object.values(module).filter(isStep) as unknown as ReadonlyArray<StepOwner>
  const inherited = ((pipeline as { readonly stepHooks?: { readonly hooks: Table } }).stepHooks?.hooks) ?? empty.hooks
  const overrides = compile(settings).overrides()
  const known = new Set(steps.map(({ name }) => name))
  const others = [...settings.steps.keys()].filter((name) => !known.has(name))
  const ofCode = (name: string): Owner => steps.find((step) => step.name === name) ?? unknownStep(name)
  return [...known, ...others].map((name) => {
    const owner = { ...ofCode(name), overrides: overrides.step(name).hooks }
    return {
      step: name,
      inCode: known.has(name),
      timeout: explainTimeout(steps.find((step) => step.name === name), overrides.step(name).timeout),
      hooks: kinds.flatMap((kind) => {
        const all = chosen(owner, inherited, kind)
        return all.map(([hook, level]): ExplainedHook => ({
          kind,
          name: hook.name,
          level,
          from: settings.origins.has(hook.original)
            ? { file: settings.file, position: settings.origins.get(hook.original) }
            : "code",
          why: `${why(kind, owner.overrides, settings.origins.has(hook.original), level)}${condition(all, hook)}`
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

/** Explains the time limit of the run. */
export const explainRun = (settings: FileSettings, { pipeline }: Exported): ExplainedTimeout | undefined =>
  // the cast: a pipeline is made with such a field, and other effects have none
  explainTimeout(pipeline as Pick<StepOwner, "wraps">, compile(settings).overrides().run.timeout)

const unknownStep = (name: string): Owner => ({ name, label: "Step", own: empty, modes: {}, mistakes: [] })

/** Says on which other hooks it depends whether a hook runs, and which others depend on it. */
const condition = (all: ReturnType<typeof chosen>, { original, unless }: HookImpl): string =>
  unless !== undefined
    ? `; only where ${unless.map(({ name }) => name).join(", ")} ${unless.length === 1 ? "has" : "have"} nothing to do`
    : all.some(([other]) => other.unless?.includes(original) === true)
    ? "; where it has nothing to do, the hooks below run"
    : ""

const why = (kind: Kind, overrides: ReadonlyArray<HookOverrides>, isFile: boolean, level: Level): string => {
  const ofFile = overrides.filter(({ hooks }) => hooks[kind].length > 0)
  const mode = (at: Level) => overrides.find((one) => one.level === at)?.modes[kind] ?? "override"
  const inherits = mode("step") === "append" || mode("step") === "prepend"
  if (isFile && level === "step") {
    return mode("step") === "override"
      ? `the file's ${kind} hooks of the step replace all others`
      : `the file's ${kind} hooks of the step (inherit: ${mode("step")})`
  }
  if (isFile) {
    return inherits || ofFile.some((one) => one.level === "step")
      ? `the step inherits the file's stepHooks (inherit: ${mode("step")})`
      : mode("pipeline") === "override"
      ? `the file's stepHooks replace the code's ${kind} hooks`
      : `the file's stepHooks (inherit: ${mode("pipeline")})`
  }
  const of = level === "step" ? "the step's own in code" : "the pipeline's in code"
  return ofFile.length === 0 && !inherits
    ? `${of}; the file has none of this kind`
    : `${of}, which the file's hooks inherit`
}
