/** Runs the pages with runs: the script that `scripts/page.ts` bundles. The path says which one it is. */
import { h, render } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import type { RunJson } from "../data.ts"
import { Choice, choose } from "./choice.ts"
import { ComparePage } from "./compare.ts"
import { type Feed, feedStates, listen, runsText } from "./feed.ts"
import { Filters, type Wanted } from "./filters.ts"
import { Nav } from "./nav.ts"
import { PipelinePage } from "./pipeline.ts"
import { Pipelines } from "./pipelines.ts"
import { DurableList } from "./stored/list.ts"
import { Questions } from "./stored/questions.ts"
import { DurableRun } from "./stored/run.ts"
import { Table } from "./table.ts"

const nothing: Wanted = { search: "", status: "", pipeline: "" }

const matches = ({ pipeline, search, status }: Wanted) => {
  const words = search.trim().toLowerCase().split(/\s+/)
  return (run: RunJson): boolean =>
    (status === "" || run.status === status) && (pipeline === "" || run.pipeline === pipeline) &&
    words.every((word) => `${run.pipeline} ${run.name} ${run.id}`.toLowerCase().includes(word))
}

const App = () => {
  const [feed, setFeed] = useState<Feed>({ runs: [], state: "loading" })
  const [wanted, setWanted] = useState(nothing)
  const [chosen, setChosen] = useState<ReadonlyArray<string>>([])
  useEffect(() => listen(setFeed), [])
  const { runs, state } = feed
  const shown = useMemo(() => runs.filter(matches(wanted)), [runs, wanted])
  return h(
    "div",
    { class: "page" },
    h(
      "header",
      {},
      h("h1", {}, "Runs"),
      h(
        "p",
        { role: "status", class: "quiet" },
        state === "live" ? runsText(shown.length, runs.length) : feedStates[state]
      ),
      h(Nav, {})
    ),
    h(Pipelines, { runs, chosen: wanted.pipeline, onChoose: (pipeline) => setWanted({ ...wanted, pipeline }) }),
    h(Filters, { runs, wanted, onChange: setWanted }),
    h(Choice, { runs, chosen, onClear: () => setChosen([]) }),
    h(Table, {
      runs: shown,
      isFiltered: shown.length < runs.length,
      isLoading: state === "loading",
      chosen,
      onChoose: (id) => setChosen(choose(chosen, id))
    })
  )
}

const Page = () => {
  const [, first, second, third] = location.pathname.split("/")
  if (first === "durable") {
    return second === undefined
      ? h(DurableList, {})
      : h(DurableRun, { id: decodeURIComponent(second) })
  }
  if (first === "pipelines" && second !== undefined) return h(PipelinePage, { name: second })
  if (first === "compare" && second !== undefined && third !== undefined) {
    return h(ComparePage, { before: second, after: third })
  }
  return first === "questions" ? h(Questions, {}) : h(App, {})
}

render(h(Page, {}), document.getElementById("app")!)
