/**
 * Makes steps of the spans that a program opens already, by `Effect.fn` and `Effect.withSpan`.
 *
 * **Details**
 *
 * Progress, records, timelines, metrics, monitors and alerts then work for a program of which no line was changed.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import type * as Tracer from "effect/Tracer"
import type { Any } from "./Hooks.ts"
import type { OverdueOptions } from "./internal/model/overdue.ts"
import type { Needs } from "./internal/model/step.ts"
import * as internal from "./internal/steps/spanLayer.ts"
import type { FitsAnyStep } from "./Pipeline.ts"
import type { Key } from "./Step.ts"

/**
 * Options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface SpansOptions {
  /**
   * The spans that are steps: a pattern of their names, in a text with `*` for any characters and `?` for one; or a
   * function, which sees the attributes with which the span was opened.
   */
  readonly steps: RegExp | string | ((span: Tracer.Span) => boolean)
  /** Returns the key of the step, which tells evaluations of one name apart. No span has a key unless set. */
  readonly key?: ((span: Tracer.Span) => Key | undefined) | undefined
  /** After which time the steps are overdue, and how often that is told again. Not told unless set. */
  readonly overdue?: Duration.Input | ({ readonly after: Duration.Input } & OverdueOptions) | undefined
  /** How long hooks may take once the layer closes. 30 seconds unless set. */
  readonly drain?: Duration.Input | undefined
}

/**
 * Hooks for {@link layer}: they fit any step, and can't be required.
 *
 * @category models
 * @since 0.1.0
 */
export type SpanHooks<R, T> = Any<unknown, unknown, R, never, T> & FitsAnyStep<T>

/**
 * Makes steps of the spans of a program: each is told to observers, and has hooks. All spans go on to the tracer that was
 * there.
 *
 * **When to use**
 *
 * For a program that has spans and no steps. Where the code may be changed, `Step.make` can do more: retry, limit the
 * time, ask for approval, and wait for hooks.
 *
 * **Details**
 *
 * - A span is a step with its name and its attributes, which are shown as annotations. It ends with the exit of the span.
 * - It is inside of the span around it that is a step, and of the step or the pipeline around it. The outermost is a run
 *   of its own. Steps and pipelines inside of a span are inside of its step.
 * - Hooks run on fibers of the layer, beside what follows the span, which can't wait for them: they can't be required.
 *   Those of a span run after those of the spans inside it. The layer waits for them when it closes. A hook gets the
 *   services of the layer and those that are around the span.
 * - In a pipeline, its `Pipeline.stepHooks` apply to these steps, by the same precedence.
 * - No steps are made of the spans that steps and hooks open themselves, nor of those inside of a hook or of the mailbox
 *   of an alerter. Spans that are not sampled are steps, too.
 * - A span that has not ended when the layer closes, or that is dropped, counts as interrupted.
 *
 * **Gotchas**
 *
 * - With `Effect.withTracerEnabled(false)` there are no spans, and so no steps.
 * - A span that is retried is a step at each attempt, and alerts at each: choose the span around the retry.
 * - The tracer is that of the place where the layer is provided: a tracer that is provided inside of it has no steps.
 * - `StepContext` is there for hooks only. Retries and time limits of config files do not apply.
 * - Attributes are shown: a secret in one has to be a `Redacted`, or among those of `Secrets`.
 *
 * @example
 * ```ts
 * import { Alerter, AlerterHooks, Spans } from "effect-epilogue"
 * import { Effect, Layer } from "effect"
 *
 * const fetchPage = Effect.fn("fetch-page")(function*(page: number) {
 *   yield* Effect.annotateCurrentSpan({ page })
 *   return yield* Effect.fail("no such page")
 * })
 *
 * const program = Effect.forEach([1, 2, 3], fetchPage).pipe(Effect.withSpan("pull"))
 *
 * const steps = Spans.layer({ steps: /^(pull|fetch-page)$/, hooks: AlerterHooks.failure })
 *
 * const told = program.pipe(Effect.provide(steps.pipe(Layer.provide(Alerter.layerConsole))))
 * ```
 *
 * @see `Step.make` for steps in the code
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: {
  <R, T>(options: SpansOptions & { readonly hooks: SpanHooks<R, T> }): Layer.Layer<never, never, Needs<R>>
  (options: SpansOptions & { readonly hooks?: undefined }): Layer.Layer<never>
} = internal.layer
