/** Knows the tracers that make steps of spans, of which all else is loaded by those who provide one. */
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import type { StepContext } from "./context.ts"

type Inner = StepContext.Shape | undefined

/** A tracer that makes steps of spans. */
export interface SpanTracer {
  /** Whether it hands the spans on to a tracer that keeps them. */
  readonly keeps: boolean
  /** Returns the inner one of a context, and of that of the step that a span is, or is inside of. */
  readonly inner: (context: Inner, span: Tracer.AnySpan | undefined) => Inner
}

const known = new WeakMap<Tracer.Tracer, SpanTracer>()

/** Notes that a tracer makes steps of spans. */
export const setSpanTracer = (tracer: Tracer.Tracer, what: SpanTracer | undefined): void => {
  if (what !== undefined) known.set(tracer, what)
}

/** Returns what is known of a tracer, or `undefined` where it makes no steps of spans. */
export const spanTracerOf = (tracer: Tracer.Tracer | undefined): SpanTracer | undefined => tracer && known.get(tracer)

/** Returns a context of a fiber or, if the fiber is in a span inside of it that is a step, the context of that. */
export const innerContext = (fiber: Fiber.Fiber<unknown, unknown>, context: Inner): Inner => {
  const { span, tracer } = fiber.cache
  const found = spanTracerOf(tracer)
  return found === undefined ? context : found.inner(context, span)
}
