/** `epilogue outbox list`, `retry` and `drop`: they look after alerts that were not delivered, without the code of pipelines. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Outbox from "../../durable/Outbox.ts"
import { toBriefJson } from "../../internal/alerts/json.ts"
import { padTo } from "../../internal/text/columns.ts"
import { fitEnd } from "../../internal/text/fit.ts"
import { localTimeHere } from "../../internal/text/localTime.ts"
import {
  ExitCode,
  type OutboxDropRequest,
  type OutboxRetryRequest,
  type StoredRequest,
  UsageError
} from "../request.ts"
import { err, out } from "../run/environment.ts"
import { existing, shown, sql } from "./database.ts"
import { type Session, session } from "./session.ts"

type Use = (session: Session) => Effect.Effect<void, unknown, SqlClient>

const withOutbox = (request: StoredRequest, use: Use): Promise<number> =>
  session(request, (session) =>
    Effect.gen(function*() {
      const { database } = session
      yield* existing(database)
      yield* session.observed(Effect.provide(use(session), sql(database)))
      return ExitCode.success
    }))

const toJson = ({ alert, due, failure, storedAt, ...entry }: Outbox.Entry): object => ({
  ...entry,
  ...(failure === undefined ? {} : { failure }),
  storedAt: DateTime.formatIso(storedAt),
  due: DateTime.formatIso(due),
  alert: toBriefJson(alert)
})

const stateOf = ({ isClaimed, state }: Outbox.Entry): string =>
  state === "aside" ? "set aside" : isClaimed ? "under way" : "waiting"

/** Lists the alerts that were not delivered. */
export const listAlerts = (request: StoredRequest): Promise<number> =>
  withOutbox(request, ({ emit, redact }) =>
    Effect.map(Outbox.list(), (entries) => {
      if (emit !== undefined) return entries.forEach((entry) => emit(toJson(entry)))
      if (entries.length === 0) return err("all alerts were delivered")
      const lines = padTo([
        ["ALERT", "STATE", "TRIED", "STORED", "TITLE", "WHY"],
        ...entries.map((entry) => [
          entry.id,
          stateOf(entry),
          String(entry.attempts),
          localTimeHere(entry.storedAt),
          fitEnd(redact(entry.alert.title), 60),
          fitEnd(redact(entry.failure ?? ""), 100)
        ])
      ])
      for (const line of lines) out(line)
    }))

/** Returns the id of the alert whose id begins so. */
const resolve = (
  { database }: Session,
  entries: ReadonlyArray<Outbox.Entry>,
  text: string
): Effect.Effect<string, UsageError> => {
  const [first, ...others] = entries.filter(({ id }) => id === text || id.startsWith(text.toLowerCase()))
  if (text === "" || first === undefined) {
    return new UsageError({ message: `there is no alert ${text} that was not delivered (${shown(database)})` })
  }
  return others.length === 0
    ? Effect.succeed(first.id)
    : new UsageError({ message: `${others.length + 1} alerts begin with ${text}: give more of the id` })
}

/** Lets alerts be delivered. */
export const retryAlerts = (request: OutboxRetryRequest): Promise<number> =>
  withOutbox(request, (session) =>
    Effect.gen(function*() {
      const { emit, redact } = session
      const entries = yield* Outbox.list()
      const ids = yield* Effect.forEach(request.ids, (id) => resolve(session, entries, id))
      const found = yield* Outbox.retry(ids.length === 0 ? undefined : ids)
      if (emit !== undefined) return found.forEach((entry) => emit(toJson(entry)))
      if (found.length === 0) return err("no alert is set aside")
      for (const { alert, id } of found) out(`${id}: ${redact(alert.title)}`)
      err("the process that delivers the alerts of this database takes them, or the next one")
    }))

/** Gives an alert up. */
export const dropAlert = (request: OutboxDropRequest): Promise<number> =>
  withOutbox(request, (session) =>
    Effect.gen(function*() {
      const { emit, redact } = session
      const id = yield* resolve(session, yield* Outbox.list(), request.id)
      const dropped = yield* Outbox.drop(id)
      if (dropped === undefined) return err(`${id} has been delivered meanwhile`)
      if (emit === undefined) out(`dropped ${id}: ${redact(dropped.alert.title)}`)
      else emit(toJson(dropped))
    }))
