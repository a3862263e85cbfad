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

const unitMillis = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

const durationText =
  /^(\d+(?:\.\d+)?)\s*(?:(ms|millis)|(s|seconds?)|(m|min|minutes?)|(h|hours?)|(d|days?)|(w|weeks?))?$/i

/** Parses a duration such as `90m`, `2 hours` or a number of seconds, to milliseconds. Returns `undefined` for others. */
export const durationMillis = (text: string): number | undefined => {
  const [, count, ...units] = durationText.exec(text.trim()) ?? []
  if (count === undefined) return undefined
  const { d, h, m, ms, s, w } = unitMillis
  const index = units.findIndex((unit) => unit !== undefined)
  return Number(count) * (index < 0 ? s : [ms, s, m, h, d, w][index]!)
}
