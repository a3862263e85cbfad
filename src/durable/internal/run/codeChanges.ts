/** Compares what the code asks for, when a run resumes, with what is recorded of it. */
import { CodeChanged } from "../runs/codeChanged.ts"
import { type History, shownStep } from "../runs/runs.ts"

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

  constructor(run: Evaluated) {
    this.run = run
  }

  load({ activities, steps }: History): void {
    this.activities = activities
    for (const { key, order } of steps) this.left.set(key, order)
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

  /** Takes note that the body asks for a step. Returns its place, or the error where another one is recorded there. */
  ask(key: string): number | CodeChanged {
    const place = this.position++
    const recorded = this.next.at(-1)
    if (recorded === key) this.next.pop()
    // one without a place was recorded on another fiber, or belongs to a retry, and may be left out
    else if (recorded !== undefined && (!this.left.has(key) || this.left.get(key) !== undefined)) {
      return this.changed(recorded, shownStep(key), place)
    }
    this.left.delete(key)
    return place
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
