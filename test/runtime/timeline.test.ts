import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Report } from "../../src/report/index.ts"
import { makeIt } from "../support/it.ts"
import { nightlyEtl } from "../support/runEvents.ts"

const it = makeIt(test)

it.live("a run's timeline is rendered as HTML, SVG, Mermaid and PNG", () =>
  Effect.gen(function*() {
    const { events } = nightlyEtl()
    assert.match(Report.html(events), /^<!DOCTYPE html>[\s\S]*<\/html>\n$/)
    assert.match(Report.svg(events), /^<svg [\s\S]*<\/svg>$/)
    assert.match(Report.mermaid(events), /^gantt\n/)
    const png = yield* Report.png(events)
    assert.deepEqual([...png.subarray(1, 4)], [0x50, 0x4e, 0x47])
  }))
