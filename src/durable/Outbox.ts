/**
 * An outbox: stores alerts in a database first, and delivers them from there until they have arrived.
 *
 * **Details**
 *
 * In a durable pipeline the alerts of a hook are part of the record that the hook has run. They move to the outbox in
 * one transaction with the record that they have moved, where the engine uses the same database: so no alert is lost,
 * and none is queued twice, whenever the process dies. Outside of durable pipelines an alert is stored when it is
 * posted, once for each `idempotencyKey`.
 *
 * The queue is a `PersistedQueue` of `effect/persistence`, which remembers delivered alerts for 30 days.
 *
 * **Gotchas**
 *
 * Delivery is at least once: after a crash between an alert's arrival and the record of it, the alert is delivered
 * again, with the same key.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Alert } from "../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason } from "../Alerter.ts"
import { timed } from "../internal/alerts/alerter.ts"
import { AlertJson, fromJson, toJson } from "../internal/alerts/json.ts"
import * as Writer from "../internal/text/writer.ts"
import { type Outbox, OutboxTypeId } from "./internal/outbox/typeId.ts"
import { sha256 } from "./internal/sha256.ts"

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
  /** How many alerts are delivered at once. 4 unless set. */
  readonly concurrency?: number | undefined
  /**
   * The delays between the attempts to deliver an alert; the schedule's input is the attempt's number. One second,
   * doubled each time up to 5 minutes, unless set.
   */
  readonly retry?: Schedule.Schedule<unknown, number> | undefined
  /**
   * The number of attempts after which an alert is given up, with an error in the log; it stays stored as failed. 1,000
   * unless set.
   */
  readonly maxAttempts?: number | undefined
  /** How long the closing layer waits for the delivery of the alerts that this process stored. 5 seconds unless set. */
  readonly drain?: Duration.Input | undefined
}

/**
 * An alerter that stores alerts in the database of the `SqlClient`, and delivers them through the alerter that it is
 * given. It makes its table, `effect_epilogue_outbox`, where that is missing.
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
 * @see {@link layerQueue} for another store than a SQL database
 * @category layers
 * @since 0.1.0
 */
export const layer = <E, R>(
  alerter: Layer.Layer<Alerter, E, R>,
  options?: Options
): Layer.Layer<Alerter, E | SqlError, R | SqlClient> =>
  layerQueue(alerter, options).pipe(
    Layer.provide(PersistedQueue.layer),
    Layer.provide(
      PersistedQueue.layerStoreSql({
        tableName: "effect_epilogue_outbox",
        // another process may deliver what a dead process had taken only after this time
        lockExpiration: "30 seconds",
        lockRefreshInterval: "10 seconds"
      }).pipe((store) => Layer.provideMerge(PersistedQueue.layerCleanup(), store))
    )
  )

/**
 * {@link layer} on a `PersistedQueue` of your own, in Redis for example, or in memory for tests.
 *
 * @see {@link layer} for a SQL database
 * @category layers
 * @since 0.1.0
 */
export const layerQueue = <E, R>(
  alerter: Layer.Layer<Alerter, E, R>,
  options: Options = {}
): Layer.Layer<Alerter, E, R | PersistedQueue.PersistedQueueFactory> =>
  Layer.effect(Alerter, Effect.flatMap(Alerter, (inner) => make(inner, options))).pipe(Layer.provide(alerter))

const channel = "outbox"

/** Returns the alert's id in the queue: its key, or the key's hash where it exceeds the 255 characters of an id. */
const idOf = ({ idempotencyKey: key }: Alert): Effect.Effect<string> =>
  key === undefined || key === ""
    ? Effect.sync(() => globalThis.crypto.randomUUID())
    : key.length <= 255
    ? Effect.succeed(key)
    : sha256(key)

const make = (
  inner: Alerter["Service"],
  options: Options
): Effect.Effect<Alerter["Service"], never, PersistedQueue.PersistedQueueFactory | Scope.Scope> =>
  Effect.gen(function*() {
    const maxAttempts = options.maxAttempts ?? 1000
    const queue = yield* PersistedQueue.make({
      name: options.name ?? "effect-epilogue/alerts",
      schema: AlertJson,
      maxAttempts,
      retrySchedule: options.retry
    })
    /** The ids of the alerts that this process has stored and not delivered. */
    const pending = new Set<string>()
    const empty = Latch.makeUnsafe(true)

    const offer = (alert: Alert): Effect.Effect<unknown, unknown> =>
      Effect.flatMap(idOf(alert), (id) => {
        const stored = queue.offer(toJson(alert), { id })
        if (options.deliver === false) return stored
        // added before the alert is stored: a worker may deliver, and remove, it at once
        pending.add(id)
        empty.closeUnsafe()
        return Effect.onError(stored, () => Effect.sync(() => done(id)))
      })

    const done = (id: string): void => {
      pending.delete(id)
      if (pending.size === 0) empty.openUnsafe()
    }

    const deliver = queue.take((json, { attempts, id }) =>
      inner.post(fromJson(json)).pipe(
        Effect.tapError((error) =>
          attempts >= maxAttempts
            ? Writer.logError(`effect-epilogue: an alert is given up after ${attempts} attempts`, error.message)
            : Writer.logWarning(
              `effect-epilogue: an alert stays in the outbox after attempt ${attempts}`,
              error.message
            )
        ),
        Effect.as(id)
      )
    ).pipe(
      // only after `take` has returned, since that records the delivery
      Effect.map(done)
    )

    const worker = Effect.forever(Effect.catchCause(deliver, (cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
      const isPost = cause.reasons.every((reason) => Cause.isFailReason(reason) && reason.error instanceof AlerterError)
      // A failed delivery is logged above and waits in the queue. Without a pause a store that fails would be asked
      // without end.
      return isPost ? Effect.void : Effect.andThen(
        Writer.logError("effect-epilogue: the outbox can't be read", cause),
        Effect.sleep("1 second")
      )
    }))

    if (options.deliver !== false) {
      for (let i = 0; i < (options.concurrency ?? 4); i++) yield* Effect.forkScoped(worker)
      // added after the workers, so that it runs before they are interrupted
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(
          Effect.timeoutOption(empty.await, Duration.fromInputUnsafe(options.drain ?? "5 seconds")),
          () =>
            pending.size === 0
              ? Effect.void
              : Writer.logWarning(
                `effect-epilogue: ${pending.size} alerts stay in the outbox, to be delivered by the next process that opens it`
              )
        )
      )
    }

    const outbox: Alerter["Service"] & { readonly [OutboxTypeId]: Outbox } = {
      // with the alerter's marks, such as that it takes quiet alerts
      ...inner,
      [OutboxTypeId]: { offer },
      post: (alert) =>
        timed(alert, (timed) =>
          Effect.catchCause(offer(timed), (cause) =>
            Effect.andThen(
              Writer.logError("effect-epilogue: the outbox can't be written", cause),
              Effect.fail(
                new AlerterError({
                  channel,
                  reason: AlerterErrorReason.Unreachable({ detail: "the outbox can't be written" })
                })
              )
            )))
    }
    return outbox
  })
