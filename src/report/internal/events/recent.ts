/** Keeps the events of runs that have not ended, as many as a picture of the run can show. */
import { fitEnd } from "../../../internal/text/fit.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { type EventJson, toEventJson } from "./eventJson.ts"

/** How many runs are kept at once. Of more, the runs that began first are forgotten. */
const maxRuns = 1000

/** How many events of a step, or of the run itself, are kept: of more, the first one and the last ones. */
const maxEvents = 30

/** How much of a cause is kept, in UTF-16 code units: a picture has no room for more. */
const maxCause = 1000

interface Numbered {
  /** The place of the event among all events observed. */
  readonly nth: number
  readonly event: EventJson
}

interface Step {
  readonly events: Array<Numbered>
  /** Set when the step ends. Steps of a higher rank are kept longer: failed ones, the latest first, then long ones. */
  rank: number | undefined
}

interface Run {
  readonly events: Array<Numbered>
  readonly steps: Map<number, Step>
  /** How many of the steps have ended, and how many were forgotten. */
  ended: number
  forgotten: number
}

/** The events that are kept of a run. */
export interface Recent {
  /** In the order in which they came. */
  readonly events: ReadonlyArray<EventJson>
  /** The place of the first of them among all events observed. */
  readonly began: number
  /** How many steps have started, and how many of them are kept. */
  readonly steps: number
  readonly known: number
}

const none = {}

/** Converts an event to JSON without parameters and annotations, which no picture shows and which may have any size. */
const small = (event: RunEvent): EventJson => {
  const bare = "params" in event
    ? { ...event, params: none }
    : "annotations" in event
    ? { ...event, annotations: none }
    : event
  const json = toEventJson(bare)
  return "cause" in json && json.cause !== undefined ? { ...json, cause: fitEnd(json.cause, maxCause) } : json
}

const add = (events: Array<Numbered>, numbered: Numbered): void => {
  events.push(numbered)
  if (events.length > maxEvents) events.splice(1, 1)
}

/**
 * Keeps of each run its running steps, and from `max` to twice as many of its ended steps. Forgets a run when it ends.
 */
export class RecentRuns {
  readonly #runs = new Map<string, Run>()
  readonly #max: number
  #nth = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#runs.size
  }

  readonly observe = (event: RunEvent): void => {
    // A started hook is left out: it may be the very one that posts the alert with the picture.
    if (event._tag === "StepProgress" || event._tag === "HookStarted") return
    // no picture or summary shows it
    if (event._tag === "StepLogged" || event._tag === "RunLogged") return
    if (event._tag === "AlertPosted" && event.result !== "failed") return
    if (event._tag === "RunEnded") return void this.#runs.delete(event.runId)
    const index = "index" in event ? event.index : "step" in event ? event.step?.index : undefined
    // The late end of a step that outlived its run, or of a delivery, must not bring the run back.
    if (
      (index !== undefined || event._tag === "AlertPosted") && event._tag !== "StepStarted" &&
      !this.#runs.has(event.runId)
    ) {
      return
    }
    const run = this.#run(event.runId)
    if (index === undefined) return add(run.events, this.#numbered(event))
    const step = run.steps.get(index) ?? this.#begin(run, index, event._tag)
    if (step === undefined) return
    add(step.events, this.#numbered(event))
    if (event._tag !== "StepEnded" && event._tag !== "StepSkipped") return
    if (step.rank === undefined) run.ended++
    const failed = event._tag === "StepEnded" && event.outcome === "failure"
    const { events: [first] } = step
    // Failed steps rank above all others, and the latest highest, since alerts are about it.
    step.rank = failed ? 1e15 + this.#nth : Number(event.at.epochMilliseconds - (first?.event.at ?? 0))
    if (run.ended >= 2 * this.#max) this.#forget(run)
  }

  of(runId: string): Recent | undefined {
    const run = this.#runs.get(runId)
    if (run === undefined) return undefined
    const events = [run.events, ...[...run.steps.values()].map(({ events }) => events)].flat()
      .toSorted((a, b) => a.nth - b.nth)
    return {
      events: events.map(({ event }) => event),
      began: events[0]?.nth ?? this.#nth,
      steps: run.steps.size + run.forgotten,
      known: run.steps.size
    }
  }

  #numbered(event: RunEvent): Numbered {
    return { nth: this.#nth++, event: small(event) }
  }

  #run(runId: string): Run {
    const known = this.#runs.get(runId)
    if (known !== undefined) return known
    const run: Run = { events: [], steps: new Map(), ended: 0, forgotten: 0 }
    this.#runs.set(runId, run)
    if (this.#runs.size > maxRuns) this.#runs.delete(this.#runs.keys().next().value!)
    return run
  }

  /** Returns `undefined` for an event of a forgotten step, and for a step that starts while too many others run. */
  #begin(run: Run, index: number, tag: RunEvent["_tag"]): Step | undefined {
    if (tag !== "StepStarted") return undefined
    if (run.steps.size - run.ended >= 2 * this.#max) {
      run.forgotten++
      return undefined
    }
    const step: Step = { events: [], rank: undefined }
    run.steps.set(index, step)
    return step
  }

  #forget(run: Run): void {
    const ended = [...run.steps].filter(([, { rank }]) => rank !== undefined)
    // the conversion: the filter above left no step without a rank
    const least = ended.toSorted(([, a], [, b]) => Number(b.rank) - Number(a.rank)).slice(this.#max)
    for (const [index] of least) run.steps.delete(index)
    run.ended -= least.length
    run.forgotten += least.length
  }
}
