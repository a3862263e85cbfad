/** Gives the alerts of hooks and attempts keys that stay the same when the code runs again after a crash. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { Alert } from "../../../Alert.ts"
import type { Alerter } from "../../../Alerter.ts"
import type { AlertJson } from "../../../internal/alerts/json.ts"
import { type Report, reporting, reportOf } from "../../../internal/alerts/reports.ts"
import { CurrentGuard } from "../../../internal/model/secrets.ts"
import { channel, storable } from "./stored.ts"
import type { Outbox } from "./typeId.ts"

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

/** The alerts that a hook has posted, as JSON, until its end is recorded. */
export class Collected {
  private readonly collected: Array<AlertJson> = []
  private readonly reports = new Map<string, Report>()
  private isSealed = false

  /** Returns the alerts. What is posted later, by a fiber that outlives the hook, goes to the outbox directly. */
  seal(): ReadonlyArray<AlertJson> {
    this.isSealed = true
    return this.collected
  }

  /** Offers an alert to an outbox, which reports what becomes of it as that of the hook that has posted it here. */
  offeredTo({ offer }: Outbox): (alert: Alert) => Effect.Effect<unknown, unknown> {
    return (alert) => offer(alert, this.reports.get(alert.idempotencyKey ?? ""))
  }

  /**
   * Returns an alerter like `alerter`, an outbox, that collects alerts with their keys and times. The post of an alert
   * that can't be stored fails: it would be the record of the hook that fails, and the run with it.
   */
  alerter(alerter: Alerter["Service"], key: string): Alerter["Service"] {
    const next = keySequence(key)
    return {
      ...alerter,
      post: (input) =>
        reporting(() =>
          Effect.withFiber((fiber) => {
            const made = withKey(Alert.make(input), next())
            if (this.isSealed) return alerter.post(made)
            const shown = fiber.getRef(CurrentGuard)?.alert(made) ?? made
            const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
            const alert = shown.at === undefined ? shown.with({ at: DateTime.makeUnsafe(now) }) : shown
            return Effect.flatMap(storable(alert), (json) => {
              // the hook may have ended meanwhile
              if (this.isSealed) return alerter.post(alert)
              this.collected.push(json)
              const report = reportOf(alert, channel, fiber.context)
              report?.("held")
              if (report !== undefined) this.reports.set(alert.idempotencyKey!, report)
              return Effect.void
            })
          })
        )
    }
  }
}
