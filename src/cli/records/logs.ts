/** Implements `epilogue logs`, which prints what the steps of a recorded run have logged. */
import * as Effect from "effect/Effect"
import { fit, label, type Line } from "../../internal/text/columns.ts"
import { printable } from "../../internal/text/printable.ts"
import { labelsOf, pathText } from "../../internal/text/stepLabel.ts"
import { plural } from "../../internal/text/words.ts"
import type { Event } from "../../report/Event.ts"
import { type LogsRequest, UsageError } from "../request.ts"
import { display, err, outFitted, outJson } from "../terminal.ts"
import { eachPiece, fileOf, perform } from "./find.ts"
import { localTime } from "./since.ts"
import { levelLine } from "./tree.ts"

type Logged = Extract<Event, { readonly _tag: "StepLogged" | "RunLogged" }>

const separator = " > "

const isLogged = (event: Event): event is Logged => event._tag === "StepLogged" || event._tag === "RunLogged"

/** Returns the names of the steps around an event and its own, with their keys. */
const pathOf = (event: Event): ReadonlyArray<string> => "stepPath" in event ? labelsOf(event) : []

/** Returns whether a step is the one that is asked for, or inside of it: by its name, with or without its key, or its path. */
const matches = (event: Event, step: string): boolean => {
  const path = pathOf(event)
  const names = "stepPath" in event ? event.stepPath : []
  return path.includes(step) || names.includes(step) ||
    path.some((_, i) => pathText(path.slice(0, i + 1), separator) === step)
}

/** Formats a message: its first line with the time and the step, and further lines below it. */
const linesOf = (event: Logged): ReadonlyArray<Line> => {
  const { at, logLevel, message, omitted = 0 } = event
  const path = pathText(pathOf(event), separator)
  const head: Line = [
    [`${localTime(at).slice(-8)} `, "dim"],
    ...(path === "" ? [] : [[`${label(path)}  `, "bold"] as const])
  ]
  const left: ReadonlyArray<Line> = omitted === 0
    ? []
    : [[...head, [`… ${plural(omitted, "message")} left out`, "dim"]]]
  if (message === "") return left
  const [first = "", ...more] = printable(message).split("\n")
  return [
    ...left,
    [...head, ...levelLine(logLevel), [first, "plain"]],
    ...more.map((text): Line => [[`  ${text}`, "plain"]])
  ]
}

/** Prints what a run, or one of its steps, has logged, and goes on until its end if it is followed. */
export const logs = (request: LogsRequest): Promise<number> =>
  perform(Effect.gen(function*() {
    const { follow, json, step } = request
    const file = yield* fileOf(request)
    const { colors } = display()
    let found = step === undefined
    let printed = false
    yield* eachPiece(file, async (events) => {
      const chosen = step === undefined ? events : events.filter((event) => matches(event, step))
      if (chosen.length > 0) found = true
      const logged = chosen.filter(isLogged)
      if (logged.length === 0) return
      printed = true
      if (json) return outJson(logged)
      const lines = logged.flatMap(linesOf).map((line) => fit(line, Infinity, colors).text)
      if (lines.length > 0) await outFitted(lines)
    }, { maxBytes: Infinity, follow })
    if (!found) {
      return yield* new UsageError({
        message:
          `${file.path}: no step "${step}": expected a name, with or without its key, or a path as in "load > fetch[7]"`
      })
    }
    if (!printed) err(`${file.path}: nothing that was logged is recorded`)
  }))
