import * as assert from "node:assert/strict"
import { test } from "node:test"
import { localTime, sinceOf } from "../../../src/cli/records/since.ts"

test("today and yesterday begin at midnight of the local time zone, whatever the length of the day", () => {
  // days after each other, over a year: clocks are set on two of them where there is summer time
  for (let day = 0; day < 366; day++) {
    const now = new Date(2026, 0, 1 + day, 13, 45).getTime()
    assert.equal(sinceOf("today", now), new Date(2026, 0, 1 + day).getTime())
    assert.equal(sinceOf("Yesterday", now), new Date(2026, 0, day).getTime())
  }
  assert.equal(sinceOf("tomorrow", 0), undefined)
})

test("a time that no Date can hold is shown as the last one that a Date can", () => {
  assert.match(localTime(1e300), /^275760-09-1[23] \d\d:\d\d:\d\d$/)
  assert.match(localTime(-1e300), /^-271821-04-(?:19|20) \d\d:\d\d:\d\d$/)
})
