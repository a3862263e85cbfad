/** Looks after the runs of a cluster: lists, shows, retries and removes them. */
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import { EntityAddress } from "effect/cluster/EntityAddress"
import { EntityId } from "effect/cluster/EntityId"
import { EntityType } from "effect/cluster/EntityType"
import * as Envelope from "effect/cluster/Envelope"
import * as Message from "effect/cluster/Message"
import * as ShardId from "effect/cluster/ShardId"
import * as Snowflake from "effect/cluster/Snowflake"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as PrimaryKey from "effect/PrimaryKey"
import * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import type { SqlError } from "effect/sql/SqlError"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import type { RunFilter, StoredRun, StoredRunDetails, StoredRunQuestion } from "../../../../internal/model/storedRun.ts"
import { type QuestionRow, questionsOf } from "../../questions/shown.ts"
import { type ActivityRow, runHooks, stepsOf, type StoredExit } from "../../runs/recorded.ts"
import { keptOf, originalOf } from "../../runs/retrying.ts"
import { hasEnded, type Management, RunRefused } from "../../runs/runs.ts"
import type { Cluster } from "./cluster.ts"
import { prune } from "./pruning.ts"
import { endOf, parentKey, type RunRow, toRun } from "./tables.ts"

/** The message that starts a run, as `effect/cluster` stores it. Its payload is encoded already. */
const RunRpc = Rpc.make("run", { payload: Schema.Any, success: Schema.Any }).annotate(ClusterSchema.Persisted, true)

/** The message that completes a deferred which interrupts a run. */
const interruptSignal = "Workflow/InterruptSignal"

const ended = (
  rows: ReadonlyArray<{ readonly name: string; readonly attempt: number; readonly exit: string | undefined }>
) => rows.flatMap(({ exit, ...row }): ReadonlyArray<ActivityRow> => exit === undefined ? [] : [{ ...row, exit }])

export const make = (cluster: Cluster): Management => {
  const { client, engine, retries, sharding, tables } = cluster
  const sql = client.withoutTransforms()

  const found = (runId: string): Effect.Effect<RunRow, RunRefused | SqlError> =>
    Effect.flatMap(tables.find(runId), ([row, other]) =>
      row === undefined
        ? Effect.fail(new RunRefused({ reason: "NotFound", detail: `there is no run ${runId}` }))
        : other === undefined
        ? Effect.succeed(row)
        : Effect.fail(
          new RunRefused({ reason: "Ambiguous", detail: `several runs have an id that begins with ${runId}` })
        ))

  const toRuns = (rows: ReadonlyArray<RunRow>): Effect.Effect<ReadonlyArray<StoredRun>, SqlError> =>
    Effect.gen(function*() {
      const clocks = yield* tables.nextClocks(rows.flatMap((row) => row.reply === null ? [] : [row.execution]))
      const originals = yield* retries.originals(rows.map(({ execution }) => execution))
      return rows.map((row) => toRun(row, clocks.get(row.execution), originals.get(row.execution)))
    })

  const list = ({ limit = 100, pipelines, statuses }: RunFilter) =>
    Effect.gen(function*() {
      const runs: Array<StoredRun> = []
      if (pipelines?.length === 0 || statuses?.length === 0) return runs
      let before: string | undefined
      while (runs.length < limit) {
        const rows = yield* tables.runs(tables.ofPipelines(pipelines), before, page)
        for (const run of yield* toRuns(rows)) {
          if (runs.length < limit && (statuses === undefined || statuses.includes(run.status))) runs.push(run)
        }
        before = rows.at(-1)?.id
        if (rows.length < page) break
      }
      return runs
    })

  const questions = (run: StoredRun): Effect.Effect<ReadonlyArray<StoredRunQuestion>, SqlError> =>
    Effect.map(
      sql<QuestionRow>`SELECT question, ended FROM effect_epilogue_questions WHERE question LIKE ${`%${run.runId}%`}`,
      (rows) => questionsOf(rows, run)
    )

  const show = (runId: string) =>
    Effect.gen(function*() {
      const row = yield* found(runId)
      const [run] = yield* toRuns([row])
      const rows = ended(yield* tables.activities(row.entity, row.execution))
      const isOver = run!.endedAt !== undefined
      const { [parentKey]: _, ...payload }: Record<string, unknown> = JSON.parse(row.payload)
      return {
        ...run!,
        payload,
        // the fields of a `StoredStep`, without those that only a retry needs
        steps: stepsOf(rows, isOver).map(({ key: _, order: __, startedMillis: ___, ...step }) => step),
        hooks: runHooks(rows, isOver),
        // the table is made with the first question
        questions: yield* Effect.orElseSucceed(questions(run!), () => []),
        retriedAs: yield* retries.of(row.entity, row.execution)
      } satisfies StoredRunDetails
    })

  /** Stores a retry under the first number that is free, and returns its id. */
  const number = (row: RunRow, records: ReadonlyArray<ActivityRow>, n: number): Effect.Effect<string, SqlError> => {
    const execution = `${originalOf(row.execution)}~${n}`
    return Effect.catch(
      Effect.as(retries.add(row.entity, execution, { retryOf: row.execution, records }), execution),
      (error) =>
        Effect.flatMap(
          retries.find(row.entity, execution),
          (known) => known === undefined ? Effect.fail(error) : number(row, records, n + 1)
        )
    )
  }

  const submit = (row: RunRow, execution: string) =>
    Effect.gen(function*() {
      const { [parentKey]: _, ...payload }: Record<string, unknown> = JSON.parse(row.payload)
      // the key of the message: of each run there is one
      Object.defineProperty(payload, PrimaryKey.symbol, { value: () => "" })
      const envelope = Envelope.makeRequest<typeof RunRpc>({
        requestId: yield* sharding.getSnowflake,
        address: addressOf(row, execution),
        tag: "run",
        payload,
        headers: Headers.empty
      })
      const message = new Message.OutgoingRequest({
        envelope,
        context: Context.empty(),
        lastReceivedReply: Option.none(),
        rpc: RunRpc,
        respond: () => Effect.void,
        annotations: RunRpc.annotations
      })
      yield* Effect.orDie(sharding.sendOutgoing(message, true))
    })

  const interrupt = (runId: string, now: boolean) =>
    Effect.gen(function*() {
      const row = yield* found(runId)
      if (endOf(row) !== undefined) return yield* hasEnded(row.execution)
      const run = toRun(row, undefined, undefined)
      const signal = DurableDeferred.make(interruptSignal)
      yield* engine.deferredDone(signal, {
        workflowName: run.pipelineName,
        executionId: row.execution,
        deferredName: interruptSignal,
        exit: Exit.void
      })
      if (!now) return run
      const envelope = new Envelope.Interrupt({
        id: yield* sharding.getSnowflake,
        address: addressOf(row, row.execution),
        requestId: Snowflake.Snowflake(row.id.trim())
      })
      const message = new Message.OutgoingEnvelope({ envelope, rpc: RunRpc })
      yield* Effect.orDie(sharding.sendOutgoing(message, false))
      return run
    })

  const addressOf = ({ entity, shard }: RunRow, execution: string): EntityAddress => {
    const entityId = EntityId.make(execution)
    return EntityAddress.make({
      entityType: EntityType.make(entity),
      entityId,
      shardId: sharding.getShardId(entityId, ShardId.fromString(shard).group)
    })
  }

  const retry = (runId: string, from: string | undefined) =>
    Effect.gen(function*() {
      const row = yield* found(runId)
      const [run] = yield* toRuns([row])
      const kept = keptOf(run!, ended(yield* tables.activities(row.entity, row.execution)), from)
      if (kept instanceof RunRefused) return yield* kept
      const known = yield* retries.of(row.entity, originalOf(row.execution))
      const execution = yield* number(row, kept.activities, known.length + 2)
      for (const { exit, name } of yield* tables.deferreds(row.entity, row.execution)) {
        if (name === interruptSignal || !kept.keepsDeferred(name, exit)) continue
        const deferred = DurableDeferred.make(name, { success: Schema.Unknown })
        yield* engine.deferredDone(deferred, {
          workflowName: run!.pipelineName,
          executionId: execution,
          deferredName: name,
          // the cast: it is kept as it is stored, and only where it is a success
          exit: Exit.succeed((JSON.parse(exit) as StoredExit).value)
        })
      }
      yield* submit(row, execution)
      const made = yield* tables.run(row.entity, execution)
      return made === undefined
        ? yield* new RunRefused({ reason: "NotFound", detail: `the retry of ${row.execution} was not stored` })
        : toRun(made, undefined, row.execution)
    })

  return {
    list: (filter) => Effect.orDie(list(filter)),
    show: (runId) => orDieOfSql(show(runId)),
    interrupt: (runId, now) => orDieOfSql(interrupt(runId, now)),
    retry: (runId, from) => orDieOfSql(retry(runId, from)),
    prune: (options) => Effect.orDie(prune(cluster, options))
  }
}

/** How many runs are read at once. */
const page = 500

const orDieOfSql = <A>(effect: Effect.Effect<A, RunRefused | SqlError>): Effect.Effect<A, RunRefused> =>
  Effect.catchTag(effect, "SqlError", Effect.die)
