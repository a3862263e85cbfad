/** Slack's Web API, and the threads that a bot keeps there. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import { type AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { atLeast } from "../../../internal/model/severity.ts"
import type { Channel, Dated } from "../channel/channel.ts"
import { type Failure, failure, type Read, retryAfter } from "../channel/http.ts"
import { message, quiet } from "./message.ts"
import { upload } from "./upload.ts"

/** Who posts, where, and how. */
export interface Bot {
  readonly token: Redacted.Redacted<string>
  readonly channel: string
  readonly threads?: boolean | undefined
  readonly baseUrl?: string | undefined
}

// https://docs.slack.dev/reference/methods/chat.postMessage#errors
const unauthorized = new Set([
  "access_denied",
  "account_inactive",
  "ekm_access_denied",
  "invalid_auth",
  "invalid_token",
  "missing_scope",
  "no_permission",
  "not_allowed_token_type",
  "not_authed",
  "org_login_required",
  "team_access_not_granted",
  "token_expired",
  "token_revoked",
  "two_factor_setup_required"
])
const rateLimited = new Set(["ratelimited", "rate_limited"])
const transient = new Set(["fatal_error", "internal_error", "request_timeout", "service_unavailable"])
const unthreadable =
  /^(thread_not_found|message_not_found|cannot_reply_to_message|restricted_action_(thread_locked|non_threadable_channel))\b/

/** What Slack answered where it did what was asked. */
export type Response = Readonly<Record<string, unknown>>

const isRecord = (u: unknown): u is Response => typeof u === "object" && u !== null && !Array.isArray(u)

const text = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

/**
 * Slack answers 200 whatever came of it: https://docs.slack.dev/apis/web-api/#responses. An answer with an error that
 * is tolerated is one like any other.
 */
export const read =
  (detail: (text: string) => string, tolerated: ReadonlyArray<string> = []): Read<Response> => (answer) => {
    const { json } = answer
    const code = isRecord(json) ? text(json["error"]) : undefined
    if (isRecord(json) && (json["ok"] === true || (code !== undefined && tolerated.includes(code)))) {
      return Effect.succeed(json)
    }
    const error = code ?? `no answer of Slack's: ${answer.text}`
    const shown = detail([error, ...explanation(json)].join(" "))
    return Effect.flatMap(retryAfter(answer), (after) => Effect.fail(refusal(answer.status, error, shown, after)))
  }

const refusal = (
  status: number,
  error: string,
  detail: string,
  retryAfter: Duration.Duration | undefined
): Failure => {
  if (unauthorized.has(error)) return failure(AlerterErrorReason.Unauthorized({ detail }))
  if (rateLimited.has(error)) return failure(AlerterErrorReason.RateLimited({ retryAfter }), true)
  if (transient.has(error)) return failure(AlerterErrorReason.Unreachable({ detail }), true, retryAfter)
  return failure(AlerterErrorReason.Rejected({ status, detail }))
}

/** Which scope is missing, and what is wrong with which block. */
const explanation = (json: unknown): ReadonlyArray<string> => {
  if (!isRecord(json)) return []
  const metadata = json["response_metadata"]
  const messages = isRecord(metadata) && Array.isArray(metadata["messages"]) ? metadata["messages"] : []
  const needed = typeof json["needed"] === "string" ? [`(needed: ${json["needed"]})`] : []
  return [...needed, ...messages.filter((text) => typeof text === "string")]
}

/** Calls a method of the Web API with JSON, as those that write take it, or with a form, as all do. */
export type Api = (method: string, body: object | URLSearchParams) => Effect.Effect<Response, AlerterError>

/** @internal */
export const api = (
  { http }: Channel,
  { baseUrl = "https://slack.com/api", token }: Pick<Bot, "baseUrl" | "token">
): Api => {
  const base = baseUrl.replace(/\/+$/, "")
  const answer = read(http.detail)
  return (method, body) =>
    http.send(
      HttpClientRequest.post(`${base}/${method}`).pipe(
        HttpClientRequest.bearerToken(token),
        body instanceof URLSearchParams
          ? HttpClientRequest.bodyText(String(body), "application/x-www-form-urlencoded")
          : HttpClientRequest.bodyText(JSON.stringify(body), "application/json; charset=utf-8")
      ),
      answer
    )
}

/** The thread of a run: its first message that arrived, by the id that Slack gave it. */
interface Thread {
  readonly opening: Semaphore.Semaphore
  ts: string | undefined
}

const maxThreads = 1000

/** The threads of the runs that posted last. */
const threadsOf = (): (runId: string) => Thread => {
  const threads = new Map<string, Thread>()
  return (runId) => {
    const thread = threads.get(runId) ?? { opening: Semaphore.makeUnsafe(1), ts: undefined }
    // back to the end of the map, whose first entry is the one used the longest ago
    threads.delete(runId)
    threads.set(runId, thread)
    if (threads.size > maxThreads) threads.delete(threads.keys().next().value!)
    return thread
  }
}

/** What goes wrong must be seen in the channel too, not by those alone who follow the thread. */
const isLoud = atLeast("error")

/** Posts an alert as a bot, in the thread of its run, and its files below it. */
export const post = (channel: Channel, bot: Bot): (alert: Dated) => Effect.Effect<unknown, AlerterError> => {
  const call = api(channel, bot)
  const threadOf = threadsOf()
  // Its errors tell of a `client_msg_id`, by which Slack may know a repeat, but no argument of that name is documented.
  const send = (alert: Dated, more: { readonly thread_ts?: string; readonly reply_broadcast?: boolean } = {}) =>
    call("chat.postMessage", { channel: bot.channel, ...message(alert, channel.time), ...quiet, ...more })

  const open = (alert: Dated, thread: Thread) =>
    Effect.tap(send(alert), ({ ts }) => {
      thread.ts = text(ts)
      return Effect.void
    })

  const reply = (alert: Dated, thread: Thread, ts: string): Effect.Effect<Response, AlerterError> =>
    send(alert, isLoud(alert) ? { thread_ts: ts, reply_broadcast: true } : { thread_ts: ts }).pipe(
      Effect.map((response) => {
        // Where the first message was deleted, Slack posts the reply on its own (https://github.com/slack-go/slack/issues/1571).
        const { message: posted, ts: own } = response
        const alone = isRecord(posted) && posted["thread_ts"] === undefined
        if (alone && thread.ts === ts) thread.ts = text(own)
        return alone ? response : { ...response, ts }
      }),
      Effect.catchIf(isUnthreadable, () => {
        if (thread.ts === ts) thread.ts = undefined
        return inThread(alert, thread)
      })
    )

  /** What was posted, with the `ts` of the message that the thread begins with. */
  const inThread = (alert: Dated, thread: Thread): Effect.Effect<Response, AlerterError> =>
    Effect.suspend(() => {
      if (thread.ts !== undefined) return reply(alert, thread, thread.ts)
      // One opens the thread while the others wait. If it fails, the next of them does.
      const first = Effect.suspend((): Effect.Effect<Response | string, AlerterError> =>
        thread.ts === undefined ? open(alert, thread) : Effect.succeed(thread.ts)
      )
      return Effect.flatMap(
        thread.opening.withPermits(1)(first),
        (opened) => typeof opened === "string" ? reply(alert, thread, opened) : Effect.succeed(opened)
      )
    })

  return (alert) =>
    Effect.flatMap(
      bot.threads === false || alert.source === undefined
        ? send(alert)
        : inThread(alert, threadOf(alert.source.runId)),
      (posted) => upload(channel, call, alert.attachments, posted)
    )
}

const isUnthreadable = ({ reason }: AlerterError): boolean =>
  reason._tag === "Rejected" && unthreadable.test(reason.detail)
