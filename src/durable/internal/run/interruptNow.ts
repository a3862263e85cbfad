/** Interrupts what a run executes, and not only what it waits for. */
import * as Effect from "effect/Effect"
import type * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"

/** @internal */
export const interruptNow = (
  { workflow }: { readonly workflow: Workflow.Any },
  runId: string
): Effect.Effect<void, never, WorkflowEngine> =>
  Effect.flatMap(WorkflowEngine, (engine) => engine.interruptUnsafe(workflow, runId))
