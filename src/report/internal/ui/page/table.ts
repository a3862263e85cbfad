/** Shows runs as a table, of which any two of one pipeline can be chosen. */
import { h } from "preact"
import { useEffect, useState } from "preact/hooks"
import { formatDuration, formatRunningTime } from "../../../../internal/text/duration.ts"
import { count, plural } from "../../../../internal/text/words.ts"
import { statusColors, statusSigns, statusWords } from "../../events/status.ts"
import type { RunJson } from "../data.ts"
import { link } from "./nav.ts"
import { Time, timeText } from "./times.ts"
import { rowProps, RowsTable } from "./virtual.ts"

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
      ...rowProps(index, rowHeight),
      class: isChosen ? "row chosen" : "row"
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
      h("a", { href: link("/runs", id), "data-index": index }, pipeline),
      name === "" || name === pipeline ? null : h("span", { class: "quiet" }, ` ${name}`)
    ),
    h("span", { role: "cell", class: "at" }, h(Time, { at })),
    h("span", { role: "cell", class: "took" }, took),
    h(
      "span",
      { role: "cell", class: "steps" },
      `${count(steps)}${hookFailures === 0 ? "" : ` · ${plural(hookFailures, "hook")} failed`}`
    )
  )
}

const columns = ["Compare", "Status", "Run", "Began", "Took", "Steps"]

export const Table = ({ chosen, isFiltered, isLoading, onChoose, runs }: Props) => {
  const now = useNow(runs.some(({ status }) => status === "running"))
  const empty = isLoading ? "" : isFiltered
    ? "No such run."
    : "No runs are recorded here: record one with “epilogue run … --record”, or with Report.layerRecord() in code."
  return h(
    "main",
    {},
    h(RowsTable, {
      label: "Runs",
      columns,
      count: runs.length,
      height: rowHeight,
      look: "table",
      row: (index) => {
        const run = runs[index]!
        return h(Row, { key: run.id, run, index, now, isChosen: chosen.includes(run.id), onChoose })
      }
    }),
    runs.length === 0 ? h("p", { class: "nothing" }, empty) : null
  )
}
