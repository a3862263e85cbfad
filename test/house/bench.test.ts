/** The tables of the benchmarks in docs/cost.md. */
import { expect, test } from "bun:test"
import { columns, markers, tables, withTables } from "../../bench/table.ts"

const between = (text: string): string => text.slice(text.indexOf(markers.begin), text.indexOf(markers.end))

/** Replaces measured figures, versions, and the space that a cell is filled up with. */
const shape = (text: string): ReadonlyArray<string> =>
  between(text).split("\n").map((line) =>
    line
      .replace(
        /^(\| (?:ns a step)? *\|(?: goal *\|)?).*$/,
        (_, first: string) => `${first.replace(/ +/g, " ")} runtimes`
      )
      .replace(/ (?:[\d.]+ [✓✗]|–|\d+) *(?=\|)/g, " figure ")
      .replace(/ +\|/g, " |")
      .replace(/-+/g, "-")
  )

test("docs/cost.md has a row for each goal, with a figure for each runtime, and the peers", async () => {
  const page = await Bun.file(`${import.meta.dir}/../../docs/cost.md`).text()
  const peers = ["effect-epilogue", "(a) by hand", "async, try/finally", "hookable", "before-after-hook", "listr2"]
  // it is measured only where it was installed
  if (page.includes("| @mastra/core ")) peers.push("@mastra/core")
  const results = peers.map((name) => ({ runtime: "bun 1", name, nanos: 1 }))
  expect(shape(page)).toEqual(shape(withTables(page, tables(results))))
  for (const runtime of columns) expect(between(page).toLowerCase()).toMatch(new RegExp(`\\| ${runtime} [\\d.]+ `))
})

test("a result that exceeds its goal is marked", () => {
  const table = tables([
    { runtime: "bun 1.4.5", id: "succeeds", actual: 1.061 },
    { runtime: "node 24.21.0", id: "succeeds", actual: 1.05 },
    { runtime: "bun 1.4.5", name: "hookable", nanos: 178.4 }
  ])
  expect(table).toMatch(/^\| +\| goal +\| Bun 1\.4\.5 \| Deno +\| Node 24\.21\.0 \|$/m)
  expect(table).toMatch(/^\| a step [^|]+\| ≤ 1\.05 × \(a\) +\| 1\.06 ✗ +\| – +\| 1\.05 ✓ +\|$/m)
  expect(table).toMatch(/^\| hookable +\| 178 +\| – +\| – +\|$/m)
})

test("docs/comparison.md has the times of docs/cost.md", async () => {
  const [comparison, cost] = await Promise.all(
    ["comparison", "cost"].map((name) => Bun.file(`${import.meta.dir}/../../docs/${name}.md`).text())
  )
  const [, table] = between(comparison!).split(markers.begin)
  expect(table!.trim()).toMatch(/^\| ns a step /)
  expect(between(cost!)).toContain(table!.trim())
})
