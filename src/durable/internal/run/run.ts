/** What the steps of a durable run share, and what becomes of them when it ends. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, type WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import type { Ongoing } from "./activityFibers.ts"
import type { DurableEvaluation } from "./evaluation.ts"
import type { Keys } from "./stepKeys.ts"

type Ends = Effect.Effect<void, never, any>

export interface DurableRun {
  readonly executionId: string
  readonly instance: WorkflowInstance["Service"]
  /** What evaluates the body. */
  readonly body: Fiber.Fiber<unknown, unknown>
  readonly keys: Keys
  /** Steps that have not ended, in the order in which they came. */
  readonly open: Set<DurableEvaluation>
  /** What sees to the ends of steps. */
  readonly ending: Set<Fiber.Fiber<unknown, unknown>>
  /** Whether the process lets go of the run, which goes on elsewhere or later. */
  released: boolean
  /** Whether that is as something came that the run waits for: it is evaluated anew at once. */
  preempted: boolean
  readonly ongoing: Ongoing
}

const endOpen = (durable: DurableRun, exit: Exit.Exit<unknown, unknown>, except?: DurableEvaluation): Ends =>
  Effect.suspend(() =>
    Effect.forEach(
      [...durable.open].toReversed(),
      (one) => one.begun && !one.settled && one !== except ? Effect.exit(one.finish(exit)) : Effect.void,
      { discard: true }
    )
  )

/** Before a run ends: the steps that wait for something, and that nobody waits for any more, as who lost a race. */
export const endLeftBehind = (durable: DurableRun, run: DurableEvaluation): Ends =>
  Effect.andThen(durable.ongoing.endLeft, endOpen(durable, Exit.interrupt(), run))

/** When the workflow was interrupted: what is open ends with that, the innermost first, and then the run. */
export const interruptAll = (durable: DurableRun, exit: Exit.Exit<unknown, unknown>): Ends =>
  Effect.suspend(() =>
    durable.instance.interrupted && isInterrupted(exit)
      ? Effect.forEach(durable.open, (one) => Effect.exit(one.askBegun), { discard: true }).pipe(
        Effect.andThen(durable.ongoing.endBodies),
        Effect.andThen(endOpen(durable, exit))
      )
      : Effect.void
  )

/** What `workflow.interrupt` completes, on a cluster. */
const interruptSignal = DurableDeferred.make("Workflow/InterruptSignal")

/**
 * When a run ends with an interruption: the engine takes it for one that it let go of itself, and would go on with it
 * for ever.
 */
export const endInterrupted = ({ instance }: DurableRun): Effect.Effect<void, unknown, any> =>
  instance.interrupted ? Effect.void : Effect.flatMap(
    WorkflowEngine.use((engine) => engine.deferredResult(interruptSignal)),
    (asked) => {
      // it was asked to interrupt the run, and does so where one is parked
      if (Option.isSome(asked)) return Workflow.suspend(instance)
      instance.interrupted = true
      return Effect.void
    }
  )
