/** Shows the questions of all durable runs that wait for an answer. */
import { h } from "preact"
import { useState } from "preact/hooks"
import { Nav } from "../nav.ts"
import { type Result, Told } from "./act.ts"
import { durableStates, useDurable } from "./feed.ts"
import { Question } from "./question.ts"

export const Questions = () => {
  const { questions, state } = useDurable()
  const [result, setResult] = useState<Result>()
  const count = questions.length === 1 ? "1 question waits" : `${questions.length.toLocaleString("en")} questions wait`
  return h(
    "div",
    { class: "page flow" },
    h(
      "header",
      {},
      h("h1", {}, "Questions"),
      h("p", { role: "status", class: "quiet" }, state === "live" ? count : durableStates[state]),
      h(Nav, {})
    ),
    h(
      "main",
      { class: "body" },
      h(Told, { result }),
      ...questions.map((question) =>
        h(Question, { key: question.id, question, withRun: true, level: "h2", onResult: setResult })
      ),
      questions.length > 0 || state === "loading"
        ? null
        : h("p", { class: "nothing" }, "No question waits for an answer.")
    )
  )
}
