/** The reference to the values that must not be shown, for all that is evaluated inside. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Alert } from "../../Alert.ts"
import type { Scrub } from "../text/secrets.ts"
import type { Observer } from "./events.ts"

/**
 * Keeps values out of all that is told of steps and runs. Where there is none, which is the rule in scripts, the engine
 * only asks for it, once a run: all that it does is loaded by those who provide one.
 */
export interface Guard {
  /** Adds values that must not be shown from now on. */
  readonly add: (values: Iterable<string>) => void
  /** Adds the values of all `Redacted` in a value. */
  readonly addRedacted: (value: unknown) => void
  readonly text: Scrub
  /** Returns a value as it may be shown; itself, if it has nothing to hide. */
  readonly value: (value: unknown) => unknown
  readonly record: (values: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  readonly cause: (cause: Cause.Cause<unknown>) => Cause.Cause<unknown>
  readonly alert: (alert: Alert) => Alert
  /** Returns observers that pass events on without the values. */
  readonly observers: (observers: ReadonlyArray<Observer>) => ReadonlyArray<Observer>
  /** Lets the spans that are open around a context get no values from now on. */
  readonly spansAround: (context: Context.Context<never>) => void
  /** Returns a context whose loggers and tracer get no values, and itself if it is such a context. */
  readonly context: <R>(context: Context.Context<R>) => Context.Context<R>
}

/** The guard of all that is evaluated inside. */
export const CurrentGuard: Context.Reference<Guard | undefined> = Context.Reference<Guard | undefined>(
  "effect-epilogue/Secrets/Guard",
  { defaultValue: () => undefined }
)

/** Evaluates an effect with a guard: its loggers and its tracer, and those inside of steps, get no values. */
export const provide = <A, E, R>(effect: Effect.Effect<A, E, R>, guard: Guard): Effect.Effect<A, E, R> =>
  Effect.updateContext(effect, (context: Context.Context<R>) => guarded(context, guard))

/** Returns a context with a guard, whose loggers and tracer get no values. */
export const guarded = <R>(context: Context.Context<R>, guard: Guard): Context.Context<R> =>
  guard.context(Context.add(context, CurrentGuard, guard))
