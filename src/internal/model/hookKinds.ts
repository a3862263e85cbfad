/** The constructors of hooks, one for each kind of event that a hook reacts to. */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { tagOf } from "../text/read.ts"
import {
  type FailedAttempt,
  HookImpl,
  type HookOptions,
  type Kind,
  type Remember,
  type Rollback,
  skippedEffect
} from "./hook.ts"
import type { Watching } from "./overdue.ts"
import { skippedOf, type StepSkipped } from "./skip.ts"

/** Names a hook after its function where that has a name: `Hook.onFailure(pageOnCall)` is called "pageOnCall". */
const nameOf = (f: unknown, kind: Kind): string => typeof f === "function" && f.name !== "" ? f.name : names[kind]

const names: Readonly<Record<Kind, string>> = {
  start: "onStart",
  retry: "onRetry",
  overdue: "onOverdue",
  success: "onSuccess",
  failure: "onFailure",
  interrupt: "onInterrupt",
  skip: "onSkip",
  exit: "onExit",
  rollback: "onRollback"
}

const make = (kind: Kind, f: unknown, run: HookOptions["run"], conditional = false): any =>
  new HookImpl({ kind, name: nameOf(f, kind), run, conditional })

// The casts below are sound: the engine calls a hook with an occasion of the hook's own kind only.

/** @internal */
export const onStart = (effect: Effect.Effect<any, any, any>): any => make("start", undefined, () => effect)

/** @internal */
export const onSuccess = (f: (value: any) => Effect.Effect<any, any, any>): any =>
  make("success", f, (exit) => f((exit as Exit.Success<any>).value))

const withCause = (kind: Kind) => (f: (cause: any) => Effect.Effect<any, any, any>): any =>
  make(kind, f, (exit) => f((exit as Exit.Failure<never, any>).cause))

/** @internal */
export const onFailure = withCause("failure")

/** @internal */
export const onInterrupt = withCause("interrupt")

/** @internal */
export const onSkip = (f: (skipped: StepSkipped) => Effect.Effect<any, any, any>): any =>
  make("skip", f, (exit) => f(skippedOf(exit as Exit.Exit<unknown, unknown>)!))

/** @internal */
export const onFailureTag = (tag: string, f: (error: any) => Effect.Effect<any, any, any>): any =>
  make("failure", f, (exit, _context, applies) => {
    for (const reason of (exit as Exit.Failure<never, any>).cause.reasons) {
      if (Cause.isFailReason(reason) && tagOf(reason.error) === tag) {
        applies?.()
        return f(reason.error)
      }
    }
    return skippedEffect
  }, true)

/** @internal */
export const onRetry = (f: (failed: FailedAttempt<any>) => Effect.Effect<any, any, any>): any =>
  make("retry", f, (failed) => f(failed as FailedAttempt<any>))

/** Makes the constructor of overdue hooks. */
export const onOverdue = (watching: Watching) => (...args: ReadonlyArray<any>): any => {
  const [f, overdue] = typeof args[0] === "function" ? [args[0]] : [args[1], { after: args[0], ...args[2] }]
  return new HookImpl({
    kind: "overdue",
    name: nameOf(f, "overdue"),
    run: (overdue) => f(overdue),
    overdue,
    watching
  })
}

/** @internal */
export const onExit = (f: (exit: Exit.Exit<any, any>) => Effect.Effect<any, any, any>): any =>
  make("exit", f, (exit) => f(exit as Exit.Exit<any, any>))

/** Makes the constructor of rollback hooks. */
export const onRollback =
  (remember: Remember) => (f: (value: any, cause: Cause.Cause<unknown>) => Effect.Effect<any, any, any>): any =>
    new HookImpl({
      kind: "rollback",
      name: nameOf(f, "rollback"),
      run: (rollback) => {
        const { cause, value } = rollback as Rollback
        return f(value, cause)
      },
      remember
    })
