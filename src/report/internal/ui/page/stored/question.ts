/** Shows a question of a durable run. */
import { h } from "preact"
import { expectedOf } from "../../../../../internal/approvals/form.ts"
import type { QuestionJson } from "../../stored/data.ts"
import { link } from "../nav.ts"
import { Time } from "../times.ts"
import { actor, type Result } from "./act.ts"
import { Answer } from "./answer.ts"

const ends: Readonly<Record<Exclude<QuestionJson["status"], "open">, string>> = {
  approved: "approved",
  denied: "denied",
  timedOut: "nobody answered in time",
  withdrawn: "withdrawn: its run no longer waits for an answer"
}

/** Says that a question waits, or how it ended. */
const stateOf = ({ by, status, until }: QuestionJson, now: number): string => {
  if (status !== "open") return `${ends[status]}${by === undefined ? "" : ` by ${by}`}`
  return until !== undefined && until <= now ? "its time is up" : "waits for an answer"
}

interface Props {
  readonly question: QuestionJson
  /** Whether the run is named, which the page of a run does itself. */
  readonly withRun: boolean
  readonly level: "h2" | "h3"
  readonly onResult: (result: Result) => void
}

export const Question = ({ level, onResult, question, withRun }: Props) => {
  const { approvers, at, fields, id, mayAnswer, pipeline, run, status, title, until } = question
  const row = (name: string, ...value: ReadonlyArray<preact.ComponentChild>) =>
    h("div", { key: name }, h("dt", {}, name), h("dd", { dir: "auto" }, ...value))
  return h(
    "article",
    { class: "question", "aria-labelledby": `question-${id}` },
    h(level, { id: `question-${id}`, dir: "auto" }, title),
    h(
      "dl",
      {},
      withRun ? row("Run", h("a", { href: link("/durable", run) }, pipeline), ` ${run}`) : null,
      row("Status", stateOf(question, Date.now())),
      row("Asked", h(Time, { at })),
      status !== "open" ? null : row("Until", until === undefined ? "no limit" : h(Time, { at: until })),
      status !== "open" ? null : row("May answer", approvers === undefined ? "everybody" : approvers.join(", ")),
      // the form says what it asks for
      status !== "open" || fields.length === 0 || mayAnswer ? null : row(
        "Asks for",
        h(
          "ul",
          {},
          ...fields.map((field) =>
            h(
              "li",
              { key: field.name },
              `${field.label}: ${expectedOf(field)}${field.required ? "" : " (optional)"}`
            )
          )
        )
      )
    ),
    status !== "open" ? null : mayAnswer ? h(Answer, { question, onResult }) : h(
      "p",
      { class: "quiet" },
      ...(actor === undefined
        ? []
        : ["The page acts as ", h("strong", { dir: "auto" }, actor), ", who may not answer. "]),
      "Answer it with ",
      h("code", {}, "epilogue answer TOKEN --approve"),
      " or ",
      h("code", {}, "--deny"),
      ", with the token that was posted with the question."
    )
  )
}
