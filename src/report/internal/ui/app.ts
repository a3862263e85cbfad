/** Answers the requests of the page. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { pageHeaders } from "../../../internal/text/pageHeaders.ts"
import { isSameSecret } from "../../../internal/text/token.ts"
import { find } from "../record/list.ts"
import { html as timelinePage, policyOf } from "../timeline/html.ts"
import { isKnown, refusal, type Site } from "./access.ts"
import { comparisonReply } from "./comparisons.ts"
import { appPage, appPolicy } from "./pages.ts"
import { decodePart, events, message, otherMethod, page } from "./replies.ts"
import type { Runs } from "./runs.ts"
import { actionReply, isAction } from "./stored/actions.ts"
import { durableReply } from "./stored/replies.ts"
import type { Durable } from "./stored/watch.ts"
import { timelineAt, timelines } from "./timelines.ts"
import { trendsReply } from "./trends.ts"

/** The state that answers are made of. */
export interface Context {
  readonly site: Site
  readonly folder: string
  readonly runs: Runs
  readonly durable: Durable | undefined
  /** Ends when the server is to close, which waits for its replies. */
  readonly closing: Effect.Effect<void>
}

/** Returns the run with this id, or `undefined`. */
const runOf = (folder: string, id: string) =>
  Effect.map(Effect.result(find(folder, id)), (found) => found._tag === "Success" ? found.success : undefined)

const noPage = message(404, "There is no such page", "All runs are listed at /.")

const noRun = message(404, "There is no such run", "Its record may have been removed since.")

const runPage = (folder: string, id: string) =>
  Effect.gen(function*() {
    const run = yield* runOf(folder, id)
    if (run === undefined) return noRun
    const timeline = yield* Effect.result(timelineAt(run))
    if (timeline._tag === "Failure") return message(500, "The record can't be read", timeline.failure.message)
    const events = run.status === "running" ? `/api/runs/${encodeURIComponent(run.runId)}` : undefined
    return page(timelinePage(timeline.success, { back: "/", events }), policyOf(true))
  })

const runEvents = ({ closing, folder }: Context, id: string) =>
  Effect.map(runOf(folder, id), (run) => run === undefined ? noRun : events(timelines(run), closing))

/** Answers a request. */
export const app = (
  context: Context
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function*() {
    const { closing, folder, runs, site } = context
    const request = yield* HttpServerRequest.HttpServerRequest
    const { cookies, headers: received, method, url } = request
    const refused = refusal(site, received)
    if (refused === 421) return message(421, "There is no such site here", "Open the link that was printed.")
    if (refused === 403) return message(403, "Another site asked for this", "Open the link that was printed.")
    const { pathname, searchParams } = URL.parse(url, "http://localhost") ?? {}
    const acts = pathname !== undefined && isAction(pathname)
    if (method !== "GET" && method !== "HEAD" && !acts) {
      return otherMethod("It only shows runs.", "GET, HEAD")
    }
    if (pathname === undefined || searchParams === undefined) return noPage
    const given = searchParams.get("token")
    if (!acts && given !== null && isSameSecret(site.token, given)) {
      // the token leaves the address, which browsers keep in their history
      // a path that begins with two slashes would lead to another site
      return HttpServerResponse.redirect(pathname.replace(/^\/+/, "/"), { status: 303, headers: pageHeaders }).pipe(
        HttpServerResponse.setCookieUnsafe(site.cookie, site.token, { httpOnly: true, sameSite: "lax", path: "/" })
      )
    }
    if (!isKnown(site, cookies)) {
      return message(401, "This page is for whoever started it", "Open the link that was printed, with its token.")
    }
    if (acts) return yield* actionReply(context, pathname, request)
    if (pathname === "/") return page(appPage("Runs", context), appPolicy)
    if (pathname === "/api/runs") return events(runs.changes, closing)
    const other = (yield* durableReply(context, pathname)) ?? (yield* comparisonReply(context, pathname)) ??
      (yield* trendsReply(context, pathname))
    if (other !== undefined) return other
    const [, api, id] = /^\/(api\/)?runs\/([^/]+)$/.exec(pathname) ?? []
    const decoded = id === undefined ? undefined : decodePart(id)
    if (decoded === undefined) return noPage
    return yield* (api === undefined ? runPage(folder, decoded) : runEvents(context, decoded))
  })
