/** Sends check-ins to Sentry Crons. */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { aDsn, anEnvironment, isEnvironment, parseDsn } from "../../alerters/internal/sentry/dsn.ts"
import { limitMillis } from "../../internal/model/limit.ts"
import type { MonitorMistake } from "../MonitorError.ts"
import type { MonitorOptions } from "../MonitorOptions.ts"
import type { Made } from "./model.ts"
import { make as makeMonitor, secretMistakes, textMistakes } from "./monitor.ts"
import type { Ping, PingKind } from "./ping.ts"
import { runUuid } from "./runUuid.ts"

/**
 * A schedule of intervals, as in every two hours.
 *
 * @category models
 * @since 0.1.0
 */
export interface Interval {
  /** The number of units. A whole number of at least 1. */
  readonly value: number
  /** The unit of the number. */
  readonly unit: "minute" | "hour" | "day" | "week" | "month" | "year"
}

/**
 * The options of `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SentryOptions extends MonitorOptions {
  /** The DSN of the project. */
  readonly dsn: Redacted.Redacted<string>
  /**
   * The slug of the monitor: up to 50 lower-case letters, digits, `-` and `_`. Made of the name of the pipeline unless
   * set.
   */
  readonly slug?: string | undefined
  /** The environment. Sentry's is `production` unless set. */
  readonly environment?: string | undefined
  /**
   * When the pipeline runs: the five fields of a crontab, or an {@link Interval}. With it, each check-in creates the
   * monitor, or updates it.
   */
  readonly schedule?: string | Interval | undefined
  /** Beside `schedule`: its time zone. UTC unless set. */
  readonly timeZone?: DateTime.TimeZone | undefined
  /** Beside `schedule`: how late a run may begin. Rounded up to minutes. */
  readonly checkInMargin?: Duration.Input | undefined
  /** Beside `schedule`: how long a run may take. Rounded up to minutes. */
  readonly maxRuntime?: Duration.Input | undefined
  /** Beside `schedule`: after how many failures in a row Sentry opens an issue. */
  readonly failureThreshold?: number | undefined
  /** Beside `schedule`: after how many successes in a row Sentry resolves it. */
  readonly recoveryThreshold?: number | undefined
}

/** The longest slug, in characters: Sentry cuts longer ones (https://docs.sentry.io/product/crons/getting-started/http/). */
const maxSlug = 50

/** @internal */
export const isSlug = (slug: string): boolean => /^[a-z0-9_-]{1,50}$/.test(slug) && !/^\d+$/.test(slug)

/** Makes a slug of the name of a pipeline. */
export const slugOf = (name: string): string => {
  const words = name.normalize("NFKD").toLowerCase().match(/[a-z0-9_]+/g) ?? []
  const slug = words.join("-").slice(0, maxSlug)
  return isSlug(slug) ? slug : `job-${slug}`.slice(0, maxSlug)
}

/** Five fields, or a word for them. */
const crontab = /^(?:@(?:yearly|annually|monthly|weekly|daily|hourly)|\S{1,100}(?:[ \t]{1,10}\S{1,100}){4})$/

/** Whether a text is the schedule of a crontab. */
export const isCrontab = (text: string): boolean => crontab.test(text.trim())

/** The options that have an effect only beside a schedule. */
export const ofSchedule = ["timeZone", "checkInMargin", "maxRuntime", "failureThreshold", "recoveryThreshold"] as const

/** @internal */
export const aSlug = "up to 50 lower-case letters, digits, - and _, and not digits alone"

/** @internal */
export const aCrontab = "five fields of a crontab, or a word such as @daily"

/** @internal */
export const besideSchedule = "schedule beside it, without which it has no effect"

const mistakesIn = (options: SentryOptions): ReadonlyArray<MonitorMistake> => {
  const { dsn, environment, schedule, slug, timeZone } = options
  const mistakes: Array<MonitorMistake> = []
  const expect = (isRight: boolean, option: keyof SentryOptions, expected: string) => {
    if (!isRight) mistakes.push({ option, expected })
  }
  mistakes.push(...secretMistakes("dsn", dsn, (text) => parseDsn(text) !== undefined, aDsn))
  if (slug !== undefined) mistakes.push(...textMistakes("slug", slug, isSlug, aSlug))
  if (environment !== undefined) {
    mistakes.push(...textMistakes("environment", environment, isEnvironment, anEnvironment))
  }
  if (typeof schedule === "string") {
    expect(isCrontab(schedule), "schedule", aCrontab)
  } else if (schedule !== undefined) {
    expect(Number.isInteger(schedule?.value) && schedule.value >= 1, "schedule", "a whole number of units, at least 1")
  }
  for (const option of ofSchedule) {
    expect(schedule !== undefined || options[option] === undefined, option, besideSchedule)
  }
  expect(timeZone === undefined || DateTime.isTimeZoneNamed(timeZone), "timeZone", "a time zone of the IANA database")
  for (const option of ["checkInMargin", "maxRuntime"] as const) {
    const millis = options[option] === undefined ? 1 : limitMillis(options[option])
    expect(millis !== undefined && millis > 0 && millis < Infinity, option, "a finite duration above 0")
  }
  for (const option of ["failureThreshold", "recoveryThreshold"] as const) {
    const count = options[option] ?? 1
    expect(Number.isInteger(count) && count >= 1, option, "a whole number of at least 1")
  }
  return mistakes
}

const statuses: Readonly<Record<PingKind, string>> = {
  start: "in_progress",
  heartbeat: "in_progress",
  success: "ok",
  failure: "error",
  interrupt: "error"
}

const ownOptions = {
  dsn: 0,
  slug: 0,
  environment: 0,
  schedule: 0,
  timeZone: 0,
  checkInMargin: 0,
  maxRuntime: 0,
  failureThreshold: 0,
  recoveryThreshold: 0
} as const

/** @internal */
export const make = (options: SentryOptions): Made =>
  makeMonitor("sentry", options, ownOptions, mistakesIn(options), () => {
    const dsn = Redacted.value(options.dsn)
    const { api, publicKey } = parseDsn(dsn)!
    const config = configOf(options)
    return {
      secrets: [dsn, publicKey],
      // https://docs.sentry.io/product/crons/: 6 check-ins a minute for each environment of a monitor
      pace: [{ count: 6, per: "1 minute" }],
      takes: new Set(["start", "heartbeat", "success", "failure"]),
      request: (ping) => {
        // the name of a file would make a monitor of its own
        const slug = options.slug ?? (ping.pipelineName === undefined ? undefined : slugOf(ping.pipelineName))
        if (slug === undefined) return Effect.undefined
        const id = ping.runId === undefined ? Effect.sync(() => crypto.randomUUID()) : runUuid(ping.runId)
        return Effect.map(id, (id) => ({
          request: HttpClientRequest.bodyJsonUnsafe(
            HttpClientRequest.post(`${api}/cron/${slug}/${publicKey}/`),
            checkIn(ping, id.replaceAll("-", ""), options.environment, config)
          )
        }))
      }
    }
  })

const checkIn = (
  { kind, millis }: Ping,
  id: string,
  environment: string | undefined,
  config: object | undefined
): object => ({
  check_in_id: id,
  status: statuses[kind],
  ...(environment === undefined ? {} : { environment }),
  // only of a check-in that has ended
  ...(millis === undefined || kind === "heartbeat" ? {} : { duration: millis / 1000 }),
  ...(config === undefined ? {} : { monitor_config: config })
})

const minutes = (input: Duration.Input | undefined): number | undefined =>
  input === undefined ? undefined : Math.max(1, Math.ceil(limitMillis(input)! / 60_000))

/** Returns the config by which a check-in creates or updates its monitor, where there is a schedule. */
const configOf = (options: SentryOptions): object | undefined => {
  const { checkInMargin, failureThreshold, maxRuntime, recoveryThreshold, schedule, timeZone } = options
  if (schedule === undefined) return undefined
  const config = {
    schedule: typeof schedule === "string"
      ? { type: "crontab", value: schedule.trim() }
      : { type: "interval", value: schedule.value, unit: schedule.unit },
    checkin_margin: minutes(checkInMargin),
    max_runtime: minutes(maxRuntime),
    timezone: timeZone === undefined ? undefined : DateTime.zoneToString(timeZone),
    failure_issue_threshold: failureThreshold,
    recovery_threshold: recoveryThreshold
  }
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}
