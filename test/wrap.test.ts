import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Line, width } from "../src/internal/text/columns.ts"
import { wrapLine } from "../src/internal/text/wrap.ts"

const rows = (line: Line, columns: number): ReadonlyArray<string> =>
  wrapLine(line, columns).map((row) => row.map(([text]) => text).join(""))

test("a line that is too long is broken at spaces, below itself and beside the tree", () => {
  const line: Line = [
    ["│  ├─ ", "dim"],
    ["✗", "red"],
    [" load", "plain"],
    [" (11 ms)", "dim"],
    [": Error: permission denied for relation customers_2026 (role etl_reader)", "plain"]
  ]
  assert.deepEqual(rows(line, 40), [
    "│  ├─ ✗ load (11 ms): Error: permission",
    "│  │    denied for relation",
    "│  │    customers_2026 (role etl_reader)"
  ])
  assert.deepEqual(rows(line, 200), [line.map(([text]) => text).join("")])
  assert.deepEqual(rows([["└─ ", "dim"], ["x".repeat(30), "plain"]], 20), [
    `└─ ${"x".repeat(17)}`,
    `     ${"x".repeat(13)}`
  ])
})

test("no row is wider than asked for, and no text is lost, in any script", () => {
  const names = ["日本語".repeat(30), "👨‍👩‍👧‍👦🚀".repeat(9), "שלום עולם ".repeat(12), `${"a b ".repeat(30)}c`]
  for (const name of names) {
    for (const columns of [1, 2, 7, 12, 39, 79]) {
      const wrapped = rows([["├─ ", "dim"], [name, "plain"]], columns)
      const squeezed = wrapped.map((row, i) => i === 0 ? row : row.replace(/^│ {4}/, "")).join("").replaceAll(" ", "")
      assert.equal(squeezed, `├─${name}`.replaceAll(" ", ""))
      if (columns > 2) assert.ok(wrapped.every((row) => width(row) <= columns), `${columns}: ${wrapped.join("\n")}`)
    }
  }
})
