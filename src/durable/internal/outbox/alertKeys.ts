/** Alerts that are known again when they are posted again. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { Alert } from "../../../Alert.ts"
import type { Alerter } from "../../../Alerter.ts"

/**
 * The alert with a key. What it is about stays what it is, so that tonight's failure and tomorrow's are one incident;
 * an alert that is about nothing in particular is about itself.
 */
export const stamp = (alert: Alert, key: string): Alert =>
  alert.with({ idempotencyKey: alert.idempotencyKey ?? key, dedupeKey: alert.dedupeKey ?? key })

/** Keys for the alerts of one hook or one attempt, in the order in which they are posted. */
export const keysOf = (key: string): () => string => {
  let n = 0
  return () => n++ === 0 ? key : `${key}/${n}`
}

/** The alerter, whose alerts have keys. */
export const stamping = (alerter: Alerter["Service"], key: string): Alerter["Service"] => {
  const next = keysOf(key)
  return { ...alerter, post: (alert) => alerter.post(stamp(Alert.make(alert), next())) }
}

/** An alerter that keeps alerts with their keys and times for later. */
export const keeping = (key: string, kept: Array<Alert>): Alerter["Service"] => {
  const next = keysOf(key)
  return {
    post: (alert) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const made = Alert.make(alert)
        kept.push(stamp(made.at === undefined ? made.with({ at: DateTime.makeUnsafe(now) }) : made, next()))
      })
  }
}
