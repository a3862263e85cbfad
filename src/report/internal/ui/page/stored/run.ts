/** Shows one durable run with its steps and questions. */
import { h } from "preact"
import { useState } from "preact/hooks"
import type { StoredHook } from "../../../../../internal/model/storedRun.ts"
import { formatDuration } from "../../../../../internal/text/duration.ts"
import { plural } from "../../../../../internal/text/words.ts"
import type { DurableRunDetails, DurableStepJson } from "../../stored/data.ts"
import { link, Nav } from "../nav.ts"
import { Time } from "../times.ts"
import { type Result, Told } from "./act.ts"
import { Control } from "./control.ts"
import { durableStates, useRun } from "./feed.ts"
import { Badge } from "./parts.ts"
import { Question } from "./question.ts"
import { statusOf, stepStatus } from "./status.ts"

const hookText = ({ kind, name, status }: StoredHook): string => `hook ${name} (${kind}): ${status}`

const Hooks = ({ hooks }: { readonly hooks: ReadonlyArray<StoredHook> }) =>
  hooks.length === 0 ? null : h(
    "ul",
    { class: "hooks" },
    ...hooks.map((hook, i) => h("li", { key: i, dir: "auto" }, hookText(hook)))
  )

const Step = ({ run, step }: { readonly step: DurableStepJson; readonly run: DurableRunDetails }) => {
  const { at, attempts, endedAt, hooks, name, status, why } = step
  return h(
    "tr",
    {},
    h("td", {}, h(Badge, { shown: stepStatus(status, run) })),
    h(
      "th",
      { scope: "row", dir: "auto" },
      name,
      attempts > 1 ? h("span", { class: "quiet" }, ` ${plural(attempts, "attempt")}`) : null,
      why === undefined ? null : h("span", { class: "why", dir: "auto" }, why),
      h(Hooks, { hooks })
    ),
    h("td", {}, at === undefined ? "" : h(Time, { at })),
    h("td", {}, at === undefined || endedAt === undefined ? "" : formatDuration(endedAt - at))
  )
}

const Run = ({ run }: { readonly run: DurableRunDetails }) => {
  const { at, endedAt, hooks, payload, questions, recorded, retriedAs, retryOf, run: id, steps, why } = run
  const [result, setResult] = useState<Result>()
  const open = questions.filter(({ status }) => status === "open")
  const other = (run: string) => h("a", { href: link("/durable", run), key: run }, run)
  const row = (name: string, ...value: ReadonlyArray<preact.ComponentChild>) =>
    h("div", { key: name }, h("dt", {}, name), h("dd", { dir: "auto" }, ...value))
  return h(
    "main",
    { class: "body" },
    h(
      "dl",
      {},
      row("Status", h(Badge, { shown: statusOf(run, open) })),
      why === undefined ? null : row(run.status === "skip" ? "Skipped because" : "Why", why),
      row("Run", id),
      row("Submitted", h(Time, { at })),
      endedAt === undefined ? null : row("Ended", h(Time, { at: endedAt }), `, after ${formatDuration(endedAt - at)}`),
      retryOf === undefined ? null : row("Retry of", other(retryOf)),
      retriedAs.length === 0 ? null : row("Retried as", h("ul", {}, ...retriedAs.map((id) => h("li", {}, other(id))))),
      recorded ? row("Record", h("a", { href: link("/runs", id) }, "Timeline with what its steps logged")) : null
    ),
    h(Control, { run, onResult: setResult }),
    h(Told, { result }),
    questions.length === 0 ? null : h(
      "section",
      { "aria-labelledby": "questions" },
      h("h2", { id: "questions" }, "Questions"),
      ...questions.toSorted((a, b) => b.at - a.at).map((question) =>
        h(Question, { key: question.id, question, withRun: false, level: "h3", onResult: setResult })
      )
    ),
    h(
      "section",
      { "aria-labelledby": "steps" },
      h("h2", { id: "steps" }, "Steps"),
      run.earlierSteps === 0
        ? null
        : h("p", { class: "quiet" }, `The last of them: ${plural(run.earlierSteps, "earlier step")} not shown.`),
      steps.length === 0 ? h("p", { class: "quiet" }, "None is recorded yet.") : h(
        "table",
        { "aria-labelledby": "steps" },
        h(
          "thead",
          {},
          h("tr", {}, ...["Status", "Step", "Began", "Took"].map((name) => h("th", { scope: "col" }, name)))
        ),
        h("tbody", {}, ...steps.map((step) => h(Step, { key: step.name, step, run })))
      ),
      h(Hooks, { hooks })
    ),
    h(
      "section",
      { "aria-labelledby": "payload" },
      h("h2", { id: "payload" }, "Payload"),
      h("pre", { dir: "auto", tabIndex: 0, "aria-labelledby": "payload" }, payload)
    )
  )
}

export const DurableRun = ({ id }: { readonly id: string }) => {
  const { run, state } = useRun(id)
  return h(
    "div",
    { class: "page flow" },
    h(
      "header",
      {},
      h("h1", { dir: "auto" }, run?.pipeline ?? "Durable run"),
      h("p", { role: "status", class: "quiet" }, durableStates[state]),
      h(Nav, {})
    ),
    run === undefined ? h("main", { class: "body" }) : h(Run, { run })
  )
}
