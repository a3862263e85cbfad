/** Compares what the code asks for, when a run resumes, with what is recorded of it. */
import { describeAll } from "../../../internal/engine/describeParams.ts"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { CodeChanged } from "../runs/codeChanged.ts"
import { type History, shownStep } from "../runs/runs.ts"
import { toJson } from "../stored/records.ts"

/** The text of the body that evaluates a run. */
export interface Code {
  /** Differs where the text does. */
  readonly mark: string
  /** The names of steps of which was told that they may have been mixed up; all runs of a layer share it. */
  readonly told: Set<string>
  /** Whether the run began with another text. */
  hasChanged: boolean
}

/** Returns a mark of a text: FNV-1a, https://www.rfc-editor.org/rfc/rfc9923 */
export const markOf = (text: string): string => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}

/** Returns the key of a step without the number that tells it from others of its name. */
const baseOf = (key: string): string => key.replace(/#\d+$/, "")

/** Returns a mark of the annotations and the parameters that a step has before it runs, or `undefined` without any. */
export const aboutOf = ({ owner, run: { guard }, surroundings }: Evaluation): string | undefined => {
  if (owner.label === "Pipeline") return undefined
  const { annotations, params } = owner
  if (params.length === 0 && Object.keys(annotations).length === 0) return undefined
  const values = { ...params.length === 0 ? {} : describeAll(params, surroundings), ...annotations }
  return markOf(JSON.stringify(toJson(guard?.record(values) ?? values)))
}

/** The run that is evaluated. */
interface Evaluated {
  readonly pipelineName: string
  readonly runId: string
}

/**
 * The records of a run, as far as its current evaluation has not asked for it yet. Only steps that the body's own
 * fiber asks for are compared: those of other fibers may come in any order.
 */
export class Replay {
  private readonly run: Evaluated
  private activities: ReadonlySet<string> = new Set()
  /** All recorded steps that were not asked for, by their keys; with their places where they have one. */
  private readonly left = new Map<string, number | undefined>()
  /** The keys of those with a place, the next one last. */
  private next: Array<string> = []
  private position = 0
  /** The marks of recorded steps with a place, by their keys, and the steps that were asked for with another mark. */
  private readonly about = new Map<string, string>()
  private readonly differing = new Set<string>()

  constructor(run: Evaluated) {
    this.run = run
  }

  load({ activities, steps }: History): void {
    this.activities = activities
    for (const { about, key, order } of steps) {
      this.left.set(key, order)
      if (about !== undefined && order !== undefined) this.about.set(key, about)
    }
    this.next = steps.flatMap(({ key, order }) => order === undefined ? [] : [{ key, order }])
      .toSorted((a, b) => b.order - a.order).map(({ key }) => key)
  }

  /** Whether the end of an activity had been recorded before this evaluation. */
  has(activity: string): boolean {
    return this.activities.has(activity)
  }

  /** Whether the run had come further, before this evaluation, than the body has come now. */
  get isBehind(): boolean {
    return this.left.size > 0
  }

  /** How many steps the body's own fiber has asked for. */
  get asked(): number {
    return this.position
  }

  /** Returns the names of recorded steps that are told apart by their order alone. */
  get repeated(): ReadonlyArray<string> {
    return this.next.flatMap((key) => /^([^[]*)#2$/.exec(key)?.slice(1).map(shownStep) ?? [])
  }

  /** Takes note that a step is asked for by another fiber than the body's. */
  askAside(key: string): void {
    this.left.delete(key)
  }

  /**
   * Takes note that the body asks for a step. Returns its place, or the error where another one is recorded there: one of
   * another name, key or number, or one of the same name with the annotations and parameters that `about` marks.
   */
  ask(key: string, about?: string): number | CodeChanged {
    const place = this.position++
    const other = about === undefined ? undefined : this.mixedUp(key, about)
    if (other !== undefined) {
      const asked = `${shownStep(key)} with the annotations and parameters of ${shownStep(other)}`
      return this.changed(this.about.has(key) ? key : other, asked, place)
    }
    const recorded = this.next.at(-1)
    if (recorded === key) this.next.pop()
    // one without a place was recorded on another fiber, or belongs to a retry, and may be left out
    else if (recorded !== undefined && (!this.left.has(key) || this.left.get(key) !== undefined)) {
      return this.changed(recorded, shownStep(key), place)
    }
    this.left.delete(key)
    return place
  }

  /**
   * Returns the key of the recorded step that a step is, as its annotations and parameters say, where it would get the
   * result of another one of its name. That these differ from what is recorded is no sign by itself: code may change them.
   */
  private mixedUp(key: string, about: string): string | undefined {
    const recorded = this.about.get(key)
    if (recorded === about) return undefined
    if (recorded !== undefined) this.differing.add(key)
    const base = baseOf(key)
    return [...this.about].find(([other, mark]) =>
      mark === about && other !== key && baseOf(other) === base && (recorded !== undefined || this.differing.has(other))
    )?.[0]
  }

  /** Returns the error of a body that ends before the steps that are recorded. */
  end(): CodeChanged | undefined {
    const recorded = this.next.at(-1)
    return recorded === undefined ? undefined : this.changed(recorded, undefined, this.position)
  }

  private changed(recorded: string, asked: string | undefined, place: number): CodeChanged {
    return new CodeChanged({ ...this.run, recorded: shownStep(recorded), asked, position: place + 1 })
  }
}
