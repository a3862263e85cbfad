/** Evaluates a body against what is recorded of its run, which may come from other code. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, type WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { errorMessage } from "../../../internal/text/errors.ts"
import * as Writer from "../../../internal/text/writer.ts"
import { runsOf, shownStep, stepKeyIn } from "../runs/runs.ts"
import type { DurableRun } from "./run.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

interface Replaying {
  readonly durable: DurableRun
  readonly instance: WorkflowInstance["Service"]
}

/** Returns the body of a run, which reads first what is recorded, and dies where it ends before that does. */
export const replayed = ({ durable }: Replaying, body: AnyEffect): AnyEffect =>
  Effect.gen(function*() {
    const { code, executionId, instance, replay } = durable
    const runs = runsOf(yield* WorkflowEngine)
    if (runs !== undefined) replay.load(yield* runs.history(instance.workflow._tag, executionId))
    const mixed = code.hasChanged ? replay.repeated.filter((name) => !code.told.has(name)) : []
    for (const name of mixed) {
      code.told.add(name)
      yield* Writer.logWarning(
        `effect-epilogue: the code of ${JSON.stringify(instance.workflow._tag)} has changed since run ${executionId} ` +
          `began, and the evaluations of step ${
            JSON.stringify(name)
          } have no keys: if their order has changed, they get ` +
          "each other's results. Give each a key with Step.key"
      )
    }
    const value: unknown = yield* body
    const left = replay.end()
    return left === undefined ? value : yield* Effect.die(left)
  })

/** Warns, once for each name, of evaluations of a step that only their order tells apart. */
export const tellOneOfMany = ({ code: { told }, instance }: DurableRun, name: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    const noted = `many ${name}`
    if (told.has(noted) || told.has(name)) return Effect.void
    told.add(noted)
    return Writer.logWarning(
      `effect-epilogue: step ${JSON.stringify(name)} of ${
        JSON.stringify(instance.workflow._tag)
      } runs more than once in a ` +
        "run, and only the order tells its evaluations apart. Give each a key with Step.key, or a run that resumes with " +
        "code that asks for them in another order gives them each other's results"
    )
  })

/** Sets the run aside where what is recorded of an activity no longer fits its schema, unless the run is being interrupted. */
export const orSetAside = ({ durable, instance }: Replaying, activity: string, recorded: AnyEffect): AnyEffect =>
  Effect.catchDefect(recorded, (defect) => {
    if (!Schema.isSchemaError(defect) || durable.instance.interrupted) return Effect.die(defect)
    const key = stepKeyIn(activity)
    const of = key === undefined ? "the run" : `step ${JSON.stringify(shownStep(key))}`
    const why = `the recorded result of ${of} does not fit its schema: ${errorMessage(defect).replace(/\s+/g, " ")}`
    return Effect.andThen(
      Effect.flatMap(
        WorkflowEngine,
        (engine) => runsOf(engine)?.setAside(durable.instance.workflow, durable.executionId, why) ?? Effect.void
      ),
      Workflow.suspend(instance)
    )
  })
