/** Makes the layer of steps that are spans from its options. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import { CurrentLoggers } from "effect/References"
import * as Tracer from "effect/Tracer"
import { watching } from "../engine/overdue.ts"
import { spanLogger } from "../engine/spanStep.ts"
import { observersOf } from "../engine/telling.ts"
import * as Hooks from "../model/hooks.ts"
import { limitMillis, timeMistakes } from "../model/limit.ts"
import { type OverdueInput, overdueMistakes, toMillis } from "../model/overdue.ts"
import type { StepOwner } from "../model/owner.ts"
import { hookMistakes } from "../model/plan.ts"
import { CurrentStepLogs } from "../model/stepLogs.ts"
import { isLogged } from "../model/tap.ts"
import { shown } from "../text/shown.ts"
import { type Settings, SpanSteps } from "./spanTracer.ts"
import { hooks, modify } from "./step.ts"

interface Options {
  readonly steps: RegExp | string | ((span: Tracer.Span) => boolean)
  readonly hooks?: any
  readonly key?: Settings["keyOf"] | undefined
  readonly overdue?: Duration.Input | OverdueInput | undefined
  readonly drain?: Duration.Input | undefined
}

/** @internal */
export const layer = (options: Options): any => {
  const settings = settingsOf(options)
  // fresh, since a memoized one would bring back the tracer of the place where it was built first
  return Layer.fresh(Layer.effectContext(
    Effect.withFiber((fiber) => {
      const { context } = fiber
      const steps = new SpanSteps(settings, context)
      const own = Context.make(Tracer.Tracer, steps.tracer)
      const isLogging = fiber.getRef(CurrentStepLogs) !== undefined || observersOf(fiber).some(isLogged)
      return Effect.as(
        Effect.addFinalizer(() => steps.close()),
        isLogging ? Context.add(own, CurrentLoggers, new Set([...fiber.getRef(CurrentLoggers), spanLogger])) : own
      )
    })
  ))
}

const settingsOf = (options: Options): Settings => {
  const { drain = "30 seconds", key = () => undefined, steps } = options
  const given = options.hooks === undefined ? Hooks.empty : Hooks.make(options.hooks)
  const overdue = options.overdue === undefined ? undefined : overdueOf(options.overdue)
  const mistakes = [
    ...stepsMistakes(steps),
    ...mistakesOf(given.hooks),
    ...(overdue === undefined ? [] : overdueMistakes("a step", overdue)),
    ...timeMistakes("drain", drain)
  ]
  if (mistakes.length > 0) throw new TypeError(`Spans.layer: ${mistakes.join("; ")}`)
  const limit = overdue === undefined ? undefined : { limit: { ...toMillis(overdue), watching } }
  return {
    ...(typeof steps === "function" ? { named: (name) => name !== "", matches: steps } : byName(steps)),
    keyOf: key,
    equip: (step: StepOwner) => modify(hooks(step, given), { overdue: limit }),
    // there is no mistake in it
    drain: limitMillis(drain)!
  }
}

const overdueOf = (input: Duration.Input | OverdueInput): OverdueInput =>
  hasProperty(input, "after") ? input as OverdueInput : { after: input as Duration.Input }

const stepsMistakes = (steps: unknown): ReadonlyArray<string> =>
  steps instanceof RegExp || typeof steps === "function" || (typeof steps === "string" && steps !== "")
    ? []
    : [`steps must be a RegExp, a text with a pattern, or a function, got ${shown(steps)}`]

const mistakesOf = (table: Hooks.Table): ReadonlyArray<string> =>
  Hooks.kinds.flatMap((kind) =>
    table[kind].flatMap((hook) => [
      ...hookMistakes(hook),
      ...(hook.required ? [`hook "${hook.name}" can't be required: a span does not wait for its hooks`] : [])
    ])
  )

/** Decides by the name alone, for which a span need not be asked. */
const byName = (steps: RegExp | string): Pick<Settings, "named" | "matches"> => {
  const isOne = typeof steps === "string"
    ? (name: string) => matchesGlob(steps, name)
    // unlike `test`, it begins at the start each time, where the pattern is global
    : (name: string) => name.search(steps) >= 0
  return { named: (name) => name !== "" && isOne(name), matches: () => true }
}

/**
 * Whether a text matches a pattern in which `*` stands for any characters and `?` for one. Not by a regular expression,
 * which takes polynomial time for several `*`.
 */
const matchesGlob = (glob: string, text: string): boolean => {
  let at = 0
  let place = 0
  // the last `*`, and where what comes after it begins in the text
  let star = -1
  let after = 0
  while (at < text.length) {
    if (glob[place] === "*") {
      star = place++
      after = at
    } else if (glob[place] === "?" || glob[place] === text[at]) {
      at++
      place++
    } else if (star >= 0) {
      place = star + 1
      at = ++after
    } else {
      return false
    }
  }
  while (glob[place] === "*") place++
  return place === glob.length
}
