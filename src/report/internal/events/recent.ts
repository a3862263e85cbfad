/** What runs in progress have done so far, as much of it as a picture shows. */
import { fitEnd } from "../../../internal/text/fit.ts"
import type { RunEvent } from "../../../RunEvent.ts"
import { type EventJson, toEventJson } from "./eventJson.ts"

/** More runs at once are not known of; those that began first are forgotten. */
const maxRuns = 1000

/** Of one step or of the run itself: attempts and hooks. The first and the last of more. */
const maxEvents = 30

/** A picture has no room for more of a cause. */
const maxCause = 1000

interface Numbered {
  readonly nth: number
  readonly event: EventJson
}

interface Step {
  readonly events: Array<Numbered>
  /** How much it matters, once it has ended: what failed most, then what took longest. */
  rank: number | undefined
}

interface Run {
  readonly events: Array<Numbered>
  readonly steps: Map<number, Step>
  /** How many of the steps have ended, and how many were forgotten. */
  ended: number
  forgotten: number
}

/** The events of a run, in the order in which they came. */
export interface Recent {
  readonly events: ReadonlyArray<EventJson>
  /** How many steps there were, and how many of them are known. */
  readonly steps: number
  readonly known: number
}

const none = {}

/** Without what no picture shows, and what may be of any size. */
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

/** Forgets a run when it ends. Of each it knows the steps that go on, and `max` of those that have ended, or twice that. */
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
    // a hook that goes on may be the one that asks for the picture
    if (event._tag === "StepProgress" || event._tag === "HookStarted") return
    if (event._tag === "RunEnded") return void this.#runs.delete(event.runId)
    const index = "index" in event ? event.index : "step" in event ? event.step?.index : undefined
    // the end of a step that outlived its run begins none
    if (index !== undefined && event._tag !== "StepStarted" && !this.#runs.has(event.runId)) return
    const run = this.#run(event.runId)
    if (index === undefined) return add(run.events, this.#numbered(event))
    const step = run.steps.get(index) ?? this.#begin(run, index, event._tag)
    if (step === undefined) return
    add(step.events, this.#numbered(event))
    if (event._tag !== "StepEnded") return
    if (step.rank === undefined) run.ended++
    const failed = event.outcome === "failure"
    const { events: [first] } = step
    // of what failed the last, which is what an alert tells of
    step.rank = failed ? 1e15 + this.#nth : Number(event.at.epochMilliseconds - (first?.event.at ?? 0))
    if (run.ended >= 2 * this.#max) this.#forget(run)
  }

  of(runId: string): Recent | undefined {
    const run = this.#runs.get(runId)
    if (run === undefined) return undefined
    const events = [run.events, ...[...run.steps.values()].map(({ events }) => events)].flat()
    return {
      events: events.toSorted((a, b) => a.nth - b.nth).map(({ event }) => event),
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

  /** None where there are too many at once, nor again of one that was forgotten. */
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
    // a cast to a number, since those without one were left out
    const least = ended.toSorted(([, a], [, b]) => Number(b.rank) - Number(a.rank)).slice(this.#max)
    for (const [index] of least) run.steps.delete(index)
    run.ended -= least.length
    run.forgotten += least.length
  }
}
