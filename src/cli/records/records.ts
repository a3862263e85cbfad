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
import { abandonedAfter } from "../../report/internal/record/format.ts"
import { defaultFolder } from "../../report/internal/record/layer.ts"
import { leftAlone, prune as pruneRecords } from "../../report/internal/record/list.ts"
import { list, type Recorded } from "../../report/Record.ts"
import { type PruneRequest, type RunsRequest, type ShowRequest, UsageError } from "../request.ts"
import { display, err, outFitted, outJson } from "../terminal.ts"
import { eachPiece, fileOf, howToRecord, perform, shownFolder } from "./find.ts"
import { sinceOf } from "./since.ts"
import { table } from "./table.ts"
import { runLines } from "./tree.ts"

/** Prints the recorded runs that match the request, as a table or as JSON. */
export const runs = (request: RunsRequest): Promise<number> =>
  perform(Effect.gen(function*() {
    const { folder, json, pipelines, since, statuses } = request
    const from = since === undefined ? undefined : sinceOf(since, Date.now())
    if (since !== undefined && from === undefined) {
      return yield* new UsageError({
        message: `--since ${since}: expected how long ago, such as "2 days" or 90m, or when, such as 2026-11-23`
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
    if (all.length === 0) return err(`no runs are recorded in ${shownFolder(request)}: ${howToRecord}`)
    if (found.length === 0) return err(`none of ${plural(all.length, "recorded run")} matches`)
    const shown = found.slice(0, limit)
    if (json) return yield* Effect.promise(() => outJson(shown.map(toJson)))
    const shownOn = display()
    yield* Effect.promise(() => outFitted(table(shown, shownOn)))
    if (shownOn.isTerminal && found.length > limit) err("there are more: --limit 0 lists all of them")
  }))

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
      return yield* eachPiece(file, (events) => outJson(events), Infinity)
    }
    const found = new Runs()
    yield* eachPiece(file, (events) => {
      for (const event of events) found.apply(event)
    })
    const { colors } = display()
    const now = Date.now()
    const heardOf = statSync(file).mtimeMs
    const texts = [...found.byId.values()].map((run) =>
      runLines(run, now - heardOf < abandonedAfter ? now : undefined).map((line) => fit(line, Infinity, colors).text)
        .join("\n")
    )
    yield* Effect.promise(() => outFitted([texts.join("\n\n")]))
  }))

/** Removes the records of all but the newest runs. */
export const prune = (request: PruneRequest): Promise<number> =>
  perform(Effect.gen(function*() {
    const { dryRun, folder, keep } = request
    const { links, removed } = yield* pruneRecords(folder ?? defaultFolder, keep, dryRun)
    for (const link of links) err(leftAlone(link))
    if (removed.length === 0) return err(`nothing to remove in ${shownFolder(request)}`)
    yield* Effect.promise(() => outFitted(table(removed, display())))
    err(`${dryRun ? "would remove" : "removed"} the records of ${plural(removed.length, "run")}`)
  }))
