/**
 * Runs, shown while they go on.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import * as internal from "./internal/progress/layer.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ProgressOptions {
  /**
   * - `tree`: a tree that is drawn anew some ten times a second, with other output above it.
   * - `plain`: a line for each thing that happens.
   * - `github`: for the log of GitHub Actions: lines as with `plain`, in a group for each run, with an annotation for
   *   each step and hook that failed.
   * - `auto` (default): `tree` on a terminal, unless `TERM=dumb` or `CI` is set, or the output of the script goes
   *   through a pipe; `github` where `GITHUB_ACTIONS=true`; else `plain`.
   */
  readonly mode?: "auto" | "tree" | "plain" | "github" | undefined
  /** Where to, `stderr` by default: what a script prints may be for another. With `github` it is always `stdout`. */
  readonly stream?: "stdout" | "stderr" | undefined
  /** Colours of the tree. `auto` (default): on a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` goes before both. */
  readonly colors?: "auto" | "always" | "never" | undefined
}

/**
 * Shows the runs of what it is provided to: on a terminal as a live tree of their steps, with attempts, hooks, what
 * `StepContext.progress` tells and how it all ended; elsewhere as lines.
 *
 * While a tree is shown, what is written to `console`, `process.stdout` and `process.stderr` goes above it. What
 * reaches the terminal in another way, such as the output of a child process that inherits it, doesn't. When a run has
 * ended, its tree stays as text; cursor and streams are as they were, and they are if the process ends before.
 *
 * It is added to the observers that are there, once: provided again further in, it does nothing.
 *
 * @example
 * ```ts
 * import { Pipeline, Step } from "effect-epilogue"
 * import { Report } from "effect-epilogue/report"
 * import { Effect } from "effect"
 *
 * const load = Step.make("load", Effect.sleep("1 second"))
 *
 * Pipeline.make("etl", load).pipe(Effect.provide(Report.progress), Effect.runPromise)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const progress: Layer.Layer<never> = internal.layer()

/**
 * {@link progress} of another kind, or somewhere else.
 *
 * In the log of GitHub Actions, names and messages are escaped, so that they can't be taken for commands to its
 * runner. What a step prints by itself is not: that is the same as without progress.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 *
 * const progress = Report.progressWith({ mode: "plain", stream: "stdout" })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const progressWith = (options: ProgressOptions): Layer.Layer<never> => internal.layer(options)
