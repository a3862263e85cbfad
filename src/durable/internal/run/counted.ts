/** Counts the crashes of steps and hooks: one that has ended its process too often does not begin again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { CrashedTooOften } from "../crashes/crashedTooOften.ts"
import type { Part } from "../crashes/crashes.ts"
import type { DurableRun } from "./run.ts"

/** The keeper of the step, or run, that is executed or whose hook is. */
interface CountingKeeper {
  readonly evaluation: Evaluation
  readonly durable: DurableRun
  /** How many crashes it may have and begin again. */
  readonly crashLimit: number
}

/** Names a part of a run for its engine. */
export const partOf = ({ executionId, instance }: DurableRun, name: string): Part => ({
  workflow: instance.workflow._tag,
  execution: executionId,
  name
})

/** Executes what an activity of this name is for, unless that has crashed too often: then `refuse`. */
export const counted = <A, E, R>(
  { crashLimit, durable, evaluation }: CountingKeeper,
  { again, attempt, hook, name }: {
    readonly name: string
    readonly attempt: number
    readonly hook?: string | undefined
    /** Called before an execution that repeats one which a crash cut off. */
    readonly again?: (() => void) | undefined
  },
  execute: Effect.Effect<A, E, R>,
  refuse: (error: CrashedTooOften) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const { crashes } = durable
  if (crashes === undefined) return execute
  const part = partOf(durable, name)
  return Effect.gen(function*() {
    const begun = yield* crashes.begin(part, attempt, yield* Clock.currentTimeMillis)
    const times = begun?.crashes ?? 0
    const { label, run } = evaluation
    if (times > crashLimit) {
      return yield* refuse(
        new CrashedTooOften({
          pipelineName: run.pipelineName,
          stepName: label,
          runId: run.id,
          hook,
          crashes: times,
          death: begun?.death
        })
      )
    }
    // the attempts after one that crashed begin as others do
    if (begun?.isAgain === true) {
      again?.()
      const how = begun.death === undefined ? "" : ` (${begun.death})`
      yield* Writer.logWarning(
        `effect-epilogue: ${hook === undefined ? "" : `hook "${hook}" of `}"${label}" begins again, since the process `
          + `ended${how} while it was running: crash ${times} of ${crashLimit} that it may have (run ${run.id})`
      )
    }
    return yield* execute
  }).pipe(
    // what is not recorded has come to no end, and has not crashed either
    Effect.onExit((exit) => {
      if (Exit.isFailure(exit)) return crashes.leave(part, attempt)
      crashes.ended(part, attempt)
      return Effect.void
    })
  )
}
