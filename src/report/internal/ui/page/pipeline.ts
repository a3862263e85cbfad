/** Shows the durations of the last runs of a pipeline, and of its slowest steps. */
import { h } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import { formatDuration } from "../../../../internal/text/duration.ts"
import { plural } from "../../../../internal/text/words.ts"
import { statusColors, statusSigns, statusWords } from "../../events/status.ts"
import type { RunJson, StepTrendJson, TrendsJson } from "../data.ts"
import { median, quantile } from "../stats.ts"
import { type Feed, feedStates, listen } from "./feed.ts"
import { useJson } from "./json.ts"
import { link } from "./nav.ts"
import { timeText } from "./times.ts"

/** How many of the last runs can be shown. */
const counts = [30, 60, 120, 240]

/** The chart in the units of its view box, which is scaled to the width of the page. */
const chart = { width: 1000, height: 240, top: 34 }

/** Durations are those of runs that have ended; the median and p95 those of runs that succeeded. */
interface Summary {
  readonly longest: number
  readonly median: number | undefined
  readonly p95: number | undefined
}

const summaryOf = (runs: ReadonlyArray<RunJson>): Summary => {
  const succeeded = runs.flatMap(({ millis, status }) => status === "success" ? [millis] : [])
  return {
    longest: Math.max(1, ...runs.map(({ millis }) => millis)),
    median: median(succeeded),
    p95: quantile(succeeded, 0.95)
  }
}

const saying = ({ median, p95 }: Summary): ReadonlyArray<readonly [look: string, text: string]> =>
  median === undefined || p95 === undefined
    ? [["none", "no run succeeded"]]
    : [["median", `median ${formatDuration(median)}`], ["p95", `p95 ${formatDuration(p95)}`]]

/** A line across the chart. What it stands for is said above the chart, where two labels never cover each other. */
const Line = ({ at, look }: { readonly at: number; readonly look: string }) =>
  h("line", { class: look, x1: 0, x2: chart.width, y1: at, y2: at })

const Chart = ({ runs }: { readonly runs: ReadonlyArray<RunJson> }) => {
  const summary = summaryOf(runs)
  const y = (millis: number) => chart.height - (millis / summary.longest) * (chart.height - chart.top)
  const step = chart.width / runs.length
  const failed = runs.filter(({ status }) => statusColors[status] === "failure").length
  const told = saying(summary).map(([, text]) => text).join(", ")
  return h(
    "svg",
    {
      class: "durations",
      viewBox: `0 0 ${chart.width} ${chart.height + 1}`,
      role: "img",
      "aria-label": `Durations of ${runs.length} runs: ${told}, ${failed} failed. They are in the table below.`
    },
    ...[0.5, 1].map((share) => h(Line, { key: share, at: y(summary.longest * share), look: "grid" })),
    ...runs.map((run, i) => {
      const top = Math.min(y(run.millis), chart.height - 3)
      const bar = h(
        "rect",
        {
          class: statusColors[run.status],
          x: i * step + step * 0.1,
          y: top,
          width: step * 0.8,
          height: chart.height - top,
          onClick: () => location.assign(link("/runs", run.id))
        },
        h("title", {}, `${timeText(run.at)}: ${statusWords[run.status]}, ${formatDuration(run.millis)}`)
      )
      // not by its colour alone, where there is room
      const sign = run.status === "success" || step < 14
        ? null
        : h("text", { class: "sign", x: (i + 0.5) * step, y: chart.height - 8 }, statusSigns[run.status])
      return h("g", { key: run.id }, bar, sign)
    }),
    summary.median === undefined ? null : h(Line, { at: y(summary.median), look: "median" }),
    summary.p95 === undefined ? null : h(Line, { at: y(summary.p95), look: "p95" }),
    ...[0.5, 1].map((share) =>
      h("text", { key: share, x: 0, y: y(summary.longest * share) - 6 }, formatDuration(summary.longest * share))
    )
  )
}

const RunsTable = ({ runs }: { readonly runs: ReadonlyArray<RunJson> }) =>
  h(
    "details",
    {},
    h("summary", {}, "The runs as a table"),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...["Began", "Status", "Took"].map((name) => h("th", { scope: "col" }, name)))),
      h(
        "tbody",
        {},
        ...runs.toReversed().map((run) =>
          h(
            "tr",
            { key: run.id },
            h("td", {}, h("a", { href: link("/runs", run.id) }, timeText(run.at))),
            h(
              "td",
              { class: `status ${statusColors[run.status]}` },
              h("span", { "aria-hidden": "true" }, `${statusSigns[run.status]} `),
              statusWords[run.status]
            ),
            h("td", {}, formatDuration(run.millis))
          )
        )
      )
    )
  )

const spark = { width: 120, height: 24 }

const Sparkline = ({ millis }: Pick<StepTrendJson, "millis">) => {
  const longest = Math.max(1, ...millis.map((value) => value ?? 0))
  const step = spark.width / millis.length
  return h(
    "svg",
    { class: "sparkline", viewBox: `0 0 ${spark.width} ${spark.height}`, ...spark, "aria-hidden": "true" },
    ...millis.map((value, i) => {
      const height = value === null ? 0 : Math.max(2, value / longest * spark.height)
      return h("rect", { key: i, x: i * step, y: spark.height - height, width: step * 0.8, height })
    })
  )
}

const Steps = ({ omitted, runs, steps }: TrendsJson) =>
  steps.length === 0
    ? h("p", { class: "quiet" }, "No steps of runs that have ended are recorded.")
    : h(
      "div",
      { class: "scrolled", tabIndex: 0, role: "group", "aria-label": "Slowest steps" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["Step", "Median", "p95", "Last", `Last ${runs.length} runs`].map((name) =>
              h("th", { scope: "col", key: name }, name)
            )
          )
        ),
        h(
          "tbody",
          {},
          ...steps.map(({ medianMillis, millis, p95Millis, path }) => {
            const last = millis.at(-1) ?? null
            return h(
              "tr",
              { key: path.join("/") },
              h("th", { scope: "row" }, h("span", { dir: "auto", title: path.join(" › ") }, path.join(" › "))),
              h("td", {}, formatDuration(medianMillis)),
              h("td", {}, formatDuration(p95Millis)),
              h("td", {}, last === null ? "–" : formatDuration(last)),
              h("td", {}, h(Sparkline, { millis }))
            )
          })
        )
      ),
      omitted === 0 ? null : h("p", { class: "quiet" }, `The records of ${omitted} runs are too large to be read here.`)
    )

const SlowestSteps = ({ name, newest }: { readonly name: string; readonly newest: string | undefined }) => {
  // asked again when another run has ended
  const asked = useJson<TrendsJson>(`/api/pipelines/${name}${newest === undefined ? "" : `?${newest}`}`)
  return h(
    "section",
    { "aria-labelledby": "slowest" },
    h("h2", { id: "slowest" }, "Slowest steps"),
    asked.state === "loading"
      ? h("p", { class: "quiet" }, "Loading…")
      : asked.state === "failed"
      ? h("p", {}, asked.why)
      : h(Steps, asked.data)
  )
}

/** Shows the pipeline that the address names. `name` is encoded as there. */
export const PipelinePage = ({ name }: { readonly name: string }) => {
  const pipeline = decodeURIComponent(name)
  const [feed, setFeed] = useState<Feed>({ runs: [], state: "loading" })
  const [most, setMost] = useState(counts[0]!)
  useEffect(() => {
    document.title = pipeline
    listen(setFeed)
  }, [])
  const all = useMemo(() => feed.runs.filter((run) => run.pipeline === pipeline), [feed])
  // the newest at the right
  const runs = useMemo(() => all.filter(({ status }) => status !== "running").slice(0, most).toReversed(), [all, most])
  const newest = runs.findLast(({ status }) => status === "success" || status === "failure")?.id
  return h(
    "div",
    { class: "page trends" },
    h(
      "header",
      {},
      h("nav", { "aria-label": "Pages" }, h("a", { href: "/" }, "All runs")),
      h("h1", { dir: "auto" }, pipeline),
      h(
        "p",
        { role: "status", class: "quiet" },
        feed.state === "live" ? plural(all.length, "run") : feedStates[feed.state]
      )
    ),
    h(
      "main",
      {},
      runs.length === 0
        ? h("p", { class: "nothing" }, feed.state === "loading" ? "" : "No runs of it have ended.")
        : h(
          "section",
          { "aria-labelledby": "durations" },
          h("h2", { id: "durations" }, "Durations"),
          h(
            "p",
            { class: "key" },
            h(
              "label",
              {},
              "Last ",
              h("select", {
                value: most,
                // a cast, since Preact does not know the element of this tag
                onChange: ({ currentTarget }: Event) => setMost(Number((currentTarget as HTMLSelectElement).value))
              }, ...counts.map((count) => h("option", { key: count, value: count }, count))),
              " runs"
            ),
            " ",
            ...saying(summaryOf(runs)).map(([look, text]) => h("span", { key: look, class: look }, text))
          ),
          h(Chart, { runs }),
          h(RunsTable, { runs })
        ),
      h(SlowestSteps, { name, newest })
    )
  )
}
