/** Tests the links to steps on the page of their run. */
import { Effect, Schema } from "effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { shownName } from "../../src/internal/text/shownName.ts"
import { stepFragment } from "../../src/internal/text/stepLink.ts"
import { type Ending, place, type Row } from "../../src/report/internal/timeline/data.ts"
import { emptyRow } from "../../src/report/internal/timeline/legend.ts"
import { fragmentOf, linkedRow } from "../../src/report/internal/timeline/page/link.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const rowsOf = (
  steps: ReadonlyArray<{ readonly name: string; readonly depth: number; readonly ending?: Ending }>
): ReadonlyArray<Row> =>
  place([
    { ...emptyRow, kind: "run", name: "nightly" },
    ...steps.map(({ depth, ending = "success", name }) => ({
      ...emptyRow,
      name: shownName(name),
      depth: depth + 1,
      ending
    }))
  ])

const Steps = Schema.Array(Schema.Struct({
  name: Schema.Literals(["load", "fetch[a/b]", "fetch[&nth=2]", "100 %", "<b>", "名前"]),
  depth: Schema.Literals([0, 1, 2]),
  ending: Schema.Literals(["success", "failure"])
})).check(Schema.isMaxLength(12))

it.effect("the link of each step leads to it, whatever the names are", () =>
  forAll(Steps, (steps) =>
    Effect.sync(() => {
      let deepest = 0
      const rows = rowsOf(steps.map((step) => {
        const depth = Math.min(step.depth, deepest)
        deepest = depth + 1
        return { ...step, depth }
      }))
      for (const index of rows.keys()) {
        const fragment = fragmentOf(rows, index)
        assert.equal(linkedRow(rows, fragment), index === 0 ? undefined : index, fragment)
      }
    })))

it.effect("the link of an alert leads to the step with trouble among those of one path", () =>
  Effect.sync(() => {
    const rows = rowsOf([
      { name: "load", depth: 0 },
      { name: "fetch[1]", depth: 1 },
      { name: "load", depth: 0, ending: "failure" },
      { name: "fetch[1]", depth: 1 },
      { name: "load", depth: 0 }
    ])
    assert.equal(linkedRow(rows, stepFragment(["load"])), 3)
    assert.equal(linkedRow(rows, stepFragment(["load", "fetch[1]"])), 2)
    assert.equal(linkedRow(rows, "#step=load&nth=3"), 5)
    const long = "x".repeat(700)
    assert.equal(linkedRow(rowsOf([{ name: `a\n${long}`, depth: 0 }]), stepFragment([`a\n${long}`])), 1)
    assert.equal(fragmentOf(rows, 4), "#step=load/fetch%5B1%5D&nth=2")
    for (const fragment of ["", "#step=", "#step=save", "#step=load&nth=4", "#step=%E0%A4%A", "#step=load/", "#top"]) {
      assert.equal(linkedRow(rows, fragment), undefined, fragment)
    }
  }))

it.effect("a link has no character that ends it in markup, and one that is too long has no step", () =>
  Effect.sync(() => {
    for (const name of ["a)b", "a|b>c", "*_~`", "a\nb\u202e", "x".repeat(400)]) {
      assert.match(stepFragment([name, name]), /^$|^#step=[\w.%~/-]*$/)
    }
    assert.equal(stepFragment(["(a)'*!"]), "#step=%28a%29%27%2a%21")
    assert.equal(stepFragment(Array.from({ length: 10_000 }, () => "load")), "")
    assert.equal(stepFragment(["\ud800"]), "#step=%EF%BF%BD")
  }))
