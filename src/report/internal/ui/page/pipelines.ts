/** Shows each pipeline with the durations of its last runs. */
import { h } from "preact"
import { useMemo } from "preact/hooks"
import { formatDuration } from "../../../../internal/text/duration.ts"
import { statusColors, statusWords } from "../../events/status.ts"
import type { RunJson } from "../data.ts"
import { median } from "../stats.ts"
import { link } from "./nav.ts"

interface Props {
  readonly runs: ReadonlyArray<RunJson>
  readonly chosen: string
  readonly onChoose: (pipeline: string) => void
}

/** How many runs a sparkline has, and how many pipelines are shown: those that ran last. */
const most = { runs: 30, pipelines: 12 }

const bar = { width: 5, gap: 1, height: 28 }

interface Group {
  readonly pipeline: string
  /** The last runs, the newest first. */
  readonly runs: ReadonlyArray<RunJson>
}

const groupsOf = (runs: ReadonlyArray<RunJson>): ReadonlyArray<Group> => {
  const groups = new Map<string, Array<RunJson>>()
  for (const run of runs) {
    const group = groups.get(run.pipeline)
    if (group === undefined) groups.set(run.pipeline, [run])
    else if (group.length < most.runs) group.push(run)
  }
  return [...groups].slice(0, most.pipelines).map(([pipeline, runs]) => ({ pipeline, runs }))
}

const Sparkline = ({ runs }: { readonly runs: ReadonlyArray<RunJson> }) => {
  const longest = Math.max(...runs.map(({ millis }) => millis), 1)
  const width = most.runs * (bar.width + bar.gap)
  return h(
    "svg",
    { class: "sparkline", width, height: bar.height, viewBox: `0 0 ${width} ${bar.height}`, "aria-hidden": "true" },
    // the newest at the right
    ...runs.map(({ id, millis, status }, i) => {
      const height = Math.max(2, Math.round(millis / longest * bar.height))
      return h("rect", {
        key: id,
        class: statusColors[status],
        x: width - (i + 1) * (bar.width + bar.gap),
        y: bar.height - height,
        width: bar.width,
        height
      })
    })
  )
}

const summaryOf = ([last, ...others]: ReadonlyArray<RunJson>): string => {
  if (last === undefined) return ""
  const ended = [last, ...others].filter(({ status }) => status === "success")
  const middle = median(ended.map(({ millis }) => millis))
  const usual = middle === undefined ? "" : `, usually ${formatDuration(middle)}`
  const failed = [last, ...others].filter(({ status }) => statusColors[status] === "failure").length
  const rest = failed === 0 ? "" : `, ${failed} of ${others.length + 1} failed`
  return `${statusWords[last.status]}${usual}${rest}`
}

export const Pipelines = ({ chosen, onChoose, runs }: Props) => {
  const groups = useMemo(() => groupsOf(runs), [runs])
  const list = h(
    "ul",
    { class: "pipelines" },
    ...groups.map(({ pipeline, runs }) =>
      h(
        "li",
        { key: pipeline },
        h(
          "button",
          {
            "aria-pressed": pipeline === chosen,
            onClick: () => onChoose(pipeline === chosen ? "" : pipeline)
          },
          h("strong", { dir: "auto" }, pipeline),
          h(Sparkline, { runs }),
          h("span", { class: "quiet" }, summaryOf(runs))
        ),
        pipeline === "" ? null : h(
          "a",
          { href: link("/pipelines", pipeline), "aria-label": `Durations of ${pipeline}` },
          "Durations"
        )
      )
    )
  )
  return h("section", { "aria-label": "Pipelines" }, list)
}
