/**
 * Encodes events as lines. The three most frequent kinds are written without making an object: their text is that of
 * `JSON.stringify(toEventJson(event))`, without the names of the run and without empty parameters and annotations.
 *
 * Code that may throw, because it reads the user's values, runs before the first byte of a line is put: otherwise half
 * a line would stay in the buffer.
 */
import type * as Exit from "effect/Exit"
import { noAnnotations } from "../../../internal/engine/run.ts"
import type { Outcome } from "../../../internal/model/events.ts"
import { hasKey, type Occurrence } from "../../../internal/model/occurrence.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import { placeOf } from "../../../internal/text/stepLabel.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { causeOf, shown, toEventJson } from "../events/eventJson.ts"
import { within } from "../events/shortPath.ts"
import { bytesOf, type Pen } from "./pen.ts"

const none: Uint8Array = new Uint8Array()

/** The beginnings of a step's lines, up to its index. Many steps of one name share them within a millisecond. */
interface Begun {
  readonly name: string
  readonly at: number
  started: Uint8Array
  ended: Uint8Array
  hook: Planned | undefined
  hookEnded: Uint8Array
}

/** Keeps the beginnings of the lines of a run. */
export class Heads {
  /** The names of the run, as members of a JSON object, each after a comma; or nothing. */
  readonly run: string
  /** The beginnings for steps that run in no other step, by their names. */
  private readonly roots = new Map<string, Begun>()
  /** The beginnings of the last such step. */
  private last: Begun | undefined

  constructor(run: string) {
    this.run = run
  }

  of(occurrence: Occurrence, at: number): Begun {
    const { owner: { name }, parent } = occurrence
    // a step with a key shares its lines' beginnings with no other
    if (hasKey(occurrence) || (parent !== undefined && !parent.isRun)) return this.begin(occurrence, at)
    const { last } = this
    if (last !== undefined && last.name === name && last.at === at) return last
    let begun = this.roots.get(name)
    if (begun === undefined || begun.at !== at) {
      begun = this.begin(occurrence, at)
      if (this.roots.size === 1_000) this.roots.clear()
      this.roots.set(name, begun)
    }
    this.last = begun
    return begun
  }

  private begin(occurrence: Occurrence, at: number): Begun {
    const rest = `${this.run},"at":${JSON.stringify(at)},${namesOf(occurrence)}`
    return {
      name: occurrence.owner.name,
      at,
      started: bytesOf(`{"_tag":"StepStarted"${rest}`),
      ended: bytesOf(`{"_tag":"StepEnded"${rest}`),
      hook: undefined,
      hookEnded: none
    }
  }

  hookOf(occurrence: Occurrence, at: number, planned: Planned): Uint8Array {
    if (occurrence.isRun) return bytesOf(`${this.hook(at, planned)},"durationMillis":`)
    const begun = this.of(occurrence, at)
    if (begun.hook !== planned) {
      begun.hook = planned
      begun.hookEnded = bytesOf(`${this.hook(at, planned)},"step":{${namesOf(occurrence)}`)
    }
    return begun.hookEnded
  }

  private hook(at: number, { hook, index, level }: Planned): string {
    return `{"_tag":"HookEnded"${this.run},"at":${JSON.stringify(at)},"hook":${JSON.stringify(hook.name)},` +
      `"kind":"${hook.kind}","level":"${level}","hookIndex":${index}`
  }
}

/** The short path of a step, without and with keys. */
interface Path {
  readonly stepPath: ReadonlyArray<string>
  readonly stepLabels: ReadonlyArray<string>
}

const top: Path = { stepPath: [], stepLabels: [] }

const paths = new WeakMap<Occurrence, Path>()

/**
 * Returns the short path of a step. Not made from its whole path: 20,000 of these, each longer than the one before, take
 * gigabytes of memory. And without recursion, since the first step that is recorded may be an inner one.
 */
const pathOf = (occurrence: Occurrence): Path => {
  const unknown: Array<Occurrence> = []
  let at: Occurrence | undefined = occurrence
  let path: Path | undefined
  while (at !== undefined && !at.isRun) {
    path = paths.get(at)
    if (path !== undefined) break
    unknown.push(at)
    at = at.parent
  }
  path ??= top
  for (let inner = unknown.pop(); inner !== undefined; inner = unknown.pop()) {
    path = {
      stepPath: within(path.stepPath, inner.owner.name),
      stepLabels: within(path.stepLabels, inner.label)
    }
    paths.set(inner, path)
  }
  return path
}

const namesOf = (occurrence: Occurrence): string => {
  const { owner } = occurrence
  const stepKey = owner.label === "Step" ? owner.key : undefined
  const place = placeOf({ stepKey, ...pathOf(occurrence) })
  return `${JSON.stringify({ stepName: owner.name, ...place }).slice(1, -1)},"index":`
}

/** `more` are members of the line besides those of the event. */
export const event = (pen: Pen, { run }: Heads, event: RunEvent, more?: object): void => {
  const { _tag, at, pipelineName: _1, runId: _2, runName: _3, ...rest } = toEventJson(event)
  const params = "params" in rest && isEmpty(rest.params) ? { params: undefined } : undefined
  const annotations = "annotations" in rest && isEmpty(rest.annotations) ? { annotations: undefined } : undefined
  pen.text(`{"_tag":"${_tag}"${run}${members({ at, ...rest, ...params, ...annotations, ...more })}}\n`)
}

const members = (values: object): string => {
  const json = JSON.stringify(values).slice(1, -1)
  return json === "" ? "" : `,${json}`
}

/** More bytes than the constant parts and the numbers of a line take together. */
const constants = 256

const succeeded = bytesOf(`,"outcome":"success","attempts":1,"durationMillis":`)
const durationAfterStep = bytesOf(`},"durationMillis":`)
const parentIs = bytesOf(`,"parent":`)

/** @internal */
export const stepStarted = (pen: Pen, heads: Heads, occurrence: Occurrence, at: number): void => {
  const params = textOf("params", occurrence.params)
  const { started } = heads.of(occurrence, at)
  pen.makeRoom(started.length + constants)
  pen.put(started)
  putIndex(pen, occurrence)
  if (params !== undefined) pen.text(params)
  pen.endLine()
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
): void => {
  const annotations = textOf("annotations", occurrence.annotations)
  const how = exit._tag === "Success" && occurrence.attempt === 1 ? undefined : howOf(occurrence, exit, outcome)
  const { ended } = heads.of(occurrence, at)
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
}

const howOf = ({ attempt }: Occurrence, exit: Exit.Exit<unknown, unknown>, outcome: Outcome): string =>
  `,"outcome":"${outcome}"${members(causeOf(exit))},"attempts":${attempt},"durationMillis":`

/** @internal */
export const hookEnded = (
  pen: Pen,
  heads: Heads,
  occurrence: Occurrence,
  at: number,
  planned: Planned,
  nanos: number
): void => {
  const begun = heads.hookOf(occurrence, at, planned)
  pen.makeRoom(begun.length + constants)
  pen.put(begun)
  if (!occurrence.isRun) {
    putIndex(pen, occurrence)
    pen.put(durationAfterStep)
  }
  pen.millis(nanos)
  pen.endLine()
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
