/** Marks an alerter as an outbox. */
import type * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type { Alert } from "../../../Alert.ts"
import type { Alerter } from "../../../Alerter.ts"
import type { Report } from "../../../internal/alerts/reports.ts"

/** @internal */
export const OutboxTypeId: unique symbol = Symbol.for("effect-epilogue/durable/Outbox")

/** @internal */
export interface Outbox {
  /**
   * Stores an alert for delivery; an alert whose `idempotencyKey` is stored already is not stored again. `report` is told
   * what becomes of it, in place of the step around.
   */
  readonly offer: (alert: Alert, report?: Report) => Effect.Effect<unknown, unknown>
  /** The alerter through which it delivers. */
  readonly inner: Alerter["Service"]
}

/** @internal */
export const outboxOf = (alerter: Alerter["Service"]): Outbox | undefined =>
  hasProperty(alerter, OutboxTypeId) ? alerter[OutboxTypeId] as Outbox : undefined // the cast: outboxes alone have it
