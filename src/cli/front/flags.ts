/** What the commands of the command line share. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Progress, progresses, type Showing, UsageError } from "../request.ts"

/** Performs the action of a command, whose exit code becomes that of the process. */
export type Perform = (action: () => Promise<number>) => Effect.Effect<void>

/** Bare, it takes no word after it: `--record nightly.yaml` records, and runs that config. */
export const record: Flag.Flag<Option.Option<string>> = Flag.String("record").pipe(
  Flag.withMetavar("FILE"),
  Flag.withOptionalValue(""),
  Flag.withDescription(
    "Record what happens in .epilogue/runs, for epilogue runs, show and report; or add it to a file: --record=FILE"
  ),
  Flag.optional
)

/** @internal */
export const progress: Flag.Flag<Option.Option<Progress>> = Flag.Literals("progress", progresses).pipe(
  Flag.withMetavar("HOW"),
  Flag.withDescription(
    "How the run is shown: a live tree on a terminal, groups in GitHub Actions, plain lines elsewhere, unless this " +
      "says otherwise. A supervised run has plain lines in place of the tree: what its process writes would go through it"
  ),
  Flag.optional
)

/** What is asked for by these flags. */
export const toShowing = ({ json, progress, record }: {
  readonly json: boolean
  readonly progress: Option.Option<Progress>
  readonly record: Option.Option<string>
}): Effect.Effect<Showing, UsageError> =>
  json && Option.isSome(progress)
    ? Effect.fail(new UsageError({ message: "--progress does not go with --json: events are for a program to show" }))
    : Effect.succeed({
      json,
      progress: Option.getOrElse(progress, () => "auto" as const),
      record: Option.getOrUndefined(record)
    })
