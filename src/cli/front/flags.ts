/** The flags that several commands share. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Progress, progresses, type Showing, UsageError } from "../request.ts"

/** Performs the action of a command, whose exit code becomes that of the process. */
export type Perform = (action: () => Promise<number>) => Effect.Effect<void>

/** Takes a value only as `--record=FILE`: in `--record nightly.yaml` the file is the config to run. */
export const record: Flag.Flag<Option.Option<string>> = Flag.String("record").pipe(
  Flag.withMetavar("FILE"),
  Flag.withOptionalValue(""),
  Flag.withDescription(
    "Record the run in .epilogue/runs, for epilogue runs, show and report; or append it to a file: --record=FILE"
  ),
  Flag.optional
)

/** @internal */
export const progress: Flag.Flag<Option.Option<Progress>> = Flag.Literals("progress", progresses).pipe(
  Flag.withMetavar("HOW"),
  Flag.withDescription(
    "How to display progress. auto, the default, is a live tree on a terminal, groups in GitHub Actions, and plain " +
      "lines elsewhere. A supervised run has plain lines in place of the tree, which its own output would garble"
  ),
  Flag.optional
)

/** Makes a request of these flags. */
export const toShowing = ({ json, progress, record }: {
  readonly json: boolean
  readonly progress: Option.Option<Progress>
  readonly record: Option.Option<string>
}): Effect.Effect<Showing, UsageError> =>
  json && Option.isSome(progress)
    ? Effect.fail(new UsageError({ message: "--progress does not go with --json, which prints events for a program" }))
    : Effect.succeed({
      json,
      progress: Option.getOrElse(progress, () => "auto" as const),
      record: Option.getOrUndefined(record)
    })
