/** Schemas of the limits at which steps and runs are overdue. */
import * as Schema from "effect/Schema"
import { duration, type FromFile, timeZone } from "../../../alerters/internal/channel/schema/leaf.ts"
import { map, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import { time } from "./policies.ts"
import type { Deadline, Overdue } from "./types.ts"

/** Removes a limit of the code. */
export const no = Schema.Literal(false).annotate({ expected: "false" })

const every = optional(duration(), "How often it is told again. Once by default.")

const OverdueMap: FromFile<Overdue> = map(
  "a map with the key after",
  Schema.Struct({
    after: duration().annotateKey({ description: "The time after which it is overdue, also as a number of seconds." }),
    every
  }).annotate({ identifier: "Overdue" })
)

const AnyOverdue = Schema.Union([duration(), OverdueMap, no]).annotate({
  expected: "a duration such as \"10 minutes\", a number of seconds more than 0, a map with the key after, or false"
})

/** Returns the schema of a key `overdue`. */
export const overdue = (of: "the body" | "the run") =>
  optional(
    AnyOverdue,
    `The time after which overdue hooks run while ${of} goes on, and how often again. Hooks with a time of their own keep `
      + "it. false removes the limit of the code."
  )

const at = time("23:59")

const DeadlineMap: FromFile<Deadline> = map(
  "a map with the key at",
  Schema.Struct({
    at: at.annotateKey({ description: "The time of day, as in \"06:00\"." }),
    timeZone: optional(timeZone, "The time zone of at. The machine's by default."),
    every
  }).annotate({ identifier: "Deadline" })
)

/** The schema of the key `deadline`. */
export const deadline = optional(
  Schema.Union([at, DeadlineMap, no]).annotate({
    expected: "a time of day in quotes, from \"00:00\" to \"23:59\", a map with the key at, or false"
  }),
  "The time of day by which the run must have ended: overdue hooks of the run run then, and the run goes on. false removes "
    + "the deadline of the code."
)
