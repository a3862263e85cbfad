/**
 * Kills cluster runners with `kill -9` while their workflows go on, and starts them again,
 * until so many kills are done and all runs have ended; then checks what the scenario says
 * must hold. Exits non-zero if anything does not. Without Postgres it is skipped, which
 * `CI_REQUIRE_ALL=1` takes for a failure.
 *
 *     bun scripts/chaos.ts [MODULE]
 *
 * `CHAOS_KILLS`, `CHAOS_RUNS`, `CHAOS_SEED`; `CHAOS_LOG=1` shows what the runners logged.
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { join, resolve } from "node:path"
import process from "node:process"
import * as Postgres from "../test/support/postgres.ts"
import * as Runners from "../test/support/runners.ts"

const number = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise)

const module = resolve(process.argv[2] ?? join(import.meta.dirname, "../test/durable/fixtures/pipelines.ts"))
const kills = number("CHAOS_KILLS", 50)
const runs = number("CHAOS_RUNS", 200)
const seed = number("CHAOS_SEED", Date.now() % 2 ** 31)
const size = 3
/** After the last kill, how long the runs that are left may take. */
const patience = 60_000

/** Numbers of [0, 1), the same ones for the same seed: mulberry32. */
const random = (() => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
})()

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1)

const chaos = Effect.gen(function*() {
  const began = performance.now()
  const scenario = yield* Runners.load(module)
  const postgres = yield* Postgres.postgres
  const url = yield* postgres.database
  const fleet = yield* Runners.fleet({ size, url, scenario: module })

  return yield* Effect.gen(function*() {
    yield* scenario.prepare
    const all = Array.from({ length: size }, (_, nth) => nth)
    // one by one, as each finds the tables of the cluster or makes them
    yield* Effect.forEach(all, fleet.start, { discard: true })
    console.log(`${size} runners joined after ${seconds(began)} s; seed ${seed}`)

    const executionIds: Array<string> = []
    const submitted = new Map<string, number>()
    const took: Array<number> = []
    const submitUpTo = (count: number) =>
      Effect.whileLoop({
        while: () => executionIds.length < count,
        body: () => scenario.submit(executionIds.length),
        step: (executionId) => {
          executionIds.push(executionId)
          submitted.set(executionId, performance.now())
        }
      })
    /** Those that have not ended. */
    const look = Effect.suspend(() =>
      Effect.forEach(
        [...submitted],
        ([executionId, at]) =>
          Effect.map(scenario.ended(executionId), (ended) => {
            if (!ended) return
            took.push(performance.now() - at)
            submitted.delete(executionId)
          }),
        { concurrency: 4, discard: true }
      )
    )

    const killing = performance.now()
    let killed = 0
    while (killed < kills) {
      // so that some begin, some are at work and some end at each kill
      yield* submitUpTo(Math.ceil((runs * (killed + 1)) / kills))
      yield* Effect.sleep(100 + random() * 600)
      const nth = Math.floor(random() * size)
      const runner = fleet.running(nth)
      if (runner === undefined) break
      yield* runner.kill("SIGKILL")
      killed++
      // At once, as a supervisor does it, which lets it go on with its own shards; or so late
      // that the others have taken them over.
      if (random() < 0.1) yield* Effect.sleep("5 seconds")
      yield* fleet.start(nth)
      yield* look
      if (killed % 10 === 0) console.log(`${killed} kills, ${took.length} of ${executionIds.length} runs ended`)
    }
    const last = performance.now()
    while (submitted.size > 0 && performance.now() - last < patience) {
      yield* Effect.sleep("250 millis")
      yield* look
    }
    const drained = seconds(last)

    const { counts, problems } = yield* scenario.check(executionIds)
    const wrong = [
      ...problems,
      ...[...submitted.keys()].map((executionId) =>
        `run ${executionId} has not ended ${patience / 1000} s after the last kill`
      ),
      ...fleet.died().map((said) => `a runner died by itself:\n${said}`),
      ...(killed < kills ? [`only ${killed} kills`] : [])
    ]
    took.sort((a, b) => a - b)
    const at = (share: number) => ((took[Math.floor((took.length - 1) * share)] ?? 0) / 1000).toFixed(1)
    for (const line of wrong.slice(0, 20)) console.error(line)
    if (process.env["CHAOS_LOG"] === "1") {
      for (const [line, times] of fleet.logged()) console.log(`${times} × ${line}`)
    }
    console.log([
      `${
        wrong.length === 0 ? "as it should be" : `${wrong.length} wrong`
      }: ${killed} kills, ${executionIds.length} runs`,
      ...Object.entries(counts).map(([name, count]) => `${count} ${name}`)
    ].join(", "))
    console.log(
      `a run took ${at(0.5)} s (half), ${at(0.95)} s (95 %), ${at(1)} s (all); ` +
        `the last ended ${drained} s after the last kill; ${seconds(began)} s in all (${seconds(killing)} s with kills)`
    )
    return wrong.length === 0
  }).pipe(Effect.provide(Runners.client(url)))
}).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "Warn"))

if (Postgres.available) {
  process.exitCode = (await Effect.runPromise(chaos)) ? 0 : 1
} else {
  console.log(Postgres.skipped("runners that are killed"))
  process.exitCode = process.env["CI_REQUIRE_ALL"] === "1" ? 1 : 0
}
