/** A supervisor tells that a step is overdue where its child can't. */
import * as assert from "node:assert/strict"
import { after, test } from "node:test"
import { fieldsOf, scenarios, titles } from "./scenarios.ts"

const each = scenarios(test, after)

const still = /^nightly › load\[7\] is still running after (1(\.\d)?|2) s$/

each("a child that can tell that a step is overdue does, and its supervisor does not", "lateInTime", (outcome) => {
  const [ended, overdue, ...more] = titles(outcome.child)
  assert.match(ended!, /^nightly › load\[7\] ended after 2\.\d s$/)
  assert.match(overdue!, still)
  assert.deepEqual([more, outcome.parent, outcome.code, outcome.stderr], [[], [], 0, ""])
}, { on: ["bun", "node"] })

each(
  "while a child is stopped its supervisor tells that a step is overdue, and it tells itself how that ends",
  "lateStopped",
  (outcome) => {
    const [overdue, ...more] = outcome.parent
    assert.match(overdue!.title, still)
    assert.deepEqual(more, [])
    assert.equal(overdue!.body, "its process does not respond: it is stopped, or its thread is blocked")
    assert.deepEqual([overdue!.severity, overdue!.dedupeKey, ...overdue!.tags], [
      "warning",
      "nightly/load[7]",
      "overdue",
      "unresponsive"
    ])
    const { "running for": elapsed, ...fields } = fieldsOf(overdue!)
    assert.equal(overdue!.title, `nightly › load[7] is still running after ${elapsed}`)
    assert.deepEqual(fields, { pipeline: "nightly", run: "nightly-7", step: "load[7]" })
    assert.equal(outcome.child.length, 1)
    assert.match(titles(outcome.child)[0]!, /^nightly › load\[7\] ended after [34](\.\d)? s$/)
    assert.equal(outcome.stderr, `epilogue: ${overdue!.title}: its process does not respond\n`)
    assert.equal(outcome.code, 0)
  }
)

each("a supervisor tells the end of a step that blocked the thread of its child", "lateBlocked", (outcome) => {
  const [ended, overdue, ...more] = outcome.parent
  assert.match(ended!.title, /^nightly › load\[7\] ended after 2\.[5-9] s$/)
  assert.match(overdue!.title, still)
  assert.deepEqual([more, outcome.child, outcome.code], [[], [], 0])
  assert.deepEqual([ended!.severity, ended!.dedupeKey, fieldsOf(ended!)["step"]], [
    "success",
    "nightly/load[7]",
    "load[7]"
  ])
}, { on: ["bun", "node"] })
