/** Schemas of the policies' options in a config file. The keys are the names of the options in code. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Severity } from "../../../Alert.ts"
import { isHttp } from "../../../alerters/internal/channel/isHttp.ts"
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
import { placeholders, unknownIn } from "../../../delivery/internal/runUrlOf.ts"
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

/** The Schema of a time of day. */
export const time = (latest: "23:59" | "24:00"): Leaf.FromFile<Time> =>
  Leaf.leaf<Time>({
    expected: `a time of day in quotes, from "00:00" to "${latest}"`,
    json: Leaf.orVariable(
      Schema.String.check(
        Schema.isPattern(
          latest === "24:00" ? /^\s*(?:(?:[01]?\d|2[0-3]):[0-5]\d|24:00)\s*$/u : /^\s*(?:[01]?\d|2[0-3]):[0-5]\d\s*$/u
        )
      )
    ),
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

const places = placeholders.map((name) => `{${name}}`)

const urlTemplate = Leaf.leaf<string>({
  expected: `a URL of http or https, in which ${places.slice(0, -1).join(", ")} and ${places.at(-1)} may stand`,
  json: Leaf.orVariable(Schema.String.check(Schema.isPattern(/^\s*[Hh][Tt][Tt][Pp][Ss]?:\/\//u))),
  parse: (input) => {
    const text = typeof input === "string" ? input.trim() : ""
    return isHttp(text.replaceAll("{", "").replaceAll("}", "")) && unknownIn(text).length === 0 ? text : undefined
  }
})

const announce = optional(
  Leaf.flag,
  "Whether people are told, once, who has acknowledged a failure. True by default."
)

/** The options that many policies have. */
export interface Shared {
  readonly persist?: string | false
  readonly timeZone?: DateTime.TimeZone
}

/** The options of policies that wait for somebody to react. */
export interface Announcing extends Shared {
  readonly announce?: boolean
}

/** Makes the key `escalate`, whose alerters are decoded by `alerter`. */
export const escalate = <A>(alerter: Leaf.FromFile<A>) =>
  optional(
    object({
      after: required(window, "How long after people were told of a failure it is escalated."),
      to: required(alerter, "The alerter to which it is escalated, which may have policies of its own."),
      announce,
      persist: kept,
      timeZone: zone
    }),
    "Posts a failure to a second alerter if it has neither recovered nor been acknowledged in time."
  )

/** The policies of one alerter, in the order in which they see an alert; `escalate` comes before `remind`. */
export const policies = {
  runUrl: optional(
    urlTemplate,
    "The address of a page about the run, with {pipeline}, {runId}, {runName} and {step} in it. That of the job in a continuous integration service by default."
  ),
  afterConsecutive: optional(
    either(
      Leaf.whole(1),
      object({
        n: required(Leaf.whole(1), "The number of the first failure in a row that is posted."),
        persist: kept,
        timeZone: zone
      }),
      (n): { readonly n: number } & Shared => ({ n })
    ),
    "Drops failures of a step until n of them have come in a row. Without a store, those of one process are counted."
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
      Leaf.yes("true, or a map with successes, persist or timeZone"),
      object({
        successes: optional(
          Leaf.oneOf(["post", "drop"]),
          "Whether to post or drop successes that follow no posted failure. `post` by default."
        ),
        persist: kept,
        timeZone: zone
      }),
      (): { readonly successes?: "post" | "drop" } & Shared => ({})
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
        persist: kept,
        timeZone: zone
      }),
      (window): { readonly window: typeof window } & Shared => ({ window })
    ),
    "Holds back duplicates of an alert that was delivered recently with the same severity."
  ),
  remind: optional(
    either(
      window,
      object({
        every: required(window, "The time between two alerts about the same failure."),
        until: optional(
          Leaf.countOrDuration,
          "When reminders end though nobody has reacted: a number of them, or a time after the first alert. 7 days by default."
        ),
        announce,
        persist: kept,
        timeZone: zone
      }, {
        check: ({ every, until }) =>
          until !== undefined && typeof until !== "number" && Duration.isLessThan(until, every)
            ? [{ path: ["until"], expected: "a duration that is at least as long as every" }]
            : []
      }),
      (every): { readonly every: typeof every; readonly until?: number | Duration.Duration } & Announcing => ({ every })
    ),
    "Posts the alert of a failure again, until it has recovered or somebody has acknowledged it."
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
