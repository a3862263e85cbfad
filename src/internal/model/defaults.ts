/** The hooks that layers give to all steps, and to all runs, that are evaluated inside. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { StepContext } from "./context.ts"
import type { HookServices } from "./hook.ts"
import type { Table } from "./hooks.ts"
import { CurrentGuard } from "./secrets.ts"

/** The hooks of `Hooks.layerDefault`. Read where a step is evaluated, so that a layer inside of a run counts, too. */
export const StepDefaults: Context.Reference<Table | undefined> = Context.Reference<Table | undefined>(
  "effect-epilogue/Hooks/Defaults",
  { defaultValue: () => undefined }
)

/** The hooks of `Pipeline.layerDefault`. Apart, since a layer beside the other one would otherwise replace it. */
export const RunDefaults: Context.Reference<Table | undefined> = Context.Reference<Table | undefined>(
  "effect-epilogue/Pipeline/Defaults",
  { defaultValue: () => undefined }
)

// The references that stay those of the step. The casts to keys of `never` are sound, since no layer promises them.
const ofCaller = [
  Clock.Clock,
  CurrentGuard,
  References.CurrentLogAnnotations,
  References.CurrentLoggers,
  References.CurrentLogSpans,
  References.MinimumLogLevel,
  Tracer.ParentSpan,
  Tracer.Tracer
] as ReadonlyArray<Context.Key<unknown, unknown>> as ReadonlyArray<Context.Key<never, unknown>>

/** The services that a layer was built with, for its hooks. */
export class Captured implements HookServices {
  readonly #services: Context.Context<never>
  /** By the context of the step: many steps are evaluated in one. */
  readonly #merged = new WeakMap<Context.Context<never>, Context.Context<never>>()

  constructor(services: Context.Context<never>) {
    this.#services = services
  }

  /**
   * Returns the services over those of a step. It has no default hooks: a hook that evaluates a step or a pipeline that
   * fails would otherwise run itself for ever.
   */
  private over(step: Context.Context<never>): Context.Context<never> {
    let merged = this.#merged.get(step)
    if (merged === undefined) {
      merged = ofCaller.reduce(
        (context, key) => Context.addOrOmit(context, key, Context.getOption(step, key)),
        Context.merge(step, this.#services)
      ).pipe(Context.add(StepDefaults, undefined), Context.add(RunDefaults, undefined))
      this.#merged.set(step, merged)
    }
    return merged
  }

  hookContext(step: Context.Context<never>, view: StepContext["Service"]): Context.Context<never> {
    return Context.add(this.over(step), StepContext, view)
  }
}
