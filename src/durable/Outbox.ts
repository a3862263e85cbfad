/**
 * An outbox: stores alerts in a database first, and delivers them from there until they have arrived.
 *
 * **Details**
 *
 * In a durable pipeline the alerts of a hook are part of the record that the hook has run. They move to the outbox in
 * one transaction with the record that they have moved, where the engine uses the same database: so no alert is lost,
 * and none is queued twice, whenever the process dies. Outside of durable pipelines an alert is stored when it is
 * posted, once for each `idempotencyKey`; keys of delivered alerts are remembered for 30 days.
 *
 * An alert is done when it has arrived: one that a policy inside of the outbox holds, for a digest or until the morning,
 * stays stored until the policy has posted it, or has stored it itself. A policy that drops an alert, as a duplicate for
 * example, settles it. An attempt that fails is repeated with the same alert, key and time included.
 *
 * An alert that can't be delivered is not given up but set aside, which the log says: {@link list} shows it,
 * {@link retry} delivers it, and {@link drop} gives it up. So do the commands `epilogue outbox list`, `retry` and `drop`.
 *
 * An alert that a process was delivering when it died is delivered by the next one: at once where that is on the same
 * machine, else when the claim of the dead process is over (`lease`).
 *
 * **Gotchas**
 *
 * Delivery is at least once: after a crash between an alert's arrival and the record of it, the alert is delivered
 * again, with the same key.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Alert } from "../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { timed } from "../internal/alerts/alerter.ts"
import { CurrentLedger, none } from "../internal/alerts/ledger.ts"
import { type Report, reportOf } from "../internal/alerts/reports.ts"
import {
  checked,
  durationMistakes,
  type Known,
  optionalText,
  refuse,
  spanMistakes,
  wholeMistakes
} from "../internal/model/options.ts"
import * as Writer from "../internal/text/writer.ts"
import * as byHand from "./internal/outbox/byHand.ts"
import { delaysOf } from "./internal/outbox/delays.ts"
import { Deliverer } from "./internal/outbox/deliverer.ts"
import { Rows } from "./internal/outbox/rows.ts"
import { channel, idOf, read, runOf, storable } from "./internal/outbox/stored.ts"
import { type Outbox, OutboxTypeId } from "./internal/outbox/typeId.ts"

/**
 * How alerts are stored and delivered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The name of the queue: what one outbox stores, another one with the same name may deliver.
   * `"effect-epilogue/alerts"` unless set.
   */
  readonly name?: string | undefined
  /** Whether this process delivers alerts; with `false` it only stores them. `true` unless set. */
  readonly deliver?: boolean | undefined
  /** How many alerts are posted at once. 4 unless set. */
  readonly concurrency?: number | undefined
  /**
   * The delays between the attempts to deliver an alert; the schedule's input is the attempt's number. One second,
   * doubled each time up to 5 minutes, unless set.
   */
  readonly retry?: Schedule.Schedule<unknown, number> | undefined
  /** The number of attempts after which an alert is set aside. 1,000 unless set, which take three days and a half. */
  readonly maxAttempts?: number | undefined
  /**
   * The number of attempts after which an alert is set aside that the channel refuses, though it takes others: with
   * `InvalidAlert`, or with `Rejected`, unless the status is that of an error of the server. 10 unless set.
   */
  readonly maxRefusals?: number | undefined
  /**
   * How long a process keeps an alert that it no longer says it is delivering, where others can't tell whether it is
   * dead. 30 seconds unless set.
   */
  readonly lease?: Duration.Input | undefined
  /**
   * How long the closing layer waits for the delivery of what is due, or will be due within that time. 5 seconds unless
   * set. What is left after that is told in the log.
   */
  readonly drain?: Duration.Input | undefined
}

const known: Known<Options> = {
  name: optionalText,
  deliver: 0,
  concurrency: 0,
  retry: 0,
  maxAttempts: 0,
  maxRefusals: 0,
  lease: 0,
  drain: 0
}

const defaultName = "effect-epilogue/alerts"
const defaultLease = Duration.seconds(30)

const millisOf = (input: Duration.Input): number => Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(input)))

/** The deliverer, which outlives the alerter that it delivers through. */
class Base extends Context.Service<Base, { readonly rows: Rows; readonly deliverer: Deliverer | undefined }>()(
  "effect-epilogue/durable/OutboxBase"
) {}

const base = (options: Options): Layer.Layer<Base, SqlError, SqlClient> =>
  Layer.effect(
    Base,
    Effect.gen(function*() {
      const { concurrency = 4, drain = "5 seconds", lease = defaultLease, maxAttempts = 1_000, maxRefusals = 10 } =
        checked("Outbox.layer", options, known)
      refuse(
        "Outbox.layer",
        wholeMistakes("concurrency", concurrency, 1),
        wholeMistakes("maxAttempts", maxAttempts, 1, Infinity),
        wholeMistakes("maxRefusals", maxRefusals, 1, Infinity),
        spanMistakes("lease", lease),
        durationMistakes("drain", drain)
      )
      const rows = new Rows(yield* SqlClient, options.name ?? defaultName, millisOf(lease))
      yield* rows.prepare
      if (options.deliver === false) return { rows, deliverer: undefined }
      const deliverer = new Deliverer(
        {
          rows,
          concurrency,
          delays: delaysOf(options.retry),
          maxAttempts,
          maxRefusals,
          lease: millisOf(lease),
          drain: millisOf(drain)
        },
        yield* Effect.context<never>(),
        yield* CurrentLedger
      )
      rows.open()
      yield* Effect.forkScoped(deliverer.renew)
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.ignore(rows.clean), Effect.sleep("1 hour"))))
      yield* Effect.addFinalizer(() => deliverer.close)
      return { rows, deliverer }
    })
  )

/**
 * An alerter that stores alerts in the database of the `SqlClient`, and delivers them through the alerter that it is
 * given. It makes its table, `effect_epilogue_alerts`, where that is missing, in SQLite, Postgres or MySQL.
 *
 * **Details**
 *
 * An alert that can't be stored, since a field is `undefined` at run time for example, fails its post with
 * `InvalidAlert`, which says where.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Durable, Outbox } from "effect-epilogue/durable"
 * import { Layer } from "effect"
 *
 * const engine = Durable.layerSqlite({ filename: "nightly.db" })
 * const alerter = Outbox.layer(Slack.layerConfig()).pipe(Layer.provide(engine))
 * ```
 *
 * @see {@link list} for what was not delivered
 * @category layers
 * @since 0.1.0
 */
export const layer = <E, R>(
  alerter: Layer.Layer<Alerter, E, R>,
  options: Options = {}
): Layer.Layer<Alerter, E | SqlError, R | SqlClient> =>
  Layer.effect(Alerter, make(options.name ?? defaultName)).pipe(
    Layer.provide(alerter),
    Layer.provide(base(options))
  )

const make = (name: string) =>
  Effect.gen(function*() {
    const { deliverer, rows } = yield* Base
    const inner = yield* Alerter
    const unwritten = new AlerterError({
      channel,
      reason: AlerterErrorReason.Unreachable({ detail: "the outbox can't be written" })
    })

    const offer = (alert: Alert, given?: Report): Effect.Effect<void, AlerterError | SqlError> =>
      Effect.gen(function*() {
        const json = JSON.stringify(yield* storable(alert))
        const report = given ?? reportOf(alert, channel, yield* Effect.context<never>())
        const ledger = (yield* CurrentLedger) ?? (report && none)
        const id = yield* idOf(name, alert)
        report?.("held")
        if (ledger !== undefined) deliverer?.noted(id, alert, ledger, report)
        const insert = rows.insert(id, runOf(alert), json, () => deliverer?.look())
        yield* Effect.onError(insert, () => Effect.sync(() => deliverer?.settled(id, unwritten)))
        if (ledger === undefined) return
        if (deliverer === undefined) return ledger.accepted(alert, channel).kept()
        const state = yield* rows.stateOf(id)
        if (state === "done" || state === "dropped") deliverer.settled(id)
      })

    if (deliverer !== undefined) {
      const worker = yield* Effect.forkScoped(deliverer.deliver(inner))
      yield* Effect.addFinalizer(() => deliverer.drain(worker))
    }

    const outbox: Alerter["Service"] & { readonly [OutboxTypeId]: Outbox } = {
      // with the alerter's marks, such as that it takes quiet alerts
      ...inner,
      [OutboxTypeId]: { offer, inner },
      post: (alert) =>
        timed(alert, (timed) =>
          Effect.catchTag(offer(timed), "SqlError", (error) =>
            Effect.andThen(
              Writer.logError("effect-epilogue: the outbox can't be written", error),
              Effect.fail(unwritten)
            )))
    }
    return outbox
  })

// -----------------------------------------------------------------------------
// by hand
// -----------------------------------------------------------------------------

/**
 * An alert that is stored in an outbox and was not delivered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  /** The id of the entry, by which it is retried or dropped. */
  readonly id: string
  /** The name of the queue, as in {@link Options}. */
  readonly name: string
  /** The alert, as it was stored. */
  readonly alert: Alert
  /** `"aside"` for an alert that is not tried again until somebody asks for that, as with {@link retry}. */
  readonly state: "waiting" | "aside"
  /** Whether a process is delivering it, or a policy inside of its outbox holds it. */
  readonly isClaimed: boolean
  /** How often it was tried. */
  readonly attempts: number
  /** Why the last attempt failed. */
  readonly failure: string | undefined
  /** When it was stored. */
  readonly storedAt: DateTime.Utc
  /** When it is tried next, at the earliest. */
  readonly due: DateTime.Utc
}

const entryOf = ({ alert: text, due, failure, queue, storedAt, ...row }: byHand.Undelivered): Entry => {
  const alert = read(text)
  return {
    ...row,
    name: queue,
    alert: Exit.isSuccess(alert) ? alert.value : Alert.make({ title: "(an alert that can't be read)" }),
    failure: failure ?? undefined,
    storedAt: DateTime.makeUnsafe(storedAt),
    due: DateTime.makeUnsafe(due)
  }
}

/**
 * Returns the alerts in a database that were not delivered, the oldest first: those of all outboxes, or of one queue.
 *
 * @example
 * ```ts
 * import { Outbox } from "effect-epilogue/durable"
 * import { Effect } from "effect"
 *
 * const aside = Effect.map(Outbox.list(), (entries) => entries.filter(({ state }) => state === "aside"))
 * ```
 *
 * @see {@link retry} to deliver those that are set aside
 * @category by hand
 * @since 0.1.0
 */
export const list = (
  options?: { readonly name?: string | undefined }
): Effect.Effect<ReadonlyArray<Entry>, SqlError, SqlClient> =>
  Effect.map(byHand.undelivered(options?.name), (found) => found.map(entryOf))

/**
 * Lets alerts be delivered at once, as if they had never been tried: those with the ids, whether they are set aside or
 * wait for their next attempt, or all that are set aside. The process whose outbox it is delivers them, or the next one.
 *
 * **Details**
 *
 * Returns the alerts that it found. An alert that a process is delivering goes on.
 *
 * @example
 * ```ts
 * import { Outbox } from "effect-epilogue/durable"
 *
 * const all = Outbox.retry()
 * const one = Outbox.retry(["0b3f9c2a17d45e608f21"])
 * ```
 *
 * @see {@link list} for the ids
 * @category by hand
 * @since 0.1.0
 */
export const retry = (
  ids?: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Entry>, SqlError, SqlClient> =>
  Effect.gen(function*() {
    const found = (yield* byHand.undelivered()).filter(({ id, state }) =>
      ids === undefined ? state === "aside" : ids.includes(id)
    )
    yield* byHand.retry(found.map(({ id }) => id))
    return found.map(entryOf)
  })

/**
 * Gives an alert up. Returns it, or `undefined` if no alert with this id waits or is set aside.
 *
 * **Gotchas**
 *
 * An alert that a process is delivering may arrive all the same.
 *
 * @example
 * ```ts
 * import { Outbox } from "effect-epilogue/durable"
 *
 * const dropped = Outbox.drop("0b3f9c2a17d45e608f21")
 * ```
 *
 * @see {@link list} for the ids
 * @category by hand
 * @since 0.1.0
 */
export const drop = (id: string): Effect.Effect<Entry | undefined, SqlError, SqlClient> =>
  Effect.gen(function*() {
    const found = (yield* byHand.undelivered()).find((row) => row.id === id)
    if (found === undefined) return undefined
    yield* byHand.drop(id)
    return entryOf(found)
  })
