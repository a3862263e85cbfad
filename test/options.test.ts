/** Tests that every option which is a number or a duration is refused where it is used, with its name and what it was. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Alertmanager, Apprise, Gotify, Ntfy, Pushover, Telegram, Twilio, Webhook } from "../src/alerters/index.ts"
import { SlackApprover, WebPage } from "../src/approvers/index.ts"
import {
  Acknowledgements,
  afterConsecutive,
  askToAcknowledge,
  dedupe,
  digest,
  escalate,
  fallback,
  fanOut,
  mailbox,
  quietHours,
  recovered,
  remind,
  route,
  Store,
  throttle
} from "../src/delivery/index.ts"
import { Durable, Outbox } from "../src/durable/index.ts"
import { Alerter, AlerterHooks, Hook, Pipeline, Spans, Step, StepLogs } from "../src/index.ts"
import { runMain } from "../src/main/index.ts"
import { Ping } from "../src/monitors/index.ts"
import { Report } from "../src/report/index.ts"
import { TestAlerter, TestApprover } from "../src/testing/index.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

// the casts below: callers without types may pass anything
type Wrong = never

type Use = (value: Wrong) => unknown

const numbers: ReadonlyArray<unknown> = [NaN, -1, "3", 3n]
const wholes = [...numbers, 0.5]
const durations: ReadonlyArray<unknown> = [NaN, -1, "-1 second", "soon", "5", { seconds: NaN }]
const finite = [...durations, Infinity]

const step = Step.make("load", Effect.void)
const run = Pipeline.make("nightly", step)
const logging = Hook.onSuccess(() => Effect.void)
const none = Alerter.layerNone
const secret = Redacted.make("secret")
const url = Redacted.make("https://ping.example.com/1")

const ofStep = (combine: (value: Wrong) => (self: typeof step) => Effect.Effect<unknown, unknown>): Use => (value) =>
  combine(value)(step)

const ofRun = (combine: (value: Wrong) => (self: typeof run) => Effect.Effect<unknown, unknown>): Use => (value) =>
  combine(value)(run)

const ofHook =
  (combine: (value: Wrong) => (self: typeof logging) => Hook.Hook<unknown, unknown, never>): Use => (value) =>
    step.pipe(Step.hooks(combine(value)(logging)))

const ofChannel = (option: string): Use => (value) =>
  Ntfy.layer({ topic: secret, ...Object.fromEntries([[option, value]]) })

const ofMonitor = (option: string): Use => (value) =>
  Ping.layer({ start: url, heartbeat: url, ...Object.fromEntries([[option, value]]) })

const twilio = { accountSid: "AC0", authToken: secret, from: "+15557122661", to: "+15558675310" }
const pushover = { token: secret, user: secret }
const gotify = { server: "https://gotify.example.com", token: secret }

const outbox = (option: string): Use => (value) =>
  Outbox.layer(none, Object.fromEntries([[option, value]])).pipe(
    Layer.provide(Durable.layerSqlite({ filename: ":memory:" }))
  )

const engine = (options: Omit<Durable.SqliteOptions, "filename">) =>
  Durable.layerSqlite({ filename: ":memory:", ...options })

/** Each option, the values that are refused, and what is done with one. */
const options: ReadonlyArray<readonly [option: string, wrong: ReadonlyArray<unknown>, use: Use]> = [
  // steps, pipelines and hooks
  ["the times of its retry", wholes, ofStep((times) => Step.retry({ times }))],
  ["its retry", [3, "3 times", undefined], ofStep((policy) => Step.retry(policy))],
  ["time limit of its body", durations, ofStep((limit) => Step.timeout(limit))],
  ["its body's grace", durations, ofStep((grace) => Step.timeout("1 hour", { grace }))],
  ["it is overdue", durations, ofStep((after) => Step.overdue(after))],
  ["it is told again", durations, ofStep((every) => Step.overdue("1 hour", { every }))],
  ["its body's grace", durations, (grace) => Step.promise("load", { try: () => Promise.resolve(1), grace })],
  ["time limit of its body", durations, ofRun((limit) => Pipeline.timeout(limit))],
  ["it is overdue", durations, ofRun((after) => Pipeline.overdue(after))],
  ["its deadline is told again", durations, ofRun((every) => Pipeline.deadline("06:00", { every }))],
  ["time limit of hook \"onSuccess\"", durations, ofHook((limit) => Hook.timeout(limit))],
  ["hook \"onSuccess\": the times of its retry", wholes, ofHook((times) => Hook.retry({ times }))],
  [
    "the step of hook \"onOverdue\" is overdue",
    durations,
    (after) => step.pipe(Step.hooks(Hook.onOverdue(after, () => Effect.void)))
  ],
  ["its deadline must be a time of day", [6n, "noon"], ofRun((time) => Pipeline.deadline(time))],
  ["the time zone of its deadline", ["Berlin"], ofRun((timeZone) => Pipeline.deadline("06:00", { timeZone }))],
  ["Spans.layer", [3n, ""], (steps) => Effect.provide(step, Spans.layer({ steps }))],
  ["Spans.layer", durations, (drain) => Effect.provide(step, Spans.layer({ steps: /./, drain }))],
  ["StepLogs.layer: lines", wholes, (lines) => StepLogs.layer({ lines })],
  // policies
  ["dedupe: window", durations, (window) => dedupe(none, { window })],
  ["fallback: cooldown", durations, (cooldown) => fallback(none, none, { cooldown })],
  ["throttle: limit", wholes, (limit) => throttle(none, { limit, window: "1 hour" })],
  ["drain", durations, (drain) => mailbox(none, { drain })],
  ["capacity", wholes, (capacity) => mailbox(none, { capacity })],
  ["Store.layerSqlite: busyTimeout", finite, (busyTimeout) => Store.layerSqlite({ filename: ":memory:", busyTimeout })],
  [
    "askToAcknowledge: timeout",
    finite,
    (timeout) =>
      askToAcknowledge({ timeout }).pipe(Layer.provide([Acknowledgements.layerMemory, TestApprover.layerApproving()]))
  ],
  // channels
  ["ntfy: timeout", durations, ofChannel("timeout")],
  ["ntfy: retries", wholes, ofChannel("retries")],
  ["ntfy: delay", durations, ofChannel("delay")],
  ["ntfy: maxDelay", durations, ofChannel("maxDelay")],
  ["ntfy: drain", durations, ofChannel("drain")],
  ["ntfy: capacity", wholes, ofChannel("capacity")],
  ["twilio: maxSegments", wholes, (maxSegments) => Twilio.layer({ ...twilio, maxSegments })],
  ["apprise: maxLength", wholes, (maxLength) => Apprise.layer({ url: "https://apprise.example.com", maxLength })],
  [
    "telegram: messageThreadId",
    wholes,
    (messageThreadId) => Telegram.layer({ token: secret, chatId: "1", messageThreadId })
  ],
  ["gotify: the priority of error", [...wholes, 11], (error) => Gotify.layer({ ...gotify, priorities: { error } })],
  [
    "pushover: the priority of error",
    [NaN, -3, 3, "3", 0.5],
    (error) => Pushover.layer({ ...pushover, priorities: { error } })
  ],
  ["pushover: retry", finite, (retry) => Pushover.layer({ ...pushover, retry })],
  ["pushover: expire", durations, (expire) => Pushover.layer({ ...pushover, expire })],
  [
    "alertmanager: resolveAfter",
    durations,
    (resolveAfter) => Alertmanager.layer({ url: "https://alerts.example.com", resolveAfter })
  ],
  [
    "Webhook.verify: tolerance",
    durations,
    (tolerance) => Webhook.verify({ secret, headers: {}, body: "", tolerance })
  ],
  // approvers
  ["slack: interval", finite, (interval) => SlackApprover.layer({ token: secret, channel: "C0", interval })],
  ["slack: timeout", durations, (timeout) => SlackApprover.layer({ token: secret, channel: "C0", timeout })],
  ["port", [...wholes, 65_536], (port) => WebPage.layer({ port }).pipe(Layer.provide(none))],
  ["maxConnections", numbers, (maxConnections) => WebPage.layer({ maxConnections }).pipe(Layer.provide(none))],
  [
    "connectionTimeout",
    durations,
    (connectionTimeout) => WebPage.layer({ connectionTimeout }).pipe(Layer.provide(none))
  ],
  // monitors
  ["every", finite, ofMonitor("every")],
  ["timeout", durations, ofMonitor("timeout")],
  ["retries", wholes, ofMonitor("retries")],
  ["capacity", wholes, ofMonitor("capacity")],
  ["logs", wholes, ofMonitor("logs")],
  // reports
  ["Report.read: maxBytes", numbers, (maxBytes) => Stream.runDrain(Report.read("none.jsonl", { maxBytes }))],
  ["Report.list: limit", wholes, (limit) => Report.list({ folder: "none", limit })],
  ["olderThan", durations, (olderThan) => Report.prune({ folder: "none", olderThan })],
  ["keep", wholes, (keep) => Report.prune({ folder: "none", keep })],
  ["Report.svg: width", numbers, (width) => Report.svg([], { width })],
  ["Report.svg: maxRows", wholes, (maxRows) => Report.svg([], { maxRows })],
  ["Report.png: scale", numbers, (scale) => Report.png([], { scale })],
  ["Report.png: width", numbers, (width) => Report.png([], { width })],
  ["Report.png: maxRows", wholes, (maxRows) => Report.png([], { maxRows })],
  ["Report.mermaid: maxRows", wholes, (maxRows) => Report.mermaid([], { maxRows })],
  ["Report.markdown: maxRows", wholes, (maxRows) => Report.markdown([], { maxRows })],
  ["Report.layerJobSummary: maxRows", wholes, (maxRows) => Report.layerJobSummary({ maxRows })],
  ["attachTimeline: maxSteps", wholes, (maxSteps) => Report.attachTimeline(none, { maxSteps })],
  // durable
  ["Outbox.layer: concurrency", wholes, outbox("concurrency")],
  ["Outbox.layer: maxAttempts", wholes, outbox("maxAttempts")],
  ["Outbox.layer: maxRefusals", wholes, outbox("maxRefusals")],
  ["Outbox.layer: lease", finite, outbox("lease")],
  ["Outbox.layer: drain", durations, outbox("drain")],
  ["`crashes`", wholes, (crashes) => step.pipe(Durable.step({ crashes }))],
  ["Durable.layerSqlite: drain", durations, (drain) => engine({ drain })],
  ["patience", durations, (patience) => engine({ patience })],
  ["the age in keep", durations, (age) => engine({ keep: { age } })],
  ["the runs in keep", wholes, (runs) => engine({ keep: { runs } })],
  ["Durable.prune: keep", wholes, (keep) => Durable.prune({ keep }).pipe(Effect.provide(engine({})))],
  ["Durable.prune: olderThan", durations, (olderThan) => Durable.prune({ olderThan }).pipe(Effect.provide(engine({})))],
  // the process, and tests
  ["runMain: grace", durations, (grace) => runMain(Effect.void, { grace })],
  ["TestAlerter.layerFailing: times", wholes, (times) => TestAlerter.layerFailing({ times })]
]

/** Uses an option: builds a layer, evaluates an Effect. Returns the message of the error, or `undefined` without one. */
const refusal = (use: Use, value: unknown) =>
  Effect.suspend(() => {
    const made = use(value as never)
    // casts: the types of all options are not known here
    return Layer.isLayer(made)
      ? Effect.scoped(Layer.build(Layer.fresh(made as Layer.Layer<unknown, unknown>)))
      : Effect.isEffect(made)
      ? made as Effect.Effect<unknown, unknown>
      : Effect.void
  }).pipe(
    Effect.matchCause({
      onSuccess: () => undefined,
      onFailure: (cause) => String(Cause.squash(cause))
    })
  )

for (const [option, wrong, use] of options) {
  it.effect(`wrong values are refused: ${option}`, () =>
    Effect.gen(function*() {
      for (const value of wrong) {
        const message = yield* refusal(use, value)
        assert.ok(message?.includes(option), `${String(value)}: ${message}`)
      }
    }))
}

const ofAlerter =
  (apply: (options: Wrong) => (self: typeof none) => Layer.Layer<Alerter, unknown, unknown>): Use => (options) =>
    apply(options)(none)

const onEngine = (used: Layer.Layer<never, unknown, SqlClient | WorkflowEngine>) => Layer.provide(used, engine({}))

const doing = (effect: Effect.Effect<unknown, unknown, WorkflowEngine>) => onEngine(Layer.effectDiscard(effect))

/** Executes a durable pipeline of one step. */
const durable = (options: object, ofStep: object = {}) => {
  const { layer, workflow } = Durable.pipeline(
    "nightly",
    { payload: {}, idempotencyKey: () => "a", ...options },
    () => Pipeline.make("nightly", Effect.orDie(step.pipe(Durable.step(ofStep))))
  )
  return doing(Effect.provide(workflow.execute({}), layer))
}

/** Options some of which do not exist, and the message that says so. */
const unknown: ReadonlyArray<readonly [message: string, options: object, use: Use]> = [
  [
    "Step \"load\": its retry has no option \"delay\", only times, schedule, while, until",
    { times: 3, delay: "1 second" },
    ofStep((policy) => Step.retry(policy))
  ],
  [
    "hook \"onSuccess\": its retry has no option \"wait\", only times, schedule, while, until",
    { wait: "1 second" },
    ofHook((policy) => Hook.retry(policy))
  ],
  [
    "Step \"load\": its time limit has no option \"Grace\", only grace",
    { Grace: 1 },
    ofStep((options) => Step.timeout("1 hour", options))
  ],
  [
    "Pipeline \"nightly\": its limit has no option \"repeat\", only every, after",
    { repeat: 1 },
    ofRun((options) => Pipeline.overdue("1 hour", options))
  ],
  [
    "Pipeline \"nightly\": its deadline has no option \"timezone\", only every, timeZone",
    { timezone: "UTC" },
    ofRun((options) => Pipeline.deadline("06:00", options))
  ],
  [
    "Step \"load\": its promise has no option \"onError\", only try, catch, grace",
    { try: () => Promise.resolve(1), onError: 1 },
    (options) => Step.promise("load", options)
  ],
  [
    "its question has no option \"approver\", only title, body, fields, options, timeout, approvers, values",
    { title: "Go?", timeout: "1 hour", approver: ["U1"] },
    (question) => Effect.provide(Step.requireApproval(step, question), TestApprover.layerApproving())
  ],
  ["afterConsecutive: it has no option", { store: 1 }, ofAlerter((options) => afterConsecutive(2, options))],
  [
    "dedupe: it has no option \"key\", \"store\", only window, persist, timeZone, by",
    { window: 1, key: "a", store: "b" },
    ofAlerter((options) => dedupe(options))
  ],
  ["digest: it has no option", { window: 1, store: 1 }, ofAlerter((options) => digest(options))],
  ["escalate: it has no option", { after: 1, to: none, store: 1 }, ofAlerter((options) => escalate(options))],
  ["fallback: it has no option", { wait: 1 }, (options) => fallback(none, none, options)],
  ["fanOut: it has no option", { succeed: "any" }, (options) => fanOut([none], options)],
  ["mailbox: it has no option", { size: 1 }, ofAlerter((options) => mailbox(options))],
  [
    "quietHours: it has no option",
    { from: "22:00", to: "06:00", store: 1 },
    ofAlerter((options) => quietHours(options))
  ],
  ["recovered: it has no option", { success: "drop" }, ofAlerter((options) => recovered(options))],
  ["remind: it has no option", { every: 1, times: 3 }, ofAlerter((options) => remind(options))],
  [
    "throttle: perKey has no option \"max\", only limit, window",
    { limit: 1, window: 1, perKey: { limit: 1, window: 1, max: 1 } },
    ofAlerter((options) => throttle(options))
  ],
  [
    "askToAcknowledge: it has no option",
    { approver: ["U1"] },
    (options) =>
      askToAcknowledge(options).pipe(Layer.provide([Acknowledgements.layerMemory, TestApprover.layerApproving()]))
  ],
  [
    "Store.layerSqlite: it has no option",
    { filename: ":memory:", timeout: 1 },
    (options) => Store.layerSqlite(options)
  ],
  [
    "AlerterHooks.failureWith: it has no option",
    { once: false },
    (options) => Effect.sync(() => AlerterHooks.failureWith((alert) => alert, options))
  ],
  ["runMain: it has no option", { timeout: 1 }, (options) => Effect.sync(() => runMain(Effect.void, options))],
  // durable runs
  [
    "its durable step has no option",
    { crash: 1 },
    (options) => durable({}, options)
  ],
  ["its durable pipeline has no option", { retry: 1 }, (options) => durable(options)],
  [
    "Durable.layerSqlite: it has no option",
    { filename: ":memory:", busy: 1 },
    (options) => Durable.layerSqlite(options)
  ],
  [
    "Durable.layerSqliteClient: it has no option",
    { filename: ":memory:", busy: 1 },
    (options) => Durable.layerSqliteClient(options)
  ],
  ["keep has no option \"days\", only age, runs", { days: 3 }, (keep) => engine({ keep })],
  ["Durable.list: it has no option", { status: ["failure"] }, (filter) => doing(Durable.list(filter))],
  ["Durable.retry: it has no option", { step: "load" }, (options) => doing(Durable.retry("1", options))],
  ["Durable.interrupt: it has no option", { force: true }, (options) => doing(Durable.interrupt("1", options))],
  ["Durable.prune: it has no option", { older: 1 }, (options) => doing(Durable.prune(options))],
  ["Durable.layerUi: it has no option", { as: "Ada" }, (options) => onEngine(Durable.layerUi(options))],
  ["Outbox.layer: it has no option", { attempts: 1 }, (options) => onEngine(Outbox.layer(none, options))],
  // reports
  ["Report.layerProgress: it has no option", { color: "never" }, (options) => Report.layerProgress(options)],
  ["Report.layerRecord: it has no option", { path: "a.jsonl" }, (options) => Report.layerRecord(options)],
  ["Report.layerJunit: it has no option", { file: "a.xml", name: "a" }, (options) => Report.layerJunit(options)],
  ["Report.layerJobSummary: it has no option", { rows: 1 }, (options) => Report.layerJobSummary(options)],
  ["Report.read: it has no option", { run: "1" }, (options) => Stream.runDrain(Report.read("a.jsonl", options))],
  ["Report.follow: it has no option", { run: "1" }, (options) => Stream.runDrain(Report.follow("a.jsonl", options))],
  ["Report.list: it has no option", { last: 1 }, (options) => Report.list(options)],
  ["Report.find: it has no option", { path: "a" }, (options) => Report.find("latest", options)],
  ["Report.prune: it has no option", { keep: 1, older: 1 }, (options) => Report.prune(options)],
  ["Report.html: it has no option", { name: "a" }, (options) => Effect.sync(() => Report.html([], options))],
  ["Report.svg: it has no option", { colors: "dark" }, (options) => Effect.sync(() => Report.svg([], options))],
  [
    "Report.png: it has no option \"scales\", only title, theme, width, maxRows, scale, fontFiles",
    { scales: 1 },
    (options) => Report.png([], options)
  ],
  ["Report.mermaid: it has no option", { rows: 1 }, (options) => Effect.sync(() => Report.mermaid([], options))],
  ["Report.junit: it has no option", { name: "a" }, (options) => Effect.sync(() => Report.junit([], options))],
  ["Report.markdown: it has no option", { rows: 1 }, (options) => Effect.sync(() => Report.markdown([], options))],
  ["Report.compare: it has no option", { than: 1 }, (options) => Effect.sync(() => Report.compare([], [], options))],
  ["attachTimeline: it has no option", { steps: 1 }, ofAlerter((options) => Report.attachTimeline(options))]
]

for (const [message, options, use] of unknown) {
  it.effect(`an option that does not exist is refused: ${message}`, () =>
    Effect.gen(function*() {
      const refused = yield* refusal(use, options)
      assert.ok(refused?.includes(message), refused)
    }))
}

/** Texts, and layers, that are missing or of another kind: with the beginning of the message, and the function. */
const others: ReadonlyArray<readonly [message: string, options: object, use: Use]> = [
  [
    "Store.layerSqlite: filename must be a text that is not empty, got undefined",
    { filename: undefined },
    (options) => Store.layerSqlite(options)
  ],
  [
    "Store.layerSqlite: filename must be a text that is not empty, got \"\"",
    { filename: "" },
    (options) => Store.layerSqlite(options)
  ],
  ["Durable.layerSqlite: filename must be a text", { filename: undefined }, (options) => Durable.layerSqlite(options)],
  [
    "Durable.layerSqliteClient: filename must be a text",
    { filename: undefined },
    (options) => Durable.layerSqliteClient(options)
  ],
  ["Durable.retry: from must be a text", { from: 1 }, (options) => doing(Durable.retry("1", options))],
  ["Outbox.layer: name must be a text", { name: 1 }, (options) => onEngine(Outbox.layer(none, options))],
  ["Report.layerJunit: file must be a text", { file: undefined }, (options) => Report.layerJunit(options)],
  ["Report.layerJobSummary: file must be a text", { file: 1 }, (options) => Report.layerJobSummary(options)],
  ["Report.read: runId must be a text", { runId: 1 }, (options) => Stream.runDrain(Report.read("a.jsonl", options))],
  ["Report.list: folder must be a text", { folder: null }, (options) => Report.list(options)],
  ["Report.find: file must be a text", { file: 1 }, (options) => Report.find("latest", options)],
  ["Report.markdown: title must be a text", { title: 1 }, (options) => Effect.sync(() => Report.markdown([], options))],
  [
    "dedupe: timeZone must be a TimeZone, got string",
    { window: 1, timeZone: "Europe/Berlin" },
    ofAlerter((options) => dedupe(options))
  ],
  [
    "escalate: each of its alerters must be a Layer, got undefined",
    { after: 1, to: undefined },
    ofAlerter((options) => escalate(options))
  ],
  ["fanOut: each of its alerters must be a Layer, got object", {}, (other) => fanOut([none, other])],
  [
    "route: each of its alerters must be a Layer, got undefined",
    { when: {}, to: undefined },
    (rule) => route([rule], { otherwise: none })
  ],
  [
    "route: its when has no option \"sevirity\", only severity, atLeast, tag, pipeline, step",
    { sevirity: "critical" },
    (when) => route([{ when, to: none }], { otherwise: none })
  ],
  [
    "route: severity must be one of info, success, warning, error, critical, or a list of some, got \"fatal\"",
    { severity: ["error", "fatal"] },
    (when) => route([{ when, to: none }], { otherwise: none })
  ]
]

for (const [message, options, use] of others) {
  it.effect(`an option that is missing or of another kind is refused: ${message}`, () =>
    Effect.gen(function*() {
      const refused = yield* refusal(use, options)
      assert.ok(refused?.includes(message), refused)
    }))
}

it.effect("an object of a class may have more than its options", () =>
  Effect.gen(function*() {
    class Policy {
      readonly times = 1
      readonly note = "for the nightly job"
    }
    const retry = ofStep((policy) => Step.retry(policy))
    assert.deepEqual([yield* refusal(retry, new Policy()), yield* refusal(retry, Schedule.recurs(1))], [
      undefined,
      undefined
    ])
  }))
