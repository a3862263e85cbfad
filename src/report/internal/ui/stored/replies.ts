/** Answers the requests for durable runs. */
import * as Effect from "effect/Effect"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { DurableRunsError } from "../../../../internal/model/durableRuns.ts"
import { appPage, appPolicy } from "../pages.ts"
import { decodePart, events, message, page } from "../replies.ts"
import type { Durable } from "./watch.ts"

/** The state that the replies are made of. */
export interface DurableContext {
  readonly durable: Durable | undefined
  readonly closing: Effect.Effect<void>
}

type Reply = Effect.Effect<HttpServerResponse.HttpServerResponse | undefined>

const notShown = ({ message: text, reason }: DurableRunsError) =>
  reason === "NotFound" || reason === "Ambiguous"
    ? message(404, "There is no such run", "It may have been removed since.")
    : message(500, "The run can't be shown", text)

/** Answers a request for durable runs; with `undefined` any other. */
export const durableReply = (context: DurableContext, pathname: string): Reply => {
  const { closing, durable } = context
  if (durable === undefined) return Effect.undefined
  if (pathname === "/durable") return Effect.succeed(page(appPage("Durable runs", context), appPolicy))
  if (pathname === "/questions") return Effect.succeed(page(appPage("Questions", context), appPolicy))
  if (pathname === "/api/durable") return Effect.succeed(events(durable.items.changes, closing))
  const [, api, id] = /^\/(api\/)?durable\/([^/]+)$/.exec(pathname) ?? []
  const runId = id === undefined ? undefined : decodePart(id)
  if (runId === undefined) return Effect.undefined
  return Effect.match(durable.show(runId), {
    onFailure: notShown,
    onSuccess: ({ pipeline, run }) =>
      api === undefined
        ? page(appPage(`${pipeline} · ${run}`, context), appPolicy)
        : events(durable.details(runId), closing)
  })
}
