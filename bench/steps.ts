/**
 * Measures the cost of a step with a success and a failure hook, compared with the same by hand in Effect and with other
 * hook libraries.
 *
 *     bun bench/steps.ts · deno run -A bench/steps.ts · node bench/steps.ts
 *
 * `BENCH_ROUNDS` (default 31) sets the number of rounds. As machines are noisy, the candidates take turns within each
 * round, and the output shows medians over the rounds, of the times and of the ratios within a round.
 */
import BeforeAfterHook from "before-after-hook"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { createHooks } from "hookable"
import { Listr, ListrTaskEventType, ListrTaskState } from "listr2"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import * as Step from "../src/Step.ts"
import { median, nanosPerStep, runtime } from "./statistics.ts"

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 31)
const stepsPerProgram = 2_000

class Boom extends Error {}
// shared by all steps, so that the cost of constructing an Error does not count
const boom = new Boom("boom")

// -----------------------------------------------------------------------------
// the hooks, the same for all candidates
// -----------------------------------------------------------------------------

let succeeded = 0
let failed = 0

const sync = {
  onSuccess: (_value: number): Effect.Effect<void> =>
    Effect.sync(() => {
      succeeded++
    }),
  onFailure: (_cause: Cause.Cause<unknown>): Effect.Effect<void> =>
    Effect.sync(() => {
      failed++
    })
}

const async: typeof sync = {
  onSuccess: () =>
    Effect.promise(async () => {
      succeeded++
    }),
  onFailure: () =>
    Effect.promise(async () => {
      failed++
    })
}

// -----------------------------------------------------------------------------
// Effect: with this library, and by hand
// -----------------------------------------------------------------------------

/** Runs `n` steps one after another. */
const repeat = (n: number, nth: () => Effect.Effect<unknown, unknown>): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    for (let i = 0; i < n; i++) yield* nth()
  })

const body = (fails: boolean): Effect.Effect<number, Boom> => fails ? Effect.fail(boom) : Effect.succeed(1)

const step = (hooks: typeof sync, fails: boolean): Effect.Effect<number, Boom> =>
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

const byHand = (hooks: typeof sync, fails: boolean, limited: boolean): Effect.Effect<number, Boom> => {
  const safely = (hook: Effect.Effect<void>) =>
    Effect.catchCause(
      limited ? Effect.timeout(hook, "30 seconds") : hook,
      (cause) => Effect.logError("hook failed", cause)
    )
  return body(fails).pipe(
    Effect.onExit((exit) =>
      safely(exit._tag === "Success" ? hooks.onSuccess(exit.value) : hooks.onFailure(exit.cause))
    ),
    Effect.provideService(Where, { pipelineName: "pipeline", runId: "run", stepName: "step", attempt: 1 })
  )
}

// -----------------------------------------------------------------------------
// other libraries, each used as in its README, in an async function
// -----------------------------------------------------------------------------

const promised = async (fails: boolean): Promise<number> => {
  if (fails) throw boom
  return 1
}

const hookable = (n: number, fails: boolean) => {
  const hooks = createHooks<{ success: (value: number) => void; failure: (error: unknown) => void }>()
  hooks.hook("success", () => {
    succeeded++
  })
  hooks.hook("failure", () => {
    failed++
  })
  const one = async () => {
    try {
      const value = await promised(fails)
      await hooks.callHook("success", value)
      return value
    } catch (error) {
      await hooks.callHook("failure", error)
      throw error
    }
  }
  return async () => {
    for (let i = 0; i < n; i++) await one().catch(() => undefined)
  }
}

const beforeAfterHook = (n: number, fails: boolean) => {
  const hook = new BeforeAfterHook.Collection()
  hook.after("step", () => {
    succeeded++
  })
  hook.error("step", (error: unknown) => {
    failed++
    throw error
  })
  return async () => {
    for (let i = 0; i < n; i++) await Promise.resolve(hook("step", () => promised(fails))).catch(() => undefined)
  }
}

const listr = (n: number, fails: boolean) => async () => {
  const list = new Listr(
    Array.from({ length: n }, (_, i) => ({ title: `step ${i}`, task: () => promised(fails) })),
    { renderer: "silent", exitOnError: false }
  )
  for (const task of list.tasks) {
    task.on(ListrTaskEventType.STATE, (state) => {
      if (state === ListrTaskState.COMPLETED) succeeded++
      else if (state === ListrTaskState.FAILED) failed++
    })
  }
  await list.run()
}

// -----------------------------------------------------------------------------
// rounds
// -----------------------------------------------------------------------------

interface Candidate {
  readonly name: string
  readonly steps: number
  readonly program: () => Promise<unknown>
}

const ours = "effect-epilogue"
const outside = "effect-epilogue, no pipeline"
const hand = "(a) by hand"
const handLimited = "(a') by hand, with a limit"

const effectCandidates = (hooks: typeof sync, fails: boolean, anew = false): ReadonlyArray<Candidate> => {
  const candidate = (
    name: string,
    make: () => Effect.Effect<unknown, unknown>,
    wrap: (self: Effect.Effect<void, unknown>) => Effect.Effect<void, unknown> = (self) => self
  ): Candidate => {
    const one = fails ? Effect.exit(make()) : make()
    const program = wrap(repeat(stepsPerProgram, anew ? make : () => one))
    return { name, steps: stepsPerProgram, program: () => Effect.runPromise(program) }
  }
  return [
    candidate(ours, () => step(hooks, fails), (self) => Pipeline.make("pipeline", self)),
    candidate(hand, () => byHand(hooks, fails, false)),
    candidate(handLimited, () => byHand(hooks, fails, true)),
    candidate(outside, () => step(hooks, fails))
  ]
}

const peers = (fails: boolean): ReadonlyArray<Candidate> => {
  // listr2 is not made for lists of thousands, and a list runs only once: fewer steps, and a new list for each run
  const few = 200
  return [
    { name: "hookable", steps: stepsPerProgram, program: hookable(stepsPerProgram, fails) },
    { name: "before-after-hook", steps: stepsPerProgram, program: beforeAfterHook(stepsPerProgram, fails) },
    { name: "listr2", steps: few, program: listr(few, fails) }
  ]
}

interface Group {
  readonly name: string
  readonly fails: boolean
  readonly all: ReadonlyArray<Candidate>
}

const groups: ReadonlyArray<Group> = [
  { name: "steps that succeed", fails: false, all: [...effectCandidates(sync, false), ...peers(false)] },
  { name: "steps that fail", fails: true, all: [...effectCandidates(sync, true), ...peers(true)] },
  { name: "steps that succeed, async hooks", fails: false, all: effectCandidates(async, false) },
  // as each call of a `Step.fn` does
  { name: "steps made anew each time", fails: false, all: effectCandidates(sync, false, true) }
]

/** Throws unless a candidate calls the right hooks for each step: one that does less would look fast. */
const check = async ({ name, program, steps }: Candidate, fails: boolean): Promise<void> => {
  succeeded = 0
  failed = 0
  await program()
  if ((fails ? failed : succeeded) !== steps || (fails ? succeeded : failed) !== 0) {
    throw new Error(`${name}: ${succeeded} success hooks and ${failed} failure hooks for ${steps} steps`)
  }
}

console.log(`${runtime}, median of ${rounds} rounds, ns a step`)

// warms up every candidate before measuring the first, so that all of them run equally optimized code
for (const { all, fails } of groups) {
  for (const candidate of all) {
    await check(candidate, fails)
    for (let i = 0; i < 20; i++) await candidate.program()
  }
}

const results = groups.map(({ all }) => all.map((): Array<number> => []))
for (let round = 0; round < rounds; round++) {
  for (const [g, { all }] of groups.entries()) {
    // each round starts with another candidate, as the first one of a round may be at a disadvantage
    for (let i = 0; i < all.length; i++) {
      const c = (i + round) % all.length
      results[g]![c]!.push(await nanosPerStep(all[c]!.program, all[c]!.steps, 3))
    }
  }
}

const goals: Array<string> = []
for (const [g, { all, name }] of groups.entries()) {
  const times = (of: string) => results[g]![all.findIndex((candidate) => candidate.name === of)]!
  const ratio = (self: ReadonlyArray<number>, to: ReadonlyArray<number>) => median(self.map((time, i) => time / to[i]!))
  console.log(`\n${name.padEnd(32)}${"ns".padStart(9)}${"× (a)".padStart(9)}${"× (a')".padStart(9)}`)
  for (const candidate of all) {
    const own = times(candidate.name)
    console.log(
      candidate.name.padEnd(32) + median(own).toFixed(0).padStart(9) +
        ratio(own, times(hand)).toFixed(2).padStart(9) + ratio(own, times(handLimited)).toFixed(2).padStart(9)
    )
  }
  // no target for async hooks: a pending hook needs a timer for its time limit, which (a) does not set
  if (g < 2) {
    for (const [to, limit] of [[hand, 1.25], [handLimited, 0.5]] as const) {
      const actual = ratio(times(ours), times(to))
      goals.push(`${actual <= limit ? "met    " : "NOT MET"}  ${actual.toFixed(2)} ≤ ${limit} × ${to}: ${name}`)
    }
  }
}
console.log(`\ntargets (set for Bun)\n${goals.join("\n")}`)
