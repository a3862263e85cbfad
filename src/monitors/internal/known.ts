/** Recognizes the service of an address. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { isDsn } from "../../alerters/internal/sentry/dsn.ts"
import { readOr } from "../../internal/text/read.ts"
import { MonitorError } from "../MonitorError.ts"
import * as BetterStack from "./betterStack.ts"
import * as Cronitor from "./cronitor.ts"
import * as Healthchecks from "./healthchecks.ts"
import type { Made } from "./model.ts"
import * as Ping from "./request.ts"
import * as Sentry from "./sentry.ts"
import * as UptimeKuma from "./uptimeKuma.ts"

/**
 * The ping URL of a server of one's own has the path `/ping/<uuid>` or `/ping/<key>/<slug>`
 * (https://healthchecks.io/docs/self_hosted_configuration/).
 */
const ownCheck = /\/ping\/(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w-]{22}\/[a-z0-9_-]+)\/?$/i

/** Makes the monitor of an address: by its host or its path, or else one that requests it when a run has succeeded. */
export const monitorAt = (address: string): Made => {
  const url = URL.parse(address.trim())
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return Result.fail(
      new MonitorError({
        monitor: "--monitor",
        mistakes: [{ option: "URL", expected: "an address that begins with https:// or http://" }]
      })
    )
  }
  const redacted = Redacted.make(url.href)
  const { hostname, origin, pathname } = url
  if (hostname === "hc-ping.com" || ownCheck.test(pathname)) return Healthchecks.make({ url: redacted })
  const cronitor = /^\/p\/([\w-]+)\/([^/]+)\/?$/.exec(pathname)
  if (hostname === "cronitor.link" && cronitor !== null) {
    const [, apiKey = "", monitor = ""] = cronitor
    const environment = url.searchParams.get("env") ?? undefined
    return Cronitor.make({
      apiKey: Redacted.make(apiKey),
      monitor: readOr(monitor, () => decodeURIComponent(monitor)),
      environment,
      baseUrl: origin
    })
  }
  if (/^\/api\/v1\/heartbeat\/[^/]+\/?$/.test(pathname)) return BetterStack.make({ url: redacted })
  if (/\/api\/push\/[^/]+\/?$/.test(pathname)) return UptimeKuma.make({ url: redacted })
  const cron = /^(.*)\/api\/(\d+)\/cron\/([^/]+)\/(\w+)\/?$/.exec(pathname)
  if (cron !== null) {
    const [, path = "", project = "", slug = "", key = ""] = cron
    const dsn = Redacted.make(`${url.protocol}//${key}@${url.host}${path}/${project}`)
    return Sentry.make({ dsn, slug, environment: url.searchParams.get("environment") ?? undefined })
  }
  // a DSN, whose slug is made of the name of the pipeline
  if (/^[0-9a-f]{32}$/.test(url.username) && isDsn(url.href)) {
    return Sentry.make({ dsn: redacted })
  }
  return Ping.make({ success: redacted })
}
