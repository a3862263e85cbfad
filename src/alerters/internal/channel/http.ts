/** Requests to a channel's API: limits, retries, and answers as data. No address leaves this file. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { withoutUrls } from "../../../internal/text/redact.ts"
import type { Scrub } from "../../../internal/text/secrets.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"
import { type Failure, failure, make as makeAttempts } from "./retry.ts"

export { type Failure, failure } from "./retry.ts"

/** What the channel answered. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** Undefined where the text is no JSON. */
  readonly json: unknown
}

/** What an answer with a status of success comes to. */
export type Read<A> = (answer: Answer) => Effect.Effect<A, Failure>

export interface Http {
  /**
   * Sends a request as often as need be. Without `read`, a status of success is all that counts, and the
   * body is left unread: a connection that breaks then must not send the alert twice.
   */
  readonly send: {
    (request: HttpClientRequest.HttpClientRequest): Effect.Effect<void, AlerterError>
    <A>(
      request: HttpClientRequest.HttpClientRequest,
      read: Read<A>,
      options?: SendOptions
    ): Effect.Effect<A, AlerterError>
  }
  /** What a server says, or a defect, fit to be shown in an error. */
  readonly detail: (text: string) => string
}

export interface SendOptions {
  /** In place of the channel's: a long poll takes longer than a post. */
  readonly timeout?: Duration.Input | undefined
  /** What an answer with another status than success comes to, where it says more than the status. */
  readonly refused?: ((answer: Answer) => Failure | undefined) | undefined
}

/** Enough for what any channel answers. */
const maxBody = 1 << 20

/** With the environment's `HttpClient` where there is one, `fetch` otherwise. */
export const make = (
  channel: string,
  options: ChannelOptions,
  scrub: Scrub
): Effect.Effect<Http, never, Scope.Scope> =>
  Effect.gen(function*() {
    const provided = yield* Effect.serviceOption(HttpClient.HttpClient)
    const client = Option.isSome(provided)
      ? provided.value
      : Context.get(yield* Layer.build(FetchHttpClient.layer), HttpClient.HttpClient)
    const init = yield* Effect.serviceOption(FetchHttpClient.RequestInit)
    const attempts = makeAttempts(channel, options)
    const detail = (text: string): string => fitEnd(scrub(withoutUrls(oneLine(text))), 300)
    const send = <A>(
      request: HttpClientRequest.HttpClientRequest,
      read?: Read<A>,
      { refused, timeout }: SendOptions = {}
    ): Effect.Effect<A, AlerterError> =>
      attempts(
        withFetchOptions(attemptOnce(client, request, read, refused, detail), Option.getOrUndefined(init)),
        timeout
      )
    return { send, detail }
  })

const attemptOnce = <A>(
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  read: Read<A> | undefined,
  refused: SendOptions["refused"],
  detail: (text: string) => string
): Effect.Effect<A, Failure> =>
  HttpClient.withScope(client).execute(request).pipe(
    // A client of one's own may take a status for an error: it is an answer all the same.
    Effect.catch(({ reason }) =>
      reason._tag === "StatusCodeError" ? Effect.succeed(reason.response) : Effect.fail(unreachable(reason))
    ),
    Effect.flatMap((response) => {
      const ok = response.status >= 200 && response.status < 300
      // a cast, since without `read` there is nothing to read, and `A` is void
      if (ok && read === undefined) return Effect.void as Effect.Effect<A>
      const broken = ok
        ? Effect.mapError(textOf(response), ({ reason }) => unreachable(reason))
        : Effect.orElseSucceed(textOf(response), () => "")
      return Effect.flatMap(broken, (text) => {
        const answer = answerOf(response, text)
        if (ok) return read!(answer)
        const understood = refused?.(answer)
        return understood === undefined ? Effect.flatMap(refusal(answer, detail), Effect.fail) : Effect.fail(understood)
      })
    }),
    // Closes what was not read: on Node, a body that never ends would keep the process alive.
    Effect.scoped,
    // The address would be an attribute of the span, and headers of ours are nobody's business.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    Effect.provideService(HttpClient.TracerPropagationEnabled, false)
  )

/**
 * `fetch` turns a redirected POST into a GET, which the server answers with 200, and the alert is lost. What else
 * `fetch` is told, by the layer or where an alert is posted (a proxy, say), holds.
 */
const withFetchOptions = <A, E>(
  attempt: Effect.Effect<A, E>,
  ofLayer: RequestInit | undefined
): Effect.Effect<A, E> =>
  Effect.updateContext(attempt, (context: Context.Context<never>) => {
    const ofCaller = Context.getOrUndefined(context, FetchHttpClient.RequestInit)
    return Context.add(context, FetchHttpClient.RequestInit, { ...ofLayer, ...ofCaller, redirect: "manual" })
  })

const answerOf = (response: HttpClientResponse.HttpClientResponse, text: string): Answer => ({
  status: response.status,
  headers: response.headers,
  text,
  get json() {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  }
})

const textOf = (
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<string, HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    return Effect.map(
      Stream.runForEachWhile(response.stream, (chunk) =>
        Effect.sync(() => {
          text += decoder.decode(chunk, { stream: true })
          return text.length < maxBody
        })),
      () => text + decoder.decode()
    )
  })

/** What the status says where it is none of success. */
const refusal = (answer: Answer, detail: (text: string) => string): Effect.Effect<Failure> => {
  const { status } = answer
  const said = detail(plainText(answer))
  if (status === 401 || status === 403) {
    return Effect.succeed(failure(AlerterErrorReason.Unauthorized({ detail: said })))
  }
  return Effect.map(retryAfter(answer), (after) => {
    if (status === 408) return failure(AlerterErrorReason.TimedOut({}), true, after)
    if (status === 429) return failure(AlerterErrorReason.RateLimited({ retryAfter: after }), true)
    return failure(AlerterErrorReason.Rejected({ status, detail: said }), status >= 500, after)
  })
}

/**
 * How long to wait, in seconds or as a date (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after). Discord and
 * Telegram say it in the body too, Discord to the millisecond. A date that has passed says nothing: clocks differ.
 */
export const retryAfter = ({ headers, json }: Answer): Effect.Effect<Duration.Duration | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const header = headers["retry-after"]?.trim() ?? ""
    const seconds = secondsIn(json) ?? (/^\d+(\.\d+)?$/.test(header) ? Number(header) : undefined)
    if (seconds !== undefined) return Duration.millis(Math.ceil(seconds * 1000))
    // It begins with the day of the week. `Date.parse` makes a date of a mere number too.
    const date = /^[a-z]{3}/i.test(header) ? Date.parse(header) : NaN
    return date > now ? Duration.millis(date - now) : undefined
  })

const secondsIn = (json: unknown): number | undefined => {
  const said = property(json, "retry_after") ?? property(property(json, "parameters"), "retry_after")
  return typeof said === "number" && said >= 0 ? said : undefined
}

const property = (json: unknown, name: string): unknown =>
  typeof json === "object" && json !== null ? Object.getOwnPropertyDescriptor(json, name)?.value : undefined

/** Proxies answer with pages of HTML, of which the title says enough. No pattern here takes long, however odd they are. */
const plainText = ({ text }: Answer): string => {
  if (!/^\s*<(!doctype|html|\?xml)/i.test(text)) return text
  const title = /<title[^<>]*>([^<]*)/i.exec(text)?.[1]
  if (title !== undefined) return title
  const pieces = text.split("<").filter((piece) => !/^(style|script)\b/i.test(piece))
  return pieces.map((piece) => piece.slice(piece.indexOf(">") + 1).trim()).filter((piece) => piece !== "").join(" ")
}

/** The code of the system's error alone (ECONNREFUSED, say), since its message holds the address. */
const unreachable = (reason: HttpClientError.HttpClientErrorReason): Failure => {
  if (reason._tag === "InvalidUrlError") {
    return failure(AlerterErrorReason.Rejected({ detail: "its address is no valid URL" }))
  }
  return failure(AlerterErrorReason.Unreachable({ detail: codeOf(reason.cause) }), reason._tag !== "EncodeError")
}

const codeOf = (cause: unknown, depth = 0): string | undefined => {
  if (typeof cause !== "object" || cause === null || depth > 5) return undefined
  if ("code" in cause && typeof cause.code === "string" && /^[A-Za-z_]+$/.test(cause.code)) return cause.code
  return "cause" in cause ? codeOf(cause.cause, depth + 1) : undefined
}
