/** What the commands for recorded runs have in common: which run is meant, what its record says, and what is wrong. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { clean } from "../../internal/text/fit.ts"
import { plural } from "../../internal/text/words.ts"
import type { Event } from "../../report/Event.ts"
import { defaultFolder } from "../../report/internal/record/layer.ts"
import { find, list, read, type Skipped } from "../../report/Record.ts"
import { RecordError } from "../../report/RecordError.ts"
import { ExitCode, type FolderRequest, UsageError } from "../request.ts"
import { err } from "../terminal.ts"

/** Does it, and tells what is wrong. */
export const perform = <E extends Error>(effect: Effect.Effect<void, E>): Promise<number> =>
  Effect.runPromise(
    Effect.match(effect, {
      onSuccess: (): number => ExitCode.success,
      onFailure: (error) => {
        err(`error: ${clean(error.message)}`)
        return isMistake(error) ? ExitCode.usage : ExitCode.failed
      }
    })
  )

const isMistake = (error: Error): boolean =>
  error instanceof UsageError ||
  (error instanceof RecordError && (error.reason._tag !== "Inaccessible" || misnamed.has(error.reason.code)))

/** What says that a file or a folder is not there, or that one is the other. */
const misnamed: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EISDIR"])

/** Where the records are, for whoever reads of it. */
export const shownFolder = ({ folder }: FolderRequest): string => folder ?? defaultFolder

/** How they come to be. */
export const howToRecord = "record one with \"epilogue run … --record\", or with Report.layerRecord() in code"

const expected =
  "expected the id of a run or how it begins, as \"epilogue runs\" lists them, the file of a record, or latest"

/** The file of the run's record. */
export const fileOf = (
  request: FolderRequest & { readonly run: string }
): Effect.Effect<string, RecordError | UsageError> =>
  Effect.gen(function*() {
    const { folder, run } = request
    if (run === "") return yield* new UsageError({ message: `no run is named: ${expected}` })
    if (run === "latest") {
      const [latest] = yield* list({ folder, limit: 1 })
      if (latest !== undefined) return latest.path
      return yield* new UsageError({ message: `no runs are recorded in ${shownFolder(request)}: ${howToRecord}` })
    }
    if (/[/\\]|\.jsonl$/.test(run)) return run
    return yield* find(run, { folder }).pipe(
      Effect.map(({ path }) => path),
      Effect.catch((error) =>
        existsSync(run)
          ? Effect.succeed(run)
          : Effect.fail(
            error.reason._tag === "NotFound" ? new UsageError({ message: `${error.message}: ${expected}` }) : error
          )
      )
    )
  })

/**
 * The events in a file, given on in the pieces in which they are read. It is said how many can't be. There is one, at
 * least.
 */
export const eachPiece = (
  file: string,
  use: (events: ReadonlyArray<Event>) => Promise<void> | void
): Effect.Effect<void, RecordError | UsageError> =>
  Effect.suspend(() => {
    const counts: Record<Skipped["reason"], number> = { torn: 0, unknown: 0, lost: 0 }
    let isEmpty = true
    const onSkipped = ({ events, reason }: Skipped) => {
      counts[reason] += events
    }
    return read(file, { onSkipped }).pipe(
      Stream.runForEachArray((events) => {
        isEmpty = false
        return Effect.promise(async () => use(events))
      }),
      Effect.flatMap(() => {
        const { lost, torn, unknown } = counts
        if (torn > 0) err(`${file}: ${plural(torn, "line")} without an end, as a crash leaves it`)
        if (unknown > 0) err(`${file}: ${plural(unknown, "event")} of a later version, left out`)
        if (lost > 0) err(`${file}: ${plural(lost, "event")} that could not be recorded`)
        return isEmpty
          ? Effect.fail(new UsageError({ message: `${file}: nothing is recorded in it yet` }))
          : Effect.void
      })
    )
  })
