/** Shows runs as a table. Only rows in sight have elements, so that ten thousand cost no more than dozens. */
import { h } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import { formatDuration, formatRunningTime } from "../../../../internal/text/duration.ts"
import { statusColors, statusSigns, statusWords } from "../../events/status.ts"
import type { RunJson } from "../data.ts"
import { timeText } from "./times.ts"

interface Props {
  readonly runs: ReadonlyArray<RunJson>
  readonly isFiltered: boolean
  readonly isLoading: boolean
}

/** The height of a row in pixels, as in style.css. */
const rowHeight = 36

/** How many rows beyond those in sight have elements, so that fast scrolling shows no gaps. */
const spare = 8

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

const Row = ({ index, now, run }: { readonly run: RunJson; readonly index: number; readonly now: number }) => {
  const { at, hookFailures, id, millis, name, pipeline, status, steps } = run
  const took = status === "running" ? formatRunningTime(Math.max(0, now - at)) : formatDuration(millis)
  return h(
    "div",
    {
      role: "row",
      class: "row",
      "aria-rowindex": index + 2,
      style: { transform: `translateY(${index * rowHeight}px)` }
    },
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

const columns = ["Status", "Run", "Began", "Took", "Steps"]

export const Table = ({ isFiltered, isLoading, runs }: Props) => {
  const scroller = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, height: 800 })
  /** The row to focus once it has an element. */
  const [wanted, setWanted] = useState<number | undefined>(undefined)
  const now = useNow(runs.some(({ status }) => status === "running"))
  const measure = () => {
    const { clientHeight = 0, scrollTop = 0 } = scroller.current ?? {}
    setSight({ top: scrollTop, height: clientHeight })
  }
  useLayoutEffect(() => {
    const observer = new ResizeObserver(measure)
    observer.observe(scroller.current!)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    if (wanted === undefined) return
    const link = scroller.current!.querySelector<HTMLElement>(`a[data-index="${wanted}"]`)
    link?.focus()
    if (link !== null) setWanted(undefined)
  })
  const go = (index: number) => {
    const to = Math.min(Math.max(index, 0), runs.length - 1)
    const { current } = scroller
    if (current === null || to < 0) return
    const top = to * rowHeight
    if (top < current.scrollTop) current.scrollTop = top
    else if (top + rowHeight > current.scrollTop + current.clientHeight) {
      current.scrollTop = top + rowHeight - current.clientHeight
    }
    measure()
    setWanted(to)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const from = event.target instanceof HTMLElement ? event.target.dataset["index"] : undefined
    if (from === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor(sight.height / rowHeight) - 1)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -runs.length,
      End: runs.length
    }
    const by = moves[event.key]
    if (by === undefined) return
    event.preventDefault()
    go(Number(from) + by)
  }
  const first = Math.max(0, Math.floor(sight.top / rowHeight) - spare)
  const last = Math.min(runs.length, Math.ceil((sight.top + sight.height) / rowHeight) + spare)
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
        { role: "rowgroup", class: "scroll", ref: scroller, onScroll: measure, onKeyDown, tabIndex: -1 },
        h(
          "div",
          { class: "rows", role: "presentation", style: { height: `${runs.length * rowHeight}px` } },
          ...runs.slice(first, last).map((run, i) => h(Row, { key: run.id, run, index: first + i, now }))
        )
      )
    ),
    runs.length === 0 ? h("p", { class: "nothing" }, empty) : null
  )
}
