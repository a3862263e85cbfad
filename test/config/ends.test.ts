/** Tests that a file which tells of failures tells, too, that they are over. */
import * as Effect from "effect/Effect"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"

import { makeIt } from "../support/it.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"
import { state } from "./fixtures/load/mending.ts"
import { runText } from "./support.ts"

const it = makeIt(test)

/** Returns the titles of the alerts of a night that fails and two that succeed. */
const told = (hooks: string, policies = (store: string) => `store: ${store}, recovered: { successes: drop }`) =>
  Effect.scoped(Effect.gen(function*() {
    const store = join(yield* temporaryFolder("ends"), "alerts.db")
    state.calls = 0
    for (const isBroken of [true, false, false]) {
      state.isBroken = isBroken
      const text = `pipeline: ./mending.ts#pipeline\n${hooks}\nalerter: { console: true, ${policies(store)} }`
      yield* runText(text, { allowOutside: true })
    }
    const lines = (yield* TestConsole.logLines).map(String).join("\n").split("\n")
    return lines.flatMap((line) => /mending.* (failed|succeeded|recovered)/.exec(line)?.[0] ?? [])
  }))

const failed = "mending › load failed"

for (
  const [hooks, expected, calls] of [
    ["stepHooks: { failure: epilogue#alerterFailure }", [failed, "mending › load recovered"], 4],
    ["steps: { load: { hooks: { failure: epilogue#alerterFailure } } }", [failed, "mending › load recovered"], 4],
    // a success hook of the file stands in for that of the code
    [
      "stepHooks: { failure: epilogue#alerterFailure, success: epilogue#alerterSuccess }",
      [failed, "mending › load recovered"],
      2
    ],
    ["hooks: { failure: epilogue#alerterFailure }", ["mending failed", "mending recovered"], 4]
  ] as const
) {
  it.effect(`a failure told by ${hooks} is told to be over, once, and success hooks of the code run`, () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* told(hooks), expected)
      assert.equal(state.calls, calls)
    }))
}

it.effect("successes stay unsaid where no policy keeps failures", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* told("stepHooks: { failure: epilogue#alerterFailure }", () => "minSeverity: info"), [
      failed
    ])
  }))
