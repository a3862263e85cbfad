/** The layers of hooks that steps and runs have where nothing else says what they have. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Captured, RunDefaults, StepDefaults } from "../model/defaults.ts"
import { type HookImpl, modify } from "../model/hook.ts"
import { HooksImpl, kinds, make, mergeUnder, type Table, tabulate } from "../model/hooks.ts"
import { hookMistakes } from "../model/plan.ts"

/**
 * Makes the layer. It is fresh, so that it is built wherever it is provided: a memoized one would bring back the outer
 * hooks of the place where it was built first.
 */
const layerOf =
  (reference: Context.Reference<Table | undefined>, name: string) => (hooks: any): Layer.Layer<never, never, any> => {
    const table: Table = make(hooks).hooks
    return Layer.fresh(Layer.effect(
      reference,
      Effect.contextWith((context: Context.Context<never>) =>
        Effect.map(reference, (outer) => {
          const mistakes = kinds.flatMap((kind) => table[kind].flatMap(hookMistakes))
          if (mistakes.length > 0) throw new TypeError(`${name}: ${mistakes.join("; ")}`)
          const inner = withServices(table, new Captured(context))
          return merged(inner, outer)
        })
      )
    ))
  }

/** Gives hooks the services of the layer. A copy stands for the same hook where it is compared with others. */
const withServices = (table: Table, services: Captured): Table =>
  tabulate((kind) => table[kind].map((hook): HookImpl => modify(hook, { services, original: hook.original })))

/** Gives hooks to the steps and the runs of an effect, over those around it. They use the services of the step. */
export const withDefaults = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  { runs, steps }: { readonly steps: Table; readonly runs: Table }
): Effect.Effect<A, E, R> =>
  effect.pipe(
    Effect.updateService(StepDefaults, over(steps)),
    Effect.updateService(RunDefaults, over(runs))
  )

const over = (table: Table) => {
  const inner = withServices(table, new Captured(Context.empty()))
  return kinds.every((kind) => inner[kind].length === 0)
    ? (outer: Table | undefined) => outer
    : (outer: Table | undefined) => merged(inner, outer)
}

const merged = (inner: Table, outer: Table | undefined): Table =>
  outer === undefined ? inner : mergeUnder(new HooksImpl(inner), new HooksImpl(outer)).hooks

/** @internal */
export const stepDefaults: any = layerOf(StepDefaults, "Hooks.layerDefault")

/** @internal */
export const runDefaults: any = layerOf(RunDefaults, "Pipeline.layerDefault")
