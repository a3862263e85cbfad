/**
 * Makes the beginnings of a run's lines. What an earlier line of the run has is not repeated: names of the run, of steps
 * and of hooks are written once, with a number by which later lines refer to them.
 */
import { hasKey, type Occurrence } from "../../../internal/model/occurrence.ts"
import type { Planned } from "../../../internal/model/plan.ts"
import { placeOf } from "../../../internal/text/stepLabel.ts"
import type { StepJson } from "../events/eventJson.ts"
import { within } from "../events/shortPath.ts"
import { bytesOf } from "./bytes.ts"
import { type HookNames, maxRefs, type RunNames } from "./format.ts"

const none: Uint8Array = new Uint8Array()

/** The deepest step that is referred to by number: to find the number takes a look-up for each step on the path. */
const deepest = 8

/** The steps of one path, none of which has a key, and the beginnings of their lines, which a millisecond shares. */
interface Place {
  readonly name: string
  children: Map<string, Place> | undefined
  /** `undefined` until a line has the names. */
  ref: number | undefined
  startedAt: number
  started: Uint8Array
  endedAt: number
  ended: Uint8Array
  hookAt: number
  hook: Planned | undefined
  hookEnded: Uint8Array
}

const newPlace = (name: string): Place => ({
  name,
  children: undefined,
  ref: undefined,
  startedAt: NaN,
  started: none,
  endedAt: NaN,
  ended: none,
  hookAt: NaN,
  hook: undefined,
  hookEnded: none
})

/** The bytes before the duration of a hook in the line of its step: of the first hook, and of a later one. */
interface HookRef {
  readonly first: Uint8Array
  readonly next: Uint8Array
}

/** The beginnings of the lines of one run. */
export class Heads {
  private readonly full: string
  private readonly brief: string
  private isFull = true
  private generation = 0
  private root = newPlace("")
  private places = 0
  private refs = 0
  /** The last step that ran in no other one. */
  private last: Place | undefined
  /** The numbers of hooks, by their names as JSON. */
  private readonly hookNumbers = new Map<string, number>()
  private readonly hookRefs = new Map<Planned, HookRef>()

  /** `ref` refers to the run. `names` are those that the header of the file does not have. */
  constructor(ref: string, names: RunNames | undefined) {
    this.brief = `,"run":${JSON.stringify(ref)}`
    this.full = names === undefined ? this.brief : `${this.brief},${textOf(names)}`
  }

  /** Writes all names anew where earlier lines were lost, which increments the generation of the file. */
  since(generation: number): this {
    if (this.generation !== generation) {
      this.generation = generation
      this.reset()
    }
    return this
  }

  /** Forgets what earlier lines have. */
  reset(): void {
    this.isFull = true
    this.root = newPlace("")
    this.last = undefined
    this.places = 0
    this.refs = 0
    this.hookNumbers.clear()
    this.hookRefs.clear()
  }

  /** Returns the reference to the run, with its names in the first line. */
  run(): string {
    if (!this.isFull) return this.brief
    this.isFull = false
    return this.full
  }

  /** `undefined` for a step whose names each of its lines has. */
  private placeOf(occurrence: Occurrence): Place | undefined {
    const { owner: { name }, parent } = occurrence
    // a step with a key shares its names with no other
    if (hasKey(occurrence) || occurrence.depth > deepest) return undefined
    if (parent !== undefined && !parent.isRun) return this.inside(this.placeOf(parent), name)
    if (this.last?.name !== name) this.last = this.inside(this.root, name)
    return this.last
  }

  private inside(around: Place | undefined, name: string): Place | undefined {
    const place = around?.children?.get(name)
    if (place !== undefined || around === undefined || this.places === maxRefs) return place
    this.places++
    const made = newPlace(name)
    around.children = (around.children ?? new Map()).set(name, made)
    return made
  }

  /** Returns the beginning of the line of a step that has started, up to its index. */
  started(occurrence: Occurrence, at: number): Uint8Array {
    const place = this.placeOf(occurrence)
    if (place?.startedAt === at) return place.started
    const isTold = place?.ref !== undefined
    const bytes = bytesOf(this.ofStep("StepStarted", occurrence, place, at))
    if (place !== undefined && isTold) {
      place.startedAt = at
      place.started = bytes
    }
    return bytes
  }

  /** Returns the beginning of the line of a step that has ended, up to its index. */
  ended(occurrence: Occurrence, at: number): Uint8Array {
    const place = this.placeOf(occurrence)
    if (place?.endedAt === at) return place.ended
    const isTold = place?.ref !== undefined
    const bytes = bytesOf(this.ofStep("StepEnded", occurrence, place, at))
    if (place !== undefined && isTold) {
      place.endedAt = at
      place.ended = bytes
    }
    return bytes
  }

  private ofStep(tag: string, occurrence: Occurrence, place: Place | undefined, at: number): string {
    return `{"_tag":"${tag}"${this.run()},"at":${JSON.stringify(at)},${this.names(occurrence, place)},"index":`
  }

  /** Returns the number of a step, with its names where no earlier line has them. */
  private names(occurrence: Occurrence, place: Place | undefined): string {
    if (place === undefined) return namesOf(occurrence)
    if (place.ref !== undefined) return `"stepRef":${place.ref}`
    place.ref = this.refs++
    return `"stepRef":${place.ref},${namesOf(occurrence)}`
  }

  /** Returns the beginning of the line of a hook that has ended, up to the index of its step or its own duration. */
  hookEnded(occurrence: Occurrence, at: number, planned: Planned): Uint8Array {
    if (occurrence.isRun) return bytesOf(`${this.ofHook(at, planned)},"durationMillis":`)
    const place = this.placeOf(occurrence)
    if (place?.hookAt === at && place.hook === planned) return place.hookEnded
    const isTold = place?.ref !== undefined && this.hookRefs.has(planned)
    const bytes = bytesOf(`${this.ofHook(at, planned)},"step":{${this.names(occurrence, place)},"index":`)
    if (place !== undefined && isTold) {
      place.hookAt = at
      place.hook = planned
      place.hookEnded = bytes
    }
    return bytes
  }

  private ofHook(at: number, planned: Planned): string {
    const { hook, index, level } = planned
    const { ref, text } = this.hook({ hook: hook.name, kind: hook.kind, level, hookIndex: index })
    // a step that is made anew each time has hooks of its own, under the same names
    if (this.hookRefs.size === maxRefs) this.hookRefs.clear()
    if (ref !== undefined) {
      this.hookRefs.set(planned, { first: bytesOf(`,"hooks":[[${ref},`), next: bytesOf(`,[${ref},`) })
    }
    return `{"_tag":"HookEnded"${this.run()},"at":${JSON.stringify(at)},${text}`
  }

  /** Returns the number of a hook, and the members of a line that say which hook it is. */
  private hook(names: HookNames): { readonly ref: number | undefined; readonly text: string } {
    const text = textOf(names)
    const known = this.hookNumbers.get(text)
    if (known !== undefined) return { ref: known, text: `"hookRef":${known}` }
    const ref = this.hookNumbers.size
    if (ref === maxRefs) return { ref: undefined, text }
    this.hookNumbers.set(text, ref)
    return { ref, text: `"hookRef":${ref},${text}` }
  }

  /** Returns what refers to a hook in the line of its step, if earlier lines have its names. */
  hookRef(planned: Planned): HookRef | undefined {
    return this.hookRefs.get(planned)
  }

  /** Returns the members of an event as JSON text, with numbers in place of names that earlier lines have. */
  members(event: object): string {
    const { hook, hookIndex, kind, level, step, ...rest } = event as Partial<HookNames> & { readonly step?: StepJson }
    const own = "stepPath" in rest ? this.shortStep(rest as StepJson) : rest
    const ofHook = hook === undefined || kind === undefined || level === undefined || hookIndex === undefined
      ? undefined
      : this.hook({ hook, kind, level, hookIndex }).text
    return [ofHook, textOf(step === undefined ? own : { ...own, step: this.shortStep(step) })]
      .flatMap((text) => text === undefined || text === "" ? [] : [`,${text}`]).join("")
  }

  private shortStep(step: StepJson): object {
    const { stepName, stepPath, ...rest } = step
    const isShared = step.stepKey === undefined && step.stepLabels === undefined && stepPath.at(-1) === stepName &&
      stepPath.length <= deepest
    const place = isShared
      ? stepPath.reduce<Place | undefined>((around, name) => this.inside(around, name), this.root)
      : undefined
    if (place === undefined) return step
    if (place.ref !== undefined) return { stepRef: place.ref, ...rest }
    place.ref = this.refs++
    return { stepRef: place.ref, ...step }
  }
}

const textOf = (values: object): string => JSON.stringify(values).slice(1, -1)

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
  return textOf({ stepName: owner.name, ...place })
}
