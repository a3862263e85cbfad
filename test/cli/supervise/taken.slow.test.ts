/** Alerts that a supervised child had taken when it was killed, and that its supervisor posts. */
import * as assert from "node:assert/strict"
import { after, test } from "node:test"
import { someRuntimes } from "../../support/runtimes.ts"
import { fieldsOf, scenarios, titled, titles } from "./scenarios.ts"

const each = scenarios(test, after)

const underWay = "under way to pager when the process ended (killed by SIGKILL): may have arrived"

for (const [HOLD, on] of [["digest", someRuntimes()], ["quietHours", ["bun"]]] as const) {
  each(
    `alerts that ${HOLD} held when the child was killed are posted, and say so`,
    "held",
    ({ child, code, parent }) => {
      assert.deepEqual([code, child], [1, []])
      assert.deepEqual(titles(parent), ["first", "nightly crashed", "nightly › load crashed", "second"])
      assert.equal(
        fieldsOf(titled(parent, "first"))["repeated"],
        `held back by ${HOLD} when the process ended (killed by SIGKILL)`
      )
    },
    { env: { HOLD }, on }
  )
}

for (
  const [HOLD, arrived, summary] of [
    ["throttle", ["first"], "2 alerts held back: 2 failed"],
    ["dedupe", ["first", "second"], "1 repeat held back: 1 failed"]
  ] as const
) {
  each(
    `the summary that ${HOLD} owed when the child was killed is posted, besides the alerts of the crash`,
    "counted",
    ({ child, code, parent }) => {
      assert.deepEqual([code, titles(child)], [1, arrived])
      assert.deepEqual(titles(parent).toSorted(), [summary, "nightly crashed", "nightly › load crashed"])
      assert.equal(
        fieldsOf(titled(parent, summary))["repeated"],
        `held back by ${HOLD} when the process ended (killed by SIGKILL)`
      )
    },
    { env: { HOLD }, on: ["bun"] }
  )
}

each(
  "a summary of failures in several steps is no alert of the run, whose crash is told",
  "countedFailures",
  ({ child, code, parent }) => {
    assert.deepEqual([code, titles(child)], [1, ["nightly › load failed"]])
    assert.deepEqual(titles(parent).toSorted(), ["2 alerts held back: 2 failed", "nightly crashed"])
  },
  { on: ["bun"] }
)

each(
  "a failure whose alert was held is posted instead of a crash of that step",
  "heldFailure",
  ({ child, code, parent }) => {
    assert.deepEqual([code, child], [1, []])
    assert.deepEqual(titles(parent), ["nightly crashed", "nightly › load failed"])
  },
  { on: ["bun"] }
)

each(
  "an alert that was under way is posted with its key, and says that it may have arrived",
  "underWay",
  ({ parent }) => {
    const slow = titled(parent, "slow")
    assert.equal(fieldsOf(slow)["repeated"], underWay)
    assert.equal(slow.idempotencyKey, "key 1")
    assert.match(slow.detail, /^x+\n… \d+ characters left out …\nx+$/)
  },
  { on: ["bun", "node"] }
)

for (const [left, alone] of [[30, 30], [1100, 49]] as const) {
  each(`${left} alerts in the mailbox of a child that was killed are posted, or counted`, "mailbox", ({ parent }) => {
    const crashes = parent.filter(({ tags }) => tags.includes("crash"))
    assert.deepEqual(titles(crashes), ["nightly crashed", "nightly › load crashed"])
    const others = parent.filter(({ tags }) => !tags.includes("crash"))
    assert.deepEqual(
      titles(others.filter(({ title }) => title.startsWith("alert "))).toSorted(),
      Array.from({ length: alone }, (_, i) => `alert ${i}`).toSorted()
    )
    assert.equal(fieldsOf(titled(others, "alert 0"))["repeated"], underWay)
    const lists = titles(others.filter(({ title }) => !title.startsWith("alert ")))
    const counts = lists.map((title) => {
      const [, listed, failed, more] =
        /^(\d+) alerts not posted before the process ended: (\d+) failed, and (\d+) more$/.exec(title) ?? []
      assert.equal(listed, failed, title)
      return Number(listed) + Number(more)
    })
    assert.deepEqual(counts, left === alone ? [] : [left - alone])
  }, { env: { ALERTS_LEFT: String(left) }, on: left === 30 ? someRuntimes() : ["bun"] })
}

each("an alert that a store keeps is left to the next process", "heldPersisted", ({ parent }) => {
  assert.deepEqual(titles(parent), ["nightly crashed", "nightly › load crashed"])
}, { on: ["bun"] })

each("alerts that are held when a process exits after its run are posted", "heldExit", ({ code, parent }) => {
  assert.deepEqual([code, titles(parent)], [0, ["first"]])
}, { on: ["bun", "node"] })
