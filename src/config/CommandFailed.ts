/**
 * The error of a command that `epilogue exec` has run.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

/**
 * The fields of a {@link CommandFailed}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface CommandFailedFields {
  /** The command and its arguments on one line, without what looks like a secret. */
  readonly command: string
  /** The exit code, as a shell has it: 128 + n for one that signal n has killed, 127 for one that was not found. */
  readonly exitCode: number
  /** The signal that has killed the command, as in `"SIGKILL"`. */
  readonly signal: string | undefined
  /** The last lines of what the command has written, as far as they are kept. They may hold secrets. */
  readonly tail: ReadonlyArray<string>
  /** The end of the command, as a text for people: `exit code 3`, `killed by SIGKILL`, `command not found`. */
  readonly message: string
}

const CommandFailedBase: new(
  fields: Pick<CommandFailedFields, "exitCode" | "signal" | "message">
) =>
  & Cause.YieldableError
  & { readonly _tag: "CommandFailed" }
  & Pick<
    CommandFailedFields,
    "exitCode" | "signal" | "message"
  > = Data.TaggedError("CommandFailed")<Pick<CommandFailedFields, "exitCode" | "signal" | "message">>

/**
 * The error of a command that has not succeeded. Hooks of the kind `failure` in the config file of `epilogue exec` get it.
 *
 * **Details**
 *
 * Alerts show `exitCode` and `signal` among their fields. They have the command line as an annotation of the run, and end
 * with the last lines of the output, so that `command` and `tail` are not repeated.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Hook } from "effect-epilogue"
 * import type { CommandFailed } from "effect-epilogue/config"
 *
 * // hooks.failure of the file: ./hooks.ts#locked
 * export const locked = Hook.onFailureTag(
 *   "CommandFailed",
 *   (error: CommandFailed) => error.exitCode === 75 ? Effect.log(error.tail.at(-1)) : Effect.void
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class CommandFailed extends CommandFailedBase {
  readonly #command: string
  readonly #tail: ReadonlyArray<string>

  /** Makes the error of the fields. Its stack names no file: the frames of this library say nothing of the command. */
  constructor({ command, tail, ...fields }: CommandFailedFields) {
    super(fields)
    this.#command = command
    this.#tail = tail
    // the frames of this library say nothing of the command
    this.stack = `CommandFailed: ${fields.message}`
  }

  /** The command and its arguments on one line, without what looks like a secret. */
  get command(): string {
    return this.#command
  }

  /** The last lines of what the command has written, as far as they are kept. They may hold secrets. */
  get tail(): ReadonlyArray<string> {
    return this.#tail
  }
}
