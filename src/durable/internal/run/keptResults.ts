/**
 * Results of activities that are not recorded of their run: those that have just ended, and those of an earlier run that
 * it repeats. The first are kept in memory until they are recorded. A runner of a cluster that loses its database loses its
 * locks, too, and evaluates its runs anew when it is there again: then an activity that had ended meanwhile is not
 * executed a second time in that process.
 */
import * as Effect from "effect/Effect"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { activityKey } from "../activityKey.ts"
import type { ActivityRow, StoredExit } from "../runs/recorded.ts"

/** How many results an engine keeps. Those that are recorded elsewhere, where the run has moved to, are not asked for. */
const limit = 1_000

/** A place for the result of an activity. */
export interface Keeping {
  /** Executes it, unless its result is kept. */
  readonly kept: <A, E, R>(execute: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Forgets the result once it is recorded. */
  readonly forget: Effect.Effect<void>
}

export class KeptResults {
  private readonly results = new Map<string, unknown>()

  of({ executionId, workflow }: WorkflowInstance["Service"], name: string, attempt: number): Keeping {
    const { results } = this
    const key = JSON.stringify([workflow._tag, executionId, name, attempt])
    return {
      kept: <A, E, R>(execute: Effect.Effect<A, E, R>) =>
        Effect.suspend(() =>
          results.has(key)
            // the cast: it is the result of this activity
            ? Effect.succeed(results.get(key) as A)
            : Effect.map(execute, (result) => {
              results.set(key, result)
              for (const oldest of results.keys()) {
                if (results.size <= limit) break
                results.delete(oldest)
              }
              return result
            })
        ),
      forget: Effect.sync(() => void results.delete(key))
    }
  }
}

/** By the engine: one that may execute an activity a second time in one process. */
const byEngine = new WeakMap<WorkflowEngine["Service"], KeptResults>()

/** Makes an engine keep results. */
export const keepResults = (engine: WorkflowEngine["Service"]): void => {
  byEngine.set(engine, new KeptResults())
}

/** Returns the results that an engine keeps, if it does. */
export const keptOf = (engine: WorkflowEngine["Service"]): KeptResults | undefined => byEngine.get(engine)

/** The results that are recorded of an earlier run, by the evaluation of the run that retries it. */
const prepared = new WeakMap<WorkflowInstance["Service"], ReadonlyMap<string, unknown>>()

/** Gives a run the results of activities that are recorded of an earlier one, for those that it has not recorded yet. */
export const prepareResults = (instance: WorkflowInstance["Service"], records: ReadonlyArray<ActivityRow>): void => {
  const results = new Map<string, unknown>()
  for (const { attempt, exit, name } of records) {
    const { _tag, value }: StoredExit = JSON.parse(exit)
    if (_tag === "Success") results.set(activityKey(name, attempt), value)
  }
  prepared.set(instance, results)
}

/** Returns the place of an activity whose result is recorded of an earlier run. */
export const preparedOf = (
  instance: WorkflowInstance["Service"],
  name: string,
  attempt: number
): Keeping | undefined => {
  const results = prepared.get(instance)
  const part = activityKey(name, attempt)
  // the cast: it is the result of this activity
  return results?.has(part) === true
    ? { kept: <A>() => Effect.succeed(results.get(part) as A), forget: Effect.void }
    : undefined
}
