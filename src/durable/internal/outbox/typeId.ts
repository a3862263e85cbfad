/** Marks an alerter as an outbox. */
import type * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type { Alert } from "../../../Alert.ts"
import type { Alerter } from "../../../Alerter.ts"

/** @internal */
export const OutboxTypeId: unique symbol = Symbol.for("effect-epilogue/durable/Outbox")

/** @internal */
export interface Outbox {
  /** Stores an alert for delivery; an alert whose `idempotencyKey` is stored already is not stored again. */
  readonly offer: (alert: Alert) => Effect.Effect<unknown, unknown>
  /** The alerter through which it delivers. */
  readonly inner: Alerter["Service"]
}

/** @internal */
export const outboxOf = (alerter: Alerter["Service"]): Outbox | undefined =>
  hasProperty(alerter, OutboxTypeId) ? alerter[OutboxTypeId] as Outbox : undefined // the cast: outboxes alone have it
