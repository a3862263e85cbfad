/** Gives the alerts of hooks and attempts keys that stay the same when the code runs again after a crash. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { Alert } from "../../../Alert.ts"
import type { Alerter } from "../../../Alerter.ts"

/**
 * Adds an `idempotencyKey` to an alert without one. A `dedupeKey` that is set stays, so that tonight's failure and
 * tomorrow's are one incident; otherwise the alert is about itself.
 */
const withKey = (alert: Alert, key: string): Alert =>
  alert.with({ idempotencyKey: alert.idempotencyKey ?? key, dedupeKey: alert.dedupeKey ?? key })

/** Returns a function that gives the key of each next alert of one hook or attempt, in the order of their posts. */
const keySequence = (key: string): () => string => {
  let n = 0
  return () => n++ === 0 ? key : `${key}/${n}`
}

/** Returns an alerter that adds keys to the alerts that it posts through `alerter`. */
export const withAlertKeys = (alerter: Alerter["Service"], key: string): Alerter["Service"] => {
  const next = keySequence(key)
  return { ...alerter, post: (alert) => alerter.post(withKey(Alert.make(alert), next())) }
}

/** Returns an alerter like `alerter` that adds alerts, with their keys and times, to `collected` and posts nothing. */
export const collectingAlerts = (
  key: string,
  collected: Array<Alert>,
  alerter: Alerter["Service"]
): Alerter["Service"] => {
  const next = keySequence(key)
  return {
    ...alerter,
    post: (alert) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const made = Alert.make(alert)
        collected.push(withKey(made.at === undefined ? made.with({ at: DateTime.makeUnsafe(now) }) : made, next()))
      })
  }
}
