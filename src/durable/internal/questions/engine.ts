/** Finds the questions of an engine. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as memory from "./memory.ts"
import type { Questions } from "./questions.ts"
import * as sql from "./sql.ts"

/** By the engine, since that is the service which the place of an answer has. */
const byEngine = new WeakMap<WorkflowEngine["Service"], Questions>()

/** Makes an engine keep its questions in the database of the `SqlClient` around it, or in memory where there is none. */
export const withQuestions = <A, E, R>(
  engine: Layer.Layer<A | WorkflowEngine, E, R>
): Layer.Layer<A | WorkflowEngine, E, R> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const client = yield* Effect.serviceOption(SqlClient)
    byEngine.set(yield* WorkflowEngine, client._tag === "Some" ? sql.make(client.value) : memory.make())
  })).pipe(Layer.provideMerge(engine))

/** Returns the questions of an engine. Those of an engine that this library did not make are in memory. */
export const questionsOf = (engine: WorkflowEngine["Service"]): Questions => {
  const found = byEngine.get(engine)
  if (found !== undefined) return found
  const made = memory.make()
  byEngine.set(engine, made)
  return made
}
