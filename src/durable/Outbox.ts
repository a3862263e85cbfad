/**
 * An outbox: alerts are stored first, and delivered from there until they have arrived.
 *
 * In a durable pipeline the alerts of a hook are part of the record that it has run, and move to the outbox in one
 * transaction with the record that they have, where the engine uses the same database: so none is lost, and none is
 * queued twice, whenever the process dies. Elsewhere an alert is stored when it is posted, once for each
 * `idempotencyKey`. It is delivered at least once: a crash after it arrived and before that was noted delivers it
 * again, with the same key.
 *
 * It is a `PersistedQueue` of `effect/persistence`: what was delivered is remembered for 30 days.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import type * as Schedule from "effect/Schedule"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Alerter } from "../Alerter.ts"
import * as internal from "./internal/outbox/queue.ts"

/**
 * How alerts are delivered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The queue's name: what one outbox stores, another of the same name may deliver. `"effect-epilogue/alerts"` unless set. */
  readonly name?: string | undefined
  /** Whether this process delivers what is there; otherwise it only stores. `true` unless set. */
  readonly deliver?: boolean | undefined
  /** How many are delivered at once. 4 unless set. */
  readonly concurrency?: number | undefined
  /** The delays between attempts to deliver one, by its number. From a second, doubled, to 5 minutes unless set. */
  readonly retry?: Schedule.Schedule<unknown, number> | undefined
  /** After so many attempts it is given up, with an error in the log; it stays stored as failed. 1,000 unless set. */
  readonly maxAttempts?: number | undefined
  /** How long the end of the layer waits for what this process stored to be delivered. 5 seconds unless set. */
  readonly drain?: Duration.Input | undefined
}

/**
 * An alerter that stores alerts in the database, to be delivered by the alerter it is given. The table,
 * `effect_epilogue_outbox`, is made where it is not there.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { Outbox, SqliteClient } from "effect-epilogue/durable"
 * import { Layer } from "effect"
 *
 * const alerter = Outbox.layer(Slack.layerConfig()).pipe(
 *   Layer.provide(SqliteClient.layer({ filename: "nightly.db" }))
 * )
 * ```
 *
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
        // what a process that died had taken is free again after this
        lockExpiration: "30 seconds",
        lockRefreshInterval: "10 seconds"
      }).pipe((store) => Layer.provideMerge(PersistedQueue.layerCleanup(), store))
    )
  )

/**
 * {@link layer} on a `PersistedQueue` of your own: in Redis, say, or for tests in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerQueue = <E, R>(
  alerter: Layer.Layer<Alerter, E, R>,
  options: Options = {}
): Layer.Layer<Alerter, E, R | PersistedQueue.PersistedQueueFactory> =>
  Layer.effect(Alerter, Effect.flatMap(Alerter, (inner) => internal.make(inner, options))).pipe(Layer.provide(alerter))
