/** Answers the requests of the page. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { pageHeaders } from "../../../internal/text/pageHeaders.ts"
import { isSameSecret } from "../../../internal/text/token.ts"
import type { RecordError } from "../../RecordError.ts"
import { find } from "../record/list.ts"
import { html as timelinePage, policyOf } from "../timeline/html.ts"
import { isKnown, refusal, type Site } from "./access.ts"
import { messagePage, runsPage, runsPolicy } from "./pages.ts"
import type { Runs } from "./runs.ts"
import { timelineAt, timelines } from "./timelines.ts"

/** The state that answers are made of. */
export interface Context {
  readonly site: Site
  readonly folder: string
  readonly runs: Runs
  /** Ends when the server is to close, which waits for its replies. */
  readonly closing: Effect.Effect<void>
}

const page = (html: string, policy: string, status = 200) =>
  HttpServerResponse.text(html, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: { ...pageHeaders, "content-security-policy": `${policy}; frame-ancestors 'none'` }
  })

const message = (status: number, title: string, text: string) => {
  const { html, policy } = messagePage(title, text)
  return page(html, policy, status)
}

const encoder = new TextEncoder()

/** Sends values as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const events = <A>(values: Stream.Stream<A, RecordError>, closing: Effect.Effect<void>) =>
  HttpServerResponse.stream(
    values.pipe(
      Stream.map((value) => `data: ${JSON.stringify(value)}\n\n`),
      // without it the browser would ask for the same again, without end
      Stream.concat(Stream.succeed("event: end\ndata: end\n\n")),
      // what can't be read any more ends the stream: the browser asks again, and gets the reason
      Stream.catch(() => Stream.empty),
      // a proxy or a browser may drop a connection on which nothing comes
      Stream.merge(Stream.map(Stream.tick("20 seconds"), () => ": here\n\n"), { haltStrategy: "left" }),
      Stream.interruptWhen(closing),
      Stream.map((text) => encoder.encode(text))
    ),
    { contentType: "text/event-stream; charset=utf-8", headers: pageHeaders }
  )

/** Returns the run with this id, or `undefined`. */
const runOf = (folder: string, id: string) =>
  Effect.map(Effect.result(find(folder, id)), (found) => found._tag === "Success" ? found.success : undefined)

const noPage = message(404, "There is no such page", "All runs are listed at /.")

const noRun = message(404, "There is no such run", "Its record may have been removed since.")

const runPage = (folder: string, id: string) =>
  Effect.gen(function*() {
    const run = yield* runOf(folder, id)
    if (run === undefined) return noRun
    const timeline = yield* Effect.result(timelineAt(run.path))
    if (timeline._tag === "Failure") return message(500, "The record can't be read", timeline.failure.message)
    const events = run.status === "running" ? `/api/runs/${encodeURIComponent(run.runId)}` : undefined
    return page(timelinePage(timeline.success, { back: "/", events }), policyOf(true))
  })

const runEvents = ({ closing, folder }: Context, id: string) =>
  Effect.map(runOf(folder, id), (run) => run === undefined ? noRun : events(timelines(run.path), closing))

/** Answers a request. */
export const app = (
  context: Context
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function*() {
    const { closing, folder, runs, site } = context
    const { cookies, headers: received, method, url } = yield* HttpServerRequest.HttpServerRequest
    const refused = refusal(site, received)
    if (refused === 421) return message(421, "There is no such site here", "Open the link that was printed.")
    if (refused === 403) return message(403, "Another site asked for this", "Open the link that was printed.")
    if (method !== "GET" && method !== "HEAD") {
      return HttpServerResponse.setHeader(
        message(405, "This can't be done with the page", "It only shows runs."),
        "allow",
        "GET, HEAD"
      )
    }
    const { pathname, searchParams } = URL.parse(url, "http://localhost") ?? {}
    if (pathname === undefined || searchParams === undefined) return noPage
    const given = searchParams.get("token")
    if (given !== null && isSameSecret(site.token, given)) {
      // the token leaves the address, which browsers keep in their history
      // a path that begins with two slashes would lead to another site
      return HttpServerResponse.redirect(pathname.replace(/^\/+/, "/"), { status: 303, headers: pageHeaders }).pipe(
        HttpServerResponse.setCookieUnsafe(site.cookie, site.token, { httpOnly: true, sameSite: "lax", path: "/" })
      )
    }
    if (!isKnown(site, cookies)) {
      return message(401, "This page is for whoever started it", "Open the link that was printed, with its token.")
    }
    if (pathname === "/") return page(runsPage, runsPolicy)
    if (pathname === "/api/runs") return events(runs.changes, closing)
    const [, api, id] = /^\/(api\/)?runs\/([^/]+)$/.exec(pathname) ?? []
    const decoded = id === undefined ? undefined : decode(id)
    if (decoded === undefined) return noPage
    return yield* (api === undefined ? runPage(folder, decoded) : runEvents(context, decoded))
  })

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
