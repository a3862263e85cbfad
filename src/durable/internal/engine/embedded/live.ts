/** Runs that are being evaluated in this process. */
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import type * as Workflow from "effect/workflow/Workflow"
import { type WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Known } from "./known.ts"
import type { Place, RunRow } from "./store.ts"

type Result = Workflow.Result<unknown, unknown>

/** A workflow that this process can run. */
export interface Registration {
  readonly workflow: Workflow.Any
  readonly execute: (
    payload: object,
    executionId: string
  ) => Effect.Effect<unknown, unknown, WorkflowInstance | WorkflowEngine>
  /** The context in which it was registered. */
  readonly context: Context.Context<never>
  /** Open once the workflow is to be run no more: no activity of it begins, and its runs go on elsewhere, or later. */
  readonly closing: Latch.Latch
  /** Open once nothing of it is waited for any more. */
  readonly closed: Latch.Latch
}

/** A run that is being evaluated. */
export interface Live {
  /** The run, as it was read before the current evaluation. */
  row: RunRow
  readonly registration: Registration
  /** Completed once the run has ended or is suspended. */
  readonly turn: Deferred.Deferred<Result>
  /** The records of it. */
  known: Known
  /** 1 where an interruption was asked for, 2 where it was asked for unsafely. */
  interruption: number
  /** Whether the current evaluation has set the run aside. */
  aside: boolean
  instance: WorkflowInstance["Service"]
  /** The fiber of the current evaluation. */
  fiber: Fiber.Fiber<Result> | undefined
  driver: Fiber.Fiber<void> | undefined
  /** Holds what evaluations that were suspended have acquired, until the run has ended or is suspended. */
  readonly scope: Scope.Closeable
  readonly instances: Set<WorkflowInstance["Service"]>
  /** How many times activities have asked whether they are recorded. */
  reads: number
  /** How many activities are being executed. */
  running: number
  /** Open while none is. */
  readonly idle: Latch.Latch
}

/** Names an execution in a map. */
export const keyOf = ({ execution, workflow }: Place): string => `${workflow}\0${execution}`

/** Returns a run that is about to be evaluated. */
export const makeLive = (row: RunRow, registration: Registration): Live => ({
  row,
  registration,
  turn: Deferred.makeUnsafe(),
  known: new Known([]),
  interruption: row.interruption,
  aside: false,
  instance: WorkflowInstance.initial(registration.workflow, row.execution),
  fiber: undefined,
  driver: undefined,
  scope: Scope.makeUnsafe(),
  instances: new Set(),
  reads: 0,
  running: 0,
  idle: Latch.makeUnsafe(true)
})

/** An evaluation that was asked to end ends; others leave their finalizers to the next process. */
const abandon = ({ instances }: Live): void => {
  for (const instance of instances) if (!instance.interrupted) instance.abandoned = true
}

/** Cuts the evaluation of a run off, without an end. */
export const cutOff = (live: Live): void => {
  abandon(live)
  live.fiber?.interruptUnsafe()
}

/**
 * Lets the other fibers of an evaluation come to where they were when the result that this one has read was not there
 * yet, or when the run was interrupted. Otherwise this one could win a race, or suspend the run, before the steps beside it
 * are known, whose interrupt hooks would not run.
 */
export const othersFirst = (live: Live): Effect.Effect<void> =>
  Effect.suspend(() => {
    let last = -1
    let quiet = 0
    const round: Effect.Effect<void> = Effect.flatMap(Effect.yieldNow, () => {
      quiet = live.reads === last ? quiet + 1 : 0
      last = live.reads
      return quiet < 4 ? round : Effect.void
    })
    return round
  })
