/** Shows two runs of a pipeline step by step. */
import { type ComponentChildren, h } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import { formatDuration } from "../../../../internal/text/duration.ts"
import { count } from "../../../../internal/text/words.ts"
import type { ComparedRun, Difference, Evaluated } from "../../../Compared.ts"
import {
  byChange,
  changedIn,
  changeLooks,
  changeWords,
  differenceText,
  numberedName,
  percentText
} from "../../compare/words.ts"
import { statusColors, statusSigns, statusWords } from "../../events/status.ts"
import type { ComparedStepJson, ComparisonJson } from "../data.ts"
import { useJson } from "./json.ts"
import { link } from "./nav.ts"
import { Time } from "./times.ts"
import { rowProps, RowsTable } from "./virtual.ts"

/** The heights of a row in pixels, as in compare.css: on a narrow page it has two lines. */
const heights = { wide: 36, narrow: 62 }

const narrow = matchMedia("(max-width: 50rem)")

const useIsNarrow = (): boolean => {
  const [isNarrow, setIsNarrow] = useState(narrow.matches)
  useEffect(() => {
    const onChange = () => setIsNarrow(narrow.matches)
    narrow.addEventListener("change", onChange)
    return () => narrow.removeEventListener("change", onChange)
  }, [])
  return isNarrow
}

const End = ({ end }: { readonly end: Evaluated | undefined }) => {
  if (end === undefined) return h("span", { class: "quiet" }, "–")
  const { attempts, cause, durationMillis, status } = end
  return h(
    "span",
    { title: cause },
    h(
      "b",
      { class: `status ${statusColors[status]}` },
      statusSigns[status],
      " ",
      h("span", { class: "word" }, statusWords[status])
    ),
    ` ${formatDuration(durationMillis)}${attempts > 1 ? `, ${attempts} attempts` : ""}`
  )
}

const Changes = ({ changes }: Pick<Difference, "changes">) =>
  h(
    "span",
    {},
    ...changes.map((change) => h("b", { key: change, class: `change ${changeLooks[change]}` }, changeWords[change]))
  )

const amountOf = ({ differenceMillis, ratio }: Difference): string =>
  differenceMillis === undefined
    ? ""
    : `${differenceText(differenceMillis)}${ratio === undefined ? "" : ` (${percentText(ratio)})`}`

interface RowProps {
  readonly comparison: ComparisonJson
  readonly step: ComparedStepJson
  readonly index: number
  readonly height: number
  readonly isByChange: boolean
}

/** The depth from which on steps are no longer indented further. */
const deepest = 8

const Row = ({ comparison, height, index, isByChange, step }: RowProps) => {
  const { after, before, changes, depth, fragment, within } = step
  const run = after === undefined ? comparison.before : comparison.after
  const cell = (name: string, ...children: ReadonlyArray<ComponentChildren>) =>
    h("span", { role: "cell", class: name }, ...children)
  return h(
    "div",
    { ...rowProps(index, height), class: "row" },
    cell(
      "name",
      isByChange
        ? within.length === 0 ? null : h("span", { class: "quiet", dir: "auto" }, `${within.join(" › ")} › `)
        : h("span", { class: "indent", style: { width: `${Math.min(depth, deepest) * 14}px` } }),
      h("a", { href: `${link("/runs", run.runId)}${fragment}`, "data-index": index, dir: "auto" }, numberedName(step))
    ),
    cell("before", h(End, { end: before })),
    cell("after", h(End, { end: after })),
    cell("difference", amountOf(step)),
    cell("changes", h(Changes, { changes }))
  )
}

const columns = ["Step", "Before", "After", "Difference", "Change"]

const Steps = ({ comparison, isByChange, onlyChanged }: {
  readonly comparison: ComparisonJson
  readonly isByChange: boolean
  readonly onlyChanged: boolean
}) => {
  const height = useIsNarrow() ? heights.narrow : heights.wide
  const steps = useMemo(() => {
    const some = onlyChanged ? comparison.steps.filter(({ changes }) => changes.length > 0) : comparison.steps
    return isByChange ? byChange(some) : some
  }, [comparison, isByChange, onlyChanged])
  return h(
    "main",
    {},
    h(RowsTable, {
      label: "Steps",
      columns,
      count: steps.length,
      height,
      look: "table compared",
      row: (index) => h(Row, { key: index, comparison, step: steps[index]!, index, height, isByChange })
    }),
    steps.length === 0
      ? h("p", { class: "nothing" }, comparison.steps.length === 0 ? "There are no steps." : "No step has changed.")
      : null
  )
}

const RunFacts = ({ end, name, run }: {
  readonly name: string
  readonly run: ComparedRun
  readonly end: Evaluated | undefined
}) =>
  h(
    "div",
    {},
    h("dt", {}, name),
    h(
      "dd",
      {},
      h(
        "a",
        { href: link("/runs", run.runId) },
        h(Time, { at: run.startedAt })
      ),
      " ",
      h(End, { end })
    )
  )

const Summary = ({ after, before, run }: ComparisonJson) =>
  h(
    "dl",
    { class: "two-runs" },
    h(RunFacts, { name: "Before", run: before, end: run.before }),
    h(RunFacts, { name: "After", run: after, end: run.after }),
    h(
      "div",
      {},
      h("dt", {}, "Difference"),
      h(
        "dd",
        {},
        amountOf(run),
        " ",
        h(Changes, run),
        " ",
        h("a", {
          class: "swap",
          href: `/compare/${encodeURIComponent(after.runId)}/${encodeURIComponent(before.runId)}`
        }, "Swap")
      )
    )
  )

const isOpen = ({ run }: ComparisonJson): boolean => run.before?.status === "running" || run.after?.status === "running"

/** Shows the comparison that the address names. */
export const ComparePage = ({ after, before }: { readonly before: string; readonly after: string }) => {
  const asked = useJson<ComparisonJson>(`/api/compare/${before}/${after}`, isOpen)
  const [isByChange, setIsByChange] = useState(true)
  const [onlyChanged, setOnlyChanged] = useState(false)
  const comparison = asked.state === "here" ? asked.data : undefined
  useEffect(() => {
    document.title = comparison === undefined ? "Two runs" : `${comparison.after.pipelineName}: two runs`
  }, [comparison])
  const toggle = (text: string, pressed: boolean, set: (pressed: boolean) => void) =>
    h("button", { "aria-pressed": pressed, onClick: () => set(!pressed) }, text)
  return h(
    "div",
    { class: "page" },
    h(
      "header",
      {},
      h("nav", { "aria-label": "Pages" }, h("a", { href: "/" }, "All runs")),
      h("h1", { dir: "auto" }, comparison === undefined ? "Two runs" : comparison.after.pipelineName),
      h(
        "p",
        { role: "status", class: "quiet" },
        asked.state === "loading"
          ? "Loading…"
          : asked.state === "failed"
          ? asked.why
          : `${count(changedIn(asked.data.steps))} of ${count(asked.data.steps.length)} steps changed`
      ),
      comparison === undefined ? null : h(Summary, comparison),
      comparison === undefined ? null : h(
        "div",
        { class: "tools", role: "toolbar", "aria-label": "Steps" },
        toggle("In the order of the run", !isByChange, (pressed) => setIsByChange(!pressed)),
        toggle("Only what changed", onlyChanged, setOnlyChanged)
      )
    ),
    comparison === undefined ? null : h(Steps, { comparison, isByChange, onlyChanged })
  )
}
