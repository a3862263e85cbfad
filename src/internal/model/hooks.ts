/** Collections of hooks: their public types, and their erased form. */
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import { type Hook, type HookImpl, isHook, type Kind, modify } from "./hook.ts"

/** @internal */
export const TypeId = "~effect-epilogue/Hooks"

/**
 * A collection of hooks for a step that yields `A` or fails with `E`, by kind and in running order. The type
 * parameters are those of `Hook.Hook`.
 *
 * @see `Hooks.make` for making one
 *
 * @category models
 * @since 0.1.0
 */
export interface Hooks<in A, in E, out R, out X = never, out T = never> extends Pipeable {
  /** Holds the types of the collection. It has no value to read. */
  readonly [TypeId]: Hook.Variance<A, E, R, X, T>
  /** The hooks of each kind, in running order. */
  readonly hooks: Readonly<Record<Kind, ReadonlyArray<Hook<A, E, R, X, T>>>>
}

/**
 * A hook or a collection of hooks: the argument of `Step.hooks`, `Pipeline.hooks` and `Pipeline.stepHooks`.
 * Without type parameters, a hook or collection of any types.
 *
 * @see `Hook.Any` for a single hook of any types
 *
 * @category models
 * @since 0.1.0
 */
export type Any<A = never, E = never, R = unknown, X = unknown, T = unknown> =
  | Hook<A, E, R, X, T>
  | Hooks<A, E, R, X, T>

/**
 * Names the cure where several hooks are given in place of one collection. It is what a compile error shows.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Several<First> = First extends unknown
  ? { readonly "several hooks are one collection": "Hooks.make(first, second)" }
  : never

/**
 * Computes the arguments after the first two of a call with {@link Several} hooks: at least one more where the first is
 * what they are attached to.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Others<First> = First extends Any ? ReadonlyArray<Any> : readonly [Any, ...ReadonlyArray<Any>]

/**
 * The way in which the hooks of a step combine with those of its pipeline, for each kind:
 *
 * - `"override"`: the step's if one of them has something to do, else the pipeline's;
 * - `"append"`: the pipeline's, then the step's;
 * - `"prepend"`: the step's, then the pipeline's;
 * - `"off"`: the step's only.
 *
 * @see `Step.inherit` for setting the mode
 *
 * @category models
 * @since 0.1.0
 */
export type InheritMode = "override" | "append" | "prepend" | "off"

/** All kinds of hook, in the order in which they run. */
export const kinds: ReadonlyArray<Kind> = [
  "start",
  "retry",
  "overdue",
  "success",
  "failure",
  "interrupt",
  "skip",
  "exit",
  "rollback"
]

/** @internal */
export type Table = Readonly<Record<Kind, ReadonlyArray<HookImpl>>>

/** Makes a table with an entry for each kind of hook. */
export const tabulate = <X>(f: (kind: Kind) => X): Record<Kind, X> => ({
  start: f("start"),
  retry: f("retry"),
  overdue: f("overdue"),
  success: f("success"),
  failure: f("failure"),
  interrupt: f("interrupt"),
  skip: f("skip"),
  exit: f("exit"),
  rollback: f("rollback")
})

/** @internal */
export class HooksImpl {
  // a phantom type needs a value at run time, which is never read
  readonly [TypeId]: any = undefined
  // `any`: the element types were checked where the collection was made
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

/** @internal */
export const isAny = (u: unknown): boolean => isHooks(u) || isHook(u)

/** Returns the hooks of a hook, or of a collection, by kind. */
export const tableOf = (item: any): Table => {
  if (isHooks(item)) return item.hooks
  if (isHook(item)) return { ...empty.hooks, [item.kind]: [item] }
  const found = item === null ? "null" : typeof item
  throw new TypeError(
    `expected a Hook or a Hooks, got ${found}${
      found === "function" ? ": make a hook of it, as by Hook.onFailure(f)" : ""
    }`
  )
}

/** @internal */
export const make = (...items: ReadonlyArray<any>): any => {
  const tables = items.map(tableOf)
  return new HooksImpl(
    tabulate((kind) => tables.reduce<ReadonlyArray<HookImpl>>((all, table) => join(all, table[kind]), none))
  )
}

const none: ReadonlyArray<never> = []

/** Concatenates, without a copy where one list is empty: steps that are made for each call are merged each time. */
export const join = <X>(a: ReadonlyArray<X>, b: ReadonlyArray<X>): ReadonlyArray<X> =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b]

/** Adds hooks to a collection. One hook leaves the lists of other kinds as they are. */
export const merge = (self: any, that: any): any => {
  if (!isHooks(self) || !isHook(that)) return make(self, that)
  const { exit, failure, interrupt, overdue, retry, rollback, skip, start, success }: Table = self.hooks
  // written out, and not spread, which takes longer than all else of a step that is made in a loop
  const hooks: Record<Kind, ReadonlyArray<HookImpl>> = {
    start,
    retry,
    overdue,
    success,
    failure,
    interrupt,
    skip,
    exit,
    rollback
  }
  const { kind } = that
  const before = hooks[kind]
  hooks[kind] = before.length === 0 ? [that] : [...before, that]
  return new HooksImpl(hooks)
}

/** @internal */
export const mergeUnder = (stepHooks: any, pipelineHooks: any): any => {
  const step = tableOf(stepHooks)
  const pipeline = tableOf(pipelineHooks)
  return new HooksImpl(tabulate((kind) => under(step[kind], pipeline[kind], (hook) => hook, (_, hook) => hook)))
}

/**
 * Puts hooks of a kind under others, which stand in for them where at least one has something to do. A list of hooks
 * that all have conditions is followed by those below it, which then run `unless` one of the list does.
 */
export const under = <Entry>(
  upper: ReadonlyArray<Entry>,
  lower: ReadonlyArray<Entry>,
  hookOf: (entry: Entry) => HookImpl,
  withHook: (entry: Entry, hook: HookImpl) => Entry
): ReadonlyArray<Entry> => {
  if (upper.length === 0) return lower
  if (lower.length === 0) return upper
  const own = upper.map((entry) => hookOf(entry).original)
  const always = upper.some((entry) => {
    const { conditional, unless = none } = hookOf(entry)
    return !conditional && unless.every((hook) => own.includes(hook))
  })
  if (always) return upper
  const below = lower.flatMap((entry) => {
    const hook = hookOf(entry)
    const { original, unless = none } = hook
    // a hook in both lists decides once
    if (own.includes(original)) return []
    const more = own.filter((hook) => !unless.includes(hook))
    return more.length === 0 ? [entry] : [withHook(entry, modify(hook, { unless: [...unless, ...more], original }))]
  })
  return below.length === 0 ? upper : [...upper, ...below]
}
