/** Prints the whole chart, and why steps failed below it. */
import type { Row } from "../data.ts"
import { summary } from "../words.ts"
import type { Chart } from "./chart.ts"
import { cause } from "./details.ts"
import { get, h } from "./dom.ts"
import type { State } from "./state.ts"
import { timeElement } from "./time.ts"

/** How many causes are printed at most. */
const mostCauses = 100

/** Returns the failed steps, without those that failed for the same cause as a step inside them. */
const failuresIn = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const told = new Set(rows.flatMap(({ cause, parent }) => cause === undefined ? [] : [`${parent} ${cause}`]))
  return rows.filter(({ cause, kind }, index) =>
    kind === "step" && cause !== undefined && !told.has(`${index} ${cause}`)
  )
}

/** Prepares the page whenever it is printed, and hides the tip. */
export const print = (state: State, chart: Chart, hideTip: () => void): void => {
  const causes = get("causes")
  addEventListener("beforeprint", () => {
    hideTip()
    const range = state.range
    state.show(state.whole)
    const left = chart.print(true)
    state.range = range
    const failed = failuresIn(state.rows)
    causes.replaceChildren(
      ...(left > 0 ? [h("p", {}, `… and ${left} more rows`)] : []),
      ...(failed.length > 0 ? [h("h2", {}, "Failures")] : []),
      ...failed.slice(0, mostCauses).map((row) =>
        h(
          "article",
          {},
          h("h3", { dir: "auto" }, row.name),
          h("p", {}, summary(row), " · ", timeElement(row.start)),
          ...cause(row.cause)
        )
      ),
      ...(failed.length > mostCauses ? [h("p", {}, `… and ${failed.length - mostCauses} more`)] : [])
    )
    causes.hidden = false
  })
  addEventListener("afterprint", () => {
    chart.print(false)
    causes.hidden = true
    causes.replaceChildren()
  })
}
