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
import * as discord from "../../src/alerters/internal/discord/message.ts"
import * as email from "../../src/alerters/internal/email/content.ts"
import * as ntfy from "../../src/alerters/internal/ntfy/message.ts"
import * as pagerDuty from "../../src/alerters/internal/pagerDuty/event.ts"
import * as slack from "../../src/alerters/internal/slack/message.ts"
import * as teams from "../../src/alerters/internal/teams/card.ts"
import * as telegram from "../../src/alerters/internal/telegram/message.ts"
import { alertsOf } from "../../src/cli/supervise/alerts.ts"
import { State } from "../../src/cli/supervise/state.ts"
import { type Alert, AlerterHooks, Approver, Decision, Pipeline, Step } from "../../src/index.ts"
import { render } from "../../src/internal/alerts/alerter.ts"
import { toBriefJson } from "../../src/internal/alerts/json.ts"
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
  })[0]!.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12Z") })
  return {
    typed: typed!,
    defect: defect!,
    denied: refused!,
    timeout: timeout!,
    recovery: recovery!,
    summary: sent.at(-1)!,
    crash
  }
})

type Dated = Alert & { readonly at: DateTime.Utc }

const zone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
const time = (at: DateTime.Utc) => localTime(at, zone)

const json = (value: unknown): string => JSON.stringify(value, null, 2)

const channels: Readonly<Record<string, (alert: Dated) => string>> = {
  console: (alert) => render(alert, false),
  discord: (alert) => json(discord.webhookMessage(alert, time)),
  email: (alert) => {
    const { html, subject, text } = email.content(alert, "[jobs]", time, "<id>")
    return `${subject}\n\n${text}\n\n${html}`
  },
  jsonLines: (alert) => json(toBriefJson(alert)),
  ntfy: (alert) => json(ntfy.message(alert, "jobs", undefined, time)),
  pagerDuty: (alert) =>
    pagerDuty.body(alert, alert.dedupeKey, {
      routingKey: "key",
      source: "host",
      component: undefined,
      group: undefined
    }, time) ?? "",
  slack: (alert) => json(slack.message(alert, time)),
  teams: (alert) => json(teams.render(alert, time)),
  telegram: (alert) => telegram.message(alert, 1, { silent: [] }, time).text
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
