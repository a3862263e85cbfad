/** Pipelines as workflows. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import type { PipelineOwner } from "../../../internal/engine/evaluation.ts"
import { span } from "../../../internal/engine/spans.ts"
import { CurrentOverrides } from "../../../internal/model/overrides.ts"
import { isPipeline, makePipeline } from "../../../internal/steps/step.ts"
import { StepContext } from "../../../StepContext.ts"
import { withLibrary } from "../stored/errors.ts"
import { factSchema } from "../stored/records.ts"
import { OngoingRuns } from "./activityFibers.ts"
import { DurableEvaluation } from "./evaluation.ts"
import { guarding } from "./requireDurable.ts"
import { type DurableRun, interruptAll } from "./run.ts"
import { Keys } from "./stepKeys.ts"

type AnyEffect = Effect.Effect<any, any, any>

interface Options {
  readonly payload: any
  readonly success?: Schema.Top | undefined
  readonly error?: Schema.Top | undefined
  readonly idempotencyKey: (payload: any) => string
  readonly annotations?: Context.Context<never> | undefined
  readonly suspendedRetrySchedule?: any
}

/** @internal */
export const make = (name: string, options: Options, body: (payload: any, executionId: string) => AnyEffect): any => {
  const { success = Schema.Void } = options
  const error = withLibrary(options.error)
  // `Durable.ts` has checked the options: the workflow's own take `undefined` for what is left out
  const workflow: any = Workflow.make(name, { ...options, success, error } as any)
  const storing = { fact: factSchema(success, options.error), key: undefined }
  const execute = (runs: OngoingRuns) => (payload: unknown, executionId: string): AnyEffect =>
    Effect.suspend(() => {
      const result = body(payload, executionId)
      // a pipeline brings its hooks along
      const pipeline: PipelineOwner = isPipeline(result)
        ? result as unknown as PipelineOwner
        : makePipeline(name, result)
      const owner = {
        ...pipeline,
        name,
        runId: executionId,
        cache: { under: undefined, plan: undefined }
      }
      return run(owner, executionId, storing, runs)
    })
  const layer = Effect.map(
    Effect.acquireRelease(Effect.sync(() => new OngoingRuns()), (runs) => runs.close),
    (runs) => workflow.toLayer(execute(runs))
  )
  return { name, workflow, layer: Layer.unwrap(layer) }
}

const run = (
  owner: PipelineOwner,
  executionId: string,
  storing: { readonly fact: Schema.Top; readonly key: undefined },
  runs: OngoingRuns
): AnyEffect =>
  Effect.contextWith((context: Context.Context<WorkflowInstance>) => {
    const instance = Context.get(context, WorkflowInstance)
    let durable: DurableRun | undefined
    const whole = Effect.withFiber((fiber: Fiber.Fiber<unknown, unknown>) => {
      const shared: DurableRun = {
        executionId,
        instance,
        body: fiber,
        keys: new Keys(fiber),
        open: new Set(),
        ending: new Set(),
        released: false,
        preempted: false,
        ongoing: runs.of(executionId)
      }
      durable = shared
      const evaluation = new DurableEvaluation(owner, fiber, shared, storing)
      if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
      return Effect.andThen(
        Workflow.addFinalizer((exit) =>
          Effect.andThen(
            interruptAll(shared, exit),
            // an interruption that was pending holds
            Effect.suspend(() => instance.interrupted ? runs.leave(executionId, false) : Effect.void)
          )
        ),
        span(evaluation, evaluation.whole)
      )
    }).pipe(
      Effect.updateService(CurrentOverrides, guarding),
      // whatever set the run going, as a clock of an engine in memory does in the context that it was made in
      Effect.updateContext((context: Context.Context<any>) =>
        Context.omit(StepContext, Activity.CurrentAttempt)(context)
      )
    )
    // On a fiber of its own, so that what lets go of the run from without is known before anything in it hears of it.
    return Effect.flatMap(Effect.forkChild(whole, { startImmediately: true }), (fiber) =>
      Effect.onInterrupt(Fiber.join(fiber), () => {
        if (durable === undefined) return Fiber.interrupt(fiber)
        durable.released = true
        durable.preempted = instance.suspended && !instance.interrupted && !runs.closed
        return Effect.andThen(Fiber.interruptAll(durable.ending), Fiber.interrupt(fiber))
      })).pipe(Effect.ensuring(Effect.suspend(() => runs.leave(executionId, instance.suspended))))
  })
