/** Runs the hooks of a file for what fails outside of the pipelines of an export that is an Effect around them. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { outcomeOf } from "../../../internal/engine/outcome.ts"
import { HookError } from "../../../internal/model/hookError.ts"
import { kinds, type Table } from "../../../internal/model/hooks.ts"
import { CurrentOverrides, type Overrides } from "../../../internal/model/overrides.ts"
import { errorKey, errorsOf, holdsKnown, partsOf } from "../../../internal/model/sameError.ts"
import { makePipeline } from "../../../internal/steps/step.ts"

/** The errors that runs have failed with, as many as are remembered. */
const maxKnown = 10_000

/** Knows the runs of an export, and what they failed with. */
export class Runs {
  count = 0
  readonly #known = new Set<unknown>()

  /** Keeps the exit of the body of a run, whose hooks follow. */
  readonly ended = (exit: Exit.Exit<unknown, unknown>): void => {
    this.count++
    if (exit._tag === "Success") return
    for (const error of errorsOf(exit.cause)) for (const part of partsOf(error)) this.#known.add(part)
    for (const oldest of this.#known) {
      if (this.#known.size <= maxKnown) break
      this.#known.delete(oldest)
    }
  }

  /** Whether the hooks of a run have seen an exit: each of its errors, or a success of any run. */
  hasSeen(exit: Exit.Exit<unknown, unknown>): boolean {
    if (exit._tag === "Success") return this.count > 0
    const isKnown = (part: unknown) => this.#known.has(errorKey(part)) || part instanceof HookError
    return errorsOf(exit.cause).every((error) => holdsKnown(error, isKnown))
  }
}

/** An export as it is to be run. */
export interface Outside {
  readonly effect: Effect.Effect<unknown, unknown>
  /** Whether it has failed outside of any run, and the file has no hook for that. */
  readonly untold: () => boolean
}

/**
 * Runs an Effect. Where it ends as none of its runs did, the hooks of the file run for a run of the export's name, which
 * begins and ends with that exit.
 */
export const outside = (
  { effect, hooks, name, overrides, runs }: {
    readonly name: string
    readonly effect: Effect.Effect<unknown, unknown>
    readonly hooks: Table
    readonly overrides: Overrides
    readonly runs: Runs
  }
): Outside => {
  let untold = false
  return {
    untold: () => untold,
    effect: Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.exit(restore(Effect.provideService(effect, CurrentOverrides, overrides))),
        (exit): Effect.Effect<unknown, unknown> => {
          if (runs.hasSeen(exit)) return exit
          const outcome = outcomeOf(exit)
          // a success may be the end of a failure that was told
          const mayRecover = outcome === "success" &&
            kinds.some((kind) => hooks[kind].some(({ alerting }) => alerting?.recoveries))
          if (mayRecover || hooks[outcome].length > 0 || hooks.exit.length > 0) {
            return Effect.provideService(makePipeline(name, exit), CurrentOverrides, overrides)
          }
          untold = outcome === "failure"
          return exit
        }
      )
    )
  }
}
