/** Finds the questions of an engine. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as Writer from "../../../internal/text/writer.ts"
import * as memory from "./memory.ts"
import type { Questions, StoredQuestion } from "./questions.ts"
import * as sql from "./sql.ts"

/** By the engine, since that is the service which the place of an answer has. */
const byEngine = new WeakMap<WorkflowEngine["Service"], Questions>()

/** Makes an engine keep its questions in the database of the `SqlClient` around it, or in memory where there is none. */
export const withQuestions = <A, E, R>(
  engine: Layer.Layer<A | WorkflowEngine, E, R>
): Layer.Layer<A | WorkflowEngine, E, R> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const client = yield* Effect.serviceOption(SqlClient)
    const engine = yield* WorkflowEngine
    const questions = client._tag === "Some" ? sql.make(client.value) : memory.make()
    byEngine.set(engine, questions)
    // what a process that ended, or that has not the run's pipeline, could not wake
    yield* questions.unwoken.pipe(
      Effect.flatMap(Effect.forEach((question) => wake(engine, questions, question), { concurrency: "unbounded" })),
      Effect.catchCause((cause) => Writer.logWarning("effect-epilogue: answered runs could not be woken", cause)),
      Effect.forkScoped
    )
  })).pipe(Layer.provideMerge(engine))

/** Returns the questions of an engine. Those of an engine that this library did not make are in memory. */
export const questionsOf = (engine: WorkflowEngine["Service"]): Questions => {
  const found = byEngine.get(engine)
  if (found !== undefined) return found
  const made = memory.make()
  byEngine.set(engine, made)
  return made
}

/** The deferred whose completion wakes the run of a question. */
export const wakeOf = (question: StoredQuestion): DurableDeferred.DurableDeferred<typeof Schema.Void> =>
  DurableDeferred.make(`question/${question.wake}`)

/**
 * Wakes the run of a question that was answered. Where this process has the run's shard but not its pipeline, the engine
 * waits for the pipeline before it stores the message: then another process has to wake the run when it starts.
 */
export const wake = (
  engine: WorkflowEngine["Service"],
  questions: Questions,
  question: StoredQuestion
): Effect.Effect<void, SqlError> => {
  const { executionId, id, workflowName } = question
  const deferred = wakeOf(question)
  const done = engine.deferredDone(deferred, {
    workflowName,
    executionId,
    deferredName: deferred.name,
    exit: Exit.void
  })
  return Effect.andThen(done, questions.woken(id))
}
