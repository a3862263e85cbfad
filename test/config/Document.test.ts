import { Duration, Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { documentOf, issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

/** A file with every key. */
const full = `
$schema: ./epilogue.schema.json
pipeline: ./nightly-etl.ts#pipeline
runName: nightly
annotations: { team: data, cost: { centre: 7 } }
params:
  TrainParams: { epochs: 3, layers: [1, 2], note: null }
hooks:
  start: ./hooks.ts#begin
stepHooks:
  start: [./hooks.ts#a]
  retry: { use: ./hooks.ts#b, when: { tag: HttpError } }
  success: [hooks.module.celebrate, { use: epilogue#alerterSuccess, name: cheer }]
  failure:
    - use: epilogue#alerterFailure
      timeout: 5 seconds
      retry: { times: 2, delay: 0.5, backoff: linear, maxDelay: 3 seconds, jitter: false }
      when: { tag: [HttpError, TimeoutError] }
      background: true
      required: false
  interrupt: ./hooks.ts#c
  exit: { use: file:///etc/hooks.mjs#d, retry: 3, required: true }
inherit: append
defaults: { retry: 2, timeout: 90 }
steps:
  validate:
    inherit: { failure: append, success: "off" }
    hooks: { success: [./hooks.ts#celebrate] }
    retry: { times: 3, delay: 1 second, backoff: exponential, factor: 2.5, maxDelay: 1 minute, jitter: true }
    timeout: 2 minutes
    params: { TrainParams: { epochs: 5 } }
    annotations: { owner: ann }
  load: { retry: false, timeout: false }
alerter: { console: true, minSeverity: warning }
`

it.effect("a file with every key is decoded", () =>
  Effect.gen(function*() {
    const { alerter, ...document } = yield* documentOf(full)
    assert.deepEqual(JSON.parse(JSON.stringify(alerter)).minSeverity, "warning")
    assert.deepEqual(document, {
      $schema: "./epilogue.schema.json",
      pipeline: "./nightly-etl.ts#pipeline",
      runName: "nightly",
      annotations: { team: "data", cost: Object.assign(Object.create(null), { centre: 7 }) },
      params: { TrainParams: { epochs: 3, layers: [1, 2], note: null } },
      hooks: { start: "./hooks.ts#begin" },
      stepHooks: {
        start: ["./hooks.ts#a"],
        retry: { use: "./hooks.ts#b", when: { tag: "HttpError" } },
        success: ["hooks.module.celebrate", { use: "epilogue#alerterSuccess", name: "cheer" }],
        failure: [{
          use: "epilogue#alerterFailure",
          timeout: Duration.seconds(5),
          retry: {
            times: 2,
            delay: Duration.seconds(0.5),
            backoff: "linear",
            maxDelay: Duration.seconds(3),
            jitter: false
          },
          when: { tag: ["HttpError", "TimeoutError"] },
          background: true,
          required: false
        }],
        interrupt: "./hooks.ts#c",
        exit: { use: "file:///etc/hooks.mjs#d", retry: 3, required: true }
      },
      inherit: "append",
      defaults: { retry: 2, timeout: Duration.seconds(90) },
      steps: {
        validate: {
          inherit: { failure: "append", success: "off" },
          hooks: { success: ["./hooks.ts#celebrate"] },
          retry: {
            times: 3,
            delay: Duration.seconds(1),
            backoff: "exponential",
            factor: 2.5,
            maxDelay: Duration.minutes(1),
            jitter: true
          },
          timeout: Duration.minutes(2),
          params: { TrainParams: { epochs: 5 } },
          annotations: { owner: "ann" }
        },
        load: { retry: false, timeout: false }
      }
    })
  }))

it.effect("a value from a variable is decoded as its key expects", () =>
  Effect.gen(function*() {
    const env = { N: "3", ON: "true", LIMIT: "2 minutes", SECONDS: "1.5", GROW: "exponential", NAME: "secret name" }
    const { defaults, params, runName, steps } = yield* documentOf(
      `
runName: run \${NAME}
defaults: { retry: \${N}, timeout: \${SECONDS} }
params: { TrainParams: { epochs: \${N}, deep: [{ key: \${NAME} }] } }
steps:
  validate:
    timeout: \${LIMIT}
    retry: { times: \${N}, delay: \${SECONDS}, backoff: \${GROW}, factor: \${N}, jitter: \${ON} }
`,
      { env }
    )
    assert.ok(Redacted.isRedacted(runName) && Redacted.value(runName) === "run secret name")
    assert.deepEqual(defaults, { retry: 3, timeout: Duration.seconds(1.5) })
    assert.deepEqual(steps?.["validate"], {
      timeout: Duration.minutes(2),
      retry: { times: 3, delay: Duration.seconds(1.5), backoff: "exponential", factor: 3, jitter: true }
    })
    const train = params?.["TrainParams"]
    assert.ok(Redacted.isRedacted(train?.["epochs"]) && Redacted.value(train["epochs"]) === "3")
    assert.ok(!JSON.stringify(params).includes("secret name"))
  }))

it.effect("an invalid value from a variable is an issue that does not show it", () =>
  Effect.gen(function*() {
    const lines = yield* issueLines("defaults: { retry: ${A}, timeout: ${A} }\npipeline: ${A}", {
      env: { A: "s3cret" }
    })
    assert.deepEqual(lines, [
      "1:20 defaults.retry: expected a number of further attempts, or a map with the key times, or false, "
      + "found <redacted>",
      "1:35 defaults.timeout: expected a duration such as \"2 minutes\", a number of seconds more than 0, a map with the key limit, or false, "
      + "found <redacted>",
      "2:11 pipeline: expected a reference such as ./hooks.ts#name, without variables, found <redacted>"
    ])
  }))

it.effect("all issues are reported at once, in the order of the file, each at its place", () =>
  Effect.gen(function*() {
    assert.deepEqual(
      yield* issueLines(`pipelin: ./x
runName: 3
stepHooks:
  failure: [1, { us: x }]
  start: { use: x, when: { tag: A } }
inherit: apend
steps:
  validate:
    retry: { tmies: 3, delay: 1 x }
    timeout: -1
  load:
    hooks:
      failure: []
  "odd step!":
    timeout: soon
  nothing:
`),
      [
        "1:1 pipelin: expected one of the keys $schema, pipeline, public, runName, annotations, params, hooks, stepHooks, "
        + "inherit, timeout, overdue, deadline, alerts, logs, defaults, steps, alerter, language, record, monitor (did you mean pipeline?), found the key \"pipelin\"",
        "2:10 runName: expected a name, as text, found 3",
        "4:13 stepHooks.failure[0]: expected a reference such as ./hooks.ts#name, or a map with the key use, found 1",
        "4:18 stepHooks.failure[1].us: expected one of the keys use, name, timeout, retry, background, required, when "
        + "(did you mean use?), found the key \"us\"",
        "5:20 stepHooks.start.when: expected one of the keys use, name, timeout, retry, background, required, "
        + "found the key \"when\"",
        "6:10 inherit: expected \"override\", \"append\", \"prepend\" or \"off\", or a map of these by the kind of hook "
        + "(did you mean append?), found \"apend\"",
        "9:14 steps.validate.retry.tmies: expected one of the keys times, delay, backoff, factor, maxDelay, jitter "
        + "(did you mean times?), found the key \"tmies\"",
        "9:31 steps.validate.retry.delay: expected a duration such as \"5 seconds\", or a number of seconds, found \"1 x\"",
        "10:14 steps.validate.timeout: expected a duration such as \"2 minutes\", a number of seconds more than 0, a map with the key limit, or "
        + "false, found -1",
        "13:16 steps.load.hooks.failure: expected at least one hook (inherit: off removes hooks), found an empty list",
        "15:14 steps[\"odd step!\"].timeout: expected a duration such as \"2 minutes\", a number of seconds more than 0, "
        + "a map with the key limit, or false, found \"soon\"",
        "16:3 steps.nothing: expected a map with keys such as hooks, retry and timeout, found nothing"
      ]
    )
  }))

it.effect("a misspelt key is one issue, which names the key that it is near or shares its beginning or end with", () =>
  Effect.gen(function*() {
    const meant = (text: string) =>
      Effect.map(issueLines(text), (lines) => lines.map((line) => /\(did you mean (.*?)\?/.exec(line)?.[1]))
    for (
      const [text, key] of [
        ["record: { keeps: 1 }", "keep"],
        ["stepHooks: { failure: { uses: epilogue#alerter } }", "use"],
        ["stepHooks: { failure: { use: epilogue#alerter, when: { tags: A } } }", "tag"],
        ["stepHooks: { fail: epilogue#alerter }", "failure"],
        ["steps: { a: { retries: 3 } }", "retry"],
        ["name: nightly", "runName"],
        ["deadline: { at: \"06:00\", zone: UTC }", "timeZone"],
        ["alerter: { slack: { webhook: x } }", "webhookUrl"],
        ["alerter: { slak: {} }", "slack"],
        ["alerter: { fanOut: [{ consol: true }] }", "console"],
        ["alerter: slck", "slack"],
        ["monitor: { healthcheck: true }", "healthchecks"],
        ["monitor: healthcheck", "healthchecks"]
      ] as const
    ) assert.deepEqual(yield* meant(text), [key], text)
    assert.deepEqual(yield* meant("schedule: daily"), [undefined])
    assert.deepEqual(yield* meant("alerter: { pigeon: true }"), [undefined, undefined])
    // two mistakes, though one key is near the other
    assert.deepEqual(yield* meant("stepHooks: { failure: 5, failur: x#y }"), [undefined, "failure"])
  }))

it.effect("a number or a truth value is told as the file writes it, and one that may be a secret not at all", () =>
  Effect.gen(function*() {
    const found = (text: string, file = "nightly.yaml") =>
      Effect.map(issueLines(text, { file }), (lines) => lines.map((line) => line.replace(/.*, found /, "")))
    const written = ["01234", "0x1F", "1e3", "+5", "12345678901234567890", "True"]
    for (const text of written) {
      assert.deepEqual(yield* found(`runName: ${text}`), [text])
      assert.deepEqual(yield* found(`runName: &a ${text}\nlanguage: *a`), [text, text])
    }
    assert.deepEqual(yield* found(`{ "runName": 1.50, "public": 1e3 }`, "a.json"), ["1.50", "1e3"])
    assert.deepEqual(yield* found(`runName: 0${"1".repeat(500)}`), [`0${"1".repeat(59)}…`])
    assert.deepEqual(yield* found("alerter: { slack: { webhookUrl: 01234 } }"), ["a number"])
  }))

it.effect("a key that has no effect beside the others is an issue", () =>
  Effect.gen(function*() {
    const retry = (keys: string) => issueLines(`defaults: { retry: { times: 1, ${keys} } }`)
    const effect = "beside it, without which it has no effect"
    assert.deepEqual(yield* retry("factor: 2"), [
      `1:40 defaults.retry.factor: expected backoff: exponential ${effect}, found 2`
    ])
    assert.deepEqual(yield* retry("delay: 1, backoff: linear, factor: 2"), [
      `1:67 defaults.retry.factor: expected backoff: exponential ${effect}, found 2`
    ])
    assert.deepEqual(yield* retry("delay: 1, backoff: constant, maxDelay: 2"), [
      `1:71 defaults.retry.maxDelay: expected backoff: linear or exponential ${effect}, found 2`
    ])
    assert.deepEqual(yield* retry("backoff: linear, jitter: true"), [
      `1:41 defaults.retry.backoff: expected delay ${effect}, found "linear"`,
      `1:57 defaults.retry.jitter: expected delay ${effect}, found true`
    ])
    assert.deepEqual(yield* issueLines("hooks: { start: { use: a#b, background: true, required: true } }"), [
      "1:41 hooks.start.background: expected no background: true beside required: true, since the step does not wait "
      + "for it, found true"
    ])
  }))

it.effect("issues do not quote values of keys that may hold secrets", () =>
  Effect.gen(function*() {
    for (
      const text of ["alerter: { slack: s3cret }", "alerter: { slack: { webhookUrl: [s3cret] } }", "params: s3cret"]
    ) {
      const lines = yield* issueLines(text)
      assert.ok(lines.length > 0 && !lines.join().includes("s3cret"), lines.join())
    }
  }))
