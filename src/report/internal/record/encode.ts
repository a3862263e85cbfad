/**
 * Events as lines. The most frequent are written without ever being objects: their text is that of
 * `JSON.stringify(toEventJson(event))`, less what a line need not say: of its run, and that there are no parameters or
 * annotations.
 *
 * What may throw, as whatever a user's values do, comes before anything is put: no line is left in the middle.
 */
import type * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import type { Outcome, Planned } from "../../../internal/model/hooks.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { causeOf, shown, toEventJson } from "../events/eventJson.ts"
import { bytesOf, type Pen } from "./pen.ts"

const none: Uint8Array = new Uint8Array()

/** How lines of a step begin, up to its index, where it has this name and happens at that time: many do. */
interface Begun {
  at: number
  started: Uint8Array
  ended: Uint8Array
  hook: Planned | undefined
  hookEnded: Uint8Array
}

/** How the lines of a run begin. */
export class Heads {
  /** What is said of the run: nothing, or members of an object, each after a comma. */
  readonly run: string
  /** By the names of steps that are in no other. */
  private readonly roots = new Map<string, Begun>()

  constructor(run: string) {
    this.run = run
  }

  of(evaluation: Evaluation, at: number): Begun {
    const { owner: { name }, parent } = evaluation
    if (parent !== undefined && !parent.isRun) return this.begin(name, evaluation.path, at)
    let begun = this.roots.get(name)
    if (begun === undefined || begun.at !== at) {
      begun = this.begin(name, [name], at)
      if (this.roots.size === 1_000) this.roots.clear()
      this.roots.set(name, begun)
    }
    return begun
  }

  private begin(name: string, path: ReadonlyArray<string>, at: number): Begun {
    const rest = `${this.run},"at":${JSON.stringify(at)},${namesOf(name, path)}`
    return {
      at,
      started: bytesOf(`{"_tag":"StepStarted"${rest}`),
      ended: bytesOf(`{"_tag":"StepEnded"${rest}`),
      hook: undefined,
      hookEnded: none
    }
  }

  hookOf(evaluation: Evaluation, at: number, planned: Planned): Uint8Array {
    if (evaluation.isRun) return bytesOf(`${this.hook(at, planned)},"durationMillis":`)
    const begun = this.of(evaluation, at)
    if (begun.hook !== planned) {
      const { owner: { name }, path } = evaluation
      begun.hook = planned
      begun.hookEnded = bytesOf(`${this.hook(at, planned)},"step":{${namesOf(name, path)}`)
    }
    return begun.hookEnded
  }

  private hook(at: number, { hook, index, level }: Planned): string {
    return `{"_tag":"HookEnded"${this.run},"at":${JSON.stringify(at)},"hook":${JSON.stringify(hook.name)},` +
      `"kind":"${hook.kind}","level":"${level}","hookIndex":${index}`
  }
}

const namesOf = (name: string, path: ReadonlyArray<string>): string =>
  `"stepName":${JSON.stringify(name)},"stepPath":${JSON.stringify(path)},"index":`

/** @internal */
export const event = (pen: Pen, { run }: Heads, event: RunEvent): void => {
  const { _tag, at, pipelineName: _1, runId: _2, runName: _3, ...rest } = toEventJson(event)
  const params = "params" in rest && isEmpty(rest.params) ? { params: undefined } : undefined
  const annotations = "annotations" in rest && isEmpty(rest.annotations) ? { annotations: undefined } : undefined
  pen.text(`{"_tag":"${_tag}"${run}${members({ at, ...rest, ...params, ...annotations })}}\n`)
}

const members = (values: object): string => {
  const json = JSON.stringify(values).slice(1, -1)
  return json === "" ? "" : `,${json}`
}

/** More than what is of no length of its own in a line: the pieces below, and numbers. */
const constants = 256

const succeeded = bytesOf(`,"outcome":"success","attempts":1,"durationMillis":`)
const durationAfterStep = bytesOf(`},"durationMillis":`)
const parentIs = bytesOf(`,"parent":`)

/** @internal */
export const stepStarted = (pen: Pen, heads: Heads, evaluation: Evaluation, at: number): void => {
  const params = textOf("params", evaluation.params)
  const { started } = heads.of(evaluation, at)
  pen.makeRoom(started.length + constants)
  pen.put(started)
  putIndex(pen, evaluation)
  if (params !== undefined) pen.text(params)
  pen.endLine()
}

/** @internal */
export const stepEnded = (
  pen: Pen,
  heads: Heads,
  evaluation: Evaluation,
  at: number,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome,
  nanos: number
): void => {
  const annotations = textOf("annotations", evaluation.annotations)
  const how = exit._tag === "Success" && evaluation.attempt === 1 ? undefined : howOf(evaluation, exit, outcome)
  const { ended } = heads.of(evaluation, at)
  pen.makeRoom(ended.length + constants)
  pen.put(ended)
  putIndex(pen, evaluation)
  if (how === undefined) pen.put(succeeded)
  else {
    pen.text(how)
    pen.makeRoom(constants)
  }
  pen.millis(nanos)
  if (annotations !== undefined) pen.text(annotations)
  pen.endLine()
}

const howOf = ({ attempt }: Evaluation, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): string =>
  `,"outcome":"${outcome}"${members(causeOf(exit))},"attempts":${attempt},"durationMillis":`

/** @internal */
export const hookEnded = (
  pen: Pen,
  heads: Heads,
  evaluation: Evaluation,
  at: number,
  planned: Planned,
  nanos: number
): void => {
  const begun = heads.hookOf(evaluation, at, planned)
  pen.makeRoom(begun.length + constants)
  pen.put(begun)
  if (!evaluation.isRun) {
    putIndex(pen, evaluation)
    pen.put(durationAfterStep)
  }
  pen.millis(nanos)
  pen.endLine()
}

const putIndex = (pen: Pen, { index, parent }: Evaluation): void => {
  pen.integer(index)
  if (parent === undefined || parent.isRun) return
  pen.put(parentIs)
  pen.integer(parent.index)
}

const textOf = (key: string, values: Readonly<Record<string, unknown>>): string | undefined =>
  isEmpty(values) ? undefined : `,"${key}":${JSON.stringify(shown(values))}`

const isEmpty = (values: object | undefined): boolean => {
  for (const _ in values) return false
  return true
}
