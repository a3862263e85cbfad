/** Finds the slowest steps of a pipeline in its last runs. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type * as NodeFs from "node:fs"
import { shownName } from "../../../internal/text/shownName.ts"
import type { Recorded } from "../../Recorded.ts"
import type { EventJson } from "../events/eventJson.ts"
import { modules } from "../record/files.ts"
import { list } from "../record/list.ts"
import { read } from "../record/read.ts"
import type { StepTrendJson, TrendsJson } from "./data.ts"
import { appPage, appPolicy, type Given } from "./pages.ts"
import { decodePart, json, page } from "./replies.ts"
import { median, quantile } from "./stats.ts"

/**
 * How many runs are read, how many bytes of each and of all of them at most, and how many steps are counted in each and
 * shown. Larger records are left out: reading them would take seconds.
 */
const most = { runs: 20, bytes: 8 * 1024 * 1024, allBytes: 64 * 1024 * 1024, counted: 5_000, shown: 15 }

/** Adds the end of a step to the longest times of a run, by paths without keys, which may differ from run to run. */
export const addTo = (longest: Map<string, number>, event: EventJson): void => {
  if (event._tag !== "StepEnded" || event.outcome === "interrupt") return
  const place = JSON.stringify(event.stepPath)
  const before = longest.get(place)
  if (before === undefined && longest.size === most.counted) return
  longest.set(place, Math.max(before ?? 0, event.durationMillis))
}

/** Returns the steps with the longest median, of the longest times of each run, the oldest run first. */
export const slowest = (runs: ReadonlyArray<ReadonlyMap<string, number>>): ReadonlyArray<StepTrendJson> =>
  [...new Set(runs.flatMap((run) => [...run.keys()]))].map((place): StepTrendJson => {
    const millis = runs.map((run) => run.get(place) ?? null)
    const known = millis.filter((value) => value !== null)
    // a cast: the keys are made of paths
    const path = JSON.parse(place) as ReadonlyArray<string>
    return {
      path: path.slice(-20).map(shownName),
      medianMillis: median(known) ?? 0,
      p95Millis: quantile(known, 0.95) ?? 0,
      millis
    }
  }).toSorted((a, b) => b.medianMillis - a.medianMillis).slice(0, most.shown)

const sizeOf = ({ fs }: { readonly fs: typeof NodeFs }, path: string): number => {
  try {
    return fs.statSync(path).size
  } catch {
    return Infinity
  }
}

/** Reads the longest times of the steps of each run, of runs in one file. */
const longestIn = (path: string, runs: ReadonlyArray<Recorded>) =>
  Effect.gen(function*() {
    const longest = new Map(runs.map(({ runId }) => [runId, new Map<string, number>()]))
    yield* Stream.runForEach(
      // the caller has looked at the size
      read(path, { onSkipped: () => {}, maxBytes: Infinity, follow: false, runId: undefined }),
      (event) =>
        Effect.sync(() => {
          const ofRun = longest.get(event.runId)
          if (ofRun !== undefined) addTo(ofRun, event)
        })
    )
    return runs.map((run) => ({ run, longest: longest.get(run.runId)! }))
  })

const startOf = ({ run }: { readonly run: Recorded }): number => DateTime.toEpochMillis(run.startedAt)

const trends = (folder: string, pipeline: string) =>
  Effect.gen(function*() {
    const loaded = yield* modules(folder)
    const ended = (yield* list(folder, Infinity)).filter(({ pipelineName, status }) =>
      pipelineName === pipeline && (status === "success" || status === "failure")
    ).slice(0, most.runs)
    let bytes = 0
    const small = [...Map.groupBy(ended, ({ path }) => path)].filter(([path, { length }]) => {
      const size = sizeOf(loaded, path)
      if (size > most.bytes * length || bytes + size > most.allBytes) return false
      bytes += size
      return true
    })
    const read = yield* Effect.forEach(small, ([path, runs]) =>
      // a record that was removed meanwhile, say
      Effect.orElseSucceed(longestIn(path, runs), () => []))
    const known = read.flat().toSorted((a, b) => startOf(a) - startOf(b))
    return json(
      200,
      {
        runs: known.map(({ run }) => ({ id: run.runId, at: DateTime.toEpochMillis(run.startedAt) })),
        omitted: ended.length - known.length,
        steps: slowest(known.map(({ longest }) => longest))
      } satisfies TrendsJson
    )
  }).pipe(Effect.catch((error) => Effect.succeed(json(500, { error: error.message }))))

/** Answers a request for the page of a pipeline, or for its slowest steps; `undefined` for any other request. */
export const trendsReply = (
  context: Given & { readonly folder: string },
  pathname: string
): Effect.Effect<HttpServerResponse.HttpServerResponse | undefined> => {
  const [, api, name] = /^\/(api\/)?pipelines\/([^/]+)$/.exec(pathname) ?? []
  const pipeline = name === undefined ? undefined : decodePart(name)
  if (pipeline === undefined) return Effect.succeed(undefined)
  return api === undefined
    ? Effect.succeed(page(appPage(pipeline, context), appPolicy))
    : trends(context.folder, pipeline)
}
