/** Calls Slack's Web API (https://docs.slack.dev/apis/web-api/). */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { isObject } from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import { type AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { withoutTrailingSlashes } from "../../../internal/text/baseUrl.ts"
import type { Channel } from "../channel/channel.ts"
import { type Failure, failure, type Read, retryAfter } from "../channel/http.ts"

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

/** The JSON of a successful answer. */
export type Response = Readonly<Record<string, unknown>>

/** Returns a value that is a text, and not an empty one. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/**
 * Reads an answer. Slack answers with status 200 whatever the result (https://docs.slack.dev/apis/web-api/#responses).
 * An answer whose error code is tolerated counts as successful.
 */
export const read =
  (detail: (text: string) => string, tolerated: ReadonlyArray<string> = []): Read<Response> => (answer) => {
    const { json } = answer
    const code = isObject(json) ? text(json["error"]) : undefined
    if (isObject(json) && (json["ok"] === true || (code !== undefined && tolerated.includes(code)))) {
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

/** Returns Slack's explanations of an error: the missing scope, and the mistakes in blocks. */
const explanation = (json: unknown): ReadonlyArray<string> => {
  if (!isObject(json)) return []
  const metadata = json["response_metadata"]
  const messages = isObject(metadata) && Array.isArray(metadata["messages"]) ? metadata["messages"] : []
  const needed = typeof json["needed"] === "string" ? [`(needed: ${json["needed"]})`] : []
  return [...needed, ...messages.filter((text) => typeof text === "string")]
}

/** Calls a method of the Web API, with JSON, which only methods that write accept, or with a form, which all accept. */
export type Api = (method: string, body: object | URLSearchParams) => Effect.Effect<Response, AlerterError>

/** @internal */
export const api = (
  { http }: Channel,
  { baseUrl, token }: {
    readonly baseUrl?: string | undefined
    readonly token: Redacted.Redacted<string>
  }
): Api => {
  const base = withoutTrailingSlashes(baseUrl || "https://slack.com/api")
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
