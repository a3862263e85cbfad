/** Lists the monitors of the config file, each under its key. */
import { isHttp } from "../../../alerters/internal/channel/isHttp.ts"
import { fileChannel } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import * as Leaf from "../../../alerters/internal/channel/schema/leaf.ts"
import {
  either,
  isMap,
  list,
  type Mistake,
  object,
  optional,
  required
} from "../../../alerters/internal/channel/schema/structure.ts"
import { aDsn, anEnvironment, isDsn, isEnvironment } from "../../../alerters/internal/sentry/dsn.ts"
import * as BetterStack from "../betterStack.ts"
import * as Cronitor from "../cronitor.ts"
import * as Healthchecks from "../healthchecks.ts"
import type { Made } from "../model.ts"
import * as Ping from "../request.ts"
import * as Sentry from "../sentry.ts"
import * as UptimeKuma from "../uptimeKuma.ts"
import { type InFile, interrupt, logs, watching } from "./common.ts"

const address = Leaf.secret("an address of http or https", isHttp)

const healthchecks = fileChannel<InFile<Healthchecks.HealthchecksOptions>, Made>({
  description: "A check of Healthchecks.io, or of a server of one's own",
  variables: { url: "HEALTHCHECKS_URL" },
  keys: {
    url: required(address, "The ping URL of the check."),
    create: optional(Leaf.flag, "Whether a check whose slug is unknown is created. Not unless set."),
    logs,
    interrupt,
    ...watching
  },
  layer: Healthchecks.make
})

const cronitor = fileChannel<InFile<Cronitor.CronitorOptions>, Made>({
  description: "A monitor of Cronitor",
  variables: { apiKey: "CRONITOR_API_KEY", monitor: "CRONITOR_MONITOR" },
  keys: {
    apiKey: required(
      Leaf.secret("an API key of Cronitor", Cronitor.isKey),
      "An API key with the permission `monitor:telemetry`."
    ),
    monitor: required(Leaf.text("the key of a monitor"), "The key of the monitor."),
    environment: optional(Leaf.text("a name"), "The environment, as in `production`."),
    host: optional(Leaf.text("a name"), "The name of the host."),
    metrics: optional(
      list(Leaf.text(Cronitor.aMetric, Cronitor.isMetric), 1),
      "The names of annotations of the run that are sent as metrics, where they are numbers."
    ),
    baseUrl: optional(Leaf.baseUrl, "The address of the Telemetry API. `https://cronitor.link` unless set."),
    interrupt,
    ...watching
  },
  layer: Cronitor.make
})

const sentry = fileChannel<InFile<Sentry.SentryOptions>, Made>({
  description: "A monitor of Sentry Crons",
  variables: { dsn: "SENTRY_DSN" },
  optionalVariables: { slug: "SENTRY_MONITOR_SLUG", environment: "SENTRY_ENVIRONMENT" },
  keys: {
    dsn: required(
      Leaf.secret(aDsn, isDsn),
      "The DSN of the project."
    ),
    slug: optional(
      Leaf.text(Sentry.aSlug, Sentry.isSlug),
      "The slug of the monitor. Made of the name of the pipeline unless set."
    ),
    environment: optional(
      Leaf.text(anEnvironment, isEnvironment),
      "The environment. Sentry's is `production` unless set."
    ),
    schedule: optional(
      either(
        Leaf.text(`${Sentry.aCrontab}, or a map with value and unit`, Sentry.isCrontab),
        object({
          value: required(Leaf.whole(1), "How many units lie between two runs."),
          unit: required(Leaf.oneOf(["minute", "hour", "day", "week", "month", "year"]), "The unit.")
        }),
        (crontab): string | Sentry.Interval => crontab,
        isMap
      ),
      "When the pipeline runs. With it, each check-in creates the monitor, or updates it."
    ),
    timeZone: optional(Leaf.timeZone, "Beside `schedule`: its time zone. UTC unless set."),
    checkInMargin: optional(Leaf.duration(), "Beside `schedule`: how late a run may begin. Rounded up to minutes."),
    maxRuntime: optional(Leaf.duration(), "Beside `schedule`: how long a run may take. Rounded up to minutes."),
    failureThreshold: optional(
      Leaf.whole(1),
      "Beside `schedule`: after how many failures in a row Sentry opens an issue."
    ),
    recoveryThreshold: optional(
      Leaf.whole(1),
      "Beside `schedule`: after how many successes in a row Sentry resolves it."
    ),
    interrupt,
    ...watching
  },
  check: (input) =>
    "schedule" in input
      ? []
      : Sentry.ofSchedule.filter((key) => key in input).map((key): Mistake => ({
        path: [key],
        expected: Sentry.besideSchedule
      })),
  layer: Sentry.make
})

const betterStack = fileChannel<InFile<BetterStack.BetterStackOptions>, Made>({
  description: "A heartbeat of Better Stack",
  variables: { url: "BETTER_STACK_URL" },
  keys: { url: required(address, "The URL of the heartbeat."), logs, interrupt, ...watching },
  layer: BetterStack.make
})

const uptimeKuma = fileChannel<InFile<UptimeKuma.UptimeKumaOptions>, Made>({
  description: "A push monitor of Uptime Kuma",
  variables: { url: "UPTIME_KUMA_URL" },
  keys: { url: required(address, "The push URL of the monitor."), interrupt, ...watching },
  layer: UptimeKuma.make
})

const ping = fileChannel<InFile<Ping.PingOptions>, Made>({
  description: "An address for each move of a run",
  variables: { success: "PING_URL" },
  optionalVariables: { start: "PING_START_URL", failure: "PING_FAILURE_URL" },
  keys: {
    start: optional(address, "The address to request when a run begins."),
    success: optional(address, "The address to request when a run has succeeded."),
    failure: optional(
      address,
      "The address to request when a run has failed; also when it was interrupted, unless `interrupt` is set."
    ),
    interrupt: optional(address, "The address to request when a run was interrupted."),
    heartbeat: optional(address, "The address to request while a run goes on, as often as `every` says."),
    method: optional(Leaf.oneOf(["GET", "POST"]), "The method. GET unless set. With POST the body says what happened."),
    logs,
    ...watching
  },
  check: (input) => [
    ...(Ping.kinds.some((kind) => kind in input)
      ? []
      : [{ path: [], expected: `one of the keys ${Ping.kinds.join(", ")}` }]),
    ...("every" in input && !("heartbeat" in input) ? [{ path: ["every"], expected: Ping.besideEvery }] : [])
  ],
  layer: Ping.make
})

/** @internal */
export const monitors = { healthchecks, cronitor, sentry, betterStack, uptimeKuma, ping }
