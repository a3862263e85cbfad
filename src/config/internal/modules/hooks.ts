/** What a file names, as hooks of the kind in whose list it stands, with the policies beside it. */
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
import * as hook from "../../../internal/model/hook.ts"
import * as hooks from "../../../internal/model/hooks.ts"
import { hookMistakes } from "../../../internal/model/plan.ts"
import { isPipeline, isStep } from "../../../internal/steps/step.ts"
import type * as Document from "../../Document.ts"
import { policyOf } from "../schema/retry.ts"
import type { Problem } from "./modules.ts"
import { nameOf, quoted } from "./reference.ts"

/** Hooks of whatever steps: a file is not compiled. */
export type AnyHooks = Any

/** What `epilogue#name` names. */
export const standard: Readonly<Record<string, unknown>> = {
  alerterSuccess: AlerterHooks.success,
  alerterFailure: AlerterHooks.failure,
  alerter: AlerterHooks.all
}

/** A hook, the hooks of the kind of a collection, or a function as a hook of the kind. */
export const toHook = (value: unknown, kind: Kind, entry: Document.HookEntry): Result.Result<AnyHooks, Problem> => {
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
    const found = others.length === 0 ? "Hooks without a hook" : `Hooks with none but ${others.join(", ")} hooks`
    return refuse(found, `Hooks with ${a(kind)} hook`)
  }
  return isPlainFunction(value)
    ? withPolicies(hook.named(wrap(value, kind, nameOf(entry.use)), nameOf(entry.use)), entry)
    : refuse(describe(value), `${a(kind)} hook, Hooks, or a function ${signatures[kind]}`)
}

const refuse = (found: string, expected: string): Result.Result<never, Problem> => Result.fail({ found, expected })

const a = (noun: string): string => `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`

// -----------------------------------------------------------------------------
// functions
// -----------------------------------------------------------------------------

const signatures: Readonly<Record<Kind, string>> = {
  start: "() => …",
  retry: "(failed) => …",
  success: "(value) => …",
  failure: "(cause) => …",
  interrupt: "(cause) => …",
  exit: "(exit) => …"
}

type AnyFunction = (...args: ReadonlyArray<unknown>) => unknown

/** Called with what a hook of the kind is told. */
const wrap = (f: AnyFunction, kind: Kind, name: string): hook.HookImpl => {
  const call = (...args: ReadonlyArray<unknown>) => Effect.suspend(() => settle(f(...args), name))
  switch (kind) {
    case "start":
      return hook.onStart(Effect.suspend(call))
    case "retry":
      return hook.onRetry(call)
    case "success":
      return hook.onSuccess(call)
    case "failure":
      return hook.onFailure(call)
    case "interrupt":
      return hook.onInterrupt(call)
    case "exit":
      return hook.onExit(call)
  }
}

/** An Effect is run and a promise awaited, for an Effect too. What else a function returns is its own affair. */
const settle = (returned: unknown, name: string): Effect.Effect<unknown, unknown, unknown> => {
  if (Effect.isEffect(returned)) return returned
  if (hook.isHook(returned) || isHooks(returned)) {
    return Effect.fail(new TypeError(`${name} made ${describe(returned)} and ran nothing: export what it makes`))
  }
  if (!isThenable(returned)) return Effect.void
  const awaited = Effect.tryPromise({ try: () => Promise.resolve(returned), catch: identity })
  return Effect.flatMap(awaited, (value) => settle(value, name))
}

const isThenable = (u: unknown): u is PromiseLike<unknown> => hasProperty(u, "then") && typeof u.then === "function"

/** One to be called: neither a class, nor a generator, of which a call runs nothing. */
const isPlainFunction = (u: unknown): u is AnyFunction =>
  typeof u === "function" && !isGenerator(u) && !isClass(u) && !Context.isKey(u) && !Effect.isEffect(u)

const isGenerator = (u: unknown): boolean => Object.prototype.toString.call(u).endsWith("GeneratorFunction]")

const isClass = (u: object): boolean => /^class\b/.test(Function.prototype.toString.call(u))

const isHooks = (u: unknown): u is hooks.HooksImpl => hasProperty(u, hooks.TypeId)

// -----------------------------------------------------------------------------
// policies
// -----------------------------------------------------------------------------

/** The kinds whose hooks are told of failures. */
const failing: ReadonlyArray<Kind> = ["failure", "retry", "exit"]

const withPolicies = (plain: hook.HookImpl, entry: Document.HookEntry): Result.Result<hook.HookImpl, Problem> => {
  const { background, name, required, retry, timeout, when } = entry
  // another one, since what is named twice is two hooks
  let result: hook.HookImpl = hook.modify(plain, {})
  if (retry !== undefined) result = hook.retry(result, policyOf(retry))
  if (when !== undefined) {
    const kinds = failing.join(", ")
    if (!failing.includes(plain.kind)) {
      return refuse(`\`when\` beside ${a(plain.kind)} hook`, `it beside ${kinds} hooks`)
    }
    const tags = [when.tag].flat().map(reveal)
    if (tags.length === 0) return refuse("`when` without a tag", "the _tag of an error, or a list of some")
    // outside the retry, so that it is asked once
    result = hook.when(result, (_, exit) => exit !== undefined && hasTag(exit, tags))
  }
  if (timeout !== undefined) result = hook.timeout(result, timeout)
  if (background !== undefined) result = hook.modify(result, { background })
  if (required !== undefined) result = hook.modify(result, { required })
  if (name !== undefined) {
    // it is shown wherever the hook is, so it may not give away what is secret
    result = hook.named(result, String(name))
  } else if (isUnnamed(plain)) {
    result = hook.named(result, nameOf(entry.use))
  }
  const [mistake] = hookMistakes(result)
  return mistake === undefined
    ? Result.succeed(result)
    : refuse(mistake, `${a(result.kind)} hook with policies that go together`)
}

/** As a hook is that was made of a function without a name. */
const isUnnamed = ({ kind, name }: hook.HookImpl): boolean => name.toLowerCase() === `on${kind}`

const reveal = (text: Document.Text): string => Redacted.isRedacted(text) ? Redacted.value(text) : text

/** As `Hook.onFailureTag` has it: the errors count, and not the defects. */
const hasTag = (exit: Exit.Exit<unknown, unknown>, tags: ReadonlyArray<string>): boolean =>
  exit._tag === "Failure" && exit.cause.reasons.some((reason) => {
    const error = Cause.isFailReason(reason) ? reason.error : undefined
    return hasProperty(error, "_tag") && tags.some((tag) => tag === error._tag)
  })

// -----------------------------------------------------------------------------
// descriptions
// -----------------------------------------------------------------------------

/** What something is, without what is in it. */
const describe = (u: unknown): string => {
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
  return isClass(u)
    ? "a class"
    : isGenerator(u)
    ? "a generator function (Effect.fn makes a function of it)"
    : "a function"
}

const nameIn = (u: object): string => hasProperty(u, "name") && typeof u.name === "string" ? quoted(u.name) : ""
