/** Schemas of the policies' options in a config file. The keys are the names of the options in code. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import type { Severity } from "../../../Alert.ts"
import * as Leaf from "../../../alerters/internal/channel/schema/leaf.ts"
import {
  either,
  list,
  object,
  oneOrMore,
  optional,
  required
} from "../../../alerters/internal/channel/schema/structure.ts"
import { endOf, weekdays } from "../../../delivery/internal/hold/hours.ts"
import { severities } from "../../../internal/model/severity.ts"

/** The Schema of a severity. */
export const severity = Leaf.oneOf(severities)

/**
 * The severity from which on a policy lets alerts pass. `info` is not allowed, since the policy would have no effect.
 */
const urgent: Leaf.FromFile<Exclude<Severity, "info">> = Leaf.oneOf(["success", "warning", "error", "critical"])

const window = Leaf.duration()

// The name becomes part of a file name.
const name = /^\s*[A-Za-z0-9][\w.-]{0,99}\s*$/u

const persist = Leaf.leaf<string | false>({
  expected: "a name of up to 100 letters, digits, dots, - and _, or false to keep the state in memory",
  json: Schema.Union([Schema.String.check(Schema.isPattern(name)), Schema.Literal(false)]),
  parse: (input) => {
    if (input === false) return false
    const text = typeof input === "string" ? input.trim() : ""
    return name.test(text) ? text : undefined
  }
})

const kept = optional(
  persist,
  "The name of the state in the store. With a store, the place in the file by default. false keeps the state in memory."
)

const zone = optional(Leaf.timeZone, "The time zone of times in alerts. The machine's by default.")

const limit = {
  limit: required(Leaf.whole(1), "The largest number of alerts in any time span as long as window."),
  window: required(window, "The length of the time span that limit applies to.")
}

type Time = `${number}:${number}`

const isTime = (text: string): text is Time => /^([01]?\d|2[0-3]):[0-5]\d$/.test(text)

const time = (latest: "23:59" | "24:00"): Leaf.FromFile<Time> =>
  Leaf.leaf<Time>({
    expected: `a time of day in quotes, from "00:00" to "${latest}"`,
    json: Schema.String,
    parse: (input) => {
      const text = typeof input === "string" ? input.trim() : ""
      return isTime(text) ? text : text === "24:00" && latest === text ? text : undefined
    }
  })

const quietHours = object({
  from: required(time("23:59"), "The time of day at which the quiet hours begin, as in \"22:00\"."),
  to: required(
    time("24:00"),
    "The time of day at which they end, as in \"07:00\". A time before from is on the next day."
  ),
  timeZone: optional(Leaf.timeZone, "The time zone of from and to. The machine's by default."),
  days: optional(oneOrMore(Leaf.oneOf(weekdays)), "The days on which quiet hours begin. All by default."),
  except: optional(
    urgent,
    "The severity from which on alerts are posted during quiet hours too. `critical` by default."
  ),
  persist: kept
}, {
  check: ({ days = weekdays, from, to }) => {
    try {
      endOf({ from, to, days, timeZone: DateTime.zoneMakeOffset(0) })
      return []
    } catch {
      return [{ path: ["to"], expected: "a time other than from, and quiet hours that end" }]
    }
  }
})

/** The policies, in the order in which they see an alert. */
export const policies = {
  afterConsecutive: optional(
    either(
      Leaf.whole(1),
      object({ n: required(Leaf.whole(1), "The number of the first failure in a row that is posted."), persist: kept }),
      (n): { readonly n: number; readonly persist?: string | false } => ({ n })
    ),
    "Drops failures of a step until n of them have come in a row."
  ),
  minSeverity: optional(severity, "Drops alerts below this severity."),
  throttle: optional(
    object({
      ...limit,
      perKey: optional(object(limit), "An additional limit for each step, run or dedupeKey."),
      always: optional(
        urgent,
        "The severity from which on alerts always pass, without being counted. None by default."
      ),
      persist: kept,
      timeZone: zone
    }),
    "Limits how many alerts are posted in any time span."
  ),
  recovered: optional(
    either(
      Leaf.yes("true, or a map with successes or persist"),
      object({
        successes: optional(
          Leaf.oneOf(["post", "drop"]),
          "Whether to post or drop successes that follow no posted failure. `post` by default."
        ),
        persist: kept
      }),
      (): { readonly successes?: "post" | "drop"; readonly persist?: string | false } => ({})
    ),
    "Turns the first success after posted failures into a recovery."
  ),
  dedupe: optional(
    either(
      Leaf.duration(),
      object({
        window: required(
          Leaf.duration(),
          "For how long after the delivery of an alert its duplicates are held back."
        ),
        persist: kept
      }),
      (window): { readonly window: typeof window; readonly persist?: string | false } => ({ window })
    ),
    "Holds back duplicates of an alert that was delivered recently with the same severity."
  ),
  digest: optional(
    either(
      window,
      object({
        window: required(window, "For how long alerts are held, counted from the first of them."),
        max: optional(
          Leaf.whole(1),
          "The largest number of alerts that are held. One more ends the window early. 100 by default."
        ),
        immediate: optional(urgent, "The severity from which on alerts are posted at once. `critical` by default."),
        persist: kept,
        timeZone: zone
      }),
      (window): { readonly window: typeof window; readonly persist?: string | false } => ({ window })
    ),
    "Holds alerts for a window and posts them as one."
  ),
  quietHours: optional(
    either(quietHours, list(quietHours, 1), (one) => one, Array.isArray),
    "Holds alerts during some hours of the day and posts them afterwards."
  )
}
