/** Tests what a file says of steps and runs that are overdue. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Duration, Effect, Exit, Fiber, Path } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { explained } from "../../src/cli/run/output.ts"
import { documentOf, issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { calls } from "./fixtures/load/late.ts"
import { loadText } from "./support.ts"

const it = makeIt(test)

const pipeline = "pipeline: ./late.ts#pipeline\n"

/** Returns what a run with this file calls within half a day, from midnight in UTC. */
const called = (text: string) =>
  Effect.gen(function*() {
    calls.length = 0
    const { pipeline: run } = yield* loadText(`${pipeline}${text}`)
    const fiber = yield* Effect.forkDetach(
      Effect.exit(run).pipe(Effect.provide([NodeFileSystem.layer, Path.layer])),
      { startImmediately: true }
    )
    yield* TestClock.adjust("12 hours")
    const exit = yield* Fiber.join(fiber)
    assert.ok(Exit.isSuccess(exit), String(exit))
    return calls.slice()
  })

it.effect("a file's limits and hooks take the place of the code's, for a step, for all steps and for the run", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* called(""), ["code: limited 30", "run: late 150"])
    assert.deepEqual(yield* called("steps: { limited: { overdue: { after: 1 hour, every: 40 minutes } } }"), [
      "code: limited 60",
      "code: limited 100",
      "run: late 150"
    ])
    assert.deepEqual(yield* called("steps: { limited: { overdue: false } }"), ["run: late 150"])
    const hooks = "stepHooks: { overdue: ./late.ts#nudge }\ndefaults: { overdue: 20 minutes }\n"
    assert.deepEqual(yield* called(hooks), ["file: limited 20", "file: plain 20", "run: late 150"])
    assert.deepEqual(yield* called(`${hooks}steps: { plain: { overdue: 45 minutes } }`), [
      "file: limited 20",
      "run: late 150",
      "file: plain 45"
    ])
    assert.deepEqual(
      yield* called("overdue: { after: 1 hour, every: 1 hour }\nhooks: { overdue: [./late.ts#nudge] }"),
      [
        "code: limited 30",
        "file: late 60",
        "file: late 120"
      ]
    )
  }))

it.effect("hooks of the file may have times of their own", () =>
  Effect.gen(function*() {
    const text = `hooks:
  overdue:
    - { use: ./late.ts#nudge, after: 1 hour }
    - { use: ./late.ts#nudge, name: again, after: 2 hours, every: 30 minutes }
steps: { limited: { hooks: { overdue: { use: ./late.ts#nudge, after: 10 minutes } } } }`
    assert.deepEqual(yield* called(text), [
      "file: limited 10",
      "file: late 60",
      "file: late 120",
      "file: late 150"
    ])
    const lines = explained(yield* loadText(`${pipeline}${text}`))
    assert.ok(lines.some((line) => /^ {4}overdue: nudge \(.*; after 10 min$/.test(line)), lines.join("\n"))
  }))

it.effect("a deadline of the file is told to the hooks of the run", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-29T00:00:00Z"))
    const text =
      "deadline: { at: \"02:00\", timeZone: Europe/Berlin, every: 30 minutes }\ninherit: { overdue: append }\n"
      + "stepHooks: { overdue: ./late.ts#nudge }"
    assert.deepEqual(yield* called(text), [
      "code: limited 30",
      "file: limited 30",
      "run: late 60 deadline",
      "run: late 90 deadline",
      "run: late 120 deadline",
      "run: late 150",
      "run: late 150 deadline"
    ])
  }))

it.effect("explain shows limits, deadline and hooks of both", () =>
  Effect.gen(function*() {
    const loaded = yield* loadText(
      `${pipeline}deadline: { at: "06:00", timeZone: Europe/Berlin }
overdue: { after: 4 hours, every: 1 hour }
defaults: { overdue: 20 minutes }
stepHooks: { overdue: { use: ./late.ts#nudge, name: nudge } }
steps: { plain: { overdue: { after: 45 minutes, every: 10 minutes } } }`
    )
    const lines = explained(loaded).map((line) => line.replaceAll(/[^\s(]*test\.yaml/g, "test.yaml"))
    assert.deepEqual(lines, [
      "late",
      "  overdue: after 4 h, then every 1 h",
      "  deadline: 06:00 Europe/Berlin",
      "  limited",
      "    overdue: after 20 min",
      "    overdue: nudge (test.yaml:5:23): the file's stepHooks replace the code's overdue hooks",
      "  plain",
      "    overdue: after 45 min, then every 10 min",
      "    overdue: nudge (test.yaml:5:23): the file's stepHooks replace the code's overdue hooks"
    ])
  }))

it.effect("limits and deadlines are read in all of their forms", () =>
  Effect.gen(function*() {
    const document = yield* documentOf(`
overdue: 90
deadline: "6:00"
defaults: { overdue: { after: 10 minutes, every: 1 hour } }
steps: { a: { overdue: false, hooks: { overdue: x.y } } }
`)
    assert.deepEqual(document, {
      overdue: Duration.seconds(90),
      deadline: "6:00",
      defaults: { overdue: { after: Duration.minutes(10), every: Duration.hours(1) } },
      steps: { a: { overdue: false, hooks: { overdue: "x.y" } } }
    })
  }))

it.effect("mistakes are told all at once, each with its place", () =>
  Effect.gen(function*() {
    assert.deepEqual(
      yield* issueLines(`overdue: { evry: 1 hour }
deadline: { at: "25:00", timeZone: Mars, every: 0 }
defaults: { overdue: soon }
stepHooks: { overdue: { use: ./late.ts#nudge, required: true } }
`),
      [
        "1:10 overdue.after: expected a duration above 0 such as \"5 seconds\", or a number of seconds, found nothing",
        "1:12 overdue.evry: expected one of the keys after, every (did you mean every?), found the key \"evry\"",
        "2:17 deadline.at: expected a time of day in quotes, from \"00:00\" to \"23:59\", found \"25:00\"",
        "2:36 deadline.timeZone: expected a time zone of the IANA database, as in Europe/Berlin, found \"Mars\"",
        "2:49 deadline.every: expected a duration above 0 such as \"5 seconds\", or a number of seconds, found 0",
        "3:22 defaults.overdue: expected a duration such as \"10 minutes\", a number of seconds more than 0, a map with the "
        + "key after, or false, found \"soon\"",
        "4:47 stepHooks.overdue.required: expected one of the keys use, name, timeout, retry, background, after, every, found the key "
        + "\"required\""
      ]
    )
  }))

it.effect("an interval of a hook without a time of its own is refused", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* issueLines("hooks: { overdue: { use: ./late.ts#nudge, every: 1 hour } }"), [
      "1:50 hooks.overdue.every: expected after beside it, without which it has no effect, found \"1 hour\""
    ])
  }))

it.effect("limits of the run beside a pipeline that is a single step are refused", () =>
  Effect.gen(function*() {
    const exit = yield* Effect.exit(loadText("pipeline: ./late.ts#plain\noverdue: 1 hour\ndeadline: \"06:00\""))
    assert.ok(Exit.isFailure(exit))
    assert.match(String(exit.cause), /overdue[\s\S]*deadline/)
  }))
