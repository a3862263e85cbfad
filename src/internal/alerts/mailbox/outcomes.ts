/** Tells what has become of the alerts in a mailbox: their callers, or the ledger and the log where nobody waits. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AlerterError } from "../../model/alerterError.ts"
import { plural } from "../../text/words.ts"
import * as Writer from "../../text/writer.ts"
import { short } from "../digest.ts"
import type { Telling } from "../digest.ts"
import { countLost, countWaiting } from "../metrics.ts"
import { render, restOf } from "./fold.ts"
import type { Item, Part } from "./item.ts"

/** The most titles in a log entry. */
const maxTitles = 20

/** The time between two log entries, as long as others wait: a channel that refuses all refuses many in a second. */
const logEvery = 10_000

/** Tells of alerts that have left their mailbox, each of them once. */
export interface Outcomes {
  /** Tells that an alert has arrived. */
  readonly delivered: (item: Item) => void
  /** Tells that alerts will not arrive. Those that nobody waited for are logged together, ten seconds later at most. */
  readonly lost: (items: ReadonlyArray<Item>, errorOf: (item: Item) => AlerterError) => void
  /** Logs what has not been logged. Called when no alert waits any more. */
  readonly log: () => void
}

/** Makes the outcomes of a channel's mailbox. */
export const outcomes = (
  options: Telling & { readonly channel: string },
  context: Context.Context<never>,
  now: () => number
): Outcomes => {
  const { channel } = options
  let lines: Array<string> = []
  let count = 0
  let caller = context
  let loggedAt = -Infinity

  /** Removes the posts of an alert, and returns them. */
  const take = (item: Item): ReadonlyArray<Part> => {
    const parts = [...item.parts]
    item.parts.clear()
    countWaiting(channel, -parts.length - item.unattended, context)
    item.unattended = 0
    for (const { held, posting } of parts) posting?.remove(held)
    return parts
  }

  /** Tells that an alert will not arrive, and returns for how many posts nobody waited. */
  const lose = (item: Item, error: AlerterError): number => {
    let unattended = item.unattended
    for (const taken of item.taken) taken.lost(error)
    item.more?.ledger.lost(restOf(item.content, item.more.count, options), error)
    for (const { posting, report, resume, taken } of take(item)) {
      report?.("failed", error)
      if (resume !== undefined) {
        resume(Effect.fail(error))
        continue
      }
      unattended++
      taken?.lost(error)
      posting?.tellLost()
    }
    return unattended
  }

  const log = (): void => {
    if (count === 0) return
    loggedAt = now()
    const all = lines.length < count ? [...lines, `${plural(count, "alert")} in all`] : lines
    const text = `effect-epilogue: ${plural(count, "alert")} did not arrive, and will not be tried again`
    count = 0
    lines = []
    Effect.runForkWith(caller)(Writer.logError(text, all.join("\n")))
  }

  return {
    delivered: (item) => {
      for (const { report, resume, taken } of take(item)) {
        report?.("delivered")
        resume?.(Effect.void)
        taken?.delivered()
      }
      for (const taken of item.taken) taken.delivered()
    },
    lost: (items, errorOf) => {
      const before = count
      for (const item of items) {
        const error = errorOf(item)
        const unattended = lose(item, error)
        if (unattended === 0) continue
        count += unattended
        caller = item.context
        if (lines.length < maxTitles) {
          lines.push(`${short(render(item.content, options).title, 200)}: ${error.message}`)
        }
      }
      if (count === before) return
      countLost(channel, count - before, context)
      if (now() - loggedAt >= logEvery) log()
    },
    log
  }
}
