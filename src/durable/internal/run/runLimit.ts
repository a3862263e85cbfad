/** The time limit of a durable run, which counts from the run's start by the wall clock, through restarts. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as DurableClock from "effect/workflow/DurableClock"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import type { Evaluation } from "../../../internal/engine/evaluation.ts"
import { isInterrupted } from "../../../internal/engine/outcome.ts"
import { bodyExceeded, timeoutBody } from "../../../internal/engine/timeout.ts"
import type { Limits, PipelineOwner } from "../../../internal/model/owner.ts"
import { innermostIn, runningText } from "../../../internal/model/running.ts"
import { BegunRecord, limitClock } from "../stored/records.ts"
import type { DurableRun } from "./run.ts"

type AnyEffect = Effect.Effect<any, unknown, any>

interface RunKeeper {
  readonly evaluation: Evaluation
  readonly durable: DurableRun
  readonly record: (name: string, schema: Schema.Top, execute: AnyEffect) => AnyEffect
}

/** How long a body is evaluated that resumes after the limit, in milliseconds: to come to the steps that it waits for. */
const replayTime = 1_000

const limitsOf = ({ wraps = [] }: PipelineOwner): Limits | undefined =>
  wraps.flatMap((wrap) => wrap.kind === "timeout" ? [wrap] : []).toSorted((a, b) => a.limit - b.limit)[0]

/** Returns the body of a run under the limit of its pipeline. Evaluated when the start of the run is known. */
export const limitedRun = (keeper: RunKeeper, owner: PipelineOwner): AnyEffect => {
  const limits = limitsOf(owner)
  if (limits === undefined) return owner.body
  const { grace, limit } = limits
  const error = (running?: string): Cause.TimeoutError => bodyExceeded(owner, keeper.evaluation.label, limit, running)
  return Effect.gen(function*() {
    const { durable } = keeper
    const { instance } = durable
    const deadline = keeper.evaluation.startedMillis + limit
    if (Number.isFinite(limit)) yield* scheduleResumption(keeper, limit + grace + replayTime)
    const left = deadline - (yield* Clock.currentTimeMillis)
    const body: AnyEffect = Effect.withFiber((fiber) => {
      durable.body = fiber
      durable.keys.body = fiber
      return owner.raw ?? owner.body
    })
    const exit = yield* Effect.exit(
      timeoutBody(body, { limit: left > 0 ? left : replayTime, grace, error: (_, running) => error(running) })
    )
    // Suspended, and nothing else would resume the run: the steps that wait end as those of a lost race do. An evaluation
    // that is over leaves that to the next one.
    const now = yield* Clock.currentTimeMillis
    if (instance.suspended && !durable.released && isInterrupted(exit) && now >= deadline) {
      const waiting = [...durable.open].flatMap(({ evaluation, settled }) => settled ? [] : [evaluation])
      instance.suspended = false
      const names = innermostIn(keeper.evaluation, waiting, { now, since: ({ startedMillis }) => startedMillis })
      return yield* Effect.fail(error(runningText(names)))
    }
    return yield* exit
  })
}

/**
 * Resumes the run after a time, once, if it is suspended then. While the run is in this process, a timer in memory ends
 * it before that.
 */
const scheduleResumption = ({ durable, record }: RunKeeper, millis: number): AnyEffect =>
  record(
    limitClock,
    BegunRecord,
    Effect.flatMap(WorkflowEngine, (engine) =>
      Effect.as(
        engine.scheduleClock(durable.instance.workflow, {
          executionId: durable.executionId,
          clock: DurableClock.make({ name: limitClock, duration: millis })
        }),
        {}
      ))
  )
