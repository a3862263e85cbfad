/** Steps and pipelines, erased: their prototypes, their constructors and their combinators. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Fiber from "effect/Fiber"
import { hasProperty } from "effect/Predicate"
import { evaluate as evaluateInMemory } from "../engine/life.ts"
import { retryWrap } from "../engine/retry.ts"
import { noAnnotations } from "../engine/run.ts"
import { defaultGrace, timeoutWrap } from "../engine/timeout.ts"
import type { Kind } from "../model/hook.ts"
import { onFailureTag } from "../model/hookKinds.ts"
import * as Hooks from "../model/hooks.ts"
import { limitMillis, limitMistakes } from "../model/limit.ts"
import { retryMistakes, unknownMistakes } from "../model/options.ts"
import type { Body, Evaluator, PipelineOwner, PlanCache, StepOwner, Wrap } from "../model/owner.ts"
import { PipelineTypeId, StepFnMayHaveKey, StepFnTypeId, StepTypeId } from "../model/step.ts"
import { noEffect, returnedNoEffect } from "../text/noEffect.ts"
import { keyText } from "../text/stepLabel.ts"
import { combinator, takesSelfOnly } from "./combinator.ts"

type Owned = StepOwner | PipelineOwner

const evaluate = function(this: any, fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<any, any, any> {
  const life = this.evaluator === undefined ? evaluateInMemory(this, fiber) : this.evaluator.evaluate(this, fiber)
  return this.skips === undefined ? life : this.skips.forCallers(life)
}

// Not `Effectable.Class`, whose `asEffect` does not get the fiber, which an evaluation needs.
const protoOf = (label: Owned["label"], typeId: string) =>
  Object.assign(Object.create(Effectable.Prototype<Effect.Effect<any, any, any>>({ label, evaluate })), {
    [typeId]: typeId,
    toJSON(this: Owned) {
      return { _id: label, name: this.name }
    }
  })

/** Copies a step or a pipeline, with a plan that it shares with others, or one of its own. */
type Copy = new(from: any, cache: PlanCache) => any

/**
 * Makes the constructor of steps or of pipelines. It sets all fields in one order, those that are not given to
 * `undefined`: engines then keep the fields of all steps in the same places, and copy and evaluate them faster.
 */
const copyOf = (label: Owned["label"], typeId: string): Copy => {
  function Copied(this: any, from: any, cache: PlanCache): void {
    this.label = label
    this.name = from.name
    this.body = from.body
    this.own = from.own
    this.cache = cache
    this.modes = from.modes
    this.mistakes = from.mistakes
    this.annotations = from.annotations
    this.params = from.params
    this.skips = from.skips
    this.gate = from.gate
    this.overdue = from.overdue
    this.key = from.key
    this.raw = from.raw
    this.wraps = from.wraps
    this.provided = from.provided
    this.evaluator = from.evaluator
    this.overrides = from.overrides
    this.stepHooks = from.stepHooks
    this.givenName = from.givenName
    this.runId = from.runId
  }
  Copied.prototype = protoOf(label, typeId)
  // a cast: a class can't be given a prototype, and one that extends `Effectable.Class` would evaluate without the fiber
  return Copied as any
}

const copies = { Step: copyOf("Step", StepTypeId), Pipeline: copyOf("Pipeline", PipelineTypeId) }

/** Returns the class of an owner's copies. Throws where something else has been given to a combinator. */
const copiesOf = (self: Owned) => copies[self?.label] ?? refuse(self)

const refuse = (found: unknown, expected = "expected a Step or a Pipeline"): never => {
  const got = isStep(found)
    ? "a Step: attach hooks to it by Step.hooks"
    : Effect.isEffect(found)
    ? "an Effect: make a step of it by Step.make"
    : Hooks.isAny(found)
    ? "a Hook: several are one by Hooks.make"
    : noEffect(found)
  throw new TypeError(`${expected}, got ${got}`)
}

const noPlan = (): PlanCache => ({
  under: undefined,
  defaults: undefined,
  plan: undefined,
  path: undefined,
  after: undefined
})

/** Copies an owner with changes that its plan does not depend on. */
const keepPlan = (self: Owned, changes: Partial<StepOwner> | Partial<PipelineOwner>): any =>
  Object.assign(new (copiesOf(self))(self, self.cache), changes)

/** Copies an owner with any changes. */
export const modify = (self: Owned, changes: Partial<StepOwner> | Partial<PipelineOwner>): any =>
  Object.assign(new (copiesOf(self))(self, noPlan()), changes)

/** @internal */
export const withEvaluator = (self: StepOwner, evaluator: Evaluator): any => keepPlan(self, { evaluator })

/** @internal */
export const withMistakes = (self: Owned, mistakes: ReadonlyArray<string>): any =>
  mistakes.length === 0 ? self : modify(self, { mistakes: [...self.mistakes, ...mistakes] })

/** @internal */
export const isStep = (u: unknown): boolean => hasProperty(u, StepTypeId)

/** @internal */
export const isPipeline = (u: unknown): boolean => hasProperty(u, PipelineTypeId)

const common = { own: Hooks.empty, modes: {}, mistakes: [], annotations: noAnnotations }

const newStep = { ...common, params: [] }

const newPipeline = { ...common, stepHooks: Hooks.empty }

// not `Effect.isEffect`, which allocates: steps are made in loops
const isBody = (u: unknown): boolean =>
  (typeof u === "object" || typeof u === "function") && u !== null && Effect.TypeId in u

const mistakesOf = (body: unknown): ReadonlyArray<string> =>
  isBody(body) ? common.mistakes : [`its body is ${noEffect(body)}`]

/** @internal */
export const makeStep = (name: string, body: Effect.Effect<any, any, any>): any => {
  // set, and not copied from an object made for it: it is done for each step that is made in a loop
  const step = new copies.Step(newStep, noPlan())
  step.name = name
  step.body = body
  step.mistakes = mistakesOf(body)
  return step
}

/** @internal */
export const makePipeline = (name: string, body: Effect.Effect<any, any, any>): any =>
  Object.assign(new copies.Pipeline(newPipeline, noPlan()), { name, body, mistakes: mistakesOf(body) })

/** Applies a combinator at a call. Where it reads nothing but the step, steps with one plan get one plan of it. */
const applied = (self: Owned, apply: (self: any, ...args: Array<any>) => any, args: Array<any>): any => {
  const { cache } = self
  const next = apply(self, ...args)
  if (next.cache !== cache && takesSelfOnly(apply)) {
    const after = cache.after ??= new Map()
    const shared = after.get(apply)
    if (shared === undefined) after.set(apply, next.cache)
    else next.cache = shared
  }
  return next
}

/**
 * Makes `Step.fn` and `Pipeline.fn`: a call makes a step or a pipeline of the result, and applies the combinators.
 *
 * The first combinators that read nothing but the step are applied once, to a template. A call copies it, with a body of
 * its own and the same plan.
 */
export const fn =
  (make: (name: string, body: Effect.Effect<any, any, any>) => any) =>
  (name: string) =>
  (f: (...args: Array<any>) => any, ...combinators: ReadonlyArray<(self: any, ...args: Array<any>) => any>): any => {
    const own = combinators.findIndex((apply) => !takesSelfOnly(apply))
    const once = own < 0 ? combinators : combinators.slice(0, own)
    const each = combinators.slice(once.length)
    let template: Owned | undefined
    const templateOf = (): Owned =>
      template ??= once.reduce<Owned>((self, apply) => apply(self), make(name, Effect.void))
    const call = (...args: Array<any>) => {
      const template = templateOf()
      // suspended, so that each evaluation of the step runs the function anew
      const raw = Effect.suspend(() => {
        const result = f(...args)
        if (Effect.isEffect(result)) return result
        if (typeof result?.next === "function") return Effect.gen(() => result)
        return returnedNoEffect(`the function of ${JSON.stringify(name)} returned`, result)
      })
      const self = new copies[template.label](template, template.cache)
      self.body = raw
      if (template.wraps !== undefined) {
        self.raw = raw
        self.body = template.wraps.reduce<Body>((body, { wrap }) => wrap(body), raw)
      }
      return each.length === 0 ? self : each.reduce((self, apply) => applied(self, apply, args), self)
    }
    // so that the command and config files find the steps of a module by its exports
    if (make !== makeStep) return call
    const mayHaveKey = () => each.length > 0 || ("key" in templateOf() && (templateOf() as StepOwner).key !== undefined)
    return Object.assign(call, { [StepFnTypeId]: name, [StepFnMayHaveKey]: mayHaveKey })
  }

/** @internal */
export const hooks = (self: Owned, added: any): any => {
  // set, and not assigned from an object of changes: it is done for each step that is made in a loop
  const next = new (copiesOf(self))(self, noPlan())
  // a hook sees the value that the step has at its place in the pipe
  next.own = Hooks.merge(self.own, self.skips === undefined ? added : self.skips.seeing(added))
  return next
}

/** Makes a combinator that attaches one hook, in both forms. `toHook` makes the hook of its argument. */
export const attach = (toHook: (f: any) => any): any => combinator(2, (self: Owned, f: any) => hooks(self, toHook(f)))

/** @internal */
export const attachTag: any = combinator(
  3,
  (self: Owned, tag: string, f: any) => hooks(self, onFailureTag(tag, f))
)

/** Whether the first argument is a step tells the two forms apart: with rest arguments their number does not. */
export const inherit: any = combinator(
  (args) => isStep(args[0]),
  (self: StepOwner, mode: Hooks.InheritMode, ...named: ReadonlyArray<Kind>): any => {
    const unknown = named.filter((kind) => !Hooks.kinds.includes(kind))
    const kinds = named.length === 0 ? Hooks.kinds : named
    return modify(self, {
      modes: { ...self.modes, ...Object.fromEntries(kinds.map((kind) => [kind, mode])) },
      mistakes: [
        ...self.mistakes,
        ...unknown.map((kind) => `unknown hook kind ${JSON.stringify(kind)} (expected ${Hooks.kinds.join(", ")})`)
      ]
    })
  }
)

/** @internal */
export const key = (self: StepOwner, value: string | number | bigint | boolean): any =>
  ["string", "number", "bigint", "boolean"].includes(typeof value)
    ? withKey(self, keyText(value))
    : withMistakes(self, [`its key must be a text or a number, got ${typeOf(value)}`])

const withKey = (self: StepOwner, key: string): any => {
  const next = new copies.Step(self, self.cache)
  next.key = key
  return next
}

const typeOf = (value: unknown): string => value === null ? "null" : Array.isArray(value) ? "an array" : typeof value

/** @internal */
export const params = (self: StepOwner, service: any): any => keepPlan(self, { params: [...self.params, service] })

/** @internal */
export const retry = (self: StepOwner, policy: any): any => {
  const mistakes = retryMistakes("its retry", policy)
  return mistakes.length > 0
    ? withMistakes(self, mistakes)
    : wrapped(self, retryWrap(policy))
}

/** @internal */
export const timeout: any = combinator(
  (args) => isStep(args[0]) || isPipeline(args[0]),
  (self: Owned, duration: Duration.Input, options?: { readonly grace?: Duration.Input | undefined }): any => {
    const { grace = defaultGrace } = options ?? {}
    const mistakes = [
      ...limitMistakes("its body", duration),
      ...limitMistakes("its body's grace", grace),
      ...unknownMistakes("its time limit", options, { grace })
    ]
    return mistakes.length > 0
      ? withMistakes(self, mistakes)
      // there are no mistakes in them
      : wrapped(self, timeoutWrap({ limit: limitMillis(duration)!, grace: limitMillis(grace)! }))
  }
)

/** Changes the body inside its wraps. */
export const inside = (self: Owned, change: (body: Body) => Body): any => {
  const raw = change(self.raw ?? self.body)
  return modify(self, { raw, body: (self.wraps ?? []).reduce((body, { wrap }) => wrap(body), raw) })
}

const wrapped = (self: Owned, wrap: Wrap): any =>
  keepPlan(self, {
    body: wrap.wrap(self.body),
    raw: self.raw ?? self.body,
    wraps: [...self.wraps ?? [], wrap]
  })

/** Adds an effect that runs before the first attempt, after the gates that the step has. */
export const gate = (step: any, added: Effect.Effect<unknown, any, any>): any => {
  const self = step as StepOwner
  return modify(self, { gate: self.gate === undefined ? added : Effect.andThen(self.gate, added) })
}

/** @internal */
export const annotate = (self: Owned, values: Readonly<Record<string, unknown>>): any =>
  keepPlan(self, { annotations: { ...self.annotations, ...values } })

const stepHooksOf = (self: PipelineOwner) => isPipeline(self) ? self.stepHooks : refuse(self, "expected a Pipeline")

/** @internal */
export const stepHooks = (self: PipelineOwner, added: any): any =>
  keepPlan(self, { stepHooks: Hooks.merge(stepHooksOf(self), added) })

/** @internal */
export const runName = (self: PipelineOwner, givenName: string): any =>
  givenName === ""
    ? withMistakes(self, ["its run name is empty"])
    : keepPlan(self, { givenName })
