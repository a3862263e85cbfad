/** Steps and pipelines, erased: their prototypes, their constructors and their combinators. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import type * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import { evaluate as evaluateInMemory } from "../engine/life.ts"
import { retryWrap } from "../engine/retry.ts"
import { noAnnotations } from "../engine/run.ts"
import { defaultGrace, timeoutWrap } from "../engine/timeout.ts"
import * as Hook from "../model/hook.ts"
import * as Hooks from "../model/hooks.ts"
import { limitMillis, limitMistakes } from "../model/limit.ts"
import type { Evaluator, PipelineOwner, StepOwner, Wrap } from "../model/owner.ts"
import { PipelineTypeId, StepFnTypeId, StepTypeId } from "../model/step.ts"
import { keyText } from "../text/stepLabel.ts"

type Owned = StepOwner | PipelineOwner

const evaluate = function(this: any, fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<any, any, any> {
  return this.evaluator === undefined ? evaluateInMemory(this, fiber) : this.evaluator.evaluate(this, fiber)
}

// Not `Effectable.Class`, whose `asEffect` does not get the fiber, which an evaluation needs.
const protoOf = (label: Owned["label"], typeId: string) =>
  Object.assign(Object.create(Effectable.Prototype<Effect.Effect<any, any, any>>({ label, evaluate })), {
    [typeId]: typeId,
    toJSON(this: Owned) {
      return { _id: label, name: this.name }
    }
  })

const protos = { Step: protoOf("Step", StepTypeId), Pipeline: protoOf("Pipeline", PipelineTypeId) }

const build = (owner: Omit<StepOwner, "cache"> | Omit<PipelineOwner, "cache">, changes?: Partial<Owned>): any =>
  Object.assign(Object.create(protos[owner.label]), owner, changes, { cache: { under: undefined, plan: undefined } })

const modify = (self: Owned, changes: Partial<StepOwner> | Partial<PipelineOwner>): any => build(self, changes)

/** @internal */
export const withEvaluator = (self: StepOwner, evaluator: Evaluator): any => modify(self, { evaluator })

/** @internal */
export const isStep = (u: unknown): boolean => hasProperty(u, StepTypeId)

/** @internal */
export const isPipeline = (u: unknown): boolean => hasProperty(u, PipelineTypeId)

/** @internal */
export const makeStep = (name: string, body: Effect.Effect<any, any, any>): any =>
  build({
    label: "Step",
    name,
    key: undefined,
    body,
    own: Hooks.empty,
    modes: {},
    mistakes: [],
    annotations: noAnnotations,
    params: []
  })

/** @internal */
export const makePipeline = (name: string, body: Effect.Effect<any, any, any>): any =>
  build({
    label: "Pipeline",
    name,
    body,
    own: Hooks.empty,
    modes: {},
    mistakes: [],
    annotations: noAnnotations,
    stepHooks: Hooks.empty,
    givenName: undefined
  })

/** Makes `Step.fn` and `Pipeline.fn`: a call makes a step or a pipeline of the result, and applies the combinators. */
export const fn =
  (make: (name: string, body: Effect.Effect<any, any, any>) => any) =>
  (name: string) =>
  (f: (...args: Array<any>) => any, ...combinators: ReadonlyArray<(self: any, ...args: Array<any>) => any>): any => {
    const call = (...args: Array<any>) => {
      // suspended, so that each evaluation of the step runs the function anew
      let self = make(
        name,
        Effect.suspend(() => {
          const result = f(...args)
          return Effect.isEffect(result) ? result : Effect.gen(() => result)
        })
      )
      for (const combinator of combinators) self = combinator(self, ...args)
      return self
    }
    // so that the command and config files find the steps of a module by its exports
    return make === makeStep ? Object.assign(call, { [StepFnTypeId]: name }) : call
  }

/** @internal */
export const hooks = (self: Owned, added: any): any => modify(self, { own: Hooks.merge(self.own, added) })

/** Makes a combinator that attaches one hook, in both forms. `toHook` makes the hook of its argument. */
export const attach = (toHook: (f: any) => any): any => dual(2, (self: Owned, f: any) => hooks(self, toHook(f)))

/** @internal */
export const attachTag: any = dual(
  3,
  (self: Owned, tag: string, f: any) => hooks(self, Hook.onFailureTag(tag, f))
)

/** Whether the first argument is a step tells the two forms apart: with rest arguments their number does not. */
export const inherit: any = dual(
  (args) => isStep(args[0]),
  (self: StepOwner, mode: Hooks.InheritMode, ...named: ReadonlyArray<Hook.Kind>): any => {
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
    ? modify(self, { key: keyText(value) })
    : modify(self, { mistakes: [...self.mistakes, `its key must be a text or a number, got ${typeOf(value)}`] })

const typeOf = (value: unknown): string => value === null ? "null" : Array.isArray(value) ? "an array" : typeof value

/** @internal */
export const params = (self: StepOwner, service: any): any => modify(self, { params: [...self.params, service] })

/** @internal */
export const retry = (self: StepOwner, policy: any): any => wrapped(self, retryWrap(policy))

/** @internal */
export const timeout: any = dual(
  (args) => isStep(args[0]) || isPipeline(args[0]),
  (self: Owned, duration: Duration.Input, options?: { readonly grace?: Duration.Input | undefined }): any => {
    const { grace = defaultGrace } = options ?? {}
    const mistakes = [...limitMistakes("its body", duration), ...limitMistakes("its body's grace", grace)]
    return mistakes.length > 0
      ? modify(self, { mistakes: [...self.mistakes, ...mistakes] })
      // there are no mistakes in them
      : wrapped(self, timeoutWrap({ limit: limitMillis(duration)!, grace: limitMillis(grace)! }))
  }
)

const wrapped = (self: Owned, wrap: Wrap): any =>
  modify(self, {
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
  modify(self, { annotations: { ...self.annotations, ...values } })

/** @internal */
export const stepHooks = (self: PipelineOwner, added: any): any =>
  modify(self, { stepHooks: Hooks.merge(self.stepHooks, added) })

/** @internal */
export const runName = (self: PipelineOwner, givenName: string): any =>
  modify(self, givenName === "" ? { mistakes: [...self.mistakes, "its run name is empty"] } : { givenName })
