/** Runs pipelines as workflows. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Alerter } from "../../../Alerter.ts"
import * as AlerterHooks from "../../../AlerterHooks.ts"
import { closeOpen } from "../../../internal/engine/rollingBack.ts"
import { span } from "../../../internal/engine/spans.ts"
import { CurrentHolding } from "../../../internal/model/holding.ts"
import { unknownMistakes } from "../../../internal/model/options.ts"
import { CurrentOverrides } from "../../../internal/model/overrides.ts"
import type { PipelineOwner } from "../../../internal/model/owner.ts"
import { isPipeline, makePipeline } from "../../../internal/steps/step.ts"
import * as Pipeline from "../../../Pipeline.ts"
import { StepContext } from "../../../StepContext.ts"
import { crashesMistakes, crashesOf, defaultCrashes } from "../crashes/crashes.ts"
import { runsOf } from "../runs/runs.ts"
import { healthOf } from "../storage/guard.ts"
import { telling, tellRun } from "../storage/telling.ts"
import { withLibrary } from "../stored/errors.ts"
import { endRecordSchema } from "../stored/records.ts"
import { refuseSecrets } from "../stored/secrets.ts"
import { refusePayload } from "../stored/unstorable.ts"
import { ActivityFibersByRun } from "./activityFibers.ts"
import { markOf, Replay } from "./codeChanges.ts"
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
  readonly crashes?: number | undefined
}

const known: Record<keyof Options, 0> = {
  payload: 0,
  success: 0,
  error: 0,
  idempotencyKey: 0,
  annotations: 0,
  suspendedRetrySchedule: 0,
  crashes: 0
}

/** @internal */
export const make = (name: string, options: Options, body: (payload: any, executionId: string) => AnyEffect): any => {
  const { crashes = defaultCrashes, success = Schema.Void } = options
  const error = withLibrary(options.error)
  // called before anything is stored of a run, by every engine
  const idempotencyKey = (payload: unknown): string => {
    refusePayload(name, workflow.payloadSchema, payload)
    return options.idempotencyKey(payload)
  }
  // the cast: the types in `Durable.ts` have checked the options, and `Workflow.make` accepts `undefined` for absent ones
  const workflow: any = Workflow.make(name, { ...options, idempotencyKey, success, error } as any)
  refuseSecrets(name, "payload", workflow.payloadSchema)
  refuseSecrets(name, "success", success)
  if (options.error !== undefined) refuseSecrets(name, "error", options.error)
  const storage = { end: endRecordSchema(success, options.error) }
  const execute =
    (runs: ActivityFibersByRun, scope: Scope.Scope) => (payload: unknown, executionId: string): AnyEffect =>
      Effect.flatMap(asked, ({ canAlert, engine, retryOf }) => {
        const result = orFailing(name, canAlert, () => body(payload, executionId))
        // a pipeline keeps its hooks; any other effect becomes a pipeline without hooks
        const pipeline: PipelineOwner = isPipeline(result)
          ? result as unknown as PipelineOwner
          : makePipeline(name, result)
        const owner = {
          ...pipeline,
          name,
          mistakes: [
            ...pipeline.mistakes,
            ...unknownMistakes("its durable pipeline", options, known),
            ...crashesMistakes(crashes)
          ],
          runId: executionId,
          annotations: retryOf === undefined ? pipeline.annotations : { ...pipeline.annotations, retryOf },
          cache: { under: undefined, plan: undefined }
        }
        const evaluated = run(owner, executionId, storage, runs, crashes)
        const health = healthOf(engine)
        return health === undefined ? evaluated : telling(evaluated, tellRun(owner, executionId, health), health, scope)
      })
  const layer = Effect.gen(function*() {
    const make = Effect.sync(() => new ActivityFibersByRun(markOf(body.toString())))
    const runs = yield* Effect.acquireRelease(make, (runs) => runs.close)
    return workflow.toLayer(execute(runs, yield* Effect.scope))
  })
  return { name, workflow, layer: Layer.provideMerge(leaving(name), Layer.unwrap(layer)) }
}

/** Returns the engine of a run, the run of which this one is a retry, and whether there is an alerter. */
const asked = Effect.contextWith((context: Context.Context<WorkflowInstance | WorkflowEngine>) => {
  const engine = Context.get(context, WorkflowEngine)
  const found = runsOf(engine)?.retryOf(Context.get(context, WorkflowInstance)) ?? Effect.undefined
  const canAlert = Context.getOption(context, Alerter)._tag === "Some"
  return Effect.map(found, (retryOf) => ({ canAlert, engine, retryOf }))
})

/**
 * Returns what the function of a pipeline returns. Where that throws, the hooks that it would have attached are not known:
 * the run fails with an alert, so that it does not fail in silence.
 */
const orFailing = (name: string, canAlert: boolean, body: () => AnyEffect): AnyEffect => {
  try {
    return body()
  } catch (thrown) {
    const failing = Pipeline.make(name, Effect.die(thrown))
    return canAlert ? Pipeline.hooks(failing, AlerterHooks.failure) : failing
  }
}

/** Closes before the layer below, whose closing may take so long that the process is killed meanwhile. */
const leaving = (workflow: string): Layer.Layer<never, never, WorkflowEngine> =>
  Layer.effectDiscard(
    Effect.flatMap(WorkflowEngine, (engine) =>
      Effect.addFinalizer(() => crashesOf(engine)?.leaveAll(workflow) ?? Effect.void))
  )

const run = (
  owner: PipelineOwner,
  executionId: string,
  storage: StorageOptions,
  runs: ActivityFibersByRun,
  crashLimit: number
): AnyEffect =>
  Effect.contextWith((context: Context.Context<WorkflowInstance | WorkflowEngine>) => {
    const instance = Context.get(context, WorkflowInstance)
    // a run in memory ends with the process
    const isStored = runsOf(Context.get(context, WorkflowEngine)) !== undefined
    const left = isStored ? Context.get(context, CurrentHolding)?.(owner.name, executionId) : undefined
    let durable: DurableRun | undefined
    const whole = Effect.withFiber((fiber: Fiber.Fiber<unknown, unknown>) => {
      const shared: DurableRun = {
        executionId,
        instance,
        body: fiber,
        keys: new StepKeys(fiber),
        replay: new Replay({ pipelineName: owner.name, runId: executionId }),
        code: { mark: runs.mark, told: runs.told, hasChanged: false },
        open: new Set(),
        endingFibers: new Set(),
        released: false,
        preempted: false,
        activities: runs.of(executionId),
        kept: runs.keptOf(executionId),
        crashes: crashesOf(Context.get(context, WorkflowEngine)),
        crashLimit
      }
      durable = shared
      const keeper = new DurableKeeper(owner, fiber, shared, storage)
      const { evaluation } = keeper
      if (evaluation.plan.defect !== undefined) return Effect.die(evaluation.plan.defect)
      return Effect.andThen(
        Workflow.addFinalizer((exit) =>
          Effect.andThen(
            Effect.andThen(finishInterrupted(shared, exit), closeOpen(evaluation)),
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
      })).pipe(Effect.ensuring(Effect.suspend(() => {
        left?.(instance.suspended)
        return runs.release(executionId, instance.suspended)
      })))
  })
