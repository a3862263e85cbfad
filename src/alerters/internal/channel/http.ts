/** Sends requests to a channel's API, with limits and retries. No URL leaves this file, since it may hold a secret. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { CurrentGate, exactly } from "../../../internal/alerts/mailbox/gate.ts"
import { withoutUrls } from "../../../internal/text/addresses.ts"
import { denoAdvice } from "../../../internal/text/denied.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import { type Scrub, scrubber } from "../../../internal/text/secrets.ts"
import type { ChannelOptions } from "../../ChannelOptions.ts"
import { targetOf } from "./headers.ts"
import { type Failure, failure, make as makeAttempts } from "./retry.ts"

export { type Failure, failure } from "./retry.ts"

/** The answer to a request. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** `undefined` if the text is not JSON. */
  readonly json: unknown
}

/** Reads an answer whose status is one of success (2xx). */
export type Read<A> = (answer: Answer) => Effect.Effect<A, Failure>

/** The requests of a channel. */
export interface Http {
  /**
   * Sends a request, and retries it. Without `read`, the status decides, unless the body says plainly that the alert has
   * not been taken: a body that breaks off or is late says nothing, or the alert would be sent twice.
   */
  readonly send: {
    (
      request: HttpClientRequest.HttpClientRequest,
      read?: undefined,
      options?: SendOptions
    ): Effect.Effect<void, AlerterError>
    <A>(
      request: HttpClientRequest.HttpClientRequest,
      read: Read<A>,
      options?: SendOptions
    ): Effect.Effect<A, AlerterError>
  }
  /** Makes the text of a server, or of a defect, fit for an error: one line, cut, without URLs and secrets. */
  readonly detail: (text: string) => string
}

/** The ways in which a request differs from the others of its channel. */
export interface SendOptions {
  /** Replaces the channel's timeout: a long poll takes longer than a post. */
  readonly timeout?: Duration.Input | undefined
  /** The most that is read of an answer, in UTF-16 code units. A million unless set. */
  readonly maxAnswer?: number | undefined
  /** Whether a status of success says that the alert was accepted. All do unless set. */
  readonly accepts?: ((status: number) => boolean) | undefined
  /** Reads an answer whose status is not one of success, or not accepted. With `undefined`, the status alone decides. */
  readonly refused?: ((answer: Answer) => Failure | undefined | Effect.Effect<Failure | undefined>) | undefined
  /** Whether any body of an answer is one of success, as that of a server that nothing is known of. */
  readonly anyBody?: boolean | undefined
  /** Learns from the headers of an answer whose status is one of success, as how long a body may be. */
  readonly learn?: ((headers: Answer["headers"]) => Effect.Effect<void>) | undefined
  /**
   * Reads from the headers of an answer whose status is one of success for how long the channel takes no more. The
   * mailbox, if there is one, sends the next alert only then.
   */
  readonly exhausted?: ((headers: Answer["headers"]) => Wait | Effect.Effect<Wait>) | undefined
}

type Wait = Duration.Duration | undefined

/** The most that is read of an answer, in UTF-16 code units. */
const maxBody = 1 << 20

/** How much is read of an answer whose body only explains its status, or may say the contrary, and for how long. */
const maxChecked = 1 << 16
const checkTime = 1_000

/** Makes the client of a channel: the environment's `HttpClient` if there is one, `fetch` otherwise. */
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
    const detail = (text: string): string =>
      fitEnd(withoutUrls(scrub(oneLine(text))).replace(logins, "$1 <redacted>"), 300)
    const send = <A>(
      request: HttpClientRequest.HttpClientRequest,
      read?: Read<A>,
      { timeout, ...options }: SendOptions = {}
    ): Effect.Effect<A, AlerterError> => {
      const { authorization, secrets, url } = targetOf(request.url)
      const bare = HttpClientRequest.setUrl(request, url)
      // a user and a password in the address are sent as a header, unless there is one already
      const signed = authorization === undefined || bare.headers["authorization"] !== undefined
        ? bare
        : HttpClientRequest.setHeader(bare, "authorization", authorization)
      const own = scrubber(secrets)
      return attempts(
        withFetchOptions(
          attemptOnce(client, signed, read, options, (text) => detail(own(text))),
          Option.getOrUndefined(init)
        ),
        timeout
      )
    }
    return { send, detail }
  })

/** The logins of a request, which a proxy may quote though nobody here knows its own. */
const logins = /\b([Bb]asic|[Bb]earer) +(?=\w+[A-Z\d=])[\w+/=.~-]{8,}/g

/** Keeps the mailbox from sending the next alert for some time. Does nothing where there is no mailbox. */
const pause = (wait: Wait | Effect.Effect<Wait>): Effect.Effect<void> =>
  Effect.flatMap(
    asEffect(wait),
    (wait) =>
      wait === undefined
        ? Effect.void
        : Effect.map(CurrentGate, (gate) => gate?.pause(exactly(Duration.toMillis(wait))))
  )

const asEffect = <A>(value: A | Effect.Effect<A>): Effect.Effect<A> =>
  Effect.isEffect(value) ? value : Effect.succeed(value)

const attemptOnce = <A>(
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  read: Read<A> | undefined,
  { accepts, anyBody, exhausted, learn, maxAnswer = maxBody, refused }: Omit<SendOptions, "timeout">,
  detail: (text: string) => string
): Effect.Effect<A, Failure> =>
  HttpClient.withScope(client).execute(request).pipe(
    // The user's client may fail on a status such as 500, which is an answer to be read all the same.
    Effect.catch(({ reason }) =>
      reason._tag === "StatusCodeError" ? Effect.succeed(reason.response) : Effect.fail(unreachable(reason, detail))
    ),
    Effect.flatMap((response) => {
      const ok = response.status >= 200 && response.status < 300 && accepts?.(response.status) !== false
      const { headers } = response
      const learnt = ok && learn !== undefined ? learn(headers) : Effect.void
      const noted = ok && exhausted !== undefined ? Effect.andThen(learnt, pause(exhausted(headers))) : learnt
      if (ok && read === undefined) {
        const checked = anyBody === true
          ? noted
          : Effect.andThen(
            noted,
            Effect.flatMap(textOf(response), (text) => {
              const said = denied(answerOf(response, text))
              return said === undefined
                ? Effect.void
                : Effect.fail(failure(AlerterErrorReason.Rejected({ status: response.status, detail: detail(said) })))
            })
          )
        // a cast, since `A` is void if there is no `read`
        return checked as Effect.Effect<A, Failure>
      }
      const broken = ok
        ? Effect.catch(bodyOf(response, maxAnswer), ({ reason }) =>
          // an answer such as 204, in place of what the channel documents
          reason._tag === "EmptyBodyError" ? Effect.succeed("") : Effect.fail(unreachable(reason, detail)))
        : textOf(response)
      return Effect.flatMap(broken, (text) => {
        const answer = answerOf(response, text)
        if (ok) return Effect.andThen(noted, read!(answer))
        return Effect.flatMap(
          asEffect(refused?.(answer)),
          (understood) =>
            understood === undefined ? Effect.flatMap(refusal(answer, detail), Effect.fail) : Effect.fail(understood)
        )
      })
    }),
    // Closes a body that was not read: on Node, one that never ends would keep the process alive.
    Effect.scoped,
    // A span would have the URL as an attribute, and its trace headers would go to a third party.
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    Effect.provideService(HttpClient.TracerPropagationEnabled, false)
  )

/**
 * Keeps `fetch` from following redirects. It would turn a redirected POST into a GET, which the server answers with
 * 200, and the alert would be lost. Other options of `fetch` (a proxy, say) stay: those of the layer, and those of
 * the fiber that posts.
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

/** Returns the beginning of a body, as far as it can be read in time: one that breaks off or never ends hides no status. */
const textOf = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> => {
  const read = { text: "" }
  return Effect.map(Effect.exit(Effect.timeoutOption(bodyOf(response, maxChecked, read), checkTime)), () => read.text)
}

const bodyOf = (
  response: HttpClientResponse.HttpClientResponse,
  most: number,
  read = { text: "" }
): Effect.Effect<string, HttpClientError.HttpClientError> => {
  const decoder = new TextDecoder()
  return Effect.map(
    Stream.runForEachWhile(
      response.stream,
      (chunk) => Effect.sync(() => (read.text += decoder.decode(chunk, { stream: true })).length < most)
    ),
    () => read.text + decoder.decode()
  )
}

/**
 * Returns the reason why an answer with a status of success has not taken the alert: a page, as of a login or a proxy, or
 * what APIs say in JSON, as Slack (`ok`), Rocket.Chat (`success`), Zulip (`result`) and Pushover (`status`) do. The
 * connectors of Teams have said it in a sentence.
 */
export const denied = (answer: Answer): string | undefined => {
  const { json, text } = answer
  if (/^\s*<(!doctype|html)/i.test(text)) return `a web page: ${plainText(answer)}`
  const isDenied = property(json, "ok") === false || property(json, "success") === false ||
    property(json, "result") === "error" || property(json, "status") === 0 || property(json, "status") === "error" ||
    text.startsWith("Webhook message delivery failed")
  return isDenied ? text : undefined
}

/** Returns the failure that a status means. */
const refusal = (answer: Answer, detail: (text: string) => string): Effect.Effect<Failure> => {
  const { status } = answer
  const said = detail(plainText(answer)) || (status < 400 ? "a redirect is not followed" : "")
  return Effect.map(retryAfter(answer), (after) => {
    if (status === 401 || status === 403) return failure(AlerterErrorReason.Unauthorized({ detail: said }))
    if (status === 408) return failure(AlerterErrorReason.TimedOut({}), true, after)
    if (status === 429) return failure(AlerterErrorReason.RateLimited({ retryAfter: after }), true)
    return failure(AlerterErrorReason.Rejected({ status, detail: said }), status >= 500, after)
  })
}

/**
 * Reads how long to wait: seconds or a date in the header (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after),
 * or seconds in the body, where Discord (to the millisecond) and Telegram have them. A date in the past is ignored,
 * since clocks differ.
 */
export const retryAfter = ({ headers, json }: Answer): Effect.Effect<Duration.Duration | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const header = headers["retry-after"]?.trim() ?? ""
    const seconds = secondsIn(json) ?? (/^\d{1,9}(\.\d+)?$/.test(header) ? Number(header) : undefined)
    if (seconds !== undefined) return Duration.millis(Math.ceil(seconds * 1000))
    // A date begins with the day of the week. `Date.parse` would also take a mere number for a date.
    const date = /^[a-z]{3}/i.test(header) ? Date.parse(header) : NaN
    return date > now ? Duration.millis(date - now) : undefined
  })

/** Reads how long it takes until a limit is reset: the header has the time in seconds since 1970, or in milliseconds. */
export const resetIn = (
  { headers }: Pick<Answer, "headers">,
  header: string,
  unit: "seconds" | "milliseconds" = "seconds"
): Effect.Effect<Duration.Duration | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const millis = Number(headers[header] ?? NaN) * (unit === "seconds" ? 1000 : 1) - now
    return millis > 0 && millis < Infinity ? Duration.millis(millis) : undefined
  })

const secondsIn = (json: unknown): number | undefined => {
  const said = property(json, "retry_after") ?? property(property(json, "parameters"), "retry_after")
  return typeof said === "number" && said >= 0 ? said : undefined
}

/** Returns a property of an object, as of the JSON of an answer. */
export const property = (json: unknown, name: string): unknown =>
  typeof json === "object" && json !== null ? Object.getOwnPropertyDescriptor(json, name)?.value : undefined

/** Reduces a page of HTML, as proxies answer, to its title. The patterns take linear time, whatever the page. */
const plainText = ({ text }: Answer): string => {
  if (!/^\s*<(!doctype|html|\?xml)/i.test(text)) return text
  const title = /<title[^<>]*>([^<]*)/i.exec(text)?.[1]
  if (title !== undefined) return title
  const pieces = text.split("<").filter((piece) => !/^(style|script)\b/i.test(piece))
  return pieces.map((piece) => piece.slice(piece.indexOf(">") + 1).trim()).filter((piece) => piece !== "").join(" ")
}

/** Keeps the system's error code alone (ECONNREFUSED, say), or what Deno says in its place: the message contains the URL. */
const unreachable = (reason: HttpClientError.HttpClientErrorReason, detail: (text: string) => string): Failure => {
  if (reason._tag === "InvalidUrlError") {
    return failure(AlerterErrorReason.Rejected({ detail: "its address is no valid URL" }))
  }
  // some sentences come with a code that says less, as HPE_INVALID_CONSTANT
  const [said] = [...textsIn(reason.cause, "message"), ...textsIn(reason.cause, "code")]
    .flatMap((text) => [denoAdvice(text), ...sayings.map((saying) => saying.exec(text)?.[1])])
    .filter((said) => said !== undefined)
  return failure(
    AlerterErrorReason.Unreachable({ detail: said === undefined ? undefined : detail(said) }),
    reason._tag !== "EncodeError"
  )
}

/** Returns the texts of one name of an error and its causes. */
const textsIn = (error: unknown, name: string, depth = 0): ReadonlyArray<string> =>
  typeof error !== "object" || error === null || depth > 5
    ? []
    : [String(property(error, name) ?? ""), ...textsIn(property(error, "cause"), name, depth + 1)]

/** The patterns of reasons, which stand beside the URL. */
const sayings = [
  // Deno: "error sending request for url (…): client error (Connect): …"
  /client error \(\w+\): ([^]+)$/,
  /^([^/]+ \(os error \d+\)|error reading a body from connection|received fatal alert: \w+)/,
  // Node
  /^(Response does not match the HTTP\/1\.1 protocol|bad port|other side closed)/,
  // a code
  /^([A-Z][\w/]+)$/i
]
