/**
 * Tests how the same alerts read in each channel, against the files in `goldens/`. `UPDATE=1 bun test` writes them anew:
 * look at what changed.
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import * as alertmanager from "../../src/alerters/internal/alertmanager/alert.ts"
import * as apprise from "../../src/alerters/internal/apprise/message.ts"
import { withLinks } from "../../src/alerters/internal/channel/actions.ts"
import { incidentActionOf } from "../../src/alerters/internal/channel/incident.ts"
import * as discord from "../../src/alerters/internal/discord/message.ts"
import * as email from "../../src/alerters/internal/email/content.ts"
import { bodyOf, titleOf } from "../../src/alerters/internal/gitHubIssues/text.ts"
import * as googleChat from "../../src/alerters/internal/googleChat/message.ts"
import * as gotify from "../../src/alerters/internal/gotify/message.ts"
import * as matrix from "../../src/alerters/internal/matrix/message.ts"
import * as mattermost from "../../src/alerters/internal/mattermost/message.ts"
import * as ntfy from "../../src/alerters/internal/ntfy/message.ts"
import * as opsgenie from "../../src/alerters/internal/opsgenie/alert.ts"
import * as pagerDuty from "../../src/alerters/internal/pagerDuty/event.ts"
import * as pushover from "../../src/alerters/internal/pushover/message.ts"
import * as rocketChat from "../../src/alerters/internal/rocketChat/message.ts"
import * as sentry from "../../src/alerters/internal/sentry/event.ts"
import * as slack from "../../src/alerters/internal/slack/message.ts"
import * as teams from "../../src/alerters/internal/teams/card.ts"
import * as telegram from "../../src/alerters/internal/telegram/message.ts"
import * as twilio from "../../src/alerters/internal/twilio/message.ts"
import * as zulip from "../../src/alerters/internal/zulip/message.ts"
import { alertsOf } from "../../src/cli/supervise/alerts.ts"
import { State } from "../../src/cli/supervise/state.ts"
import { type Alert, AlerterHooks, Approver, Decision, Pipeline, Step } from "../../src/index.ts"
import { render } from "../../src/internal/alerts/alerter.ts"
import { toBriefJson } from "../../src/internal/alerts/json.ts"
import { english } from "../../src/internal/text/alertWords.ts"
import { localTime } from "../../src/internal/text/localTime.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{
  readonly message: string
  readonly status: number
  readonly url: string
  readonly token: Redacted.Redacted
}> {}

/** Stacks differ by runtime and by checkout. */
const withStack = <E extends Error>(error: E): E => {
  error.stack = `${error.name}: ${error.message}\n    at load (/app/etl.ts:12:3)\n    at run (node:internal/main:1:2)`
  return error
}

const ada = { id: "u1", name: "Ada" }

const denied = Decision.Denied({ by: ada, at: DateTime.makeUnsafe(0), comment: "not on a Friday" })

/** Evaluates a run, and returns the alerts about it, each under a name. */
const alerts = Effect.gen(function*() {
  yield* TestClock.setTime(Date.UTC(2026, 10, 23, 12, 40, 12))
  const error = withStack(
    new HttpError({
      message: "the server answered 503, see https://status.example.com",
      status: 503,
      url: "/prices",
      token: Redacted.make("s3cret")
    })
  )
  let nights = 0
  const flaky = Step.make("flaky", Effect.suspend(() => nights++ === 0 ? Effect.fail("no rows") : Effect.void))
  const steps = [
    Step.make("typed", Effect.delay(Effect.fail(error), "1400 millis")).pipe(Step.retry({ times: 1 })),
    Step.make("defect", Effect.die(withStack(new RangeError("index 7 of 3 rows")))),
    Step.make("denied", Effect.void).pipe(
      Step.requireApproval({ title: "Deploy?", timeout: "1 hour" }),
      Effect.provide(Approver.layer(() => Effect.succeed(denied)))
    ),
    Step.make("timeout", Effect.never).pipe(Step.timeout("90 minutes")),
    flaky,
    flaky
  ]
  const run = Pipeline.make(
    "nightly",
    Effect.forEach(steps, (step) => Effect.exit(step as Effect.Effect<void, unknown>))
  ).pipe(
    Pipeline.runName("nightly-2026-11-23"),
    Pipeline.annotate({ region: "eu-1" }),
    Pipeline.stepHooks(AlerterHooks.all),
    Pipeline.hooks(AlerterHooks.summary)
  )
  const fiber = yield* Effect.forkChild(
    Effect.andThen(run, TestAlerter.sent).pipe(Effect.provide(TestAlerter.layer))
  )
  yield* TestClock.adjust("2 hours")
  const sent = yield* Fiber.join(fiber)
  const [typed, defect, refused, timeout, , recovery] = sent
  const crash = alertsOf(new State(), "nightly", {
    code: undefined,
    signal: "SIGKILL",
    at: 90_000,
    since: 0,
    stderr: "<--- Last few GCs --->"
  }, english)[0]!.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12Z") })
  return {
    typed: typed!,
    defect: defect!,
    denied: refused!,
    timeout: timeout!,
    recovery: recovery!,
    summary: sent.at(-1)!,
    crash,
    linked: typed!.with({
      url: "https://ci.example/runs/1?tab=log&q=(a_b)",
      actions: [
        { label: "Runbook", url: "https://wiki.example/load" },
        { label: "Log", url: "file:///var/log/load.log" }
      ]
    })
  }
})

type Dated = Alert & { readonly at: DateTime.Utc }

const zone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
const time = (at: DateTime.DateTime) => localTime(at, zone)

const shows = { time, words: english }

const json = (value: unknown): string => JSON.stringify(value, null, 2)

const channels: Readonly<Record<string, (alert: Dated) => string>> = {
  alertmanager: (alert) => {
    const linked = withLinks(alert, english)
    const action = incidentActionOf(linked)
    // a step without a key is well again at the end of the run
    if (action === undefined) return "(not posted)"
    const labels = Effect.runSync(alertmanager.labelsOf(linked, action, { labels: { team: "data" } }))
    return json(JSON.parse(alertmanager.body(linked, [labels], { startsAt: linked.at }, shows) ?? ""))
  },
  apprise: (alert) => json(apprise.message(withLinks(alert, english), {}, shows)),
  console: (alert) => render(alert, false, english),
  discord: (alert) => json(discord.webhookMessage(withLinks(alert, english), shows)),
  email: (alert) => {
    const { html, subject, text } = email.content(withLinks(alert, english), "[jobs]", shows, "<id>")
    return `${subject}\n\n${text}\n\n${html}`
  },
  gitHubIssues: (alert) => {
    const linked = withLinks(alert, english)
    const action = incidentActionOf(linked)
    if (action === undefined) return "(not posted)"
    return action === "trigger"
      ? `${titleOf(linked)}\n\n${bodyOf(linked, "issue", shows)}`
      : bodyOf(linked, "comment", shows)
  },
  googleChat: (alert) => json(googleChat.message(withLinks(alert, english), undefined, shows)),
  jsonLines: (alert) => json(toBriefJson(alert)),
  mattermost: (alert) => json(mattermost.message(withLinks(alert, english), {}, shows)),
  rocketChat: (alert) => json(rocketChat.message(withLinks(alert, english), {}, shows)),
  matrix: (alert) => json(matrix.message(withLinks(alert, english), undefined, {}, shows)),
  zulip: (alert) => zulip.message(withLinks(alert, english), shows),
  gotify: (alert) => json(gotify.message(withLinks(alert, english), {}, shows)),
  ntfy: (alert) => json(ntfy.message(withLinks(alert, english), "jobs", undefined, shows)),
  opsgenie: (alert) => {
    const linked = withLinks(alert, english)
    const action = incidentActionOf(linked)
    if (action === undefined) return "(not posted)"
    return json(opsgenie.body(linked, action, Effect.runSync(opsgenie.aliasOf(linked, action)), {}, shows))
  },
  pagerDuty: (alert) =>
    pagerDuty.body(withLinks(alert, english), alert.dedupeKey, {
      routingKey: "key",
      source: "host",
      component: undefined,
      group: undefined
    }, shows) ?? "",
  pushover: (alert) => json(pushover.message(withLinks(alert, english), undefined, {}, shows)),
  sentry: (alert) => {
    const identity = { id: "0123456789abcdef0123456789abcdef", fingerprint: alert.dedupeKey }
    const lines = sentry.envelope(withLinks(alert, english), identity, {}, shows)?.split("\n") ?? []
    return json(JSON.parse(lines[2]!))
  },
  slack: (alert) => json(slack.message(withLinks(alert, english), shows)),
  teams: (alert) => json(teams.render(withLinks(alert, english), shows)),
  telegram: (alert) => telegram.message(withLinks(alert, english), 1, { silent: [] }, shows).text,
  twilio: (alert) => twilio.bodyOf(withLinks(alert, english), {}, shows)
}

/** Ids of runs are random. */
const masked = (text: string): string =>
  text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<run id>")

for (const [channel, rendered] of Object.entries(channels)) {
  it.effect(`failures, a refusal, a timeout, a recovery, a summary and a crash read in ${channel} as in its golden file`, () =>
    Effect.gen(function*() {
      const text = Object.entries(yield* alerts).map(([name, alert]) =>
        `==== ${name}\n${masked(rendered(alert as Dated))}\n`
      ).join("\n")
      const file = `${import.meta.dirname}/goldens/${channel}.txt`
      if (process.env["UPDATE"] === "1") writeFileSync(file, text)
      assert.equal(text, readFileSync(file, "utf8"))
      assert.ok(!text.includes("s3cret"))
    }))
}
