/**
 * Keeps the steps and hooks of a run that have begun and not ended.
 *
 * Steps are known by the run's events, hooks by their spans: the event of a hook comes only after the part of the hook
 * that runs synchronously, too late for a hook that blocks. In a pipeline with a tracer of its own, hooks are unknown.
 */
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { formatDuration } from "../../internal/text/duration.ts"
import { labelsOf, pathText } from "../../internal/text/stepLabel.ts"
import type { Observer } from "../../RunEvent.ts"
import type { Supervisor } from "../supervise/child.ts"

/** A span that nothing exports. Drops what is logged within it. */
class Unexported extends Tracer.NativeSpan {
  override event(): void {}
}

/** Returns whether a span drops what is logged within it. */
export const dropsLogs = (span: Tracer.AnySpan | undefined): boolean => span instanceof Unexported

/** @internal */
export interface OpenWork {
  readonly observer: Observer
  readonly tracer: Tracer.Tracer
  /** Whether a run has begun. */
  readonly started: () => boolean
  /** Returns a line for each step and hook that has not ended. */
  readonly open: () => ReadonlyArray<string>
}

/** @internal */
export const make = (supervisor?: Pick<Supervisor, "send">): OpenWork => {
  const steps = new Map<string, { readonly name: string; readonly since: number }>()
  const hooks = new Map<Tracer.Span, { readonly id: number; readonly at: number }>()
  let count = 0
  let started = false

  /** The span of a step or hook. */
  class Span extends Unexported {
    override attribute(key: string, value: unknown): void {
      super.attribute(key, value)
      if (key !== "epilogue.hook.kind" || hooks.has(this)) return
      const hook = { id: count++, at: Date.now() }
      hooks.set(this, hook)
      supervisor?.send({ _tag: "HookOpened", title: titleOf(this), ...hook })
    }
    override end(...args: Parameters<Tracer.NativeSpan["end"]>): void {
      const hook = hooks.get(this)
      if (hook !== undefined) supervisor?.send({ _tag: "HookClosed", id: hook.id })
      hooks.delete(this)
      super.end(...args)
    }
  }

  return {
    observer: (event) => {
      if (event._tag === "RunStarted") started = true
      else if (event._tag === "StepStarted") {
        steps.set(`${event.runId} ${event.index}`, { name: pathText(labelsOf(event), " > "), since: Date.now() })
      } else if (event._tag === "StepEnded" || event._tag === "StepSkipped") {
        steps.delete(`${event.runId} ${event.index}`)
      }
    },
    tracer: Tracer.make({ span: (options) => new Span(options) }),
    started: () => started,
    open: () => {
      const after = (since: number) => `after ${formatDuration(Date.now() - since)}`
      return [
        ...[...steps.values()].map(({ name, since }) => `step ${name}, ${after(since)}`),
        ...[...hooks].map(([span, { at }]) => `${titleOf(span)}, ${after(at)}`)
      ]
    }
  }
}

const titleOf = (span: Tracer.Span): string => {
  const owner = Option.getOrUndefined(span.parent)
  const of = owner?._tag === "Span" ? ` of ${owner.name}` : ""
  return `hook "${span.name}" (${String(span.attributes.get("epilogue.hook.kind"))})${of}`
}
