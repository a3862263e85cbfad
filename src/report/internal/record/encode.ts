/**
 * Encodes events as lines. The three most frequent kinds are written without making an object: their text is that of
 * `JSON.stringify(toEventJson(event))`, without what earlier lines have and without empty parameters and annotations.
 *
 * The end of a step and the ends of its hooks are added to the line of its start where that is the last one that is not
 * written yet, and so are further steps of a burst.
 *
 * Code that may throw, because it reads the user's values, runs before the first byte of a line is put: otherwise half
 * a line would stay in the buffer.
 */
import type * as Exit from "effect/Exit"
import { noAnnotations } from "../../../internal/engine/run.ts"
import type { Outcome } from "../../../internal/model/events.ts"
import type { Occurrence } from "../../../internal/model/occurrence.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { causeOf, ofStep, shown, toEventJson } from "../events/eventJson.ts"
import type { Omitted } from "./alertLimits.ts"
import { follows, isSameHook, type OpenLine } from "./burst.ts"
import { bytesOf } from "./bytes.ts"
import type { Heads } from "./heads.ts"
import type { Pen } from "./pen.ts"

/** `more` are members of the line besides those of the event. */
export const event = (pen: Pen, heads: Heads, event: RunEvent, more?: object): void => {
  settle(pen)
  const { _tag, at, pipelineName: _1, runId: _2, runName: _3, ...rest } = toEventJson(event)
  const params = "params" in rest && isEmpty(rest.params) ? { params: undefined } : undefined
  const annotations = "annotations" in rest && isEmpty(rest.annotations) ? { annotations: undefined } : undefined
  try {
    const members = heads.members({ at, ...rest, ...params, ...annotations, ...more })
    pen.text(`{"_tag":"${_tag}"${heads.run()}${members}}\n`)
  } catch (cause) {
    // names that this line would have had are written again
    heads.reset()
    throw cause
  }
}

/** Encodes that the process lets go of a durable run. */
export const suspended = (pen: Pen, heads: Heads, at: number): void => {
  settle(pen)
  pen.text(`{"_tag":"RunSuspended"${heads.run()},"at":${at}}\n`)
}

/** Encodes that the clock was set before what follows. */
export const clockChanged = (pen: Pen, heads: Heads, at: number, byMillis: number): void => {
  settle(pen)
  pen.text(`{"_tag":"ClockChanged"${heads.run()},"at":${at},"byMillis":${byMillis}}\n`)
}

/** Encodes how many deliveries of the alerts of a step, or of the run, are left out. */
export const alertsOmitted = (pen: Pen, heads: Heads, at: number, { deliveries, failed, step }: Omitted): void => {
  settle(pen)
  pen.text(
    `{"_tag":"AlertsOmitted"${heads.run()}${heads.members({ at, ...ofStep(step), deliveries, failed })}}\n`
  )
}

/** More bytes than the constant parts and the numbers of a line take together. */
const constants = 256

/** More bytes than a number and what is around it take. */
const constantsOfNumber = 32

const succeeded = bytesOf(`,"outcome":"success","attempts":1,"durationMillis":`)
const durationAfterStep = bytesOf(`},"durationMillis":`)
const duration = bytesOf(`,"durationMillis":`)
const endOfHook = bytesOf(`]]}\n`)
const parentIs = bytesOf(`,"parent":`)
const moreIs = bytesOf(`,"more":[`)
const endOfMore = bytesOf(`]}\n`)

/** The lengths of the end of a line, and of that of a line with a list at its end. */
const endOfLine = 2
const endOfList = 3

/** @internal Like the next two, returns whether it was added to the last line, or is held back to be added later. */
export const stepStarted = (pen: Pen, heads: Heads, occurrence: Occurrence, at: number): boolean => {
  const params = textOf("params", occurrence.params)
  const { heldBack } = pen
  if (
    params === undefined && heldBack.step === undefined && pen.openLine !== undefined &&
    follows(pen.openLine, occurrence, at)
  ) {
    heldBack.begin(occurrence)
    return true
  }
  settle(pen)
  writeStart(pen, heads, occurrence, at, params)
  return false
}

const writeStart = (pen: Pen, heads: Heads, step: Occurrence, at: number, params: string | undefined): void => {
  const started = heads.started(step, at)
  pen.makeRoom(started.length + constants)
  pen.put(started)
  putIndex(pen, step)
  if (params !== undefined) pen.text(params)
  pen.endLine()
  pen.open = { heads, step, at, end: pen.length, isEnded: false, hooks: [], hasMore: false }
}

/** @internal */
export const stepEnded = (
  pen: Pen,
  heads: Heads,
  occurrence: Occurrence,
  at: number,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome,
  nanos: number
): boolean => {
  const annotations = textOf("annotations", occurrence.annotations)
  const isPlain = exit._tag === "Success" && occurrence.attempt === 1
  const how = isPlain ? undefined : howOf(occurrence, exit, outcome)
  if (isPlain && annotations === undefined) {
    const line = pen.openLine
    if (line?.at === at) {
      if (pen.heldBack.step === occurrence) {
        pen.heldBack.duration = nanos
        if (line.hooks.length === 0) join(pen, line)
        return true
      }
      if (line.step === occurrence && !line.isEnded) {
        addEnd(pen, line, nanos)
        return true
      }
    }
  }
  settle(pen)
  const ended = heads.ended(occurrence, at)
  pen.makeRoom(ended.length + constants)
  pen.put(ended)
  putIndex(pen, occurrence)
  if (how === undefined) pen.put(succeeded)
  else {
    pen.text(how)
    pen.makeRoom(constants)
  }
  pen.millis(nanos)
  if (annotations !== undefined) pen.text(annotations)
  pen.endLine()
  return false
}

/** Adds the end of a step to the line of its start. */
const addEnd = (pen: Pen, line: OpenLine, nanos: number): void => {
  pen.makeRoom(constants)
  pen.length -= endOfLine
  pen.put(duration)
  pen.millis(nanos)
  pen.endLine()
  line.isEnded = true
  line.end = pen.length
}

const howOf = ({ attempt }: Occurrence, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): string => {
  const { cause } = causeOf(exit)
  return `,"outcome":"${outcome}"${
    cause === undefined ? "" : `,"cause":${JSON.stringify(cause)}`
  },"attempts":${attempt},"durationMillis":`
}

/** @internal */
export const hookEnded = (
  pen: Pen,
  heads: Heads,
  occurrence: Occurrence,
  at: number,
  planned: Planned,
  nanos: number
): boolean => {
  const { heldBack, openLine } = pen
  if (
    heldBack.step === occurrence && heldBack.duration !== undefined && openLine?.at === at &&
    isSameHook(openLine.hooks[heldBack.hooks], planned)
  ) {
    heldBack.hookEnded(nanos)
    if (heldBack.hooks === openLine.hooks.length) join(pen, openLine)
    return true
  }
  settle(pen)
  return writeHook(pen, heads, occurrence, at, planned, nanos)
}

const writeHook = (
  pen: Pen,
  heads: Heads,
  occurrence: Occurrence,
  at: number,
  planned: Planned,
  nanos: number
): boolean => {
  const line = pen.openLine
  if (line?.step === occurrence && line.at === at && line.isEnded && !line.hasMore) {
    const ref = heads.hookRef(planned)
    if (ref !== undefined) {
      const isFirst = line.hooks.push(planned) === 1
      pen.makeRoom(constants)
      pen.length -= isFirst ? endOfLine : endOfList
      pen.put(isFirst ? ref.first : ref.next)
      pen.millis(nanos)
      pen.put(endOfHook)
      line.end = pen.length
      return true
    }
  }
  const begun = heads.hookEnded(occurrence, at, planned)
  pen.makeRoom(begun.length + constants)
  pen.put(begun)
  if (!occurrence.isRun) {
    putIndex(pen, occurrence)
    pen.put(durationAfterStep)
  }
  pen.millis(nanos)
  pen.endLine()
  return false
}

/** Adds the step that is held back, whose hooks have all ended, to the line of the step before it, without its end. */
const join = (pen: Pen, line: OpenLine): void => {
  const { duration = 0, hookDurations, hooks, step } = pen.heldBack
  pen.makeRoom((hooks + 2) * constantsOfNumber)
  if (line.hasMore) pen.comma()
  else {
    pen.length -= endOfLine
    pen.put(moreIs)
    line.hasMore = true
  }
  pen.integer(duration)
  for (let i = 0; i < hooks; i++) {
    pen.comma()
    pen.integer(hookDurations[i]!)
  }
  line.step = step!
  line.end = pen.length
  pen.heldBack.clear()
}

/** Ends the last line, and writes the step that is held back, as far as it has come, in a line of its own. */
export const settle = (pen: Pen): void => {
  const { heldBack, openLine } = pen
  if (openLine === undefined) return
  if (openLine.hasMore) {
    pen.makeRoom(endOfList)
    pen.put(endOfMore)
  }
  const { duration, hookDurations, hooks, step } = heldBack
  if (step === undefined) return
  heldBack.clear()
  const { at, heads, hooks: hooksBefore } = openLine
  writeStart(pen, heads, step, at, undefined)
  if (duration === undefined) return
  addEnd(pen, pen.open!, duration)
  for (let i = 0; i < hooks; i++) writeHook(pen, heads, step, at, hooksBefore[i]!, hookDurations[i]!)
}

const putIndex = (pen: Pen, { index, parent }: Occurrence): void => {
  pen.integer(index)
  if (parent === undefined || parent.isRun) return
  pen.put(parentIs)
  pen.integer(parent.index)
}

const textOf = (key: string, values: Readonly<Record<string, unknown>>): string | undefined =>
  isEmpty(values) ? undefined : `,"${key}":${JSON.stringify(shown(values))}`

const isEmpty = (values: object | undefined): boolean => {
  // as most steps have none, and the loop takes longer
  if (values === noAnnotations) return true
  for (const _ in values) return false
  return true
}
