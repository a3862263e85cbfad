/**
 * Services with the limits that they document, or are known to have, as HTTP clients on the clock of the test. They
 * answer at once, and refuse what is too much as the service does.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"

/** Counts requests. Times are in milliseconds. */
export interface Meter {
  /** Returns how long it takes until one more request is accepted. */
  readonly wait: (now: number) => number
  readonly take: (now: number) => void
  /** Returns how many more requests are accepted now. */
  readonly left: (now: number) => number
}

/** Accepts so many requests in any time span of this length. */
export const sliding = (count: number, per: number): Meter => {
  const times: Array<number> = []
  return {
    wait: (now) => {
      const oldest = times.at(-count)
      return oldest === undefined ? 0 : Math.max(0, oldest + per - now)
    },
    take: (now) => void times.push(now),
    left: (now) => count - times.slice(-count).filter((time) => time + per > now).length
  }
}

/** Accepts so many requests at once, and one more each time that a span has passed. */
export const bucket = (burst: number, every: number): Meter => {
  let tokens = burst
  let at = -Infinity
  const fill = (now: number) => {
    if (at === -Infinity) at = now
    const more = Math.floor((now - at) / every)
    tokens = Math.min(burst, tokens + more)
    at = tokens === burst ? now : at + more * every
  }
  return {
    wait: (now) => {
      fill(now)
      return tokens > 0 ? 0 : at + every - now
    },
    take: (now) => {
      fill(now)
      tokens--
    },
    left: (now) => {
      fill(now)
      return tokens
    }
  }
}

export interface Service {
  readonly meters: ReadonlyArray<Meter>
  readonly accept: (now: number) => Response
  /** Answers a request that is too much. `wait`: until the next is accepted. */
  readonly refuse: (wait: number, now: number) => Response
}

/** Makes a service, with nothing counted. */
export type Make = () => Service

export interface Limited {
  readonly layer: Layer.Layer<HttpClient.HttpClient>
  /** The bodies that arrived, each with its time. */
  readonly arrived: Array<{ readonly at: number; readonly body: string }>
  readonly refused: () => number
}

const decoder = new TextDecoder()

const waitOf = (meters: ReadonlyArray<Meter>, now: number): number =>
  Math.max(0, ...meters.map((meter) => meter.wait(now)))

/** `latency`: how long before and after the service counts the nth request. None unless set. */
export const limited = (
  make: Make,
  latency: (n: number) => { readonly before: number; readonly after: number } = () => ({ before: 0, after: 0 })
): Limited => {
  const { accept, meters, refuse } = make()
  const arrived: Array<{ readonly at: number; readonly body: string }> = []
  let refused = 0
  let requests = 0
  const client = HttpClient.make((request) => {
    const { after, before } = latency(requests++)
    const answer = Effect.map(Clock.currentTimeMillis, (now) => {
      const wait = waitOf(meters, now)
      if (wait > 0) {
        refused++
        return HttpClientResponse.fromWeb(request, refuse(wait, now))
      }
      for (const meter of meters) meter.take(now)
      arrived.push({ at: now, body: request.body._tag === "Uint8Array" ? decoder.decode(request.body.body) : "" })
      return HttpClientResponse.fromWeb(request, accept(now))
    })
    return Effect.tap(Effect.delay(answer, before), () => Effect.sleep(after))
  })
  return { layer: Layer.succeed(HttpClient.HttpClient, client), arrived, refused: () => refused }
}

/** Returns how long a client takes that sends each request as soon as the service accepts it. */
export const ideal = (make: Make, requests: number): number => {
  const { meters } = make()
  let now = 0
  for (let i = 0; i < requests; i++) {
    now += waitOf(meters, now)
    for (const meter of meters) meter.take(now)
  }
  return now
}

const seconds = (wait: number): string => String(Math.max(1, Math.ceil(wait / 1000)))

const slackWebhook = (meter: () => Meter): Make => () => ({
  meters: [meter()],
  accept: () => new Response("ok"),
  refuse: (wait) => new Response("rate_limited", { status: 429, headers: { "retry-after": seconds(wait) } })
})

/** https://docs.slack.dev/apis/web-api/rate-limits, with bursts that are as short as the channel takes them to be. */
export const slack: Make = slackWebhook(() => bucket(5, 1000))

/** A webhook of Slack that takes no bursts. */
export const strictSlack: Make = slackWebhook(() => sliding(1, 1000))

/** As {@link slack}, for a bot, to which bursts are accepted that are not shown. */
export const slackApi: Make = () => ({
  meters: [sliding(1, 1000)],
  accept: (now) => Response.json({ ok: true, channel: "C1", ts: `${now / 1000}` }),
  refuse: (wait) =>
    Response.json({ ok: false, error: "ratelimited" }, { status: 429, headers: { "retry-after": seconds(wait) } })
})

/**
 * https://docs.discord.com/developers/topics/rate-limits, with a limit per webhook, which the headers tell, and one per
 * channel, which they don't: https://github.com/discord/discord-api-docs/issues/367
 */
export const discord: Make = () => {
  const webhook = sliding(5, 2000)
  return {
    meters: [webhook, sliding(30, 60_000)],
    accept: (now) =>
      Response.json({ id: "1" }, {
        headers: {
          "x-ratelimit-limit": "5",
          "x-ratelimit-remaining": String(webhook.left(now)),
          "x-ratelimit-reset-after": String(webhook.wait(now) / 1000),
          "x-ratelimit-bucket": "abcd1234"
        }
      }),
    refuse: (wait) =>
      Response.json({ message: "You are being rate limited.", retry_after: wait / 1000, global: false }, {
        status: 429,
        headers: { "retry-after": seconds(wait), "x-ratelimit-scope": "shared" }
      })
  }
}

/** A webhook of Discord whose limit is none that is known. Only the headers tell of it. */
export const slowDiscord: Make = () => {
  const webhook = sliding(2, 7000)
  return {
    ...discord(),
    meters: [webhook],
    accept: (now) =>
      Response.json({ id: "1" }, {
        headers: {
          "x-ratelimit-remaining": String(webhook.left(now)),
          "x-ratelimit-reset-after": String(webhook.wait(now) / 1000)
        }
      })
  }
}

const telegram = (...limits: ReadonlyArray<readonly [count: number, per: number]>): Make => () => ({
  meters: limits.map(([count, per]) => sliding(count, per)),
  accept: () => Response.json({ ok: true, result: { message_id: 1 } }),
  refuse: (wait) =>
    Response.json({
      ok: false,
      error_code: 429,
      description: `Too Many Requests: retry after ${seconds(wait)}`,
      parameters: { retry_after: Number(seconds(wait)) }
    }, { status: 429 })
})

/** https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this */
export const telegramChat: Make = telegram([1, 1000], [30, 1000])
export const telegramGroup: Make = telegram([1, 1000], [20, 60_000], [30, 1000])

/** https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using */
export const teams: Make = () => ({
  meters: [sliding(4, 1000)],
  accept: () => new Response("", { status: 202 }),
  refuse: () => new Response("Microsoft Teams endpoint returned HTTP error 429", { status: 429 })
})

/** https://developers.google.com/workspace/chat/limits, where refusals do not say how long to wait. */
export const googleChat: Make = () => ({
  meters: [sliding(1, 1000)],
  accept: () => Response.json({ name: "spaces/A/messages/1" }),
  refuse: () => Response.json({ error: { code: 429, status: "RESOURCE_EXHAUSTED" } }, { status: 429 })
})

/** https://docs.mattermost.com/configure/rate-limiting-configuration-settings.html, without bursts. */
export const mattermost: Make = () => ({
  meters: [sliding(10, 1000)],
  accept: () => new Response("ok"),
  refuse: (wait) => new Response("limit exceeded", { status: 429, headers: { "x-ratelimit-reset": seconds(wait) } })
})

/** https://docs.rocket.chat/docs/rate-limiter */
export const rocketChat: Make = () => {
  const meter = sliding(10, 60_000)
  const headers = (wait: number, now: number, left: number) => ({
    "x-ratelimit-remaining": String(left),
    "x-ratelimit-reset": String(now + wait)
  })
  return {
    meters: [meter],
    accept: (now) => Response.json({ success: true }, { headers: headers(meter.wait(now), now, meter.left(now)) }),
    refuse: (wait, now) => Response.json({ success: false }, { status: 429, headers: headers(wait, now, 0) })
  }
}

/** https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html#rc_message */
export const matrix: Make = () => ({
  meters: [bucket(10, 5000)],
  accept: () => Response.json({ event_id: "$1" }),
  refuse: (wait) => Response.json({ errcode: "M_LIMIT_EXCEEDED", retry_after_ms: wait }, { status: 429 })
})

/** https://zulip.com/api/rest-error-handling */
export const zulip: Make = () => {
  const meter = sliding(200, 60_000)
  return {
    meters: [meter],
    accept: (now) =>
      Response.json({ result: "success" }, {
        headers: {
          "x-ratelimit-remaining": String(meter.left(now)),
          "x-ratelimit-reset": String((now + meter.wait(now)) / 1000)
        }
      }),
    refuse: (wait) => Response.json({ result: "error", "retry-after": wait / 1000 }, { status: 429 })
  }
}

/** A server of one's own, which tells no limits: one that takes five messages a second. */
export const gotify: Make = () => ({
  meters: [sliding(5, 1000)],
  accept: () => Response.json({ id: 1 }),
  refuse: () => Response.json({ error: "Too Many Requests", errorCode: 429 }, { status: 429 })
})

/** https://developer.pagerduty.com/docs/events-api-v2-overview, with the limit that its support tells. */
export const pagerDuty: Make = () => ({
  meters: [sliding(120, 60_000)],
  accept: () => Response.json({ status: "success", message: "Event processed", dedup_key: "k" }, { status: 202 }),
  refuse: () => Response.json({ status: "throttle exceeded" }, { status: 429 })
})

/** https://docs.ntfy.sh/publish/#limitations */
export const ntfy: Make = () => ({
  meters: [bucket(60, 5000)],
  accept: () => Response.json({ id: "x", event: "message" }),
  refuse: () => Response.json({ code: 42901, http: 429, error: "limit reached: too many requests" }, { status: 429 })
})

/** A server of one's own. */
export const webhook = (...meters: ReadonlyArray<() => Meter>): Make => () => ({
  meters: meters.map((make) => make()),
  accept: () => new Response(null, { status: 204 }),
  refuse: (wait) => new Response("", { status: 429, headers: { "retry-after": seconds(wait) } })
})
