/**
 * Spans of steps and hooks, made only where a tracer was provided (by an OTLP layer, or the devtools) and
 * `References.TracerEnabled` is not off: the default tracer drops its spans, and to make one takes four times as long as
 * a step.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { HookImpl } from "../model/hook.ts"
import type { Occurrence } from "../model/occurrence.ts"
import { pathText } from "../text/stepLabel.ts"

const listening = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.cache.tracer !== undefined && fiber.cache.tracerEnabled

const noStack = { captureStackTrace: false }

/**
 * Wraps the body and the hooks of a step or a run in a span. Under a guard, the loggers and the tracer that were
 * provided since are guarded first.
 */
export const span = (
  occurrence: Occurrence,
  fiber: Fiber.Fiber<unknown, unknown>,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> => {
  const { guard } = occurrence.run
  if (guard === undefined) return listening(fiber) ? spanned(occurrence, effect) : effect
  return Effect.updateContext(
    listening(fiber) ? spanned(occurrence, effect) : effect,
    (context: Context.Context<unknown>) => guard.context(context)
  )
}

const spanned = (
  occurrence: Occurrence,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> => {
  const { owner, run } = occurrence
  return Effect.useSpan(occurrence.label, {
    attributes: {
      "epilogue.pipeline": run.pipelineName,
      "epilogue.run.id": run.id,
      "epilogue.run.name": run.name,
      ...(occurrence.isRun ? undefined : {
        "epilogue.step": owner.name,
        ...(owner.label === "Step" && owner.key !== undefined ? { "epilogue.step.key": owner.key } : undefined),
        "epilogue.step.path": pathText(occurrence.labels, "/"),
        "epilogue.step.index": occurrence.index
      })
    }
  }, (span) =>
    Effect.withParentSpan(effect, span, noStack).pipe(
      // the number of attempts is known only at the end
      occurrence.isRun
        ? (self) => self
        : Effect.onExit(() => Effect.sync(() => span.attribute("epilogue.attempt", occurrence.attempt)))
    ))
}

/** Wraps a hook in a span, a child of the step's. */
export const hookSpan = (
  { attempt }: Occurrence,
  fiber: Fiber.Fiber<unknown, unknown>,
  hook: HookImpl,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> =>
  listening(fiber)
    ? Effect.useSpan(
      hook.name,
      { attributes: { "epilogue.hook.kind": hook.kind, "epilogue.attempt": attempt } },
      (span) => Effect.withParentSpan(effect, span, noStack)
    )
    : effect
