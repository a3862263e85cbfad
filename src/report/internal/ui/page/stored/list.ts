/** Shows the list of durable runs. */
import { h } from "preact"
import { useMemo, useState } from "preact/hooks"
import { formatDuration } from "../../../../../internal/text/duration.ts"
import type { DurableRunJson, QuestionJson } from "../../stored/data.ts"
import { runsText } from "../feed.ts"
import { link, Nav } from "../nav.ts"
import { Time } from "../times.ts"
import { durableStates, useDurable } from "./feed.ts"
import { Badge } from "./parts.ts"
import { durableWords, statusOf } from "./status.ts"

/** How many rows are shown at first, and with each press of the button. */
const step = 200

const statuses = Object.keys(durableWords) as ReadonlyArray<DurableRunJson["status"]>

const Row = ({ questions, run }: { readonly run: DurableRunJson; readonly questions: ReadonlyArray<QuestionJson> }) => {
  const { at, endedAt, pipeline, recorded, run: id, why } = run
  return h(
    "tr",
    {},
    h("td", {}, h(Badge, { shown: statusOf(run, questions) })),
    h(
      "th",
      { scope: "row", dir: "auto" },
      h("a", { href: link("/durable", id) }, pipeline),
      h("span", { class: "quiet" }, ` ${id}`),
      why === undefined ? null : h("span", { class: "why", dir: "auto" }, why)
    ),
    h("td", {}, h(Time, { at })),
    h("td", {}, endedAt === undefined ? "" : formatDuration(endedAt - at)),
    h("td", {}, recorded ? h("a", { href: link("/runs", id), "aria-label": `Record of ${id}` }, "Record") : "")
  )
}

export const DurableList = () => {
  const { questions, runs, state } = useDurable()
  const [status, setStatus] = useState("")
  const [search, setSearch] = useState("")
  const [most, setMost] = useState(step)
  const byRun = useMemo(() => {
    const found = new Map<string, Array<QuestionJson>>()
    for (const question of questions) {
      const others = found.get(question.runKey)
      if (others === undefined) found.set(question.runKey, [question])
      else others.push(question)
    }
    return found
  }, [questions])
  const words = search.trim().toLowerCase()
  const wanted = runs.filter((run) =>
    (status === "" || run.status === status) && `${run.pipeline} ${run.run}`.toLowerCase().includes(words)
  )
  return h(
    "div",
    { class: "page flow" },
    h(
      "header",
      {},
      h("h1", {}, "Durable runs"),
      h(
        "p",
        { role: "status", class: "quiet" },
        state === "live" ? runsText(wanted.length, runs.length) : durableStates[state]
      ),
      h(Nav, {})
    ),
    questions.length === 0 ? null : h(
      "p",
      { class: "notice" },
      h(
        "a",
        { href: "/questions" },
        questions.length === 1 ? "One question waits for an answer" : `${questions.length} questions wait for an answer`
      )
    ),
    h(
      "div",
      { class: "tools", role: "search" },
      h("input", {
        type: "search",
        placeholder: "Find runs",
        "aria-label": "Find runs by pipeline or id",
        autocomplete: "off",
        spellcheck: false,
        value: search,
        onInput: ({ currentTarget }) => setSearch(currentTarget.value)
      }),
      h(
        "select",
        {
          "aria-label": "Status",
          value: status,
          // a cast, since Preact does not know the element of this tag
          onChange: ({ currentTarget }: Event) => setStatus((currentTarget as HTMLSelectElement).value)
        },
        h("option", { value: "" }, "Any status"),
        ...statuses.map((status) => {
          const found = runs.filter((run) => run.status === status).length
          return h("option", { value: status, key: status }, `${durableWords[status]} (${found.toLocaleString("en")})`)
        })
      )
    ),
    h(
      "main",
      {},
      h(
        "table",
        { "aria-label": "Durable runs" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["Status", "Run", "Submitted", "Took", "Record"].map((name) => h("th", { scope: "col" }, name))
          )
        ),
        h(
          "tbody",
          {},
          ...wanted.slice(0, most).map((run) => h(Row, { key: run.id, run, questions: byRun.get(run.id) ?? [] }))
        )
      ),
      wanted.length > 0 || state === "loading" ? null : h(
        "p",
        { class: "nothing" },
        runs.length === 0 ? "No durable run is stored: start one with “epilogue run --durable”." : "No such run."
      ),
      wanted.length <= most ? null : h(
        "p",
        { class: "more" },
        h(
          "button",
          { onClick: () => setMost(most + step) },
          `Show more: ${(wanted.length - most).toLocaleString("en")} are not shown`
        )
      )
    )
  )
}
