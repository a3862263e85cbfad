/**
 * Spans of steps and hooks, made only where a tracer was provided (by an OTLP layer, or the devtools) and
 * `References.TracerEnabled` is not off: the default tracer drops its spans, and to make one takes four times as long as
 * a step.
 *
 * The attributes of runs and steps are those of OpenTelemetry's conventions for CI/CD, where a step is a task
 * (https://opentelemetry.io/docs/specs/semconv/cicd/cicd-spans/); what these lack begins with `epilogue`.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Logger } from "effect/Logger"
import { CurrentLoggers, CurrentStackFrame, TracerTimingEnabled } from "effect/References"
import * as Tracer from "effect/Tracer"
import type { HookImpl } from "../model/hook.ts"
import type { Occurrence } from "../model/occurrence.ts"
import type { Overdue } from "../model/overdue.ts"
import type { Guard } from "../model/secrets.ts"
import { reasonOf, skippedOf } from "../model/skip.ts"
import { spanTracerOf } from "../model/spanTracers.ts"
import { isError, nameOf, tagOf } from "../text/read.ts"
import { pathText } from "../text/stepLabel.ts"
import { outcomeOf } from "./outcome.ts"

/** A tracer that makes steps of spans, and keeps none, needs no spans of steps and hooks. */
const listening = ({ cache: { tracer, tracerEnabled } }: Fiber.Fiber<unknown, unknown>): boolean =>
  tracer !== undefined && tracerEnabled && spanTracerOf(tracer)?.keeps !== false

const noStack = () => undefined

/**
 * Evaluates an effect in a span, as `Effect.withParentSpan` does without a stack. It changes the context once: effect
 * changes it twice, and looks up eleven services after each change.
 */
const within = (
  effect: Effect.Effect<unknown, unknown, unknown>,
  span: Tracer.Span
): Effect.Effect<unknown, unknown, unknown> =>
  Effect.updateContext(effect, (context: Context.Context<unknown>) => {
    const frame = { name: span.name, stack: noStack, parent: Context.get(context, CurrentStackFrame) }
    return Context.add(Context.add(context, CurrentStackFrame, frame), Tracer.ParentSpan, span)
  })

const noAttributes = {}

/** A run answers a request, as a CI system's does: https://opentelemetry.io/docs/specs/semconv/cicd/cicd-spans/#pipeline-run */
const ofRun = { kind: "server" } as const

/** Sets how a run or a step has ended. */
const setResult = (span: Tracer.Span, key: string, exit: Exit.Exit<unknown, unknown>): void => {
  let result: string = outcomeOf(exit)
  if (result === "interrupt") result = "cancellation"
  if (exit._tag === "Failure" && result === "failure") {
    const error = Cause.squash(exit.cause)
    // a class of errors that has few members, `_OTHER` where none is known
    const type = tagOf(error) ?? (isError(error) ? nameOf(error) : undefined) ?? "_OTHER"
    span.attribute("error.type", type)
    if (type === "TimeoutError") result = "timeout"
  }
  span.attribute(key, result)
}

/**
 * Wraps the body and the hooks of a step or a run in a span. The loggers of observers are added to those of a run. Under
 * a guard, the loggers and the tracer that were provided since are guarded first.
 */
export const span = (
  occurrence: Occurrence,
  fiber: Fiber.Fiber<unknown, unknown>,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> => {
  const { guard } = occurrence.run
  const loggers = occurrence.parent === undefined ? occurrence.run.loggers : undefined
  const inner = listening(fiber) ? spanned(occurrence, fiber, effect) : effect
  return guard === undefined && loggers === undefined ? inner : logging(inner, guard, loggers)
}

const logging = (
  inner: Effect.Effect<unknown, unknown, unknown>,
  guard: Guard | undefined,
  loggers: ReadonlyArray<Logger<unknown, unknown>> | undefined
): Effect.Effect<unknown, unknown, unknown> =>
  Effect.updateContext(inner, (context: Context.Context<unknown>) => {
    const logged = loggers === undefined ? context : withLoggers(context, loggers)
    return guard === undefined ? logged : guard.context(logged)
  })

const withLoggers = <R>(
  context: Context.Context<R>,
  loggers: ReadonlyArray<Logger<unknown, unknown>>
): Context.Context<R> =>
  Context.add(context, CurrentLoggers, new Set([...Context.get(context, CurrentLoggers), ...loggers]))

const spanned = (
  occurrence: Occurrence,
  fiber: Fiber.Fiber<unknown, unknown>,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> => {
  const { owner, run } = occurrence
  const isStep = owner.label === "Step"
  return Effect.useSpan(occurrence.label, isStep ? noAttributes : ofRun, (span) => {
    // set here, as an object of them would only be read by effect, to do the same
    span.attribute("cicd.pipeline.name", run.pipelineName)
    span.attribute("cicd.pipeline.run.id", run.id)
    span.attribute("epilogue.run.name", run.name)
    if (isStep) {
      span.attribute("cicd.pipeline.task.name", owner.name)
      span.attribute("cicd.pipeline.task.run.id", `${run.id}/${occurrence.index}`)
      if (owner.key !== undefined) span.attribute("epilogue.step.key", owner.key)
      span.attribute("epilogue.step.path", pathText(occurrence.labels, "/"))
      span.attribute("epilogue.step.index", occurrence.index)
    }
    return Effect.onExitPrimitive(within(effect, span), (exit) => {
      // the number of attempts is known only at the end
      if (isStep) span.attribute("epilogue.attempt", occurrence.attempt)
      setResult(span, isStep ? "cicd.pipeline.task.run.result" : "cicd.pipeline.result", exit)
      const skipped = skippedOf(exit)
      if (skipped !== undefined) endSkipped(span, reasonOf(skipped), fiber)
      return undefined
    })
  })
}

/** Ends the span of a skip before effect does: a span that ends with a failure is shown as an error. */
const endSkipped = (span: Tracer.Span, reason: string | undefined, fiber: Fiber.Fiber<unknown, unknown>): void => {
  span.attribute("epilogue.skipped", true)
  if (reason !== undefined) span.attribute("epilogue.skip.reason", reason)
  const isTimed = fiber.getRef(TracerTimingEnabled)
  span.end(isTimed ? fiber.getRef(Clock.Clock).currentTimeNanosUnsafe() : 0n, Exit.void)
}

/** Wraps a hook in a span, a child of the step's. */
export const hookSpan = (
  { attempt }: Occurrence,
  fiber: Fiber.Fiber<unknown, unknown>,
  hook: HookImpl,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> => listening(fiber) ? spannedHook(attempt, hook, effect) : effect

const spannedHook = (
  attempt: number,
  hook: HookImpl,
  effect: Effect.Effect<unknown, unknown, unknown>
): Effect.Effect<unknown, unknown, unknown> =>
  Effect.useSpan(hook.name, noAttributes, (span) => {
    span.attribute("epilogue.hook.kind", hook.kind)
    span.attribute("epilogue.attempt", attempt)
    return within(effect, span)
  })

/** Returns the span of the step or the run that a fiber evaluates, where a tracer listens. */
const spanAround = (fiber: Fiber.Fiber<unknown, unknown>): Tracer.Span | undefined => {
  const span = listening(fiber) ? Context.getOrUndefined(fiber.context, Tracer.ParentSpan) : undefined
  return span?._tag === "Span" ? span : undefined
}

/** The parts of a span that another process needs to link to it. */
export interface SpanReference {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

/** Returns a reference to the span of the run that a fiber evaluates, where a tracer listens. */
export const spanReference = (fiber: Fiber.Fiber<unknown, unknown>): SpanReference | undefined => {
  const span = spanAround(fiber)
  return span && { traceId: span.traceId, spanId: span.spanId, sampled: span.sampled }
}

/** Links the span of a run to that of its beginning, which had a span of its own, in another process perhaps. */
export const linkSpan = (fiber: Fiber.Fiber<unknown, unknown>, first: SpanReference): void => {
  const span = spanAround(fiber)
  if (span === undefined || span.spanId === first.spanId) return
  span.addLinks([{ span: Tracer.externalSpan(first), attributes: noAttributes }])
}

/** Adds an event to the span of a step or a run that is overdue. */
export const overdueSpanEvent = (
  fiber: Fiber.Fiber<unknown, unknown>,
  { elapsed, limit, times }: Overdue,
  nanos: () => bigint
): void => {
  const span = spanAround(fiber)
  if (span === undefined) return
  span.event("overdue", nanos(), {
    "epilogue.overdue.elapsed": Duration.toMillis(elapsed),
    "epilogue.overdue.limit": Duration.toMillis(limit),
    "epilogue.overdue.times": times
  })
}
