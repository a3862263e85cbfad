/** Shows the buttons that interrupt a run, or retry one that has ended, each with a question whether it is meant. */
import { h } from "preact"
import { useRef, useState } from "preact/hooks"
import type { DurableRunDetails } from "../../stored/data.ts"
import { act, actor, type Result } from "./act.ts"

interface Props {
  readonly run: DurableRunDetails
  readonly onResult: (result: Result) => void
}

/** The words of a button and its dialog. */
interface Words {
  readonly button: string
  readonly title: string
  readonly text: string
}

interface ConfirmProps {
  readonly words: Words
  readonly children?: preact.ComponentChildren
  readonly onConfirm: () => void
}

const Confirm = ({ children, onConfirm, words: { button, text, title } }: ConfirmProps) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const close = () => dialog.current?.close()
  return h(
    "div",
    {},
    h("button", { type: "button", onClick: () => dialog.current?.showModal() }, `${button}…`),
    h(
      "dialog",
      { ref: dialog, "aria-labelledby": "confirm-title" },
      h("h2", { id: "confirm-title" }, title),
      h("p", {}, text),
      children,
      h(
        "div",
        { class: "buttons" },
        h(
          "button",
          {
            type: "button",
            class: "deny",
            onClick: () => {
              close()
              onConfirm()
            }
          },
          button
        ),
        h("button", { type: "button", onClick: close }, "Cancel")
      )
    )
  )
}

/** Shows that a run can be interrupted by a command, or retried, where the page only shows. */
const Command = ({ run }: { readonly run: DurableRunDetails }) =>
  run.endedAt === undefined
    ? h(
      "p",
      { class: "quiet" },
      "Interrupt it with ",
      h("code", {}, `epilogue durable interrupt ${run.run}`),
      "."
    )
    : h("p", { class: "quiet" }, "Retry it with ", h("code", {}, `epilogue durable retry ${run.run}`), ".")

const Interrupt = ({ onResult, run }: Props) => {
  const [now, setNow] = useState(false)
  const words: Words = {
    button: "Interrupt",
    title: "Interrupt the run?",
    text: "The run ends as interrupted, and its interrupt hooks run."
  }
  const path = `/api/durable/runs/${encodeURIComponent(run.run)}/interrupt`
  return h(
    Confirm,
    { words, onConfirm: () => void act(path, { now }).then(onResult) },
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", checked: now, onChange: ({ currentTarget }) => setNow(currentTarget.checked) }),
      "Cut off the steps that are running; otherwise they come to their end first"
    )
  )
}

const Retry = ({ onResult, run }: Props) => {
  const needsStep = run.status === "success" || run.status === "skip"
  const [from, setFrom] = useState("")
  const words: Words = {
    button: "Retry",
    title: "Retry the run?",
    text: "A new run reuses what the steps that succeeded have stored. All others run again, with their hooks."
  }
  const path = `/api/durable/runs/${encodeURIComponent(run.run)}/retry`
  return h(
    Confirm,
    { words, onConfirm: () => void act(path, from === "" ? {} : { from }).then(onResult) },
    h(
      "div",
      { class: "field" },
      h("label", { for: "retry-from" }, "From step"),
      h(
        "select",
        {
          id: "retry-from",
          value: from,
          // a cast, since Preact does not know the element of this tag
          onChange: ({ currentTarget }: Event) => setFrom((currentTarget as HTMLSelectElement).value)
        },
        h("option", { value: "" }, needsStep ? "Choose one" : "Those that failed"),
        ...run.steps.map(({ name }) => h("option", { key: name, value: name }, name))
      )
    )
  )
}

export const Control = ({ onResult, run }: Props) =>
  actor === undefined
    ? h(Command, { run })
    : h(
      "div",
      { class: "control" },
      h(run.endedAt === undefined ? Interrupt : Retry, { key: run.id, run, onResult })
    )
