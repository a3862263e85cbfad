/** The durable runs that the page of runs shows: what implements them, and the page, know nothing of each other. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Person } from "./approval.ts"
import type { StoredRun, StoredRunDetails, StoredRunQuestion } from "./storedRun.ts"

/**
 * The error of looking after durable runs, with the tag and the reason of the error that it is, as `Durable.RunRefused`.
 *
 * @category errors
 * @since 0.1.0
 */
export interface DurableRunsError {
  /** The tag of the error. */
  readonly _tag: string
  /** The kind of problem, as `NotFound`. */
  readonly reason: string
  /** The problem in words. */
  readonly message: string
}

const Base: Context.ServiceClass<DurableRuns, "effect-epilogue/report/DurableRuns", DurableRuns.Shape> = Context
  .Service<DurableRuns, DurableRuns.Shape>()("effect-epilogue/report/DurableRuns")

/**
 * The durable runs that `Report.layerUi` shows beside recorded ones, where this service is provided to it.
 *
 * @see `Durable.layerUi` for those of an engine
 *
 * @category services
 * @since 0.1.0
 */
export class DurableRuns extends Base {}

/**
 * The types of {@link DurableRuns}.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace DurableRuns {
  /**
   * The functions of the service.
   *
   * @category services
   * @since 0.1.0
   */
  interface Shape {
    /** The runs to list, the newest first. */
    readonly list: Effect.Effect<ReadonlyArray<StoredRun>, DurableRunsError>
    /** Returns a run with its steps, by its id. */
    readonly show: (runId: string) => Effect.Effect<StoredRunDetails, DurableRunsError>
    /** The open questions of all runs, in the order in which they were asked. */
    readonly questions: Effect.Effect<ReadonlyArray<StoredRunQuestion>, DurableRunsError>
    /** The actions that the page offers. Without them it only shows runs. */
    readonly actions: Actions | undefined
  }

  /**
   * The actions that somebody may take on durable runs.
   *
   * @category services
   * @since 0.1.0
   */
  interface Actions {
    /** The person in whose name it is done. */
    readonly by: Person
    /** Answers an open question, by the id that the page shows. */
    readonly answer: (questionId: string, answer: Answer) => Effect.Effect<void, DurableRunsError>
    /** Asks a run to end; with `now`, the steps under way, too. */
    readonly interrupt: (runId: string, options: { readonly now: boolean }) => Effect.Effect<void, DurableRunsError>
    /** Submits a run that has failed or was interrupted again, and returns the new run. */
    readonly retry: (
      runId: string,
      options: { readonly from: string | undefined }
    ) => Effect.Effect<StoredRun, DurableRunsError>
  }

  /**
   * An answer to a question.
   *
   * @category services
   * @since 0.1.0
   */
  interface Answer {
    /** Whether it approves. */
    readonly approve: boolean
    /** A comment on the answer. */
    readonly comment: string | undefined
    /** The texts that were filled in, by the names of the question's fields. */
    readonly values: Readonly<Record<string, string>> | undefined
  }
}
