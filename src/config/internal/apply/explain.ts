/** Which hooks would run for each step, where each comes from, and why. */
import type { Kind } from "../../../Hook.ts"
import type { HookImpl } from "../../../internal/model/hook.ts"
import { empty, kinds, type Table } from "../../../internal/model/hooks.ts"
import type { StepOwner } from "../../../internal/model/owner.ts"
import { chosen, type HookOverrides, type Level, type Owner } from "../../../internal/model/plan.ts"
import { isStep } from "../../../internal/steps/step.ts"
import type { ExplainedHook, ExplainedStep } from "../../load.ts"
import type { Path, Position } from "../file/positions.ts"
import type { Exported } from "../load.ts"
import type { Settings } from "./apply.ts"
import { compile } from "./apply.ts"

interface Explained extends Settings {
  readonly file: string
  readonly origins: ReadonlyMap<HookImpl, Position | undefined>
  readonly positionOf: (path: Path) => Position | undefined
}

/** The steps that the module exports, and those that the file names besides. */
export const explain = (settings: Explained, { module, pipeline }: Exported): ReadonlyArray<ExplainedStep> => {
  // casts, since a module's exports have no types at run time; `isStep` and the name of the field say what they are
  const steps = Object.values(module).filter(isStep) as unknown as ReadonlyArray<StepOwner>
  const inherited = ((pipeline as { readonly stepHooks?: { readonly hooks: Table } }).stepHooks?.hooks) ?? empty.hooks
  const changes = compile(settings).changes()
  const known = new Set(steps.map(({ name }) => name))
  const others = [...settings.steps.keys()].filter((name) => !known.has(name))
  const ofCode = (name: string): Owner => steps.find((step) => step.name === name) ?? unknownStep(name)
  return [...known, ...others].map((name) => {
    const owner = { ...ofCode(name), overrides: changes.step(name).hooks }
    return {
      step: name,
      inCode: known.has(name),
      hooks: kinds.flatMap((kind) =>
        chosen(owner, inherited, kind).map(([hook, level]): ExplainedHook => ({
          kind,
          name: hook.name,
          level,
          from: settings.origins.has(hook)
            ? { file: settings.file, position: settings.origins.get(hook) }
            : "code",
          why: why(kind, owner.overrides, settings.origins.has(hook), level)
        }))
      )
    }
  })
}

const unknownStep = (name: string): Owner => ({ name, label: "Step", own: empty, modes: {}, mistakes: [] })

const why = (kind: Kind, overrides: ReadonlyArray<HookOverrides>, isFile: boolean, level: Level): string => {
  const ofFile = overrides.filter(({ hooks }) => hooks[kind].length > 0)
  const mode = (at: Level) => overrides.find((one) => one.level === at)?.modes[kind] ?? "override"
  const asks = mode("step") === "append" || mode("step") === "prepend"
  if (isFile && level === "step") {
    return mode("step") === "override"
      ? `the file's ${kind} hooks of the step take the place of all others`
      : `the file's ${kind} hooks of the step (inherit: ${mode("step")})`
  }
  if (isFile) {
    return asks || ofFile.some((one) => one.level === "step")
      ? `the step asks for the file's stepHooks too (inherit: ${mode("step")})`
      : mode("pipeline") === "override"
      ? `the file's stepHooks take the place of the code's ${kind} hooks`
      : `the file's stepHooks (inherit: ${mode("pipeline")})`
  }
  const of = level === "step" ? "the step's own in code" : "the pipeline's in code"
  return ofFile.length === 0 && !asks ? `${of}; the file has none of this kind` : `${of}, which the file asks for too`
}
