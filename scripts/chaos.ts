/**
 * Kills runners with `kill -9` while they run workflows, and starts them again; after the last kill it waits until all
 * runs have ended, and then runs the checks of the scenario: on a cluster of three with Postgres, and on the embedded
 * engine. Exits with 1 if a check fails. Without Postgres that is skipped, which is a failure with `CI_REQUIRE_ALL=1`.
 *
 *     bun scripts/chaos.ts [--engine=postgres|sqlite] [--kills=N] [--runs=N] [--seed=N] [MODULE]
 *
 * MODULE exports a `scenario`. Unless `--kills` says otherwise there are 15 kills with Postgres and 5 on the embedded
 * engine, and four runs for each. `--seed` seeds their timing, and `CHAOS_LOG=1` prints the log of the runners.
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import { join, resolve } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { temporaryFolder } from "../test/durable/support/engine.ts"
import * as Postgres from "../test/support/postgres.ts"
import * as Runners from "../test/support/runners.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string" },
    kills: { type: "string" },
    runs: { type: "string" },
    seed: { type: "string", default: `${Date.now() % 2 ** 31}` }
  }
})

const module = resolve(positionals[0] ?? join(import.meta.dirname, "../test/durable/fixtures/pipelines.ts"))
const seed = Number(values.seed)
/** How long runs may take after the last kill, in milliseconds: on a busy machine, a run that met several kills took 67 s. */
const drainTimeout = 180_000

/** Returns pseudorandom numbers in [0, 1), the same ones for the same seed (mulberry32). */
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

interface Engine {
  readonly name: string
  /** The number of runners. */
  readonly size: number
  readonly kills: number
  /** Makes an empty database. */
  readonly database: Effect.Effect<string, unknown, Scope.Scope>
}

const engines: ReadonlyArray<Engine> = [
  {
    name: "postgres",
    size: 3,
    kills: 15,
    database: Effect.flatMap(Postgres.postgres, ({ database }) => database)
  },
  { name: "sqlite", size: 1, kills: 5, database: Effect.map(temporaryFolder, (folder) => join(folder, "chaos.db")) }
]

const chaos = (engine: Engine) =>
  Effect.gen(function*() {
    const { name, size } = engine
    const kills = Number(values.kills ?? engine.kills)
    const runs = Number(values.runs ?? 4 * kills)
    const began = performance.now()
    const scenario = yield* Runners.load(module)
    const url = yield* engine.database
    const fleet = yield* Runners.fleet({ size, url, scenario: module })

    return yield* Effect.gen(function*() {
      yield* scenario.prepare
      const all = Array.from({ length: size }, (_, nth) => nth)
      // sequential, so that only the first one makes the tables of the cluster
      yield* Effect.forEach(all, fleet.start, { discard: true })
      console.log(`${name}: ${size} runners joined after ${seconds(began)} s; seed ${seed}`)

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
      /** Removes the runs that have ended from `submitted`, and keeps how long they took. */
      const collectEnded = Effect.suspend(() =>
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
        // spread over the kills, so that each kill meets runs that begin, that are running and that end
        yield* submitUpTo(Math.ceil((runs * (killed + 1)) / kills))
        yield* Effect.sleep(100 + random() * 600)
        const nth = Math.floor(random() * size)
        const runner = fleet.running(nth)
        if (runner === undefined) break
        yield* runner.kill("SIGKILL")
        killed++
        // Usually restarts the runner at once, as a supervisor does, so that it keeps its shards; sometimes so late that
        // the other runners have taken them over.
        if (size > 1 && random() < 0.1) yield* Effect.sleep("5 seconds")
        yield* fleet.start(nth)
        yield* collectEnded
        if (killed % 10 === 0) console.log(`${killed} kills, ${took.length} of ${executionIds.length} runs ended`)
      }
      const last = performance.now()
      while (submitted.size > 0 && performance.now() - last < drainTimeout) {
        yield* Effect.sleep("250 millis")
        yield* collectEnded
      }
      const drained = seconds(last)

      const { counts, problems } = yield* scenario.check(executionIds)
      const failures = [
        ...problems,
        ...[...submitted.keys()].map((executionId) =>
          `run ${executionId} has not ended ${drainTimeout / 1000} s after the last kill`
        ),
        ...fleet.died().map((said) => `a runner died without being killed:\n${said}`),
        ...(killed < kills ? [`only ${killed} of ${kills} kills`] : [])
      ]
      took.sort((a, b) => a - b)
      const quantile = (share: number) => ((took[Math.floor((took.length - 1) * share)] ?? 0) / 1000).toFixed(1)
      for (const line of failures.slice(0, 20)) console.error(line)
      if (process.env["CHAOS_LOG"] === "1") {
        for (const [line, times] of fleet.logged()) console.log(`${times} × ${line}`)
      }
      console.log([
        `${
          failures.length === 0 ? "passed" : `${failures.length} failures`
        }: ${killed} kills, ${executionIds.length} runs`,
        ...Object.entries(counts).map(([name, count]) => `${count} ${name}`)
      ].join(", "))
      console.log(
        `a run took ${quantile(0.5)} s (half), ${quantile(0.95)} s (95 %), ${quantile(1)} s (all); ` +
          `the last ended ${drained} s after the last kill; ${seconds(began)} s in all (${
            seconds(killing)
          } s with kills)`
      )
      return failures.length === 0
    }).pipe(Effect.provide(Runners.client(url)))
  }).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "Warn"))

for (const engine of engines) {
  if (values.engine !== undefined && values.engine !== engine.name) continue
  if (engine.name === "postgres" && !Postgres.available) {
    console.log(Postgres.skipped("runners that are killed"))
    if (process.env["CI_REQUIRE_ALL"] === "1") process.exitCode = 1
  } else if (!(await Effect.runPromise(chaos(engine)))) process.exitCode = 1
}
