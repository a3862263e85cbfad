/** Shows the form that answers a question: its values are read by the code that reads them everywhere. */
import { h } from "preact"
import { useState } from "preact/hooks"
import {
  expectedOf,
  type FormMistake,
  maxFieldLength,
  readTexts,
  type Texts
} from "../../../../../internal/approvals/form.ts"
import type { FormField } from "../../../../../internal/model/formField.ts"
import type { QuestionJson } from "../../stored/data.ts"
import { act, actor, type Result } from "./act.ts"

interface InputProps {
  readonly field: FormField
  readonly id: string
  readonly value: string
  readonly mistakes: ReadonlyArray<FormMistake>
  readonly onChange: (text: string) => void
}

const Input = ({ field, id, mistakes, onChange, value }: InputProps) => {
  const { choices, description, kind, label, required, secret } = field
  const own = mistakes.filter((mistake) => mistake.field === field.name)
  const shared = {
    id,
    value,
    dir: "auto",
    "aria-invalid": own.length > 0,
    "aria-describedby": `${id}-hint`,
    // a cast, since Preact does not know the element of this tag
    onInput: ({ currentTarget }: Event) => onChange((currentTarget as HTMLInputElement).value)
  } as const
  const offered = kind === "flag" ? ["yes", "no"] : choices
  const hint = own.map(({ expected }) => `Expected ${expected}.`).join(" ")
  return h(
    "div",
    { class: "field" },
    h("label", { for: id, dir: "auto" }, required ? label : `${label} (optional)`),
    offered !== undefined
      ? h("select", shared, h("option", { value: "" }, ""), ...offered.map((text) => h("option", { key: text }, text)))
      : kind === "json"
      ? h("textarea", { ...shared, rows: 3, maxLength: maxFieldLength })
      : h("input", {
        ...shared,
        type: secret ? "password" : "text",
        autocomplete: "off",
        maxLength: maxFieldLength,
        inputMode: kind === "whole" ? "numeric" : kind === "number" ? "decimal" : "text"
      }),
    h(
      "p",
      { id: `${id}-hint`, class: hint === "" ? "quiet" : "wrong", dir: "auto" },
      hint === "" ? description ?? expectedOf(field) : hint
    )
  )
}

interface Props {
  readonly question: QuestionJson
  readonly onResult: (result: Result) => void
}

export const Answer = ({ onResult, question: { approve, deny, fields, id } }: Props) => {
  const [texts, setTexts] = useState<Texts>({})
  const [comment, setComment] = useState("")
  const [mistakes, setMistakes] = useState<ReadonlyArray<FormMistake>>([])
  const [isSending, setSending] = useState(false)
  const send = async (isApproval: boolean) => {
    const filled = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined && text !== ""))
    const wrong = isApproval ? readTexts(fields, filled).mistakes ?? [] : []
    setMistakes(wrong)
    const [first] = wrong
    if (first !== undefined) {
      const at = fields.findIndex(({ name }) => name === first.field)
      return document.getElementById(at < 0 ? `${id}-comment` : `${id}-${at}`)?.focus()
    }
    setSending(true)
    const values = isApproval && fields.length > 0 ? { values: filled } : {}
    const result = await act(`/api/durable/questions/${encodeURIComponent(id)}/answer`, {
      approve: isApproval,
      comment,
      ...values
    })
    setSending(false)
    // what was filled in is kept until it was taken, and no longer
    if (result.done) setTexts({})
    onResult(result)
  }
  const button = (isApproval: boolean, text: string) =>
    h(
      "button",
      {
        type: "button",
        class: isApproval ? "approve" : "deny",
        dir: "auto",
        disabled: isSending,
        onClick: () => void send(isApproval)
      },
      text
    )
  return h(
    "form",
    // Enter in a text field must not approve
    { class: "answer", onSubmit: (event: Event) => event.preventDefault() },
    ...fields.map((field, i) =>
      h(Input, {
        key: field.name,
        field,
        id: `${id}-${i}`,
        value: texts[field.name] ?? "",
        mistakes,
        onChange: (text) => setTexts({ ...texts, [field.name]: text })
      })
    ),
    ...mistakes.filter(({ field }) => field === undefined).map(({ expected }) =>
      h("p", { class: "wrong", role: "alert" }, `Expected ${expected}.`)
    ),
    h(
      "div",
      { class: "field" },
      h("label", { for: `${id}-comment` }, "Comment (optional)"),
      h("input", {
        id: `${id}-comment`,
        type: "text",
        dir: "auto",
        autocomplete: "off",
        maxLength: 2_000,
        value: comment,
        onInput: ({ currentTarget }) => setComment(currentTarget.value)
      })
    ),
    h("div", { class: "buttons" }, button(true, approve), button(false, deny)),
    h("p", { class: "quiet" }, "You answer as ", h("strong", { dir: "auto" }, actor), ".")
  )
}
