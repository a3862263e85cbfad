/**
 * Spans, where somebody listens: a tracer was provided (an OTLP layer does, or the
 * devtools) and `References.TracerEnabled` is not off. The default tracer only
 * keeps spans in memory, at four times the cost of a step.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { HookImpl } from "../model/hook.ts"
import type { Evaluation } from "./evaluation.ts"

const listening = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.cache.tracer !== undefined && fiber.cache.tracerEnabled

const noStack = { captureStackTrace: false }

/** The span of a step or a run, around its body and its hooks. */
export const span = (
  evaluation: Evaluation,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> => {
  if (!listening(evaluation.fiber)) return effect
  const { owner, run } = evaluation
  return Effect.useSpan(owner.name, {
    attributes: {
      "epilogue.pipeline": run.pipelineName,
      "epilogue.run.id": run.id,
      "epilogue.run.name": run.name,
      ...(evaluation.isRun ? undefined : {
        "epilogue.step": owner.name,
        "epilogue.step.path": evaluation.path.join("/"),
        "epilogue.step.index": evaluation.index
      })
    }
  }, (span) =>
    Effect.withParentSpan(effect, span, noStack).pipe(
      // known only at the end
      evaluation.isRun
        ? (self) => self
        : Effect.onExit(() => Effect.sync(() => span.attribute("epilogue.attempt", evaluation.attempt)))
    ))
}

/** The span of a hook, a child of the step's. */
export const hookSpan = (
  evaluation: Evaluation,
  hook: HookImpl,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> =>
  listening(evaluation.fiber)
    ? Effect.useSpan(
      hook.name,
      { attributes: { "epilogue.hook.kind": hook.kind, "epilogue.attempt": evaluation.attempt } },
      (span) => Effect.withParentSpan(effect, span, noStack)
    )
    : effect
