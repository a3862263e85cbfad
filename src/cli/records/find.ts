/** Finds a recorded run, reads its record and reports errors, for all commands that show records. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { isMisnamed, nothingToRead, PipeError } from "../../internal/files/private.ts"
import { plural } from "../../internal/text/words.ts"
import type { Event } from "../../report/Event.ts"
import { defaultFolder } from "../../report/internal/record/names.ts"
import { find, follow as followRecord, list, read, type Skipped } from "../../report/Record.ts"
import { RecordError } from "../../report/RecordError.ts"
import { ExitCode, type FolderRequest, UsageError } from "../request.ts"
import { err } from "../terminal.ts"

/** Runs a command, prints its error, and resolves to the exit code. */
export const perform = <E extends Error>(effect: Effect.Effect<void, E>): Promise<number> =>
  Effect.runPromise(
    Effect.match(effect, {
      onSuccess: (): number => ExitCode.success,
      onFailure: (error) => {
        err(`error: ${error.message}`)
        return isMistake(error) ? ExitCode.usage : ExitCode.failed
      }
    })
  )

/** Returns whether an error is due to what the user asked for, and not to the system. */
const isMistake = (error: Error): boolean =>
  error instanceof UsageError ||
  (error instanceof RecordError && (error.reason._tag !== "Inaccessible" || isWrong(error.reason.code)))

/** Whether the path does not exist, or is a file where a folder is expected, or the reverse, or has to be waited for. */
const isWrong = (code: string): boolean =>
  isMisnamed(code) || code === "ENOENT" || code === PipeError.why || code === nothingToRead

/** Returns the folder of the records, for messages. */
export const shownFolder = ({ folder }: FolderRequest): string => folder ?? defaultFolder

/** Says how to record a run, for messages. */
export const howToRecord = "record one with \"epilogue run … --record\", or with Report.layerRecord() in code"

const expected =
  "expected the id of a run or how it begins, as \"epilogue runs\" lists them, the file of a record, or latest"

/** Matches `latest`, and `latest~2` for the second one before it. */
const latest = /^latest(?:~(\d{1,6}))?$/

/** The file of a run, and its id where the file may have others, too. */
export interface Found {
  readonly path: string
  readonly runId: string | undefined
}

/** Finds the run that the command line names: by id, by its beginning, `latest`, or as a file, which has all its runs. */
export const fileOf = (
  request: FolderRequest & { readonly run: string }
): Effect.Effect<Found, RecordError | UsageError> =>
  Effect.gen(function*() {
    const { folder, run } = request
    if (run === "") return yield* new UsageError({ message: `no run is named: ${expected}` })
    // not shown, since it may be the address of a database that was given to the wrong command
    if (run.includes("://")) return yield* new UsageError({ message: `the run is a URL: ${expected}` })
    const named = latest.exec(run)
    if (named !== null) {
      const back = Number(named[1] ?? 0)
      const runs = yield* list({ folder, limit: back + 1 })
      const found = runs[back]
      if (found !== undefined) return found
      return yield* new UsageError({
        message: runs.length === 0
          ? `no runs are recorded in ${shownFolder(request)}: ${howToRecord}`
          : `${run}: only ${plural(runs.length, "run")} ${runs.length === 1 ? "is" : "are"} recorded in ${
            shownFolder(request)
          }`
      })
    }
    if (/[/\\]|\.jsonl$/.test(run)) return { path: run, runId: undefined }
    return yield* find(run, { folder }).pipe(
      Effect.catch((error) =>
        existsSync(run)
          ? Effect.succeed({ path: run, runId: undefined })
          : Effect.fail(
            error.reason._tag === "NotFound" ? new UsageError({ message: `${error.message}: ${expected}` }) : error
          )
      )
    )
  })

/**
 * Reads the events of a run, or of a file, and passes them to `use` in the pieces in which they are read, and with
 * `follow` those that are added, until the run ends. Prints how many lines could not be read. Fails if there is no event
 * at all.
 */
export const eachPiece = (
  { path: file, runId }: Found,
  use: (events: ReadonlyArray<Event>) => Promise<void> | void,
  { follow = false, maxBytes }: { readonly maxBytes?: number; readonly follow?: boolean } = {}
): Effect.Effect<void, RecordError | UsageError> =>
  Effect.suspend(() => {
    const counts: Record<Skipped["reason"], number> = { torn: 0, unknown: 0, lost: 0 }
    let isEmpty = true
    const onSkipped = ({ events, reason }: Skipped) => {
      counts[reason] += events
    }
    const stream = follow
      ? followRecord(file, { onSkipped, runId })
      : read(file, { onSkipped, maxBytes, runId })
    return stream.pipe(
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
