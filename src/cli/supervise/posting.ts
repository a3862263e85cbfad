/** Posts alerts of a supervisor, and says what is lost where the process ends meanwhile. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import { posted } from "../../internal/alerts/alerter.ts"
import { reportedTo } from "../../internal/alerts/reports.ts"
import type { Undelivered } from "../../internal/alerts/undelivered.ts"
import { wordsOf } from "../../internal/alerts/words.ts"
import type * as Guard from "../../internal/model/guard.ts"
import { withoutUrls } from "../../internal/text/addresses.ts"
import { english, type Words } from "../../internal/text/alertWords.ts"
import { errorMessage } from "../../internal/text/errors.ts"
import type { NoteAlert } from "./records.ts"

/** The time limit of posting all alerts, retries included. */
export const patience = "30 seconds"

/** The supervisor that posts: its secrets, and its posts under way. */
export interface Around {
  readonly guard: Guard.Guard
  /** Functions that return lines about what posts under way have not delivered. */
  readonly underWay: Set<() => ReadonlyArray<string>>
}

/** Posts alerts, in the words of the alerter, within a time limit. What does not arrive is among the undelivered. */
export const post = <E, R>(
  alertsIn: (words: Words) => ReadonlyArray<Alert>,
  alerter: Layer.Layer<Alerter, E, R>,
  undelivered: Undelivered,
  { guard, underWay }: Around,
  note: NoteAlert = () => {}
): Effect.Effect<void, never, R> => {
  const begun = new Set<Alert>()
  let alerts: ReadonlyArray<Alert> | undefined
  const notBegun = (message: string): void => {
    for (const alert of alerts ?? alertsIn(english)) {
      if (!begun.has(alert)) undelivered.add(alert, { channel: "alerter", reason: "Rejected", message })
    }
  }
  const all = Effect.flatMap(Alerter, (alerter) => {
    const one = (alert: Alert): Effect.Effect<void> =>
      Effect.ignore(Effect.suspend(() => {
        begun.add(alert)
        return reportedTo(posted(alert, alerter), (told) => note(alert, told), guard)
      }))
    alerts = alertsIn(wordsOf(alerter) ?? english)
    return Effect.forEach(alerts, one, { concurrency: "unbounded", discard: true })
  })
  const posting = Effect.timeout(Effect.provide(all, alerter), patience).pipe(
    // the alerter could not be built
    Effect.catchCause((cause) => Effect.sync(() => notBegun(withoutUrls(errorMessage(Cause.squash(cause))))))
  )
  const cutOff = (): ReadonlyArray<string> => {
    undelivered.addOpen("the process ended")
    notBegun("alerter: the process ended before it was posted")
    return undelivered.lines(guard.text)
  }
  return Effect.suspend(() => {
    underWay.add(cutOff)
    return Effect.ensuring(posting, Effect.sync(() => underWay.delete(cutOff)))
  })
}
