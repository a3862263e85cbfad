/**
 * Answers the requests that change something: an answer to a question, the interruption and the retry of a run.
 *
 * A cookie is sent by whatever page asks for an address, so it is not enough: a request needs the origin of the page, and
 * in a header a second token, which only a page that this server has sent can read.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import { isObject } from "effect/Predicate"
import type { DurableRuns, DurableRunsError } from "../../../../internal/model/durableRuns.ts"
import { isSameSecret } from "../../../../internal/text/token.ts"
import * as Writer from "../../../../internal/text/writer.ts"
import { decodePart, json, otherMethod } from "../replies.ts"
import { actionHeader } from "./header.ts"
import type { DurableContext } from "./replies.ts"

/** The largest body of a request: the values of a form are limited to 16,000 characters. */
const mostBytes = 128 * 1024

type Reply = Effect.Effect<HttpServerResponse.HttpServerResponse>

/** Says why something was not done. */
const refused = (status: number, reason: string, message: string): HttpServerResponse.HttpServerResponse =>
  json(status, { reason, message })

/** The statuses of HTTP for the reasons of `Approval.InvalidAnswer` and `Durable.RunRefused`; 422 for others. */
const statuses: Readonly<Record<string, number>> = {
  Token: 404,
  NotFound: 404,
  Approver: 403,
  Over: 409,
  NotEnded: 409,
  Ended: 409,
  Succeeded: 409,
  Unsupported: 501,
  Unreadable: 500
}

interface Target {
  readonly kind: "runs" | "questions"
  readonly id: string
  readonly action: "answer" | "interrupt" | "retry"
}

/** Returns what a path acts on; `undefined` for the paths of pages. */
const targetOf = (pathname: string): Target | undefined => {
  const [, kind, id, action] =
    /^\/api\/durable\/(?:(questions)\/([^/]+)\/(answer)|(?:(runs)\/([^/]+)\/(interrupt|retry)))$/
      .exec(pathname)?.filter((part) => part !== undefined) ?? []
  const decoded = id === undefined ? undefined : decodePart(id)
  // the cast: the expression has no other alternatives
  return decoded === undefined ? undefined : { kind, id: decoded, action } as Target
}

/** Whether a path changes something, for which a request needs more than a page does. */
export const isAction = (pathname: string): boolean => targetOf(pathname) !== undefined

/** Returns why a request may not act, or `undefined`. Its host, and its cookie, were checked before. */
const refusalOf = (
  { durable }: DurableContext,
  { headers }: Pick<HttpServerRequest.HttpServerRequest, "headers">
): HttpServerResponse.HttpServerResponse | undefined => {
  const { "content-length": length, "content-type": type, origin, "sec-fetch-site": from } = headers
  const token = durable?.actionToken
  if (token === undefined) {
    return refused(403, "ReadOnly", "the page only shows runs: epilogue ui --allow-actions lets it change them")
  }
  // without an origin it is no request of a page; the origin of another one was refused before
  if (origin === undefined || (from !== undefined && from !== "same-origin")) {
    return refused(403, "Origin", "the request does not come from the page")
  }
  if (!isSameSecret(token, headers[actionHeader] ?? "")) {
    return refused(403, "Token", "the page is one of before: load it again")
  }
  if (type === undefined || !/^application\/json\s*(?:;|$)/i.test(type)) {
    return refused(415, "Type", "the request has no JSON: expected application/json")
  }
  return Number(length ?? 0) > mostBytes
    ? refused(413, "Length", `the request is too long: expected at most ${mostBytes} bytes`)
    : undefined
}

/** Describes what a body must be, where it is not that. */
class Mistake {
  readonly expected: string

  constructor(expected: string) {
    this.expected = expected
  }
}

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((text) => typeof text === "string")

const read = (
  { action, id }: Target,
  body: unknown,
  actions: DurableRuns.Actions
): Effect.Effect<string, DurableRunsError> | Mistake => {
  const { by } = actions
  if (!isObject(body)) return new Mistake("an object")
  const others = (known: ReadonlyArray<string>) => Object.keys(body).some((key) => !known.includes(key))
  switch (action) {
    case "answer": {
      const { approve, comment, values } = body
      if (others(["approve", "comment", "values"])) return new Mistake("the keys approve, comment and values alone")
      if (typeof approve !== "boolean") return new Mistake("approve: true or false")
      if (comment !== undefined && (typeof comment !== "string" || comment.length > mostComment)) {
        return new Mistake(`comment: a text of at most ${mostComment} characters`)
      }
      if (values !== undefined && !isTexts(values)) return new Mistake("values: texts by the names of fields")
      return Effect.as(
        actions.answer(id, { approve, comment: comment === "" ? undefined : comment, values }),
        `${approve ? "approved" : "denied"} by ${by.name}`
      )
    }
    case "interrupt": {
      const { now = false } = body
      if (others(["now"]) || typeof now !== "boolean") return new Mistake("the key now alone, true or false")
      return Effect.as(
        actions.interrupt(id, { now }),
        `interrupting run ${id}${now ? "" : ", once the step under way has ended"}`
      )
    }
    case "retry": {
      const { from } = body
      if (others(["from"]) || (from !== undefined && typeof from !== "string")) {
        return new Mistake("the key from alone, the name of a step")
      }
      return Effect.map(
        actions.retry(id, { from }),
        ({ retryOf, runId }) =>
          `run ${runId}, a retry of ${retryOf}: the worker of the database runs it, or the next one`
      )
    }
  }
}

/** The longest comment, in UTF-16 code units. */
const mostComment = 2_000

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Does what a request asks for, if it may. */
export const actionReply = (
  context: DurableContext,
  pathname: string,
  request: HttpServerRequest.HttpServerRequest
): Reply => {
  const { durable } = context
  const target = targetOf(pathname)
  if (request.method !== "POST") return Effect.succeed(otherMethod("It is asked for by POST.", "POST"))
  const refusal = refusalOf(context, request)
  if (refusal !== undefined) return Effect.succeed(refusal)
  const actions = durable?.runs.actions
  if (target === undefined || durable === undefined || actions === undefined) {
    return Effect.succeed(refused(404, "NotFound", "there is no such action"))
  }
  return Effect.gen(function*() {
    const text = yield* Effect.orElseSucceed(request.text, () => "")
    const acting = read(target, parsed(text), actions)
    if (acting instanceof Mistake) return refused(400, "Body", `the body of the request: expected ${acting.expected}`)
    const done = yield* Effect.result(durable.guarded(acting))
    if (done._tag === "Failure") {
      const { message, reason } = done.failure
      return refused(statuses[reason] ?? 422, reason, durable.scrub(message))
    }
    // who has answered is stored with the answer; of the others nothing else tells
    if (target.action !== "answer") yield* Writer.logInfo(`${actions.by.name}: ${target.action} of run ${target.id}`)
    return json(200, { message: durable.scrub(done.success) })
  }).pipe(Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(mostBytes)))
}
