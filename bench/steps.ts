/**
 * Measures the cost of a step with a success and a failure hook, compared with the same by hand in Effect.
 *
 *     bun bench/steps.ts · deno run -A bench/steps.ts · node bench/steps.ts
 *
 * `BENCH_ROUNDS` (default 21) sets the number of rounds.
 */
import * as Effect from "effect/Effect"
import * as Pipeline from "../src/Pipeline.ts"
import * as Step from "../src/Step.ts"
import { async, byHand, check, handStep, type Hooks, repeat, step, sync } from "./effects.ts"
import { type Candidate, compare, report } from "./harness.ts"
import { runtime } from "./statistics.ts"

const stepsPerRun = 2_000

const ours = "effect-epilogue"
const outside = "effect-epilogue, no pipeline"
const hand = "(a) by hand"
const handLimited = "(a') by hand, with a limit"

const candidate = (
  name: string,
  nth: (i: number) => Effect.Effect<unknown, unknown>,
  wrap: (self: Effect.Effect<void, unknown>) => Effect.Effect<void, unknown> = (self) => self
): Candidate => {
  const program = wrap(repeat(stepsPerRun, nth))
  return { name, steps: stepsPerRun, run: () => Effect.runPromise(program) }
}

const inPipeline = (self: Effect.Effect<void, unknown>): Effect.Effect<void, unknown> => Pipeline.make("pipeline", self)

/** The same step again and again. */
const same = (hooks: Hooks, fails: boolean): ReadonlyArray<Candidate> => {
  const always = (self: Effect.Effect<unknown, unknown>) => {
    const one = fails ? Effect.exit(self) : self
    return () => one
  }
  return [
    candidate(ours, always(step(hooks, fails)), inPipeline),
    candidate(hand, always(handStep(hooks, fails))),
    candidate(handLimited, always(handStep(hooks, fails, true))),
    candidate(outside, always(step(hooks, fails)))
  ]
}

const load = Step.fn("step")(
  (i: number) => Effect.succeed(i),
  Step.onSuccess(sync.onSuccess),
  Step.onFailure(sync.onFailure)
)

/** Another step each time. */
const anew: ReadonlyArray<Candidate> = [
  candidate("Step.fn", load, inPipeline),
  candidate("Step.make and three combinators", (i) =>
    Step.make("step", Effect.succeed(i)).pipe(
      Step.onSuccess(sync.onSuccess),
      Step.onFailure(sync.onFailure),
      Step.key(i)
    ), inPipeline),
  candidate(hand, (i) => byHand(sync, Effect.suspend(() => Effect.succeed(i))))
]

const measure = async (title: string, candidates: ReadonlyArray<Candidate>, fails = false) => {
  for (const { name, run, steps } of candidates) await check(name, steps, run, fails)
  const times = await compare(candidates)
  times.print(title, candidates.map(({ name }) => name).filter((name) => name.startsWith("(a")))
  return times
}

console.log(`${runtime}, ns of CPU time a step`)

const succeeds = await measure("steps that succeed", same(sync, false))
report("succeeds", succeeds.ratio(ours, hand))
report("outside", succeeds.ratio(outside, hand))

const fails = await measure("steps that fail", same(sync, true), true)
report("fails", fails.ratio(ours, hand))

const pending = await measure("steps that succeed, with asynchronous hooks", same(async, false))
report("async", pending.ratio(ours, hand))
report("asyncLimited", pending.ratio(ours, handLimited))

const made = await measure("steps made anew each time", anew)
report("fn", made.ratio("Step.fn", hand))
report("anew", made.ratio("Step.make and three combinators", hand))
