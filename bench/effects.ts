/** The steps that benchmarks run, with this library and by hand. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Step from "../src/Step.ts"

class Boom extends Error {}

/** Shared by all steps, so that the cost of constructing an Error does not count. */
export const boom = new Boom("boom")

/** How often hooks were called. A candidate that calls too few of them would look fast. */
export const called = { success: 0, failure: 0 }

/** The hooks of a candidate. */
export interface Hooks {
  readonly onSuccess: (value: number) => Effect.Effect<void>
  readonly onFailure: (cause: Cause.Cause<unknown>) => Effect.Effect<void>
}

/** @internal */
export const sync: Hooks = {
  onSuccess: () =>
    Effect.sync(() => {
      called.success++
    }),
  onFailure: () =>
    Effect.sync(() => {
      called.failure++
    })
}

/** @internal */
export const async: Hooks = {
  onSuccess: () =>
    Effect.promise(async () => {
      called.success++
    }),
  onFailure: () =>
    Effect.promise(async () => {
      called.failure++
    })
}

/** Runs `n` steps one after another. */
export const repeat = <E>(n: number, nth: (i: number) => Effect.Effect<unknown, E>): Effect.Effect<void, E> =>
  Effect.gen(function*() {
    for (let i = 0; i < n; i++) yield* nth(i)
  })

const body = (fails: boolean): Effect.Effect<number, Boom> => fails ? Effect.fail(boom) : Effect.succeed(1)

/** Makes a step with a success and a failure hook. */
export const step = (hooks: Hooks, fails = false): Effect.Effect<number, Boom> =>
  Step.make("step", body(fails)).pipe(
    Step.onSuccess(hooks.onSuccess),
    Step.onFailure((cause) => hooks.onFailure(cause))
  )

class Where extends Context.Service<Where, {
  readonly pipelineName: string
  readonly runId: string
  readonly stepName: string
  readonly attempt: number
}>()("bench/Where") {}

const where = { pipelineName: "pipeline", runId: "run", stepName: "step", attempt: 1 }

/** Makes the same step by hand, with hooks that can't fail it and, if `limited`, with a time limit for them. */
export const byHand = (
  hooks: Hooks,
  self: Effect.Effect<number, Boom>,
  limited = false,
  around: (hook: Effect.Effect<void>) => Effect.Effect<void> = (hook) => hook
): Effect.Effect<number, Boom> => {
  const safely = (hook: Effect.Effect<void>) =>
    Effect.catchCause(
      limited ? Effect.timeout(hook, "30 seconds") : hook,
      (cause) => Effect.logError("hook failed", cause)
    )
  return self.pipe(
    Effect.onExit((exit) =>
      safely(around(exit._tag === "Success" ? hooks.onSuccess(exit.value) : hooks.onFailure(exit.cause)))
    ),
    Effect.provideService(Where, where)
  )
}

/** Makes the same step by hand. */
export const handStep = (hooks: Hooks, fails = false, limited = false): Effect.Effect<number, Boom> =>
  byHand(hooks, body(fails), limited)

/** Throws unless a candidate calls the right hook for each step, and no other. */
export const check = async (name: string, steps: number, run: () => Promise<unknown>, fails = false): Promise<void> => {
  called.success = 0
  called.failure = 0
  await run()
  if ((fails ? called.failure : called.success) !== steps || (fails ? called.success : called.failure) !== 0) {
    throw new Error(`${name}: ${called.success} success hooks and ${called.failure} failure hooks for ${steps} steps`)
  }
}
