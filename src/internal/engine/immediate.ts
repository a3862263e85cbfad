/**
 * Runs a hook that is one call without a fiber: a synchronous one, such as a counter, for which that would take as long
 * as the step, and an asynchronous one, such as that of a function that returns a promise. A fiber that waits takes four
 * times as long on Deno.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Call, type Pending, type Register } from "./pending.ts"

type AnyEffect = Effect.Effect<unknown, unknown, unknown>

/**
 * Returns the prototype of the Effects that a constructor makes, and the keys of what they hold. Effect does not export
 * them: hence they are looked for, and where they are not found, all hooks run on fibers.
 */
const madeLike = (effect: AnyEffect, ...held: ReadonlyArray<unknown>) => {
  const keys = held.flatMap((value) => Reflect.ownKeys(effect).filter((key) => Reflect.get(effect, key) === value))
  const proto: unknown = Object.getPrototypeOf(effect)
  const isShared = proto === Object.prototype || proto === Object.getPrototypeOf(Effect.suspend(() => Effect.void))
  return { proto: isShared || keys.length !== held.length ? undefined : proto, keys }
}

const probe = (_resume: unknown, _signal: unknown) => {}

// not taken apart by patterns, which bundlers would keep for code without hooks
const bySync = madeLike(Effect.sync(probe as () => void), probe)
const synchronous = bySync.proto
const evaluate = bySync.keys[0]

const byCallback = madeLike(Effect.callback(probe), probe, true)
const asynchronous = byCallback.proto
const register = byCallback.keys[0]
const takesSignal = byCallback.keys[1]

/**
 * Evaluates an Effect that is one call, in `context` on the running fiber. Returns its exit where it has ended, and
 * `undefined` for all other Effects.
 */
export const runNow = (
  effect: AnyEffect,
  context: Context.Context<never>
): Exit.Exit<unknown, unknown> | Pending | undefined => {
  // a hook in JavaScript may return anything
  if (effect === undefined || effect === null) return undefined
  const proto: unknown = Object.getPrototypeOf(effect)
  if (proto === undefined || (proto !== synchronous && proto !== asynchronous)) return undefined
  const fiber = Fiber.getCurrent()
  if (fiber === undefined) return undefined
  // the cast: such an Effect has them there
  const parts = effect as unknown as Record<PropertyKey, unknown>
  const before = fiber.context
  fiber.setContext(context)
  try {
    if (proto === asynchronous) {
      const call = new Call(context, parts[takesSignal!] as boolean)
      return call.begin(parts[register!] as Register, fiber.cache.scheduler)
    }
    const value = (parts as Record<PropertyKey, () => unknown>)[evaluate!]!()
    return value === undefined ? Exit.void : Exit.succeed(value)
  } catch (defect) {
    return Exit.die(defect)
  } finally {
    fiber.setContext(before)
  }
}
