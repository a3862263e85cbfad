/**
 * Numbers evaluations of one name for lines of text, which have no tree that would tell them apart: the second one of a
 * step that has no key is called `fetch-page #2`.
 */
import { label } from "../../../internal/text/columns.ts"
import { text } from "../../../internal/text/redact.ts"
import { labelsOf, pathText, stepLabel } from "../../../internal/text/stepLabel.ts"
import type { RunEvent, StepInfo } from "../../../RunEvent.ts"
import { EndedRuns } from "./endedRuns.ts"
import { type Annotation, ownAnnotations } from "./tree.ts"

type Values = Readonly<Record<string, unknown>>

/** How many steps that have ended are still known by their numbers, for the events of their hooks. */
const remembered = 1000

/** How many names are counted at once, in a run or in one step. */
const maxNames = 1000

/** A place in which steps run: the run, or a step. */
interface Place {
  /** How many steps of each name have begun in it. */
  counts: Map<string, number> | undefined
}

interface Step extends Place {
  /** The name with its key, or its number. */
  readonly label: string
  readonly parent: Step | undefined
}

interface Run extends Place {
  readonly steps: Map<number, Step>
  /** The indexes of the steps that ended last, the oldest first. */
  readonly ended: Array<number>
  annotations: ReadonlyArray<Annotation>
}

const annotationsOf = (values: Values | undefined): ReadonlyArray<Annotation> =>
  Object.entries(values ?? {}).map(([key, value]) => [label(key), label(text(value))])

/** Names the steps of runs that are in progress, by their events. Each event has to be observed once, in order. */
export class StepNames {
  readonly #runs = new Map<string, Run>()
  readonly #ended = new EndedRuns<true>()

  observe(event: RunEvent): void {
    switch (event._tag) {
      case "RunStarted": {
        const run = this.#run(event.runId)
        if (run !== undefined) run.annotations = annotationsOf(event.annotations)
        return
      }
      case "StepStarted": {
        const run = this.#run(event.runId)
        if (run !== undefined) run.steps.set(event.index, begin(run, event))
        return
      }
      case "StepEnded":
      case "StepSkipped": {
        const run = this.#runs.get(event.runId)
        if (run !== undefined && run.ended.push(event.index) > remembered) run.steps.delete(run.ended.shift()!)
        return
      }
      case "RunEnded":
        this.#runs.delete(event.runId)
        this.#ended.add(event.runId, true)
    }
  }

  /** Returns the names of a step's path. */
  path(runId: string, info: StepInfo): ReadonlyArray<string> {
    const known = this.#runs.get(runId)?.steps.get(info.index)
    if (known === undefined) return labelsOf(info)
    const labels: Array<string> = []
    for (let step: Step | undefined = known; step !== undefined; step = step.parent) labels.push(step.label)
    return labels.toReversed()
  }

  /** Returns a step's path as text. */
  text(runId: string, info: StepInfo): string {
    return pathText(this.path(runId, info), " > ")
  }

  /** Returns the annotations of a step as text after two spaces, without those of its run; nothing if it has none. */
  annotations(runId: string, values: Values | undefined): string {
    const own = ownAnnotations(annotationsOf(values), this.#runs.get(runId)?.annotations)
    return own.length === 0 ? "" : `  ${own.map(([key, value]) => `${key}=${value}`).join(" ")}`
  }

  /** Returns `undefined` for a run that has ended: a step that outlived it must not bring it back. */
  #run(runId: string): Run | undefined {
    if (this.#ended.get(runId)) return undefined
    const known = this.#runs.get(runId)
    if (known !== undefined) return known
    const run: Run = { steps: new Map(), ended: [], annotations: [], counts: undefined }
    this.#runs.set(runId, run)
    return run
  }
}

const begin = (run: Run, info: StepInfo): Step => {
  const parent = info.parent === undefined ? undefined : run.steps.get(info.parent)
  const shown = stepLabel(info.stepName, info.stepKey)
  const number = info.stepKey === undefined ? count(parent ?? run, shown) : 1
  return { label: number === 1 ? shown : `${shown} #${number}`, parent, counts: undefined }
}

/** Counts a step in its place, and returns its number. */
const count = (place: Place, name: string): number => {
  const counts = place.counts ??= new Map()
  const number = (counts.get(name) ?? 0) + 1
  // bounds the memory of a run whose steps are named after what they work on
  if (counts.size === maxNames && number === 1) counts.clear()
  counts.set(name, number)
  return number
}
