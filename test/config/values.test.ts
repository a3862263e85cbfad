import { Duration, Effect, Redacted } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { documentOf, issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

const slack = (rest: string) => `alerter: { slack: { webhookUrl: https://a.test/x, ${rest} } }`

/** Files with `VALUE` at a key, by the path of the key. */
const durations: Readonly<Record<string, string>> = {
  "defaults.timeout": "defaults: { timeout: VALUE }",
  "steps.load.timeout": "steps: { load: { timeout: VALUE } }",
  "defaults.retry.delay": "defaults: { retry: { times: 1, delay: VALUE } }",
  "defaults.retry.maxDelay": "defaults: { retry: { times: 1, delay: 1, backoff: linear, maxDelay: VALUE } }",
  "stepHooks.start.timeout": "stepHooks: { start: { use: ./hooks.ts#a, timeout: VALUE } }",
  "alerter.slack.timeout": slack("timeout: VALUE"),
  "alerter.slack.delay": slack("delay: VALUE"),
  "alerter.slack.maxDelay": slack("maxDelay: VALUE"),
  "alerter.digest.window": "alerter: { console: true, digest: { window: VALUE } }",
  "alerter.dedupe.window": "alerter: { console: true, dedupe: VALUE }",
  "alerter.throttle.window": "alerter: { console: true, throttle: { limit: 1, window: VALUE } }",
  "alerter.after": "alerter: { fallback: [console, none], after: VALUE }",
  "alerter.cooldown": "alerter: { fallback: [console, none], cooldown: VALUE }"
}

const counts: Readonly<Record<string, string>> = {
  "defaults.retry": "defaults: { retry: VALUE }",
  "steps.load.retry.times": "steps: { load: { retry: { times: VALUE } } }",
  "stepHooks.start.retry": "stepHooks: { start: { use: ./hooks.ts#a, retry: VALUE } }",
  "alerter.slack.retries": slack("retries: VALUE"),
  "alerter.throttle.limit": "alerter: { console: true, throttle: { limit: VALUE, window: 1 } }",
  "alerter.afterConsecutive.n": "alerter: { console: true, afterConsecutive: VALUE }",
  "alerter.webhook.maxBytes": "alerter: { webhook: { url: https://a.test, maxBytes: VALUE } }"
}

const flags: Readonly<Record<string, string>> = {
  "defaults.retry.jitter": "defaults: { retry: { times: 1, delay: 1, jitter: VALUE } }",
  "stepHooks.start.required": "stepHooks: { start: { use: ./hooks.ts#a, required: VALUE } }",
  "alerter.pagerDuty.changeEvents": "alerter: { pagerDuty: { routingKey: k, changeEvents: VALUE } }",
  "alerter.googleChat.threads": "alerter: { googleChat: { webhookUrl: https://a.test, threads: VALUE } }",
  "alerter.opsgenie.notes": "alerter: { opsgenie: { apiKey: k, notes: VALUE } }",
  "alerter.gitHubIssues.notes": "alerter: { gitHubIssues: { token: t, repository: a/b, notes: VALUE } }",
  "alerter.sentry.notes": "alerter: { sentry: { dsn: https://k@a.test/1, notes: VALUE } }",
  "alerter.sentry.recoveries": "alerter: { sentry: { dsn: https://k@a.test/1, recoveries: VALUE } }",
  "alerter.alertmanager.notes": "alerter: { alertmanager: { url: https://a.test, notes: VALUE } }"
}

const words: Readonly<Record<string, string>> = {
  "defaults.retry.backoff": "defaults: { retry: { times: 1, delay: 1, backoff: VALUE } }",
  "inherit": "stepHooks: { start: ./hooks.ts#a }\ninherit: VALUE",
  "alerter.minSeverity": "alerter: { console: true, minSeverity: VALUE }",
  "alerter.console.stream": "alerter: { console: { stream: VALUE } }"
}

/** A valid word for each of these keys. */
const validWord: Readonly<Record<string, string>> = {
  "defaults.retry.backoff": "linear",
  "inherit": "append",
  "alerter.minSeverity": "error",
  "alerter.console.stream": "stderr"
}

const at = (document: unknown, path: string): unknown =>
  // oxlint-disable-next-line no-explicit-any -- the parts of a document are of any type
  path.split(".").reduce((part: any, key) => part?.[key], document)

/** Returns the decoded value at each key, for a value that is written in the file and one that is in a variable. */
const answers = (keys: Readonly<Record<string, string>>, written: string | undefined, variable: string | undefined) =>
  Effect.forEach(Object.entries(keys), ([path, text]) =>
    Effect.gen(function*() {
      const found: Array<unknown> = []
      if (written !== undefined) found.push(yield* answer(text.replace("VALUE", written), path, {}))
      if (variable !== undefined) found.push(yield* answer(text.replace("VALUE", "${V}"), path, { V: variable }))
      return found.map((one) => [path, one] as const)
    })).pipe(Effect.map((all) => all.flat()))

const answer = (text: string, path: string, env: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const result = yield* Effect.result(documentOf(text, { env }).pipe(Effect.catchDefect(Effect.fail)))
    return result._tag === "Success" ? at(result.success, path) : "an error"
  })

it.effect("every key reads a duration alike, or refuses it alike", () =>
  Effect.gen(function*() {
    const five = Duration.seconds(5)
    const ten = Duration.seconds(10)
    const half = Duration.millis(500)
    const cases: ReadonlyArray<
      readonly [written: string | undefined, variable: string | undefined, expected: Duration.Duration | "an error"]
    > = [
      ["5 seconds", "5 seconds", five],
      ["\" 5 seconds \"", " 5 seconds \n", five],
      ["5", "5", five],
      ["+5", "+5", five],
      ["1e1", " 1e1 ", ten],
      [".5", ".5", half],
      // A quoted number in the file is text, not a number. In a variable everything is text, so it is read as a number.
      ["\"5\"", undefined, "an error"],
      ["Infinity", "Infinity", "an error"],
      [".inf", ".inf", "an error"],
      ["1e999 seconds", "1e999", "an error"],
      ["5s", "5s", five],
      ["0.5 s", " 500ms ", half],
      ["0 h 5 s", "5 s 0 ms", five],
      ["PT5S", "P0DT5S", five],
      ["5 Seconds", "5 SECONDS", five],
      ["0 Hours 5 Second", "0 MIN 5 s", five],
      // symbols in small letters, and no number without its unit
      ["5 S", "5 M", "an error"],
      ["5 sEconds", "5 MS", "an error"],
      ["0:05", "5s 5", "an error"],
      ["PT", "P5S", "an error"],
      ["-5", "-5", "an error"],
      ["-5 seconds", "-5 seconds", "an error"],
      ["+5 seconds", "1e1 seconds", "an error"],
      ["true", "true", "an error"],
      ["1e16", "1e16", "an error"],
      ["\"\"", " ", "an error"]
    ]
    for (const [written, variable, expected] of cases) {
      for (const [path, found] of yield* answers(durations, written, variable)) {
        assert.deepEqual(String(found), String(expected), `${written} at ${path}`)
      }
    }
  }))

it.effect("every key reads a whole number alike, or refuses it alike", () =>
  Effect.gen(function*() {
    const cases: ReadonlyArray<
      readonly [written: string | undefined, variable: string | undefined, expected: number | "an error"]
    > = [
      ["3", " 3 ", 3],
      ["+3", "+3", 3],
      ["1e1", "1e1", 10],
      ["3.0", "3.0", 3],
      ["\"3\"", undefined, "an error"],
      ["3.5", "3.5", "an error"],
      ["-3", "-3", "an error"],
      [".inf", "Infinity", "an error"],
      [undefined, "0x10", "an error"],
      ["1e17", "1e17", "an error"]
    ]
    for (const [written, variable, expected] of cases) {
      for (const [path, found] of yield* answers(counts, written, variable)) {
        assert.equal(found, expected, `${written ?? variable} at ${path}`)
      }
    }
  }))

it.effect("every key reads true and false alike, or refuses other words alike", () =>
  Effect.gen(function*() {
    const cases: ReadonlyArray<
      readonly [written: string | undefined, variable: string | undefined, expected: boolean | "an error"]
    > = [
      ["true", " true\n", true],
      ["false", "false", false],
      ["\"true\"", undefined, "an error"],
      ["yes", "yes", "an error"],
      ["1", "1", "an error"]
    ]
    for (const [written, variable, expected] of cases) {
      for (const [path, found] of yield* answers(flags, written, variable)) {
        assert.equal(found, expected, `${written ?? variable} at ${path}`)
      }
    }
  }))

it.effect("every key ignores white space around a word, and suggests a word for a misspelt one", () =>
  Effect.gen(function*() {
    for (const [path, text] of Object.entries(words)) {
      const word = validWord[path]!
      const only = { [path]: text }
      for (const [, found] of yield* answers(only, `" ${word} "`, `${word}\n`)) assert.equal(found, word, path)
      const [line = ""] = yield* issueLines(text.replace("VALUE", `${word}x`))
      assert.match(line, new RegExp(`\\(did you mean ${word}\\?\\)`), path)
      const [ofVariable = ""] = yield* issueLines(text.replace("VALUE", "${V}"), { env: { V: `${word}x` } })
      assert.match(ofVariable, /found <redacted>$/, path)
    }
  }))

it.effect("white space is part of free text, and text of white space alone is refused", () =>
  Effect.gen(function*() {
    const texts: Readonly<Record<string, string>> = {
      runName: "runName: VALUE",
      "stepHooks.start.name": "stepHooks: { start: { use: ./hooks.ts#a, name: VALUE } }",
      "alerter.pagerDuty.group": "alerter: { pagerDuty: { routingKey: k, group: VALUE } }",
      "alerter.slackBot.channel": "alerter: { slackBot: { token: t, channel: VALUE } }"
    }
    const shown = (value: unknown) => Redacted.isRedacted(value) ? Redacted.value(value) : value
    for (const [path, found] of yield* answers(texts, "\" a b \"", " a b ")) assert.equal(shown(found), " a b ", path)
    for (const [path, found] of yield* answers(texts, "\" \"", " ")) assert.equal(found, "an error", path)
    for (const [path, found] of yield* answers(texts, undefined, "a\u0000b")) assert.equal(found, "an error", path)
  }))
