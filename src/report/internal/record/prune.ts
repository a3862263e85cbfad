/** Removes the records of old runs. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { refuseLinkedFolder } from "../../../internal/files/private.ts"
import { limitMillis } from "../../../internal/model/limit.ts"
import type { Recorded } from "../../Recorded.ts"
import type { RecordError } from "../../RecordError.ts"
import { failure, modules } from "./files.ts"
import { entriesIn, listOwn } from "./list.ts"
import { isHeld } from "./look.ts"
import { isRecordName } from "./names.ts"

/** The limits that decide which records are kept. At least one is set. */
export interface Limits {
  /** How many of the newest runs are within the limit. */
  readonly runs: number | undefined
  /** How long ago a run within the limit began, at most. */
  readonly age: Duration.Duration | undefined
  /** Whether a run is kept within both limits only, or within either of them. */
  readonly within: "both" | "either"
}

/** Checks the limits. Throws a `TypeError` that names the option of the caller that is wrong. */
export const limitsOf = (
  { age, runs, within }: Omit<Limits, "age"> & { readonly age: Duration.Input | undefined },
  names: { readonly runs: string; readonly age: string }
): Limits => {
  if (runs !== undefined && (!Number.isInteger(runs) || runs < 0)) {
    throw new TypeError(`${names.runs} is ${runs} (expected a whole number, 0 or more)`)
  }
  const limit = age === undefined ? undefined : limitMillis(age)
  if (age !== undefined && limit === undefined) {
    throw new TypeError(`${names.age} is ${String(age)} (expected a duration, 0 or more)`)
  }
  if (runs === undefined && limit === undefined) {
    throw new TypeError(`neither ${names.runs} nor ${names.age} is set (expected one of them, or both)`)
  }
  return { runs, age: limit === undefined ? undefined : Duration.millis(limit), within }
}

/** Returns the runs that pruning removes, of all runs, the newest first: never one that is running. */
const prunable = (all: ReadonlyArray<Recorded>, { age, runs, within }: Limits): ReadonlyArray<Recorded> => {
  // not effect's clock: the times of records are the machine's
  const oldest = age === undefined ? undefined : Date.now() - Duration.toMillis(age)
  return all.filter(({ startedAt, status }, i) => {
    const kept = [
      ...(runs === undefined ? [] : [i < runs]),
      ...(oldest === undefined ? [] : [DateTime.toEpochMillis(startedAt) >= oldest])
    ]
    return status !== "running" && !(within === "both" ? kept.every((is) => is) : kept.some((is) => is))
  })
}

/** The runs whose records pruning has removed, and the symbolic links among the records, which it leaves alone. */
export interface Pruned {
  readonly removed: ReadonlyArray<Recorded>
  readonly links: ReadonlyArray<string>
}

/** Says that pruning has left a link alone. */
export const leftAlone = (link: string): string =>
  `${link} is a symbolic link, which is not followed, and is left alone`

/** Removes the records of runs beyond the limits, or only returns what it would remove. */
export const prune = (folder: string, limits: Limits, dryRun = false): Effect.Effect<Pruned, RecordError> =>
  Effect.gen(function*() {
    const loaded = yield* modules(folder)
    const { fs, path } = loaded
    // through a link, the files of another folder would be removed
    yield* Effect.try({
      try: () => refuseLinkedFolder(folder),
      catch: (cause) => failure(folder, "remove records in", cause)
    })
    const beyond = prunable(yield* listOwn(folder), limits)
    const held = yield* Effect.filter(beyond, (run) => Effect.promise(() => isHeld(loaded, run)))
    const old = beyond.filter((run) => !held.includes(run))
    const remove = ({ path }: Recorded) =>
      Effect.tryPromise({
        try: () => fs.promises.unlink(path),
        catch: (cause) => failure(path, "remove", cause)
      }).pipe(
        Effect.as(true),
        // another process has removed it meanwhile
        Effect.catch((error) =>
          error.reason._tag === "Inaccessible" && error.reason.code === "ENOENT"
            ? Effect.succeed(false)
            : Effect.fail(error)
        )
      )
    const links = (yield* entriesIn(loaded, folder)).flatMap((entry) =>
      entry.isSymbolicLink() && isRecordName(entry.name) ? [path.join(folder, entry.name)] : []
    )
    return { removed: dryRun ? old : yield* Effect.filter(old, remove), links }
  })
