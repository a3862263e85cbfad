/** Tests when a supervisor tells what its child has not, by the messages of the child. */
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { OverdueClock } from "../../../src/cli/supervise/overdue.ts"
import type { Message } from "../../../src/cli/supervise/protocol.ts"
import { fromLine, toLine } from "../../../src/cli/supervise/protocol.ts"
import { State } from "../../../src/cli/supervise/state.ts"
import { english } from "../../../src/internal/text/alertWords.ts"

const run = { pipelineName: "nightly", runId: "r", runName: "tonight" }
const step = { stepName: "load", stepPath: ["load"], index: 0 }

/** Plays messages of a child whose step began `ago` milliseconds before, with a limit of two seconds. */
const played = (ago: number, every?: number) => {
  const said: Array<string> = []
  const posted: Array<string> = []
  const state = new State()
  const clock = new OverdueClock(state, {
    say: (line) => said.push(line),
    post: (alert) => posted.push(alert(english).title.replace(/\d+(\.\d+)? m?s/, "n s"))
  })
  const start = Date.now() - ago
  const receive = (...messages: ReadonlyArray<Message>) => {
    for (const message of messages) {
      // as through the pipe
      const read = fromLine(toLine(message).trim())
      assert.deepEqual(read, message)
      state.receive(message)
      clock.receive(message)
    }
  }
  const limit = { dueAt: start + 2_000, limitMillis: 2_000, ...(every === undefined ? {} : { every }) }
  receive(
    { _tag: "RunStarted", ...run, at: start },
    { _tag: "StepStarted", ...run, ...step, at: start },
    { _tag: "OverdueWatched", runId: "r", index: 0, limits: [limit] }
  )
  const overdue = (at: number): Message => ({
    _tag: "StepOverdue",
    ...run,
    ...step,
    at,
    elapsedMillis: at - start,
    limitMillis: 2_000,
    times: 1,
    attempt: 1
  })
  const ended = (outcome: "success" | "failure"): Message => ({
    _tag: "StepEnded",
    ...run,
    ...step,
    at: Date.now(),
    outcome,
    attempts: 1,
    durationMillis: ago
  })
  const left: Message = { _tag: "OverdueLeft", runId: "r", index: 0, limitMillis: 2_000 }
  return { clock, ended, left, overdue, posted, receive, said, start }
}

const tick = (millis = 20) => new Promise((resolve) => setTimeout(resolve, millis))

const late = "nightly › load is still running after n s"

test("a child that has told is not told for, though its event is a moment early by the wall clock", async () => {
  const { clock, overdue, posted, receive, start } = played(2_700)
  receive(overdue(start + 1_990))
  await tick(400)
  clock.stop()
  assert.deepEqual(posted, [])
})

test("a child that has not told is told for once, and its end too where it never tells", async () => {
  const { clock, ended, posted, receive, said } = played(3_000)
  await tick()
  assert.deepEqual(posted, [late])
  assert.equal(said.length, 1)
  receive(ended("success"))
  assert.deepEqual(posted, [late])
  clock.stop()
  assert.deepEqual(posted, [late, "nightly › load ended after n s"])
})

test("the end is left to the child where it posts one, or has come to the limit itself, or the step failed", async () => {
  const one = played(3_000)
  await tick()
  one.receive(one.ended("success"), {
    _tag: "Alerted",
    runId: "r",
    stepLabels: ["load"],
    severity: "success",
    named: true
  })
  one.clock.stop()
  assert.deepEqual(one.posted, [late])
  const two = played(3_000)
  await tick()
  two.receive(two.left, two.overdue(Date.now()), two.ended("success"))
  two.clock.stop()
  assert.deepEqual(two.posted, [late])
  const three = played(3_000)
  await tick()
  three.receive(three.ended("failure"))
  three.clock.stop()
  assert.deepEqual(three.posted, [late])
})

test("what a child has left before this process came to it is told at once, and once", async () => {
  const { clock, left, overdue, posted, receive } = played(2_600)
  receive(left, overdue(Date.now()))
  assert.deepEqual(posted, [late])
  await tick(500)
  clock.stop()
  assert.deepEqual(posted, [late])
})

test("at an interval each time is told by one of both", async () => {
  const { clock, overdue, posted, receive } = played(2_100, 400)
  receive(overdue(Date.now()))
  await tick(100)
  assert.deepEqual(posted, [])
  // the next is due 400 ms after the limit, and late after 200 more
  await tick(700)
  assert.deepEqual(posted, [late])
  clock.stop()
})

test("a run that has ended or is suspended is not told of", async () => {
  const { clock, posted, receive } = played(2_700)
  receive({ _tag: "RunReleased", runId: "r" })
  await tick(400)
  clock.stop()
  assert.deepEqual(posted, [])
})
