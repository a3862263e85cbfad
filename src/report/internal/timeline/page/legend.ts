/** Draws the legend. */
import type { Row } from "../data.ts"
import { legend } from "../legend.ts"
import { h, svg } from "./dom.ts"

/** Returns the items of the legend for what occurs in these rows. */
export const legendItems = (rows: ReadonlyArray<Row>): ReadonlyArray<HTMLElement> =>
  legend.filter(({ occurs }) => rows.some(occurs)).map(({ middle, shapes, text, width }) =>
    h(
      "li",
      {},
      svg(
        "svg",
        { viewBox: `0 ${middle - 7} ${width} 14`, width, height: 14, "aria-hidden": "true" },
        ...shapes.map(({ d, look }) => svg("path", { class: look, d }))
      ),
      text
    )
  )
