/** Keeps which message has told a failure, for channels in which a recovery can refer to it. */
import type { Dated } from "./channel.ts"
import { incidentActionOf } from "./incident.ts"

/** The most failures that are kept: of more, the oldest ones are forgotten. */
const maxOpen = 1000

/** The messages of failures that have not recovered, by the `dedupeKey` of their alerts. `A` is what the channel knows them by. */
export interface OpenMessages<A> {
  /** Returns the message of the failure that an alert says has recovered. */
  readonly recoveredBy: (alert: Dated) => A | undefined
  /** Keeps the message of an alert that has arrived, or forgets that of a failure that has recovered with it. */
  readonly arrived: (alert: Dated, message: A | undefined) => void
}

/** @internal */
export const openMessages = <A>(): OpenMessages<A> => {
  const open = new Map<string, A>()
  return {
    recoveredBy: (alert) =>
      alert.dedupeKey !== undefined && incidentActionOf(alert) === "resolve" ? open.get(alert.dedupeKey) : undefined,
    arrived: (alert, message) => {
      const key = alert.dedupeKey
      if (key === undefined || key === "") return
      const action = incidentActionOf(alert)
      if (action === "resolve") open.delete(key)
      if (action !== "trigger" || message === undefined) return
      // moved to the end of the map, whose first entry is the oldest one
      open.delete(key)
      open.set(key, message)
      if (open.size > maxOpen) open.delete(open.keys().next().value!)
    }
  }
}
