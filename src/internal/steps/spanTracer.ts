/** Makes steps of spans: a tracer in front of another one, which follows the spans that are steps. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { type SpanStart, SpanStep } from "../engine/spanStep.ts"
import { innerView, setSpanView, type SpanView, spanView, viewOfSpan } from "../engine/spanViews.ts"
import { asView, currentView, View } from "../engine/view.ts"
import type { StepContext } from "../model/context.ts"
import { monotonicNanos } from "../model/monotonic.ts"
import type { StepOwner } from "../model/owner.ts"
import { CurrentPosting } from "../model/posting.ts"
import { setSpanTracer } from "../model/spanTracers.ts"
import { formatDuration } from "../text/duration.ts"
import * as Writer from "../text/writer.ts"
import { annotate, key, makeStep } from "./step.ts"

/** The options of a layer, as it has read them. */
export interface Settings {
  /** Whether spans of a name may be steps. */
  readonly named: (name: string) => boolean
  /** Whether a span is a step, which is asked once its attributes are set. */
  readonly matches: (span: Tracer.Span) => boolean
  readonly keyOf: (span: Tracer.Span) => string | number | bigint | boolean | undefined
  /** Gives a step its hooks and limits. */
  readonly equip: (step: StepOwner) => StepOwner
  /** How long hooks may take once the layer closes, in milliseconds. */
  readonly drain: number
}

/** How many names have a step of their own, which spans copy. Beyond that, each span makes its own. */
const maxTemplates = 1_000

/** The steps of the spans of one layer. */
export class SpanSteps {
  readonly settings: Settings
  readonly tracer: Tracer.Tracer
  /** The services of the layer, which hooks may need. */
  readonly #services: Context.Context<never>
  /** The tracer that was there, unless that is Effect's default, which keeps no spans. */
  readonly #inner: Tracer.Tracer | undefined
  readonly #templates = new Map<string, StepOwner>()
  /** By the contexts of fibers, which spans in a loop share. */
  readonly #fibers = new WeakMap<Context.Context<never>, Fiber.Fiber<unknown>>()
  /** The names of spans with settings that they can't have. */
  readonly #warned = new Set<string>()
  readonly #open = new Set<Followed>()
  readonly #hooks = new Set<Fiber.Fiber<unknown, unknown>>()
  /** Ends the steps of spans that nobody can end any more. */
  readonly #lost = new FinalizationRegistry<Followed>((followed) => followed.abandon())
  /** The last span, which may not be decided yet. */
  #latest: Followed | undefined
  #isClosed = false

  constructor(settings: Settings, services: Context.Context<never>) {
    this.settings = settings
    this.#services = services
    const inner = Context.get(services, Tracer.Tracer)
    this.#inner = inner === Tracer.nativeTracer ? undefined : inner
    this.tracer = Tracer.make({
      span: (options) => {
        const span = inner.span(options)
        this.#follow(span, options)
        return span
      },
      context: inner.context
    })
    setSpanTracer(this.tracer, {
      keeps: this.#inner !== undefined,
      inner: (context, span) => innerView(context, viewOfSpan(span))
    })
  }

  /** Follows a new span, if it may be a step. Its attributes are set after that. */
  #follow(span: Tracer.Span, { parent }: Parameters<Tracer.Tracer["span"]>[0]): void {
    // by a layer around this one
    if (spanView(span) instanceof Followed) return
    const outer = viewOfSpan(Option.getOrUndefined(parent))
    const fiber = Fiber.getCurrent()
    const around = fiber && asView(innerView(currentView(fiber), outer))
    if (
      fiber === undefined || this.#isClosed || !this.settings.named(span.name) ||
      // what hooks and alerters do is no part of the program
      (around !== undefined && View.inHook(around)) || fiber.context.mapUnsafe.has(CurrentPosting.key)
    ) {
      return setSpanView(span, { view: outer })
    }
    // so that steps begin in the order of their spans, the attributes of that one are set
    this.#latest?.decide()
    const followed = new Followed(this, span, fiber.context, around, outer)
    this.#latest = followed
    this.#open.add(followed)
    setSpanView(span, followed)
    const end = span.end.bind(span)
    // in place, since a tracer may recognize its own spans as parents
    span.end = (at, exit) => {
      followed.end(exit, Fiber.getCurrent())
      end(at, exit)
    }
    queueMicrotask(() => followed.decide())
  }

  /** Makes the step of a span. */
  step(span: Tracer.Span, context: Context.Context<never>, around: View | undefined): SpanStep {
    const fiber = this.#fiberFor(context)
    const step = new SpanStep(this.#ownerOf(span), fiber, around, span.attributes, (fiber) => {
      this.#hooks.add(fiber)
      fiber.addObserver(() => this.#hooks.delete(fiber))
    })
    this.#warn(step)
    return step
  }

  /**
   * Returns a fiber for the steps of the spans that are opened in a context. Not one that opens a span: a step would keep
   * its context, and so the span itself.
   */
  #fiberFor(context: Context.Context<never>): Fiber.Fiber<unknown> {
    let fiber = this.#fibers.get(context)
    if (fiber === undefined) {
      const merged = Context.merge(this.#services, context)
      const own = this.#inner === undefined
        ? Context.omit(Tracer.Tracer)(merged)
        : Context.add(merged, Tracer.Tracer, this.#inner)
      fiber = Effect.runForkWith(own)(Effect.void)
      // a fiber that has ended has lost it
      fiber.setContext(own)
      this.#fibers.set(context, fiber)
    }
    return fiber
  }

  /** Warns of settings of a config file that a span can't have, once for a name. */
  #warn({ fiber, owner: { gate, name, wraps } }: SpanStep): void {
    if ((gate === undefined && wraps === undefined) || this.#warned.has(name) || this.#warned.size === maxTemplates) {
      return
    }
    this.#warned.add(name)
    Effect.runForkWith(fiber.context)(
      Writer.logWarning(`"${name}" is a span: it has no retries, time limits and approvals, though a file sets some`)
    )
  }

  #ownerOf(span: Tracer.Span): StepOwner {
    let template = this.#templates.get(span.name)
    if (template === undefined) {
      template = this.settings.equip(makeStep(span.name, Effect.void))
      if (this.#templates.size < maxTemplates) this.#templates.set(span.name, template)
    }
    const value = this.settings.keyOf(span)
    // a copy for each span: two with one step would be evaluations of one, which may make up for each other's failure
    return value === undefined ? annotate(template, {}) : key(template, value)
  }

  /** Notes that it is being decided whether a span is a step. */
  decided(followed: Followed): void {
    if (this.#latest === followed) this.#latest = undefined
  }

  /** Notes that the step of a span has begun. */
  begun(followed: Followed, span: Tracer.Span): void {
    this.#lost.register(span, followed, followed)
  }

  /** Notes that a span is no step, or that it has ended. */
  left(followed: Followed): void {
    this.#open.delete(followed)
    this.#lost.unregister(followed)
  }

  /** Ends the steps that have not ended, and waits for hooks. */
  close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#isClosed = true
      for (const followed of this.#open) followed.decide()
      const { size } = this.#open
      for (const followed of this.#open) followed.abandon()
      const told = size === 0
        ? Effect.void
        : Writer.logWarning(
          `Spans.layer closed before ${
            size === 1 ? "a span" : `${size} spans`
          } had ended: the steps count as interrupted`
        )
      return Effect.andThen(told, this.#drain())
    })
  }

  #drain(): Effect.Effect<void> {
    const { drain } = this.settings
    return Effect.flatMap(Effect.timeoutOption(this.#ended(), drain), (ended) => {
      if (Option.isSome(ended)) return Effect.void
      const left = [...this.#hooks]
      for (const fiber of left) fiber.interruptUnsafe()
      return Writer.logWarning(
        `Spans.layer: the hooks of ${left.length === 1 ? "a span" : `${left.length} spans`} did not end within ${
          formatDuration(drain)
        } after the layer closed, and were interrupted`
      )
    })
  }

  #ended(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.#hooks.size === 0 ? Effect.void : Effect.flatMap(Fiber.awaitAll(this.#hooks), () => this.#ended())
    )
  }
}

/**
 * A span that may be a step. That is decided when its attributes are set: at the next microtask, or before, when something
 * inside begins or the span ends.
 */
class Followed implements SpanView {
  readonly #steps: SpanSteps
  readonly #around: View | undefined
  readonly #outer: StepContext.Shape | undefined
  readonly #start: SpanStart
  /** Until it is decided. */
  #undecided: { readonly span: Tracer.Span; readonly context: Context.Context<never> } | undefined
  #step: SpanStep | undefined
  #hasEnded = false

  constructor(
    steps: SpanSteps,
    span: Tracer.Span,
    context: Context.Context<never>,
    around: View | undefined,
    outer: StepContext.Shape | undefined
  ) {
    this.#steps = steps
    this.#around = around
    this.#outer = outer
    this.#undecided = { span, context }
    const clock = Context.get(context, Clock.Clock)
    this.#start = { millis: clock.currentTimeMillisUnsafe(), nanos: monotonicNanos(clock) }
  }

  get view(): StepContext.Shape | undefined {
    this.decide()
    return this.#step?.view ?? this.#outer
  }

  decide(): void {
    if (this.#undecided === undefined) return
    this.#steps.decided(this)
    const { context, span } = this.#undecided
    this.#undecided = undefined
    try {
      if (!isOwn(span) && this.#steps.settings.matches(span)) this.#step = this.#steps.step(span, context, this.#around)
    } catch (defect) {
      // an option that throws must not fail the program
      Effect.runForkWith(context)(Writer.logError(`Spans.layer: the span "${span.name}" is no step`, Cause.die(defect)))
    }
    if (this.#step === undefined) return this.#steps.left(this)
    this.#steps.begun(this, span)
    this.#step.begin(this.#start)
  }

  /** Ends the step with the exit of the span. */
  end(exit: Exit.Exit<unknown, unknown>, fiber: Fiber.Fiber<unknown, unknown> | undefined): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.decide()
    if (this.#step === undefined) return
    this.#steps.left(this)
    this.#step.end(exit, fiber)
  }

  /** Ends the step of a span that has not ended. */
  abandon(): void {
    this.end(Exit.interrupt(), undefined)
  }
}

/** Whether a span is that of a step, a run or a hook: the engine gives it these attributes at once. */
const isOwn = ({ attributes }: Tracer.Span): boolean =>
  attributes.has("epilogue.run.name") || attributes.has("epilogue.hook.kind")
