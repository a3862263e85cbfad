/** Tests what a file can say of spans that are steps. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { told } from "./fixtures/load/spans.ts"
import { runText } from "./support.ts"

const it = makeIt(test)

it.live("a file gives hooks to spans that are steps, and what they can't have is told once", () =>
  Effect.gen(function*() {
    const log = logs()
    told.length = 0
    yield* runText(`
pipeline: ./spans.ts#pipeline
steps: { load: { timeout: 1 minute, hooks: { failure: ./spans.ts#tell } } }
`).pipe(Effect.provide(log.layer))
    assert.deepEqual(told, ["load", "load"])
    assert.deepEqual(log.list.map(({ level, message }) => `${level} ${message}`), [
      `Warn "load" is a span: it has no retries, time limits and approvals, though a file sets some`
    ])
  }))
