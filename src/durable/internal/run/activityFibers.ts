/**
 * What this process does of a run, beyond one evaluation of its body. When something is there that a run waits for, the
 * engine interrupts the evaluation and starts another, whatever steps and hooks do beside that wait: what they do goes
 * on, and the next evaluation waits for it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import type { DurableEvaluation } from "./evaluation.ts"

type AnyEffect = Effect.Effect<any, unknown, any>
type AnyExit = Exit.Exit<any, unknown>

/** Something that is done once, as its result is stored. */
interface Move {
  readonly fiber: Fiber.Fiber<any, unknown>
  /** The evaluation that began it. */
  readonly by: DurableEvaluation
  readonly isBody: boolean
  /** Whether an evaluation waits for it. */
  awaited: boolean
}

export class Ongoing {
  private readonly moves = new Map<string, Move>()
  /** The exits of steps whose ends were stored here, until observers are told. */
  readonly untold: Map<string, AnyExit> = new Map()

  get isEmpty(): boolean {
    return this.moves.size === 0 && this.untold.size === 0
  }

  /** Starts a move, or joins it where an evaluation before left it. Whoever is interrupted ends it, or leaves it. */
  once(name: string, move: AnyEffect, by: DurableEvaluation, isBody: boolean): AnyEffect {
    return Effect.contextWith((context: Context.Context<WorkflowInstance>) => {
      const instance = Context.get(context, WorkflowInstance)
      const started = waiting(this.start(name, move, by, isBody), by)
      const left = this.moves.get(name)
      if (left !== undefined && left.by !== by) by.join(left.by)
      const exit = left === undefined ? started : Effect.flatMap(
        // it counts as what is started does: nothing stops the run meanwhile
        Workflow.wrapActivityResult(waiting(Effect.succeed(left), by), () => false),
        // what was interrupted is not stored
        (exit) => isInterrupted(exit) ? started : Effect.succeed(exit)
      )
      return Effect.flatMap(
        exit,
        (exit) => instance.suspended && isInterrupted(exit) ? Workflow.suspend(instance) : exit
      )
    })
  }

  private start(name: string, effect: AnyEffect, by: DurableEvaluation, isBody: boolean): Effect.Effect<Move> {
    const forked = Effect.forkDetach(Effect.interruptible(effect), { startImmediately: true })
    return Effect.map(forked, (fiber) => {
      const move = { fiber, by, isBody, awaited: true }
      if (fiber.pollUnsafe() === undefined) {
        this.moves.set(name, move)
        fiber.addObserver(() => this.moves.delete(name))
      }
      return move
    }) as Effect.Effect<Move> // a workflow's context has what its activities need
  }

  private end(which: (move: Move) => boolean): Effect.Effect<void> {
    return Effect.suspend(() =>
      Fiber.interruptAll([...this.moves.values()].flatMap((move) => !move.awaited && which(move) ? [move.fiber] : []))
    )
  }

  /** Ends what nobody waits for. */
  get endLeft(): Effect.Effect<void> {
    return this.end(() => true)
  }

  /** Ends the bodies of which that is so. */
  get endBodies(): Effect.Effect<void> {
    return this.end(({ isBody }) => isBody)
  }
}

/** How a move ends. */
const waiting = (begun: Effect.Effect<Move>, { durable }: DurableEvaluation): Effect.Effect<AnyExit> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(begun, (move) => {
      move.awaited = true
      return Effect.onInterrupt(restore(Fiber.await(move.fiber)), () => {
        move.awaited = !durable.preempted
        return move.awaited ? Fiber.interrupt(move.fiber) : Effect.void
      })
    })
  )

/** Those of the runs of a pipeline. */
export class OngoingRuns {
  private readonly runs = new Map<string, Ongoing>()
  /** Whether the process ends: nothing is left for another evaluation, then. */
  closed = false

  of(executionId: string): Ongoing {
    const found = this.runs.get(executionId)
    if (found !== undefined) return found
    const made = new Ongoing()
    this.runs.set(executionId, made)
    return made
  }

  /** An evaluation is over. Another may follow, or this process has no more to do with the run. */
  leave(executionId: string, follows: boolean): Effect.Effect<void> {
    return Effect.suspend(() => {
      const ongoing = this.runs.get(executionId)
      if (ongoing === undefined || (follows && !ongoing.isEmpty)) return Effect.void
      this.runs.delete(executionId)
      return ongoing.endLeft
    })
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.closed = true
      return Effect.forEach([...this.runs.keys()], (executionId) => this.leave(executionId, false), { discard: true })
    })
  }
}
