/** Compares two recorded runs for the page. */
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { shownName } from "../../../internal/text/shownName.ts"
import { comparisonOf } from "../../Compare.ts"
import type { ComparedStep } from "../../Compared.ts"
import type { Recorded } from "../../Recorded.ts"
import type { RecordError } from "../../RecordError.ts"
import type { Side } from "../compare/compare.ts"
import { Runs } from "../events/model.ts"
import { find } from "../record/list.ts"
import { mostBytes, read } from "../record/read.ts"
import { nthFragment } from "../timeline/fragment.ts"
import type { ComparedStepJson, ComparisonJson } from "./data.ts"
import { appPage, appPolicy, type Given } from "./pages.ts"
import { decodePart, json, page } from "./replies.ts"

const sideOf = (recorded: Recorded): Effect.Effect<Side | undefined, RecordError> => {
  const runs = new Runs()
  const { path, runId, status } = recorded
  return Effect.map(
    Stream.runForEach(
      read(path, { onSkipped: () => {}, maxBytes: mostBytes, follow: false, runId }),
      (event) => Effect.sync(() => runs.apply(event))
    ),
    () => {
      const run = runs.byId.get(runId)
      return run && { run, open: status === "running" ? "running" : "cutOff" }
    }
  )
}

/** Returns the links of steps to the later run that has them. */
const linked = (steps: ReadonlyArray<ComparedStep>): ReadonlyArray<ComparedStepJson> => {
  const counts = new Map<string, number>()
  return steps.map(({ depth, name, path, ...step }) => {
    const isOfAfter = step.after !== undefined
    const place = JSON.stringify([isOfAfter, path])
    const count = (counts.get(place) ?? 0) + 1
    counts.set(place, count)
    return {
      ...step,
      name: shownName(name),
      depth,
      within: path.slice(0, -1).slice(-20).map(shownName),
      // a path that a record has shortened leads nowhere
      fragment: path.length === depth + 1 ? nthFragment(path, count) : ""
    }
  })
}

const refused = (status: number, text: string) => json(status, { error: text })

const comparison = (folder: string, ids: readonly [before: string, after: string]) =>
  Effect.gen(function*() {
    const [before, after] = yield* Effect.forEach(ids, (id) => find(folder, id))
    if (before === undefined || after === undefined) return refused(404, "There is no such run.")
    if (before.pipelineName !== after.pipelineName) {
      return refused(400, "These are runs of two pipelines: only runs of one can be compared.")
    }
    const [earlier, later] = [yield* sideOf(before), yield* sideOf(after)]
    if (earlier === undefined || later === undefined) return refused(404, "Nothing is recorded of a run yet.")
    const { steps, ...compared } = comparisonOf(earlier, later)
    return json(200, { ...compared, steps: linked(steps) } satisfies ComparisonJson)
  }).pipe(
    Effect.catch((error) =>
      Effect.succeed(
        error.reason._tag === "NotFound" || error.reason._tag === "Ambiguous"
          ? refused(404, "There is no such run. Its record may have been removed since.")
          : refused(500, error.message)
      )
    )
  )

/** Answers a request for the page that compares two runs, or for what it shows; `undefined` for any other request. */
export const comparisonReply = (
  context: Given & { readonly folder: string },
  pathname: string
): Effect.Effect<HttpServerResponse.HttpServerResponse | undefined> => {
  const [, api, ...ids] = /^\/(api\/)?compare\/([^/]+)\/([^/]+)$/.exec(pathname) ?? []
  const [before, after] = ids.map((id) => id === undefined ? undefined : decodePart(id))
  if (before === undefined || after === undefined) return Effect.succeed(undefined)
  return api === undefined
    ? Effect.succeed(page(appPage("Two runs", context), appPolicy))
    : comparison(context.folder, [before, after])
}
