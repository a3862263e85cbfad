/** Collects the alerts that did not arrive, for the end of a run. */
import type { Alert } from "../../Alert.ts"
import type { AlerterError } from "../model/alerterError.ts"
import { fitEnd } from "../text/fit.ts"
import type { Scrub } from "../text/secrets.ts"
import { joinLines, plural } from "../text/words.ts"
import type { Ledger, Taken } from "./ledger.ts"
import { isPing } from "./pings.ts"

/** Why an alert did not arrive: the parts of an {@link AlerterError}, as they pass from one process to another. */
export interface Loss {
  /** The channel or the policy. */
  readonly channel: string
  /** The tag of the reason. */
  readonly reason: string
  /** The error as a text, which names the channel. */
  readonly message: string
}

/** An alert that somebody has taken. One of the functions is called. */
export interface Note extends Omit<Taken, "lost"> {
  readonly lost: (loss: Loss) => void
}

interface Lost extends Loss {
  readonly title: string
  readonly severity: string
  readonly count: number
  /** Whether it is a ping of a monitor. */
  readonly ping?: true
}

/** The largest number of lines, and of alerts that are kept in order to tell whether they have arrived after all. */
const maxLines = 20
const maxKept = 1000

const maxTitle = 120
const maxMessage = 300

/** Returns the parts of an error. */
export const lossOf = ({ channel, message, reason }: AlerterError): Loss => ({ channel, reason: reason._tag, message })

/** The alerts that did not arrive. */
export class Undelivered {
  readonly #lost = new Map<string, Lost>()
  readonly #open = new Map<symbol, { readonly alert: Alert; readonly by: string }>()
  #more = 0
  #kept = 0

  /** The ledger that collects them. */
  readonly ledger: Ledger = {
    accepted: (alert, by): Taken => {
      const { lost, ...settled } = this.take(alert, by)
      return { ...settled, lost: (error) => lost(lossOf(error)) }
    },
    lost: (alert, error) => this.add(alert, lossOf(error))
  }

  /** Notes that somebody has taken an alert. */
  take(alert: Alert, by: string): Note {
    const id = Symbol()
    this.#open.set(id, { alert, by })
    const arrived = () => {
      this.#open.delete(id)
      const key = keyOf(alert)
      if (this.#lost.has(key) && !this.#isHeld(key)) this.#lost.delete(key)
    }
    return {
      delivered: arrived,
      kept: () => {
        arrived()
        if (by === "outbox") this.#kept++
      },
      lost: (loss) => {
        this.#open.delete(id)
        this.add(alert, loss)
      }
    }
  }

  /** Whether somebody else has taken an alert that counts as the same, as where the post of one hands it on. */
  #isHeld(key: string): boolean {
    return this.#open.values().some(({ alert }) => keyOf(alert) === key)
  }

  /** Adds an alert that did not arrive. */
  add(alert: Alert, loss: Loss): void {
    const { severity, title } = alert
    const ping = isPing(alert) ? { ping: true as const } : {}
    const key = keyOf(alert)
    const count = (this.#lost.get(key)?.count ?? 0) + 1
    if (count > 1 || this.#lost.size < maxKept) this.#lost.set(key, { title, severity, ...loss, count, ...ping })
    else this.addMore(1)
  }

  /** Adds a number of alerts that did not arrive, and of which nothing else is known. */
  addMore(count: number): void {
    this.#more += count
  }

  /** Adds the alerts that somebody has taken, since the process ends before they are posted. */
  addOpen(why: string): void {
    for (const { alert, by } of this.#open.values()) {
      this.add(alert, { channel: by, reason: "Interrupted", message: `${by}: ${why} before it was posted` })
    }
    this.#open.clear()
  }

  /** Returns the exit code of a run: that of a success becomes `lost`, if that is given, where an alert did not arrive. */
  codeOf(code: number, lost: number | undefined): number {
    const isAny = this.#lost.size > 0 || this.#more > 0
    return code === 0 && isAny && lost !== undefined ? lost : code
  }

  /** Returns the alerts to tell of. Alerts that read alike, as of runs while a channel is down, are one. */
  #told(scrub: Scrub): ReadonlyArray<Lost> {
    const told = new Map<string, Lost>()
    for (const { count, message, title, ...rest } of this.#lost.values()) {
      const texts = { title: shown(scrub, title, maxTitle), message: shown(scrub, message, maxMessage) }
      const key = JSON.stringify([texts, rest])
      told.set(key, { ...texts, ...rest, count: count + (told.get(key)?.count ?? 0) })
    }
    return [...told.values()]
  }

  /** Returns a line for each alert. */
  lines(scrub: Scrub): ReadonlyArray<string> {
    const all = this.#told(scrub).map(({ count, message, ping, title }) => {
      const times = count > 1 ? ` (${count} times)` : ""
      return `${ping === true ? "ping" : "alert"} not delivered: ${title}${times}: ${message}`
    })
    const more = Math.max(0, all.length - maxLines) + this.#more
    return more === 0 ? all : [...all.slice(0, maxLines), `… and ${plural(more, "alert")} more`]
  }

  /** Returns an object for each alert, to be printed as JSON. */
  json(scrub: Scrub): ReadonlyArray<object> {
    const all = this.#told(scrub).map((lost) => ({ _tag: "AlertLost", ...lost }))
    const more = Math.max(0, all.length - maxLines) + this.#more
    return [
      ...all.slice(0, maxLines),
      ...(more === 0 ? [] : [{ _tag: "AlertsLost", more }]),
      ...(this.#kept === 0 ? [] : [{ _tag: "AlertsKept", by: "outbox", count: this.#kept }])
    ]
  }
}

// An alert that is posted again, as by a hook that retries, has arrived if one of the posts has. That of another run is
// another alert, though it reads alike.
const keyOf = ({ body, dedupeKey, idempotencyKey, source, title }: Alert): string =>
  idempotencyKey ?? JSON.stringify([source?.runId, title, body, dedupeKey])

// cut after the secrets are removed, since a part of one could not be found
const shown = (scrub: Scrub, text: string, limit: number): string =>
  // the terminal's writer shows other controls
  fitEnd(joinLines(scrub(text.slice(0, 16_384)).replaceAll("\r", "\n")), limit)
