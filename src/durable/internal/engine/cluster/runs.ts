/** Reads the tables of `effect/cluster` for what they have of a run: the engine itself does not tell what is recorded. */
import { MessageStorage } from "effect/cluster/MessageStorage"
import { Sharding } from "effect/cluster/Sharding"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as DurableClock from "effect/workflow/DurableClock"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { prepareResults } from "../../run/keptResults.ts"
import { historyOf, setRuns } from "../../runs/runs.ts"
import { tellSetAside } from "../../runs/setAside.ts"
import { healthOf } from "../../storage/guard.ts"
import { problemOf } from "../../storage/problems.ts"
import type { Placed } from "../../stored/records.ts"
import { make } from "./archive.ts"
import { mayBeRetry, Retries } from "./retries.ts"
import { entityOf, setAsidePrefix, Tables } from "./tables.ts"

/** How long a run that is set aside waits before it is looked at again, in milliseconds. */
const patience = 60_000

/** Waits while the database can't be read; other failures stay, as where the tables have other names. */
const attend = <A>(engine: WorkflowEngine["Service"], read: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> =>
  Effect.catch(read, (error) => {
    const health = healthOf(engine)
    const reason = problemOf(error)?.reason
    return health === undefined || reason === undefined || reason === "Failing"
      ? Effect.fail(error)
      : health.note("read", error).pipe(Effect.andThen(health.recovered), Effect.andThen(attend(engine, read)))
  })

/** Returns the place of a step, and the mark of its annotations and parameters, that an exit in JSON has. */
const placedIn = (
  exit: string | undefined
): { readonly order: number | undefined; readonly about: string | undefined } => {
  // the cast: the library has recorded it
  const { about, order } = (exit === undefined ? undefined : JSON.parse(exit) as { value?: Placed })?.value ?? {}
  return { about, order }
}

/** Makes the records of an engine's runs known, where it keeps them in the database of the `SqlClient` around it. */
export const withRuns = <A, E, R>(
  engine: Layer.Layer<A | WorkflowEngine, E, R>
): Layer.Layer<A | WorkflowEngine, E, R | Sharding | MessageStorage> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const found = yield* Effect.serviceOption(SqlClient)
    const engine = yield* WorkflowEngine
    const sharding = yield* Sharding
    const storage = yield* MessageStorage
    if (found._tag === "None") return
    const client = found.value
    const tables = new Tables(client)
    const retries = new Retries(client)
    const retryOf = (workflow: string, runId: string) =>
      mayBeRetry(runId) ? Effect.orDie(attend(engine, retries.find(entityOf(workflow), runId))) : Effect.undefined
    const told = new Set<string>()
    setRuns(engine, {
      management: make({ engine, sharding, storage, client, tables, retries }),
      retryOf: (instance) =>
        Effect.map(retryOf(instance.workflow._tag, instance.executionId), (retry) => {
          if (retry !== undefined) prepareResults(instance, retry.records)
          return retry?.retryOf
        }),
      history: (workflow, runId) =>
        attend(
          engine,
          Effect.gen(function*() {
            const retry = yield* retryOf(workflow, runId)
            const rows = yield* tables.activities(entityOf(workflow), runId)
            return historyOf(
              [...retry?.records ?? [], ...rows].map(({ attempt, exit, name }) => ({
                name,
                attempt,
                ended: exit !== undefined,
                ...placedIn(exit)
              }))
            )
          })
        ).pipe(
          // tables of other names, or another storage: then nothing is compared
          Effect.catchCause(() => Effect.succeed(historyOf([])))
        ),
      setAside: (workflow, runId, why) =>
        Effect.gen(function*() {
          const name = `${setAsidePrefix}${globalThis.crypto.randomUUID()}`
          yield* engine.scheduleClock(workflow, {
            executionId: runId,
            clock: DurableClock.make({ name, duration: patience })
          })
          const news = `${runId}\0${why}`
          if (told.has(news)) return
          told.add(news)
          yield* tellSetAside(workflow._tag, runId, why)
        })
    })
  })).pipe(Layer.provideMerge(engine))
