/**
 * Implements `epilogue runs`, `show` and `prune`. It is bundled with all that it imports, so that these commands start
 * fast.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { statSync } from "node:fs"
import { fit } from "../../internal/text/columns.ts"
import { plural } from "../../internal/text/words.ts"
import { Runs } from "../../report/internal/events/model.ts"
import type { RunModel } from "../../report/internal/events/runModel.ts"
import { abandonedAfter } from "../../report/internal/record/format.ts"
import { defaultFolder } from "../../report/internal/record/names.ts"
import { leftAlone, prune as pruneRecords } from "../../report/internal/record/prune.ts"
import { list, type Recorded } from "../../report/Record.ts"
import type { RecordError } from "../../report/RecordError.ts"
import { type PruneRequest, type RunsRequest, type ShowRequest, UsageError } from "../request.ts"
import { display, err, outFitted, outInPlace, outJson } from "../terminal.ts"
import { eachPiece, fileOf, howToRecord, perform, shownFolder } from "./find.ts"
import { sinceOf } from "./since.ts"
import { table } from "./table.ts"
import { runLines } from "./tree.ts"

export { compare } from "./compare.ts"
export { logs } from "./logs.ts"

/** Prints the recorded runs that match the request, as a table or as JSON, once or whenever they change. */
export const runs = (request: RunsRequest): Promise<number> =>
  perform(
    request.watch ? watch(request) : Effect.gen(function*() {
      const { json } = request
      const { found, limit, shown, total } = yield* matching(request)
      if (total === 0) return err(`no runs are recorded in ${shownFolder(request)}: ${howToRecord}`)
      if (found === 0) return err(`none of ${plural(total, "recorded run")} matches`)
      yield* Effect.promise(() => json ? outJson(shown.map(toJson)) : outFitted(table(shown, display())))
      if (found > limit) err("there are more: --limit 0 lists all of them")
    })
  )

interface Matching {
  readonly total: number
  readonly found: number
  readonly limit: number
  readonly shown: ReadonlyArray<Recorded>
}

const matching = (request: RunsRequest): Effect.Effect<Matching, RecordError | UsageError> =>
  Effect.gen(function*() {
    const { folder, pipelines, since, statuses } = request
    const from = since === undefined ? undefined : sinceOf(since, Date.now())
    if (since !== undefined && from === undefined) {
      return yield* new UsageError({
        message:
          `--since ${since}: expected how long ago, such as "2 days" or 90m, or when, such as yesterday or 2026-11-23`
      })
    }
    const limit = request.limit === 0 ? Infinity : request.limit
    const isFiltered = pipelines.length + statuses.length > 0 || from !== undefined
    // one more than is shown, to know whether there are more
    const all = yield* list({ folder, limit: isFiltered ? undefined : limit + 1 })
    const found = all.filter(({ pipelineName, startedAt, status }) =>
      (pipelines.length === 0 || pipelines.includes(pipelineName)) &&
      (statuses.length === 0 || statuses.includes(status)) &&
      (from === undefined || DateTime.toEpochMillis(startedAt) >= from)
    )
    return { total: all.length, found: found.length, limit, shown: found.slice(0, limit) }
  })

/**
 * Shows the runs until the process is ended: on a terminal as a table in place, as JSON a line for each run that is new
 * or whose status has changed.
 */
const watch = (request: RunsRequest): Effect.Effect<void, RecordError | UsageError> =>
  Effect.gen(function*() {
    if (!request.json && !display().isTerminal) {
      return yield* new UsageError({ message: "--watch shows a table on a terminal: for a program, add --json" })
    }
    const limit = request.limit === 0 ? Infinity : request.limit
    let statuses: ReadonlyMap<string, string> | undefined
    let height = 0
    const show = ({ shown }: Matching): Promise<void> => {
      if (request.json) {
        // the limit is of the runs at the beginning: any of the others may change later
        const changed = statuses === undefined
          ? shown.slice(0, limit)
          : shown.filter(({ runId, status }) => statuses?.get(runId) !== status)
        statuses = new Map(shown.map(({ runId, status }) => [runId, status]))
        return outJson(changed.toReversed().map(toJson))
      }
      const shownOn = display()
      // one row is kept free for the cursor, which is never hidden: whatever ends the process leaves the terminal right
      const lines = shown.length === 0
        ? [`no runs to show in ${shownFolder(request)} yet`]
        : table(shown.slice(0, Math.max(1, shownOn.rows - 2)), shownOn)
      const above = height
      height = lines.length
      return outInPlace(lines, above)
    }
    return yield* Effect.forever(
      Effect.andThen(
        Effect.flatMap(matching(request.json ? { ...request, limit: 0 } : request), (now) =>
          Effect.promise(() => show(now))),
        Effect.sleep("1 second")
      )
    )
  })

const toJson = ({ duration, startedAt, ...run }: Recorded): object => ({
  ...run,
  startedAt: DateTime.formatIso(startedAt),
  durationMillis: Duration.toMillis(duration)
})

/** Prints a recorded run as a tree, or its events as JSON. */
export const show = (request: ShowRequest): Promise<number> =>
  perform(Effect.gen(function*() {
    const file = yield* fileOf(request)
    if (request.json) {
      // piece by piece, since a record may be larger than the memory
      return yield* eachPiece(file, (events) => outJson(events), { maxBytes: Infinity })
    }
    const found = new Runs({ logs: request.logs })
    yield* eachPiece(file, (events) => {
      for (const event of events) found.apply(event)
    })
    const { colors } = display()
    const now = Date.now()
    const heardOf = statSync(file.path).mtimeMs
    if (request.logs && ![...found.byId.values()].some(hasLogs)) {
      err(`${file.path}: nothing that was logged is recorded`)
    }
    const texts = [...found.byId.values()].map((run) =>
      runLines(run, now - heardOf < abandonedAfter ? now : undefined).map((line) => fit(line, Infinity, colors).text)
        .join("\n")
    )
    yield* Effect.promise(() => outFitted([texts.join("\n\n")]))
  }))

const hasLogs = ({ logs, steps }: RunModel): boolean =>
  logs.length > 0 || [...steps].some(({ logs }) => logs.length > 0)

/** Removes the records of runs that neither limit keeps. */
export const prune = (request: PruneRequest): Promise<number> =>
  perform(Effect.gen(function*() {
    const { dryRun, folder, keep, older } = request
    const age = older === undefined ? undefined : Duration.millis(older)
    const limits = { runs: keep, age, within: "either" } as const
    const { links, removed } = yield* pruneRecords(folder ?? defaultFolder, limits, dryRun)
    for (const link of links) err(leftAlone(link))
    if (removed.length === 0) return err(`nothing to remove in ${shownFolder(request)}`)
    yield* Effect.promise(() => outFitted(table(removed, display())))
    err(`${dryRun ? "would remove" : "removed"} the records of ${plural(removed.length, "run")}`)
  }))
