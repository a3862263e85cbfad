/** Shows runs as a table, of which any two of one pipeline can be chosen. */
import { h } from "preact"
import { useEffect, useState } from "preact/hooks"
import { formatDuration, formatRunningTime } from "../../../../internal/text/duration.ts"
import { statusColors, statusSigns, statusWords } from "../../events/status.ts"
import type { RunJson } from "../data.ts"
import { timeText } from "./times.ts"
import { useRows } from "./virtual.ts"

interface Props {
  readonly runs: ReadonlyArray<RunJson>
  readonly isFiltered: boolean
  readonly isLoading: boolean
  /** The ids of the chosen runs. */
  readonly chosen: ReadonlyArray<string>
  readonly onChoose: (id: string) => void
}

/** The height of a row in pixels, as in style.css. */
const rowHeight = 36

/** Returns the time of day, once a second while a run goes on. */
const useNow = (isTicking: boolean): number => {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (!isTicking) return undefined
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [isTicking])
  return now
}

interface RowProps extends Pick<Props, "onChoose"> {
  readonly run: RunJson
  readonly index: number
  readonly now: number
  readonly isChosen: boolean
}

const Row = ({ index, isChosen, now, onChoose, run }: RowProps) => {
  const { at, hookFailures, id, millis, name, pipeline, status, steps } = run
  const took = status === "running" ? formatRunningTime(Math.max(0, now - at)) : formatDuration(millis)
  return h(
    "div",
    {
      role: "row",
      class: isChosen ? "row chosen" : "row",
      "aria-rowindex": index + 2,
      style: { transform: `translateY(${index * rowHeight}px)` }
    },
    h(
      "span",
      { role: "cell", class: "choice" },
      h(
        "label",
        {},
        h("input", {
          type: "checkbox",
          checked: isChosen,
          "data-index": index,
          "aria-label": `Compare ${pipeline}, ${timeText(at)}`,
          onChange: () => onChoose(id)
        })
      )
    ),
    h(
      "span",
      { role: "cell", class: `status ${statusColors[status]}` },
      h("span", { "aria-hidden": "true" }, `${statusSigns[status]} `),
      statusWords[status]
    ),
    h(
      "span",
      { role: "cell", class: "name", dir: "auto" },
      h("a", { href: `/runs/${encodeURIComponent(id)}`, "data-index": index }, pipeline),
      name === "" || name === pipeline ? null : h("span", { class: "quiet" }, ` ${name}`)
    ),
    h("span", { role: "cell", class: "at" }, h("time", { dateTime: new Date(at).toISOString() }, timeText(at))),
    h("span", { role: "cell", class: "took" }, took),
    h(
      "span",
      { role: "cell", class: "steps" },
      `${steps.toLocaleString("en")}${
        hookFailures === 0 ? "" : ` · ${hookFailures} hook${hookFailures === 1 ? "" : "s"} failed`
      }`
    )
  )
}

const columns = ["Compare", "Status", "Run", "Began", "Took", "Steps"]

export const Table = ({ chosen, isFiltered, isLoading, onChoose, runs }: Props) => {
  const now = useNow(runs.some(({ status }) => status === "running"))
  const { first, last, scroll } = useRows(runs.length, rowHeight)
  const empty = isLoading ? "" : isFiltered
    ? "No such run."
    : "No runs are recorded here: record one with “epilogue run … --record”, or with Report.layerRecord() in code."
  return h(
    "main",
    {},
    h(
      "div",
      { role: "table", "aria-label": "Runs", "aria-rowcount": runs.length + 1, class: "table" },
      h(
        "div",
        { role: "rowgroup" },
        h(
          "div",
          { role: "row", class: "head", "aria-rowindex": 1 },
          ...columns.map((name) => h("span", { role: "columnheader", key: name }, name))
        )
      ),
      h(
        "div",
        { role: "rowgroup", class: "scroll", ...scroll },
        h(
          "div",
          { class: "rows", role: "presentation", style: { height: `${runs.length * rowHeight}px` } },
          ...runs.slice(first, last).map((run, i) =>
            h(Row, { key: run.id, run, index: first + i, now, isChosen: chosen.includes(run.id), onChoose })
          )
        )
      )
    ),
    runs.length === 0 ? h("p", { class: "nothing" }, empty) : null
  )
}
