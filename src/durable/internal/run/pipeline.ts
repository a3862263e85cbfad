/** Runs pipelines as workflows. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { span } from "../../../internal/engine/spans.ts"
import { CurrentOverrides } from "../../../internal/model/overrides.ts"
import type { PipelineOwner } from "../../../internal/model/owner.ts"
import { isPipeline, makePipeline } from "../../../internal/steps/step.ts"
import { StepContext } from "../../../StepContext.ts"
import { withLibrary } from "../stored/errors.ts"
import { endRecordSchema } from "../stored/records.ts"
import { refuseSecrets } from "../stored/secrets.ts"
import { ActivityFibersByRun } from "./activityFibers.ts"
import { DurableKeeper, type StorageOptions } from "./keeper.ts"
import { requireDurable } from "./requireDurable.ts"
import { type DurableRun, finishInterrupted } from "./run.ts"
import { StepKeys } from "./stepKeys.ts"

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
  // the cast: the types in `Durable.ts` have checked the options, and `Workflow.make` accepts `undefined` for absent ones
  const workflow: any = Workflow.make(name, { ...options, success, error } as any)
  refuseSecrets(name, "payload", workflow.payloadSchema)
  refuseSecrets(name, "success", success)
  if (options.error !== undefined) refuseSecrets(name, "error", options.error)
  const storage = { end: endRecordSchema(success, options.error) }
  const execute = (runs: ActivityFibersByRun) => (payload: unknown, executionId: string): AnyEffect =>
    Effect.suspend(() => {
      const result = body(payload, executionId)
      // a pipeline keeps its hooks; any other effect becomes a pipeline without hooks
      const pipeline: PipelineOwner = isPipeline(result)
        ? result as unknown as PipelineOwner
        : makePipeline(name, result)
      const owner = {
        ...pipeline,
        name,
        runId: executionId,
        cache: { under: undefined, plan: undefined }
      }
      return run(owner, executionId, storage, runs)
    })
  const layer = Effect.map(
    Effect.acquireRelease(Effect.sync(() => new ActivityFibersByRun()), (runs) => runs.close),
    (runs) => workflow.toLayer(execute(runs))
  )
  return { name, workflow, layer: Layer.unwrap(layer) }
}

const run = (
  owner: PipelineOwner,
  executionId: string,
  storage: StorageOptions,
  runs: ActivityFibersByRun
): AnyEffect =>
  Effect.contextWith((context: Context.Context<WorkflowInstance>) => {
    const instance = Context.get(context, WorkflowInstance)
    let durable: DurableRun | undefined
    const whole = Effect.withFiber((fiber: Fiber.Fiber<unknown, unknown>) => {
      const shared: DurableRun = {
        executionId,
        instance,
        body: fiber,
        keys: new StepKeys(fiber),
        open: new Set(),
        endingFibers: new Set(),
        released: false,
        preempted: false,
        activities: runs.of(executionId)
      }
      durable = shared
      const keeper = new DurableKeeper(owner, fiber, shared, storage)
      const { evaluation } = keeper
      if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
      return Effect.andThen(
        Workflow.addFinalizer((exit) =>
          Effect.andThen(
            finishInterrupted(shared, exit),
            // an interrupted run is not evaluated again, so nothing could join its activities
            Effect.suspend(() => instance.interrupted ? runs.release(executionId, false) : Effect.void)
          )
        ),
        span(evaluation, fiber, keeper.bodyAndHooks)
      )
    }).pipe(
      Effect.updateService(CurrentOverrides, requireDurable),
      // The in-memory engine starts a run in the context of the caller, or of the clock that resumes it: without this a
      // run that is started in a step would count as part of that step.
      Effect.updateContext((context: Context.Context<any>) =>
        Context.omit(StepContext, Activity.CurrentAttempt)(context)
      )
    )
    // On a fiber of its own, so that `released` and `preempted` are set before the interruption reaches the body.
    return Effect.flatMap(Effect.forkChild(whole, { startImmediately: true }), (fiber) =>
      Effect.onInterrupt(Fiber.join(fiber), () => {
        if (durable === undefined) return Fiber.interrupt(fiber)
        durable.released = true
        durable.preempted = instance.suspended && !instance.interrupted && !runs.closed
        return Effect.andThen(Fiber.interruptAll(durable.endingFibers), Fiber.interrupt(fiber))
      })).pipe(Effect.ensuring(Effect.suspend(() => runs.release(executionId, instance.suspended))))
  })
