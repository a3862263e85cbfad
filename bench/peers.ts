/**
 * Measures a step with hooks in this library and in others, each used as in its README.
 *
 *     bun bench/peers.ts · deno run -A bench/peers.ts · node bench/peers.ts
 *
 * Apart from `bench/steps.ts`, since libraries change the process that they are loaded into. `BENCH_ROUNDS` (default 21)
 * sets the number of rounds.
 */
import BeforeAfterHook from "before-after-hook"
import * as Effect from "effect/Effect"
import { createHooks } from "hookable"
import { Listr, ListrTaskEventType, ListrTaskState } from "listr2"
import { existsSync } from "node:fs"
import process from "node:process"
import * as Pipeline from "../src/Pipeline.ts"
import { boom, called, check, handStep, repeat, step, sync } from "./effects.ts"
import { type Candidate, compare, reportTime } from "./harness.ts"
import { runtime } from "./statistics.ts"

const ours = "effect-epilogue"
const hand = "(a) by hand"

const promised = async (fails: boolean): Promise<number> => {
  if (fails) throw boom
  return 1
}

/** Runs steps one after another, whatever they end with. */
const repeated = (n: number, one: () => Promise<unknown>) => async () => {
  for (let i = 0; i < n; i++) await one().catch(() => undefined)
}

const tryFinally = (n: number, fails: boolean) =>
  repeated(n, async () => {
    let succeeded = false
    try {
      const value = await promised(fails)
      succeeded = true
      return value
    } finally {
      if (succeeded) called.success++
      else called.failure++
    }
  })

const hookable = (n: number, fails: boolean) => {
  const hooks = createHooks<{ success: (value: number) => void; failure: (error: unknown) => void }>()
  hooks.hook("success", () => {
    called.success++
  })
  hooks.hook("failure", () => {
    called.failure++
  })
  return repeated(n, async () => {
    try {
      const value = await promised(fails)
      await hooks.callHook("success", value)
      return value
    } catch (error) {
      await hooks.callHook("failure", error)
      throw error
    }
  })
}

const beforeAfterHook = (n: number, fails: boolean) => {
  const hook = new BeforeAfterHook.Collection()
  hook.after("step", () => {
    called.success++
  })
  hook.error("step", (error: unknown) => {
    called.failure++
    throw error
  })
  return repeated(n, () => Promise.resolve(hook("step", () => promised(fails))))
}

const listr = (n: number, fails: boolean) => async () => {
  const list = new Listr(
    Array.from({ length: n }, (_, i) => ({ title: `step ${i}`, task: () => promised(fails) })),
    { renderer: "silent", exitOnError: false }
  )
  for (const task of list.tasks) {
    task.on(ListrTaskEventType.STATE, (state) => {
      if (state === ListrTaskState.COMPLETED) called.success++
      else if (state === ListrTaskState.FAILED) called.failure++
    })
  }
  await list.run()
}

/** Mastra is measured only where it was installed, by `npm install --prefix bench/peers`: it takes 140 MB. */
const own: { readonly mastra: (n: number, fails: boolean) => () => Promise<void> } | undefined =
  existsSync(new URL("peers/node_modules/@mastra/core", import.meta.url))
    ? await import(new URL("peers/mastra.mjs", import.meta.url).href)
    : undefined

const candidates = (n: number, fails: boolean): ReadonlyArray<Candidate> => {
  const program = (one: Effect.Effect<unknown, unknown>) => repeat(n, () => Effect.exit(one))
  const run = (self: Effect.Effect<unknown, unknown>) => () => Effect.runPromise(self)
  // listr2 is not made for lists of thousands, and a list runs only once: fewer steps, and a new list for each run
  const few = Math.ceil(n / 10)
  const fewer = Math.ceil(n / 40)
  return [
    { name: ours, steps: n, run: run(Pipeline.make("pipeline", program(step(sync, fails)))) },
    { name: hand, steps: n, run: run(program(handStep(sync, fails))) },
    { name: "async, try/finally", steps: n, run: tryFinally(n, fails) },
    { name: "hookable", steps: n, run: hookable(n, fails) },
    { name: "before-after-hook", steps: n, run: beforeAfterHook(n, fails) },
    { name: "listr2", steps: few, run: listr(few, fails) },
    ...(own === undefined ? [] : [{ name: "@mastra/core", steps: fewer, run: own.mastra(fewer, fails) }])
  ]
}

console.log(`${runtime}, ns of CPU time a step`)
for (const fails of [false, true]) {
  const all = candidates(2_000, fails)
  for (const { name, run, steps } of all) await check(name, steps, run, fails)
  const times = await compare(all)
  times.print(fails ? "steps that fail" : "steps that succeed", [hand])
  if (!fails) { for (const { name } of all) reportTime(name, times.least(name)) }
}
process.exit()
