/**
 * Encodes events as lines. The three most frequent kinds are written without making an object: their text is that of
 * `JSON.stringify(toEventJson(event))`, without what earlier lines have and without empty parameters and annotations.
 *
 * The end of a step and the ends of its hooks are added to the line of its start where that is the last one that is held
 * back: of a burst of short steps, each has one line.
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
import { causeOf, shown, toEventJson } from "../events/eventJson.ts"
import type { Heads } from "./heads.ts"
import { bytesOf, type Pen } from "./pen.ts"

/** `more` are members of the line besides those of the event. */
export const event = (pen: Pen, heads: Heads, event: RunEvent, more?: object): void => {
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
export const suspended = (pen: Pen, heads: Heads, at: number): void =>
  pen.text(`{"_tag":"RunSuspended"${heads.run()},"at":${at}}\n`)

/** Encodes that the clock was set before what follows. */
export const clockChanged = (pen: Pen, heads: Heads, at: number, byMillis: number): void =>
  pen.text(`{"_tag":"ClockChanged"${heads.run()},"at":${at},"byMillis":${byMillis}}\n`)

/** More bytes than the constant parts and the numbers of a line take together. */
const constants = 256

const succeeded = bytesOf(`,"outcome":"success","attempts":1,"durationMillis":`)
const durationAfterStep = bytesOf(`},"durationMillis":`)
const duration = bytesOf(`,"durationMillis":`)
const endOfHook = bytesOf(`]]}\n`)
const parentIs = bytesOf(`,"parent":`)

/** The lengths of the end of a line, and of that of a line with hooks. */
const endOfLine = 2
const endOfHooks = 3

/** @internal */
export const stepStarted = (pen: Pen, heads: Heads, occurrence: Occurrence, at: number): void => {
  const params = textOf("params", occurrence.params)
  const started = heads.started(occurrence, at)
  pen.makeRoom(started.length + constants)
  pen.put(started)
  putIndex(pen, occurrence)
  if (params !== undefined) pen.text(params)
  pen.endLine()
  pen.keepOpen(occurrence, at, -1)
}

/** Returns whether it was added to the line of the step's start, which saves one. */
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
  if (isPlain && annotations === undefined && pen.isOpen(occurrence, at)) {
    pen.makeRoom(constants)
    pen.length -= endOfLine
    pen.put(duration)
    pen.millis(nanos)
    pen.endLine()
    pen.keepOpen(occurrence, at, 0)
    return true
  }
  const how = isPlain ? undefined : howOf(occurrence, exit, outcome)
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

const howOf = ({ attempt }: Occurrence, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): string => {
  const { cause } = causeOf(exit)
  return `,"outcome":"${outcome}"${
    cause === undefined ? "" : `,"cause":${JSON.stringify(cause)}`
  },"attempts":${attempt},"durationMillis":`
}

/** Returns whether it was added to the line of its step's start. */
export const hookEnded = (
  pen: Pen,
  heads: Heads,
  occurrence: Occurrence,
  at: number,
  planned: Planned,
  nanos: number
): boolean => {
  if (pen.hooks >= 0 && pen.isOpen(occurrence, at)) {
    const ref = heads.hookRef(planned)
    if (ref !== undefined) {
      pen.makeRoom(constants)
      pen.length -= pen.hooks === 0 ? endOfLine : endOfHooks
      pen.put(pen.hooks === 0 ? ref.first : ref.next)
      pen.millis(nanos)
      pen.put(endOfHook)
      pen.keepOpen(occurrence, at, pen.hooks + 1)
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
