/** Turns an export that a config file names into hooks of the expected kind, with the policies of the file. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as AlerterHooks from "../../../AlerterHooks.ts"
import type { Kind } from "../../../Hook.ts"
import type { Any } from "../../../Hooks.ts"
import { onOverdue } from "../../../internal/engine/overdue.ts"
import { onRollback } from "../../../internal/engine/undo.ts"
import * as hook from "../../../internal/model/hook.ts"
import * as kinds from "../../../internal/model/hookKinds.ts"
import * as hooks from "../../../internal/model/hooks.ts"
import { hookMistakes } from "../../../internal/model/plan.ts"
import { isPipeline, isStep } from "../../../internal/steps/step.ts"
import { policyOf } from "../schema/retry.ts"
import type * as Document from "../schema/types.ts"
import { nameOf, quoted } from "./reference.ts"
import { type Refusal, refuse } from "./refusal.ts"

/** Hooks of any types: the compiler does not see a config file. */
export type AnyHooks = Any

/** The hooks that a file names `epilogue#name`. */
export const standard: Readonly<Record<string, unknown>> = {
  alerterSuccess: AlerterHooks.success,
  alerterFailure: AlerterHooks.failure,
  alerterInterrupt: AlerterHooks.interrupt,
  alerterSkip: AlerterHooks.skip,
  alerterOverdue: AlerterHooks.overdue,
  alerterSummary: AlerterHooks.summary,
  alerter: AlerterHooks.all
}

/** Accepts a hook of the kind, a collection with hooks of the kind, or a function, which becomes a hook of the kind. */
export const toHook = (value: unknown, kind: Kind, entry: Document.HookEntry): Result.Result<AnyHooks, Refusal> => {
  if (hook.isHook(value)) {
    return value.kind === kind
      ? withPolicies(value, entry)
      : refuse(`the ${value.kind} hook ${quoted(value.name)}`, `${a(kind)} hook`)
  }
  if (isHooks(value)) {
    const table: hooks.Table = value.hooks
    const ofKind = table[kind]
    if (ofKind.length > 0) {
      return Result.map(Result.all(ofKind.map((one) => withPolicies(one, entry))), (all) => hooks.make(...all))
    }
    const others = hooks.kinds.filter((kind) => table[kind].length > 0)
    const found = others.length === 0 ? "empty Hooks" : `Hooks with only ${others.join(", ")} hooks`
    return refuse(found, `Hooks with ${a(kind)} hook`)
  }
  return isPlainFunction(value)
    ? withPolicies(hook.named(wrap(value, kind, nameOf(entry.use)), nameOf(entry.use)), entry)
    : refuse(describe(value), `${a(kind)} hook, Hooks, or a function ${signatures[kind]}`)
}

const a = (noun: string): string => `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`

// -----------------------------------------------------------------------------
// functions
// -----------------------------------------------------------------------------

const signatures: Readonly<Record<Kind, string>> = {
  start: "() => …",
  retry: "(failed) => …",
  overdue: "(overdue) => …",
  success: "(value) => …",
  failure: "(cause) => …",
  interrupt: "(cause) => …",
  skip: "(skipped) => …",
  exit: "(exit) => …",
  rollback: "(value, cause) => …"
}

type AnyFunction = (...args: ReadonlyArray<unknown>) => unknown

/** Makes a hook that calls a function with the arguments of hooks of the kind. */
const wrap = (f: AnyFunction, kind: Kind, name: string): hook.HookImpl => {
  const call = (...args: ReadonlyArray<unknown>) => Effect.suspend(() => settle(f(...args), name))
  switch (kind) {
    case "start":
      return kinds.onStart(Effect.suspend(call))
    case "retry":
      return kinds.onRetry(call)
    case "overdue":
      return onOverdue(call)
    case "success":
      return kinds.onSuccess(call)
    case "failure":
      return kinds.onFailure(call)
    case "interrupt":
      return kinds.onInterrupt(call)
    case "skip":
      return kinds.onSkip(call)
    case "exit":
      return kinds.onExit(call)
    case "rollback":
      return onRollback(call)
  }
}

/** Runs an Effect, awaits a promise (also for an Effect), and ignores any other value that a function returns. */
const settle = (returned: unknown, name: string): Effect.Effect<unknown, unknown, unknown> => {
  if (Effect.isEffect(returned)) return returned
  if (hook.isHook(returned) || isHooks(returned)) {
    return Effect.fail(
      new TypeError(`${name} returned ${describe(returned)} instead of running it: export that in its place`)
    )
  }
  if (!isThenable(returned)) return Effect.void
  const awaited = Effect.tryPromise({ try: () => Promise.resolve(returned), catch: identity })
  return Effect.flatMap(awaited, (value) => settle(value, name))
}

const isThenable = (u: unknown): u is PromiseLike<unknown> => hasProperty(u, "then") && typeof u.then === "function"

/** Returns whether a value is a function to call. Calling a generator function would run none of its code. */
export const isPlainFunction = (u: unknown): u is AnyFunction =>
  typeof u === "function" && !isGenerator(u) && !isClass(u) && !Context.isKey(u) && !Effect.isEffect(u)

const isGenerator = (u: unknown): boolean => Object.prototype.toString.call(u).endsWith("GeneratorFunction]")

const isClass = (u: object): boolean => /^class\b/.test(Function.prototype.toString.call(u))

const isHooks = (u: unknown): u is hooks.HooksImpl => hasProperty(u, hooks.TypeId)

// -----------------------------------------------------------------------------
// policies
// -----------------------------------------------------------------------------

/** The kinds whose hooks receive a failure. */
const failing: ReadonlyArray<Kind> = ["failure", "retry", "exit"]

const withPolicies = (plain: hook.HookImpl, entry: Document.HookEntry): Result.Result<hook.HookImpl, Refusal> => {
  const { after, background, every, name, required, retry, timeout, when } = entry
  // A copy: an export that is named twice is two hooks, each with policies of its own.
  let result: hook.HookImpl = hook.modify(plain, {})
  if (retry !== undefined) result = hook.retry(result, policyOf(retry))
  if (when !== undefined) {
    const kinds = failing.join(", ")
    if (!failing.includes(plain.kind)) {
      return refuse(`\`when\` beside ${a(plain.kind)} hook`, `\`when\` beside ${kinds} hooks only`)
    }
    const tags = [when.tag].flat().map(reveal)
    if (tags.length === 0) return refuse("`when` without a tag", "the _tag of an error, or a list of tags")
    // around the retry, so that the tag is checked once
    result = hook.when(result, (_, exit) => exit !== undefined && hasTag(exit, tags))
  }
  if (after !== undefined) result = hook.overdueAfter(result, after, { every })
  if (timeout !== undefined) result = hook.timeout(result, timeout)
  if (background !== undefined) result = hook.modify(result, { background })
  if (required !== undefined) result = hook.modify(result, { required })
  if (name !== undefined) {
    // A name is shown in logs and alerts. `String` of a `Redacted` does not reveal its value.
    result = hook.named(result, String(name))
  } else if (isUnnamed(plain)) {
    result = hook.named(result, nameOf(entry.use))
  }
  const [mistake] = hookMistakes(result)
  return mistake === undefined
    ? Result.succeed(result)
    : refuse(mistake, `${a(result.kind)} hook with policies that can be combined`)
}

/** Returns whether a hook has the default name of its kind. */
const isUnnamed = ({ kind, name }: hook.HookImpl): boolean => name.toLowerCase() === `on${kind}`

const reveal = (text: Document.Text): string => Redacted.isRedacted(text) ? Redacted.value(text) : text

/** Returns whether an error of the exit has one of the tags. Defects are ignored, as in `Hook.onFailureTag`. */
const hasTag = (exit: Exit.Exit<unknown, unknown>, tags: ReadonlyArray<string>): boolean =>
  exit._tag === "Failure" && exit.cause.reasons.some((reason) => {
    const error = Cause.isFailReason(reason) ? reason.error : undefined
    return hasProperty(error, "_tag") && tags.some((tag) => tag === error._tag)
  })

// -----------------------------------------------------------------------------
// descriptions
// -----------------------------------------------------------------------------

/** Returns what kind of value something is, without showing its content. */
export const describe = (u: unknown): string => {
  if (u === null || u === undefined) return String(u)
  if (typeof u === "string") return "a text"
  if (typeof u !== "object" && typeof u !== "function") return a(typeof u)
  if (Array.isArray(u)) return "an array"
  if (hook.isHook(u)) return `the ${u.kind} hook ${quoted(u.name)}`
  if (isHooks(u)) return "Hooks"
  if (isStep(u)) return `the Step ${nameIn(u)}`
  if (isPipeline(u)) return `the Pipeline ${nameIn(u)}`
  if (Layer.isLayer(u)) return "a Layer"
  if (Context.isKey(u)) return "a service"
  if (Effect.isEffect(u)) return "an Effect"
  if (isThenable(u)) return "a promise"
  if (typeof u === "object") return "an object"
  if (isClass(u)) return "a class"
  return isGenerator(u) ? "a generator function (Effect.fn makes a function of it)" : "a function"
}

const nameIn = (u: object): string => hasProperty(u, "name") && typeof u.name === "string" ? quoted(u.name) : ""
