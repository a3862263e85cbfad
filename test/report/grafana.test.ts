/** Checks the queries of the Grafana dashboard against the metrics that the code has. */
import * as assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"

const root = join(import.meta.dirname, "../..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** The labels of each metric, from the tables of the page about them. */
const documented = new Map(
  read("docs/tracing-and-metrics.md").split("\n").flatMap((line) => {
    const [, names = "", labels = ""] = /^\| (.*`epilogue_.*?)\|(.*)\|$/.exec(line) ?? []
    // "a_total; b_total | pipeline, step; pipeline" has the labels of each, in their order
    const all = labels.split(";")
    return names.split(";").flatMap((group, i) =>
      [...group.matchAll(/epilogue_\w+/g)].map((
        [name]
      ) => [name, (all[i] ?? all[0]!).split(",").map((one) => one.trim())])
    ) as ReadonlyArray<readonly [string, ReadonlyArray<string>]> // the cast: pairs, which flatMap widens
  })
)

/** The names of all metrics in the code. */
const inCode = new Set(
  readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => [...read(join("src", path)).matchAll(/"(epilogue_[a-z_]+)"/g)].map(([, name]) => name!))
)

interface Panel {
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: ReadonlyArray<{ readonly expr: string; readonly legendFormat?: string }>
}

const { panels, templating } = JSON.parse(read("docs/grafana.json")) as {
  readonly panels: ReadonlyArray<Panel>
  readonly templating: { readonly list: ReadonlyArray<{ readonly definition?: string }> }
}

const metricOf = (name: string): string => name.replace(/(_seconds)_(?:bucket|sum|count)$/, "$1")

test("each query of the dashboard asks for metrics of the code, by labels that they have", () => {
  const variables = templating.list.flatMap(({ definition }) => definition ?? [])
  assert.deepEqual(variables, ["label_values(epilogue_runs_total, pipeline)"])
  for (const { targets, title } of panels) {
    assert.ok(targets.length > 0, title)
    for (const { expr, legendFormat = "" } of targets) {
      const metrics = [...expr.matchAll(/epilogue_\w+/g)].map(([name]) => metricOf(name))
      assert.ok(metrics.length > 0, expr)
      const filters = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside]) =>
        [...inside!.matchAll(/(\w+)=/g)].map(([, label]) => label!)
      )
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(", "))
      for (const metric of metrics) {
        assert.ok(inCode.has(metric), `${title}: the code has no metric ${metric}`)
        const labels = documented.get(metric)
        assert.ok(labels, `${metric} is not in docs/tracing-and-metrics.md`)
        for (const label of [...filters, ...grouped]) {
          assert.ok(label === "le" || labels.includes(label), `${title}: ${metric} has no label ${label}`)
        }
      }
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        assert.ok(grouped.includes(label!), `${title}: the legend names ${label}, which the query drops`)
      }
      assert.equal(expr.replace(/[^(]/g, "").length, expr.replace(/[^)]/g, "").length, expr)
    }
  }
})

test("the dashboard shows every metric, and no panel covers another", () => {
  const shown = new Set(
    panels.flatMap(({ targets }) => targets).flatMap(({ expr }) => [...expr.matchAll(/epilogue_\w+/g)])
      .map(([name]) => metricOf(name))
  )
  assert.deepEqual([...documented.keys()].filter((name) => !shown.has(name)), [])
  const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + i % w} ${y + Math.floor(i / w)}`)
  )
  assert.equal(new Set(cells).size, cells.length)
  assert.ok(panels.every(({ gridPos }) => gridPos.x + gridPos.w <= 24))
})
