/**
 * A question to whoever sits at the terminal in which the script runs.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type * as Terminal from "effect/Terminal"
import type { Approver } from "../Approver.ts"
import * as internal from "./internal/terminal.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface TerminalPromptOptions {
  /**
   * Who sits there, as in a question's `approvers`. What the environment says unless
   * set: `USER`, or `USERNAME` on Windows, and `"local"` where there is neither.
   */
  readonly user?: string | undefined
}

/**
 * Asks in the terminal and reads a line: what the question calls the answer, or `y`,
 * `yes`, `n`, `no`, in capitals or not; what follows in the line is the comment.
 * Anything else is asked again. Several questions are asked one after another, and the
 * time of each runs from when it was asked for.
 *
 * A line that comes within 300 milliseconds of its question is no answer to it: it was
 * typed before, or comes from a pipe. Where there is no terminal, or it is closed
 * (Ctrl-D), the question fails, and so it does at once where the user is none of its
 * `approvers`. The user's name is as good as the environment that it is taken from.
 *
 * It is not resumable: a question ends with the process at whose terminal it is.
 *
 * @example
 * ```ts
 * import { Approver } from "effect-epilogue"
 * import { TerminalPrompt } from "effect-epilogue/approvers"
 * import { Effect } from "effect"
 *
 * // needs a `Terminal`, such as that of `NodeTerminal.layer` of `@effect/platform-node`
 * const program = Approver.ask({ title: "Drop the table?", timeout: "10 minutes" }).pipe(
 *   Effect.provide(TerminalPrompt.layer())
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: TerminalPromptOptions = {}): Layer.Layer<Approver, never, Terminal.Terminal> =>
  internal.layer(options)
