/** Tells runs that were under way when the code changed from later ones. */
import * as Effect from "effect/Effect"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { VersionRecord } from "../stored/records.ts"
import { runOf } from "./step.ts"
import { escapePart } from "./stepKeys.ts"

/** @internal */
export const version = (
  id: string,
  latest: number
): Effect.Effect<number, never, WorkflowEngine | WorkflowInstance> =>
  Effect.withFiber((fiber) => {
    const run = runOf(fiber)
    if (run === undefined) return Effect.succeed(latest)
    const { replay } = run.durable
    const record = run.record(
      `version/${escapePart(id)}`,
      VersionRecord,
      Effect.sync(() => ({ version: replay.isBehind ? 0 : latest, order: replay.asked }))
    )
    // the cast: the engine is in the context, and its errors are defects
    return Effect.map(Effect.orDie(record), ({ version }: typeof VersionRecord.Type) => version) as Effect.Effect<
      number
    >
  })
