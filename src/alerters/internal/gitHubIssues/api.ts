/** Finds, opens, comments and closes issues by the REST API (https://docs.github.com/rest/issues/issues). */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { isObject } from "effect/Predicate"
import { type AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { type Pace, pacer } from "../../../internal/alerts/mailbox/pace.ts"
import {
  type Answer,
  denied,
  type Failure,
  failure,
  type Http,
  type Read,
  resetIn,
  retryAfter
} from "../channel/http.ts"
import { readable } from "../channel/readable.ts"
import { sha256 } from "../channel/repeat.ts"

/**
 * The requests that create content: one a second
 * (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests),
 * 80 a minute and 500 an hour
 * (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits).
 */
export const pace: Pace = [
  { count: 1, per: "1 second" },
  { count: 80, per: "1 minute" },
  { count: 500, per: "1 hour" }
]

/** Issues of a page. 100 of the longest would be more than an answer that is read. */
const perPage = 30
const maxPages = 34
const maxAnswer = 8 << 20

/** Where issues are, and what new ones get. */
export interface Repository {
  /** The address of the repository in the API. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The label by which issues are found. */
  readonly label: string
  readonly labels: ReadonlyArray<string>
  readonly assignees: ReadonlyArray<string>
}

/** Makes the marker of a key, which is the end of the body of its issue and is not shown. */
export const markerOf = (key: string): Effect.Effect<string> =>
  Effect.map(sha256(key), (hex) => `<!-- effect-epilogue ${hex} -->`)

/** An open issue, and the end of its body, which may be a marker. */
interface Found {
  readonly number: number
  readonly end: string
}

const markerLength = "<!-- effect-epilogue  -->".length + 64

/** Returns an issue of a list, unless it is a pull request. */
const foundOf = (issue: unknown): ReadonlyArray<Found> => {
  if (!isObject(issue) || issue["pull_request"] !== undefined) return []
  const { body, number } = issue
  return typeof number === "number" && typeof body === "string"
    ? [{ number, end: body.trimEnd().slice(-markerLength) }]
    : []
}

/** For how long a list tells that there is no issue of a key, in milliseconds. */
const fresh = 30_000

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
const waitUnlessSaid = Duration.minutes(1)

/** Reads an answer that refuses the rate, which has the status of one that forbids something. */
const refused = (answer: Answer): Effect.Effect<Failure | undefined> => {
  const { headers, status, text } = answer
  if (status !== 403 && status !== 429) return Effect.undefined
  const limited = (after: Duration.Duration | undefined) =>
    failure(AlerterErrorReason.RateLimited({ retryAfter: after ?? waitUnlessSaid }), true)
  if (headers["retry-after"] !== undefined) return Effect.map(retryAfter(answer), limited)
  if (headers["x-ratelimit-remaining"] === "0") return Effect.map(resetIn(answer, "x-ratelimit-reset"), limited)
  return /secondary rate limit|abuse detection/i.test(text) ? Effect.succeed(limited(undefined)) : Effect.undefined
}

/** Picks the messages of an error answer, which is `{ message, errors, documentation_url }`. */
export const said = (answer: object): string | undefined => {
  if (!("message" in answer) || typeof answer.message !== "string") return undefined
  const errors = "errors" in answer && Array.isArray(answer.errors) ? answer.errors : []
  const details = errors.map((error) =>
    isObject(error) ? [error["field"], error["message"] ?? error["code"]].filter(Boolean).join(" ") : String(error)
  )
  return [answer.message, ...details].join(": ")
}

/** The requests of a channel. */
export interface Issues {
  /** Returns the numbers of the open issues with the marker, the oldest first. */
  readonly open: (marker: string) => Effect.Effect<ReadonlyArray<number>, AlerterError>
  /** Returns whether a list of the last half a minute, and what was opened since, had no issue with the marker. */
  readonly hadNone: (marker: string) => Effect.Effect<boolean>
  /** Opens an issue. Succeeds with its number, if the answer has one. */
  readonly create: (
    title: string,
    body: string,
    marker: string | undefined
  ) => Effect.Effect<number | undefined, AlerterError>
  readonly comment: (issue: number, body: string) => Effect.Effect<void, AlerterError>
  readonly close: (issue: number, reason: "completed" | "not_planned") => Effect.Effect<void, AlerterError>
}

/** @internal */
export const make = ({ detail, send }: Http, repository: Repository, limits: Pace): Issues => {
  const { assignees, headers, label, labels, url } = repository
  const writes = pacer(limits)
  const request = (method: "GET" | "POST" | "PATCH", path: string) =>
    HttpClientRequest.setHeaders(HttpClientRequest.make(method)(`${url}${path}`), headers)
  const told = <A>(effect: Effect.Effect<A, AlerterError>) => Effect.mapError(effect, (error) => readable(error, said))
  /** Waits for the limits of requests that create content. Alerts come one after another, and so do these. */
  const paced = <A>(write: Effect.Effect<A, AlerterError>): Effect.Effect<A, AlerterError> =>
    Effect.gen(function*() {
      const delay = writes.delay(yield* Clock.currentTimeMillis)
      if (delay > 0) yield* Effect.sleep(delay)
      const stamp = writes.begin(yield* Clock.currentTimeMillis)
      return yield* Effect.ensuring(
        write,
        Effect.map(Clock.currentTimeMillis, (now) => {
          stamp.at = now
        })
      )
    })
  const wrong = ({ status }: Answer): Failure =>
    failure(AlerterErrorReason.Rejected({ status, detail: detail("this is no answer of the API of GitHub") }))
  const issues: Read<ReadonlyArray<unknown>> = (answer) => {
    const { json } = answer
    return Array.isArray(json) ? Effect.succeed(json) : Effect.fail(wrong(answer))
  }
  let markers: ReadonlySet<string> = new Set()
  let listedAt = -Infinity
  const page = (number: number): Effect.Effect<ReadonlyArray<Found>, AlerterError> =>
    Effect.flatMap(
      told(send(
        request(
          "GET",
          `/issues?state=open&sort=created&direction=asc&per_page=${perPage}&page=${number}&labels=${
            encodeURIComponent(label)
          }`
        ),
        issues,
        { refused, maxAnswer }
      )),
      (found) => {
        const here = found.flatMap(foundOf)
        return found.length < perPage || number >= maxPages
          ? Effect.succeed(here)
          : Effect.map(page(number + 1), (others) => [...here, ...others])
      }
    )
  const created: Read<number | undefined> = (answer) => {
    if (denied(answer) !== undefined) return Effect.fail(wrong(answer))
    const { json } = answer
    return Effect.succeed(isObject(json) && typeof json["number"] === "number" ? json["number"] : undefined)
  }
  return {
    open: (marker) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const found = yield* page(1)
        markers = new Set(found.map(({ end }) => end))
        listedAt = now
        return found.flatMap(({ end, number }) => end === marker ? [number] : [])
      }),
    hadNone: (marker) => Effect.map(Clock.currentTimeMillis, (now) => now - listedAt < fresh && !markers.has(marker)),
    create: (title, text, marker) => {
      if (marker !== undefined) markers = new Set([...markers, marker])
      const body = marker === undefined ? text : `${text}\n\n${marker}`
      return paced(told(send(
        HttpClientRequest.bodyJsonUnsafe(request("POST", "/issues"), {
          title,
          body,
          labels: [...new Set([label, ...labels])],
          ...(assignees.length === 0 ? {} : { assignees })
        }),
        created,
        { refused }
      )))
    },
    comment: (issue, body) =>
      paced(told(send(
        HttpClientRequest.bodyJsonUnsafe(request("POST", `/issues/${issue}/comments`), { body }),
        undefined,
        { refused }
      ))),
    close: (issue, state_reason) =>
      paced(told(send(
        HttpClientRequest.bodyJsonUnsafe(request("PATCH", `/issues/${issue}`), { state: "closed", state_reason }),
        undefined,
        { refused }
      )))
  }
}
