/** State that the steps of a durable run share, and the end of the steps that are open when the run ends. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, type WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import type { Crashes } from "../crashes/crashes.ts"
import type { CodeChanged } from "../runs/codeChanged.ts"
import type { InterruptedBy } from "../stored/records.ts"
import type { ActivityFibers, KeptOfRun } from "./activityFibers.ts"
import type { Code, Replay } from "./codeChanges.ts"
import type { StepKeys } from "./stepKeys.ts"

type Finish = Effect.Effect<void, never, any>

/** An evaluation that has not ended, as far as the end of its run is concerned with it. */
export interface OpenEvaluation {
  readonly evaluation: Evaluation
  readonly begun: boolean
  readonly settled: boolean
  /** Restores from the records that the step had begun before this evaluation of the body. */
  readonly recallBegun: Effect.Effect<unknown, unknown, any>
  readonly finish: (exit: Exit.Exit<unknown, unknown>, by?: InterruptedBy) => Effect.Effect<unknown, unknown, any>
}

/** The state of one evaluation of a run's body. */
export interface DurableRun {
  readonly executionId: string
  readonly instance: WorkflowInstance["Service"]
  /** The fiber that evaluates the body. */
  body: Fiber.Fiber<unknown, unknown>
  readonly keys: StepKeys
  readonly replay: Replay
  readonly code: Code
  /** The evaluations that have not ended, in the order in which they started. */
  readonly open: Set<OpenEvaluation>
  /** The fibers that record the ends of steps and run their hooks. */
  readonly endingFibers: Set<Fiber.Fiber<unknown, unknown>>
  /** Whether this evaluation was interrupted from outside: the run continues in another process, or later. */
  released: boolean
  /** Whether that is because something arrived that the run waits for: the body is evaluated anew at once. */
  preempted: boolean
  readonly activities: ActivityFibers
  readonly kept: KeptOfRun
  /** The crashes that the engine has counted, if it counts them. */
  readonly crashes: Crashes | undefined
  /** How many crashes a hook of the run, and a step that does not say otherwise, may have and begin again. */
  readonly crashLimit: number
}

/** Finishes the steps that have begun and not ended, the last one first. */
const finishOpen = (
  durable: DurableRun,
  exit: Exit.Exit<unknown, unknown>,
  by: InterruptedBy,
  except?: OpenEvaluation
): Finish =>
  Effect.suspend(() =>
    Effect.forEach(
      [...durable.open].toReversed(),
      (evaluation) =>
        evaluation.begun && !evaluation.settled && evaluation !== except
          ? Effect.exit(evaluation.finish(exit, by))
          : Effect.void,
      { discard: true }
    )
  )

/** Interrupts, before a run ends, the steps that are suspended and that the body no longer waits for (a lost race). */
export const finishAbandoned = (durable: DurableRun, run: OpenEvaluation): Finish =>
  durable.activities.interruptUnawaitedSteps.pipe(
    Effect.andThen(finishOpen(durable, Exit.interrupt(), "caller", run)),
    // of steps that this evaluation has not come to
    Effect.andThen(durable.activities.hooksOfSteps)
  )

/** Finishes all open steps, and then the run, with the interruption that the workflow was asked for. */
export const finishInterrupted = (durable: DurableRun, exit: Exit.Exit<unknown, unknown>): Finish =>
  Effect.suspend(() =>
    durable.instance.interrupted && isInterrupted(exit)
      ? Effect.forEach(durable.open, ({ recallBegun }) => Effect.exit(recallBegun), { discard: true }).pipe(
        Effect.andThen(durable.activities.interruptUnawaitedBodies),
        Effect.andThen(finishOpen(durable, exit, "run"))
      )
      : Effect.void
  )

/** The deferred that `workflow.interrupt` completes on a cluster. */
const interruptSignal = DurableDeferred.make("Workflow/InterruptSignal")

/**
 * Marks the workflow as interrupted when its run ends with an interruption. Otherwise the engine takes the interruption
 * for one of its own, as at a suspension, and resumes the run for ever.
 */
export const markInterrupted = ({ instance }: DurableRun): Effect.Effect<void, unknown, any> =>
  instance.interrupted ? Effect.void : Effect.flatMap(
    WorkflowEngine.use((engine) => engine.deferredResult(interruptSignal)),
    (signal) => {
      // the engine was asked to interrupt the run, which it does once the run is suspended
      if (Option.isSome(signal)) return Workflow.suspend(instance)
      instance.interrupted = true
      return Effect.void
    }
  )

/** Returns the place of a step in the body, if it has one, or the error where another step is recorded there. */
export const placeOf = (
  { instance, keys, released, replay }: DurableRun,
  key: string,
  fiber: Fiber.Fiber<unknown, unknown>,
  about: string | undefined
): number | CodeChanged | undefined => {
  // a body that is being suspended runs only what ends it
  if (instance.suspended || released) return undefined
  if (fiber === keys.body) return replay.ask(key, about)
  replay.askAside(key)
  return undefined
}
