/** The policies' options as a file has them, under the names that they have in code. */
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

/** @internal */
export const severity = Leaf.oneOf(severities)

/** Where a policy lets these pass, with `info` all would, and it had no effect. */
const urgent: Leaf.FromFile<Exclude<Severity, "info">> = Leaf.oneOf(["success", "warning", "error", "critical"])

const window = Leaf.duration()

// it becomes part of a file's name
const name = /^\s*[A-Za-z0-9][\w.-]{0,99}\s*$/u

const persist = Leaf.leaf<string | false>({
  expected: "a name of up to 100 letters, digits, dots, - and _, or false to remember in memory",
  json: Schema.Union([Schema.String.check(Schema.isPattern(name)), Schema.Literal(false)]),
  parse: (input) => {
    if (input === false) return false
    const text = typeof input === "string" ? input.trim() : ""
    return name.test(text) ? text : undefined
  }
})

const kept = optional(
  persist,
  "The name under which the store remembers. Where there is a store: its place in the file unless set, and nothing with false."
)

const zone = optional(Leaf.timeZone, "In which times are shown. The machine's unless set.")

const limit = {
  limit: required(Leaf.whole(1), "So many alerts at most, …"),
  window: required(window, "… in any time span of this length.")
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
  from: required(time("23:59"), "When they begin, as in \"22:00\"."),
  to: required(time("24:00"), "When they end, as in \"07:00\": on the next day, if that is earlier."),
  timeZone: optional(Leaf.timeZone, "Where the clock hangs that shows these times. The machine's unless set."),
  days: optional(oneOrMore(Leaf.oneOf(weekdays)), "On which days they begin. On all unless set."),
  except: optional(urgent, "Alerts at least as severe are posted all the same. `critical` unless set."),
  persist: kept
}, {
  check: ({ days = weekdays, from, to }) => {
    try {
      endOf({ from, to, days, timeZone: DateTime.zoneMakeOffset(0) })
      return []
    } catch {
      return [{ path: ["to"], expected: "hours that end at another time than they begin, and not the whole week" }]
    }
  }
})

/** In the order in which they are asked. */
export const policies = {
  afterConsecutive: optional(
    either(
      Leaf.whole(1),
      object({ n: required(Leaf.whole(1), "From which failure in a row on they pass."), persist: kept }),
      (n): { readonly n: number; readonly persist?: string | false } => ({ n })
    ),
    "Lets failures of the same step pass only from the n-th in a row on."
  ),
  minSeverity: optional(severity, "Drops alerts of a lesser severity."),
  throttle: optional(
    object({
      ...limit,
      perKey: optional(object(limit), "So many about the same thing, besides."),
      always: optional(urgent, "Alerts at least as severe always pass, and are not counted. None unless set."),
      persist: kept,
      timeZone: zone
    }),
    "Lets no more than so many alerts through in any time span."
  ),
  recovered: optional(
    either(
      Leaf.yes("true, or a map with successes or persist"),
      object({
        successes: optional(
          Leaf.oneOf(["post", "drop"]),
          "What becomes of successes that no alerted failure came before. `post` unless set."
        ),
        persist: kept
      }),
      (): { readonly successes?: "post" | "drop"; readonly persist?: string | false } => ({})
    ),
    "Posts the first success after alerted failures as a recovery."
  ),
  dedupe: optional(
    either(
      Leaf.duration(),
      object({
        window: required(
          Leaf.duration(),
          "For how long after its delivery an alert keeps others like it back."
        ),
        persist: kept
      }),
      (window): { readonly window: typeof window; readonly persist?: string | false } => ({ window })
    ),
    "Holds back alerts like one that was delivered not long ago, and as severe."
  ),
  digest: optional(
    either(
      window,
      object({
        window: required(window, "For how long alerts are held, from the first on."),
        max: optional(
          Leaf.whole(1),
          "If more are held than this, they are posted before the window ends. 100 unless set."
        ),
        immediate: optional(urgent, "Alerts at least as severe are posted at once. `critical` unless set."),
        persist: kept,
        timeZone: zone
      }),
      (window): { readonly window: typeof window; readonly persist?: string | false } => ({ window })
    ),
    "Posts the alerts of a window as one."
  ),
  quietHours: optional(
    either(quietHours, list(quietHours, 1), (one) => one, Array.isArray),
    "Holds alerts during some hours of the day, and posts them when these are over."
  )
}
