/** Finds the steps that spans are. */
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { StepContext } from "../model/context.ts"
import { evaluatedIn } from "../model/occurrence.ts"

/** A span that is a step, or that is inside of one. */
export interface SpanView {
  /** The view of that step. */
  readonly view: StepContext.Shape | undefined
}

/** By span, since a tracer makes the spans. */
const spanViews = new WeakMap<Tracer.AnySpan, SpanView>()

/** Keeps the step that a span is, or is inside of. */
export const setSpanView = (span: Tracer.AnySpan, view: SpanView): void => void spanViews.set(span, view)

/** Returns what was kept of a span by {@link setSpanView}. */
export const spanView = (span: Tracer.AnySpan): SpanView | undefined => spanViews.get(span)

/** Returns the view of the step that a span is, or is inside of. */
export const viewOfSpan = (span: Tracer.AnySpan | undefined): StepContext.Shape | undefined => {
  for (let at = span; at !== undefined; at = at._tag === "Span" ? Option.getOrUndefined(at.parent) : undefined) {
    const found = spanViews.get(at)
    if (found !== undefined) return found.view
  }
  return undefined
}

/** Returns the inner one of a step or a run that evaluates what a fiber runs, and of a span that is a step. */
export const innerView = (
  evaluated: StepContext.Shape | undefined,
  spanned: StepContext.Shape | undefined
): StepContext.Shape | undefined => {
  if (evaluated === undefined || spanned === undefined) return evaluated ?? spanned
  const outer = evaluatedIn(evaluated)
  let inner = evaluatedIn(spanned)
  if (inner === undefined || outer === undefined) return evaluated
  if (inner.run === outer.run) return inner.depth > outer.depth ? spanned : evaluated
  while (inner !== undefined && inner.run !== outer.run) inner = inner.run.around
  return inner === undefined ? evaluated : spanned
}
