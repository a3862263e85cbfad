/** The stored runs of an engine, for those who look after them. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, type WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Prune, RunFilter, StoredRun, StoredRunDetails } from "../../../internal/model/storedRun.ts"
import { selfExplained } from "../../../internal/text/selfExplained.ts"
import { activityKey } from "../activityKey.ts"

interface Fields {
  readonly reason: "Unsupported" | "NotFound" | "Ambiguous" | "NotEnded" | "Ended" | "Succeeded" | "NoStep"
  readonly detail: string
}

const Base: new(fields: Fields) => Cause.YieldableError & Fields & { readonly _tag: "RunRefused" } = selfExplained(
  Data.TaggedError("RunRefused")<Fields>
)

export class RunRefused extends Base {
  override get message(): string {
    return this.detail
  }
}

/** Returns a step as people are shown it, by its key in the names of activities, whose escapes are removed. */
export const shownStep = (key: string): string =>
  key.replace(/%(d[89a-f][0-9a-f]{2}|[0-9a-f]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))

/** Returns the key of the step that an activity is a part of, if it is of one. */
export const stepKeyIn = (activity: string): string | undefined =>
  activity.startsWith("step/") ? activity.split("/", 2)[1] : undefined

/** A step of which something is recorded. */
export interface RecordedStep {
  /** Its key in the names of activities. */
  readonly key: string
  /** Its place among the steps that the body's own fiber asked for, if it was one of them. */
  readonly order: number | undefined
  /** The mark of its annotations and parameters, if it has any. */
  readonly about: string | undefined
}

/** The records of a run, for the next evaluation of its body. */
export interface History {
  readonly steps: ReadonlyArray<RecordedStep>
  /** The names of the activities that are recorded, each with its attempt. */
  readonly activities: ReadonlySet<string>
}

/** An activity that has begun or ended. */
export interface RecordedActivity {
  readonly name: string
  readonly attempt: number
  readonly ended: boolean
  readonly order: number | undefined
  readonly about: string | undefined
}

/** Refuses to interrupt a run that has ended. */
export const hasEnded = (runId: string): RunRefused =>
  new RunRefused({ reason: "Ended", detail: `run ${runId} has ended already` })

/** Returns the history of a run of which these activities are known. */
export const historyOf = (recorded: ReadonlyArray<RecordedActivity>): History => {
  const steps = new Map<string, Omit<RecordedStep, "key">>()
  const activities = new Set<string>()
  for (const { about, attempt, ended, name, order } of recorded) {
    if (ended) activities.add(activityKey(name, attempt))
    const key = stepKeyIn(name)
    if (key === undefined) continue
    const known = steps.get(key)
    steps.set(key, { order: order ?? known?.order, about: about ?? known?.about })
  }
  return { steps: [...steps].map(([key, step]) => ({ key, ...step })), activities }
}

/** The operations for looking after the stored runs of an engine. */
export interface Management {
  readonly list: (filter: RunFilter) => Effect.Effect<ReadonlyArray<StoredRun>>
  readonly show: (runId: string) => Effect.Effect<StoredRunDetails, RunRefused>
  readonly interrupt: (runId: string, now: boolean) => Effect.Effect<StoredRun, RunRefused>
  readonly retry: (runId: string, from: string | undefined) => Effect.Effect<StoredRun, RunRefused>
  readonly prune: (options: Prune) => Effect.Effect<number>
}

/** The stored runs of an engine. */
export interface StoredRuns {
  readonly management: Management | undefined
  /** Returns the run of which this one is a retry. Called before its body is evaluated. */
  readonly retryOf: (instance: WorkflowInstance["Service"]) => Effect.Effect<string | undefined>
  readonly history: (workflow: string, runId: string) => Effect.Effect<History>
  /** Makes a run that is being evaluated wait for other code, once it is suspended. */
  readonly setAside: (workflow: Workflow.Any, runId: string, why: string) => Effect.Effect<void>
}

/** By the engine, since that is the service which callers have. */
const byEngine = new WeakMap<WorkflowEngine["Service"], StoredRuns>()

/** Makes the stored runs of an engine known. */
export const setRuns = (engine: WorkflowEngine["Service"], runs: StoredRuns): void => {
  byEngine.set(engine, runs)
}

/** Returns the stored runs of an engine; `undefined` for one that keeps them in memory. */
export const runsOf = (engine: WorkflowEngine["Service"]): StoredRuns | undefined => byEngine.get(engine)

/** Uses the stored runs of the engine around. */
export const withRuns = <A>(
  what: string,
  use: (runs: Management) => Effect.Effect<A, RunRefused>
): Effect.Effect<A, RunRefused, WorkflowEngine> =>
  Effect.flatMap(WorkflowEngine, (engine) => {
    const runs = runsOf(engine)?.management
    return runs === undefined
      ? Effect.fail(
        new RunRefused({
          reason: "Unsupported",
          detail:
            `${what} stored runs needs an engine that stores them: Durable.layerSqlite, or one on the database of a SqlClient`
        })
      )
      : use(runs)
  })
