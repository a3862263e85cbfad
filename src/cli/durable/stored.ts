/** `epilogue durable list`, `show`, `interrupt`, `retry` and `prune`: they look after what is stored, without the code of pipelines. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Durable from "../../durable/Durable.ts"
import { padTo } from "../../internal/text/columns.ts"
import { formatDuration } from "../../internal/text/duration.ts"
import { fitEnd, oneLine } from "../../internal/text/fit.ts"
import { localTimeHere } from "../../internal/text/localTime.ts"
import { plural } from "../../internal/text/words.ts"
import {
  ExitCode,
  type StoredInterruptRequest,
  type StoredListRequest,
  type StoredPruneRequest,
  type StoredRequest,
  type StoredRetryRequest,
  type StoredShowRequest,
  UsageError
} from "../request.ts"
import { err, out } from "../run/environment.ts"
import { client, type Engine, existing, shown } from "./database.ts"
import { type Session, session } from "./session.ts"

type Use = (session: Session) => Effect.Effect<void, Durable.RunRefused, Engine>

/** Uses what is stored, and prints why that is refused. */
const withStored = (request: StoredRequest, use: Use): Promise<number> =>
  session(request, (session) =>
    Effect.gen(function*() {
      const { database } = session
      yield* existing(database)
      return yield* use(session).pipe(
        Effect.as(ExitCode.success as number),
        Effect.catchTag("RunRefused", ({ message, reason }) =>
          reason === "NotEnded" || reason === "Ended" || reason === "Succeeded"
            ? Effect.sync(() => {
              err(`error: ${message}`)
              return ExitCode.failed
            })
            : new UsageError({ message: `${message} (${shown(database)})` })),
        Effect.provide(client(database)),
        session.observed
      )
    }))

const time = (at: DateTime.Utc | undefined): string => at === undefined ? "" : localTimeHere(at)

const took = (from: DateTime.Utc | undefined, to: DateTime.Utc | undefined): string =>
  from === undefined || to === undefined
    ? ""
    : formatDuration(DateTime.toEpochMillis(to) - DateTime.toEpochMillis(from))

/** Prints cells in columns. */
const table = (rows: ReadonlyArray<ReadonlyArray<string>>): void => {
  for (const line of padTo(rows)) out(line)
}

const statusText = ({ status }: Pick<Durable.StoredRun, "status">): string =>
  status === "setAside" ? "set aside" : status

/** Lists stored runs. */
export const list = (request: StoredListRequest): Promise<number> =>
  withStored(request, ({ emit, redact }) =>
    Effect.gen(function*() {
      const { limit, pipelines, statuses } = request
      const runs = yield* Durable.list({
        pipelines: pipelines.length === 0 ? undefined : pipelines,
        statuses: statuses.length === 0 ? undefined : statuses,
        // one more than is shown, to know whether there are more
        limit: limit === 0 ? Number.MAX_SAFE_INTEGER : limit + 1
      })
      const found = limit === 0 ? runs : runs.slice(0, limit)
      const tellMore = () => runs.length > found.length ? err("there are more: --limit 0 lists all of them") : undefined
      if (emit !== undefined) {
        found.forEach((run) => emit(toJson(run)))
        return tellMore()
      }
      if (found.length === 0) return err("no stored run matches")
      table([
        ["RUN", "STATUS", "PIPELINE", "SUBMITTED", "TOOK", "WHY"],
        ...found.map((run) => [
          run.runId,
          statusText(run),
          fitEnd(run.pipelineName, 100),
          time(run.submittedAt),
          took(run.submittedAt, run.endedAt),
          fitEnd(oneLine(redact(run.why ?? "")), 100)
        ])
      ])
      tellMore()
    }))

const iso = (at: DateTime.Utc | undefined): string | undefined => at === undefined ? undefined : DateTime.formatIso(at)

const toJson = <R extends Durable.StoredRun>(run: R): object => ({
  ...run,
  submittedAt: iso(run.submittedAt),
  endedAt: iso(run.endedAt),
  waitsUntil: iso(run.waitsUntil)
})

/** Prints a stored run with its steps. */
export const show = (request: StoredShowRequest): Promise<number> =>
  withStored(request, ({ emit, redact }) =>
    Effect.map(Durable.show(request.runId), (run) => {
      const { hooks, payload, pipelineName, questions, retriedAs, retryOf, runId, steps, why } = run
      if (emit !== undefined) {
        return emit({
          ...toJson(run),
          steps: steps.map((step) => ({ ...step, startedAt: iso(step.startedAt), endedAt: iso(step.endedAt) })),
          questions: questions.map((question) => ({
            ...question,
            askedAt: iso(question.askedAt),
            until: iso(question.until)
          }))
        })
      }
      const took_ = took(run.submittedAt, run.endedAt)
      out(`${pipelineName} ${runId}: ${statusText(run)}${took_ === "" ? "" : ` after ${took_}`}`)
      if (why !== undefined) out(`  ${redact(why)}`)
      out(`  submitted ${time(run.submittedAt)}`)
      out(`  payload ${redact(JSON.stringify(payload))}`)
      if (retryOf !== undefined) out(`  retry of ${retryOf}`)
      for (const other of retriedAs) out(`  retried as ${other}`)
      for (const { askedAt, status, title } of questions) out(`  question ${title}: ${status}, asked ${time(askedAt)}`)
      const hookRows = (indent: string, hooks: ReadonlyArray<Durable.StoredHook>) =>
        hooks.map(({ kind, name, status }) => [`${indent}hook ${name} (${kind})`, status])
      table([
        ...steps.flatMap((step) => [
          [
            `  ${step.name}`,
            step.status,
            step.attempts > 1 ? plural(step.attempts, "attempt") : "",
            took(step.startedAt, step.endedAt),
            redact(step.why ?? "")
          ],
          ...hookRows("    ", step.hooks)
        ]),
        ...hookRows("  ", hooks)
      ])
    }))

/** Asks a run to end. The request goes to the database, so it needs no worker. */
export const interrupt = (request: StoredInterruptRequest): Promise<number> =>
  withStored(request, ({ emit }) =>
    Effect.map(Durable.interrupt(request.runId, { now: request.now }), (run) => {
      const { pipelineName, runId, status } = run
      if (emit !== undefined) return emit(toJson(run))
      // of a run that is suspended or set aside no step is under way
      const when = request.now || status !== "running" ? "" : ", once the step under way has ended"
      out(`interrupting ${pipelineName} ${runId}${when}`)
    }))

/** Submits a failed run again. */
export const retry = (request: StoredRetryRequest): Promise<number> =>
  withStored(request, ({ emit }) =>
    Effect.map(Durable.retry(request.runId, { from: request.from }), (run) => {
      const { pipelineName, retryOf, runId } = run
      if (emit !== undefined) return emit(toJson(run))
      out(`${pipelineName}: run ${runId}, a retry of ${retryOf}; the worker of this database runs it, or the next one`)
    }))

/** Removes runs that have ended. */
export const prune = (request: StoredPruneRequest): Promise<number> =>
  withStored(request, ({ emit }) =>
    Effect.map(
      Durable.prune({
        olderThan: request.older,
        keep: request.keep,
        pipelines: request.pipelines.length === 0 ? undefined : request.pipelines
      }),
      (removed) => emit === undefined ? out(`removed ${plural(removed, "run")}`) : emit({ removed })
    ))
