/** Renders the pages, which have no scripts and load nothing. */
import type { Question } from "../../../Approver.ts"
import { fieldsOf, type FormMistake, maxFieldLength, type Texts } from "../../../internal/approvals/form.ts"
import { labels } from "../../../internal/approvals/question.ts"
import type { FormField } from "../../../internal/model/formField.ts"
import { formatDuration } from "../../../internal/text/duration.ts"
import { clean, fitEnd, fitMiddle, oneLine } from "../../../internal/text/fit.ts"
import { escapeHtml as escape, htmlHead } from "../../../internal/text/html.ts"

/** The longest input, in UTF-16 code units, both for the form's fields and for what is received. */
export const limits = { name: 100, comment: 2000 }

/** The longest texts of a page, so that browsers can show it. */
const longest = { line: 500, text: 50_000, fields: 200 }

/** @internal */
export interface QuestionView {
  readonly question: Question
  /** The approver whose link it is. `undefined` if the page asks for a name. */
  readonly approver: string | undefined
  /** The remaining time in milliseconds, and the time of the timeout. `undefined` if the question never times out. */
  readonly left: { readonly millis: number; readonly until: string } | undefined
  /** The values that were submitted before, and did not fit. */
  readonly submitted?: Submitted | undefined
}

/** A form that was submitted, and what is wrong with it. */
export interface Submitted {
  readonly texts: Texts
  readonly name: string
  readonly comment: string
  readonly mistakes: ReadonlyArray<FormMistake>
}

/** Returns the name of the input of a field. The form has other inputs, too. */
export const inputName = (field: string): string => `value.${field}`

const line = (text: string): string => escape(fitEnd(oneLine(text), longest.line))

const lines = (text: string): string => escape(fitMiddle(clean(text), longest.text))

/** @internal */
export const questionPage = ({ approver, left, question, submitted }: QuestionView): string => {
  const { approve, deny } = labels(question)
  const fields = question.fields ?? []
  const more = fields.length - longest.fields
  return page(
    question.title,
    [
      question.body === undefined ? "" : `<p class="text" dir="auto">${lines(question.body)}</p>`,
      fields.length === 0 ? "" : `<dl>${fields.slice(0, longest.fields).map(field).join("")}</dl>`,
      more > 0 ? `<p>… and ${more} more</p>` : "",
      "<form method=\"post\">",
      ...(question.values === undefined ? [] : fieldsOf(question.values).map((field, i) => input(field, i, submitted))),
      ...mistakesOf(submitted, undefined),
      // Enter in a text field presses the first submit button, which must not approve.
      "<button hidden disabled></button>",
      approver === undefined
        ? "<label for=\"name\">Your name (optional)</label>" +
          `<input id="name" name="name" autocomplete="name" dir="auto" maxlength="${limits.name}" ` +
          `value="${escape(submitted?.name ?? "")}">`
        : `<p>You answer as <strong dir="auto">${line(approver)}</strong>.</p>`,
      "<label for=\"comment\">Comment (optional)</label>",
      `<textarea id="comment" name="comment" rows="3" dir="auto" maxlength="${limits.comment}">${
        escape(submitted?.comment ?? "")
      }</textarea>`,
      "<div class=\"answers\">",
      `<button name="answer" value="approve" class="approve" dir="auto">${line(approve)}</button>`,
      `<button name="answer" value="deny" class="deny" dir="auto">${line(deny)}</button>`,
      "</div>",
      left === undefined
        ? ""
        : `<p>${timeLeft(left.millis)} left: an answer counts until ${line(left.until)}.</p>`,
      "</form>"
    ].join("\n")
  )
}

const mistakesOf = (
  submitted: Submitted | undefined,
  name: string | undefined,
  id = "mistake"
): ReadonlyArray<string> =>
  (submitted?.mistakes ?? []).filter(({ field }) => field === name).map(({ expected }, i) =>
    `<p class="wrong"${i === 0 ? ` id="${id}"` : ""} role="alert" dir="auto">Expected ${line(expected)}.</p>`
  )

/** Renders a field of a form. Its value is not required by the browser, since a denial needs none. */
const input = (field: FormField, index: number, submitted: Submitted | undefined): string => {
  const { description, kind, label, name, required, secret } = field
  const id = `value-${index}`
  const wrong = mistakesOf(submitted, name, `${id}-wrong`)
  const given = secret ? "" : submitted?.texts[name] ?? ""
  const attributes = `id="${id}" name="${escape(inputName(name))}"${
    wrong.length === 0 ? "" : ` aria-invalid="true" aria-describedby="${id}-wrong"`
  }`
  const text = `${attributes} dir="auto" maxlength="${maxFieldLength}" autocomplete="off"`
  const choices = kind === "flag" ? ["yes", "no"] : field.choices
  return [
    `<label for="${id}" dir="auto">${line(label)}${required ? "" : " (optional)"}</label>`,
    description === undefined ? "" : `<p class="hint" dir="auto">${lines(description)}</p>`,
    choices !== undefined
      ? `<select ${attributes}>${["", ...choices].map((choice) => option(choice, given)).join("")}</select>`
      : kind === "json"
      ? `<textarea ${text} rows="3">${escape(given)}</textarea>`
      : `<input ${text} type="${secret ? "password" : "text"}"${
        kind === "whole" ? " inputmode=\"numeric\"" : kind === "number" ? " inputmode=\"decimal\"" : ""
      } value="${escape(given)}">`,
    ...wrong
  ].join("\n")
}

const option = (choice: string, given: string): string =>
  `<option value="${escape(choice)}"${choice === given ? " selected" : ""}>${line(choice)}</option>`

const field = ({ name, value }: { readonly name: string; readonly value: string }): string =>
  `<div><dt dir="auto">${line(name)}</dt><dd class="text" dir="auto">${lines(value)}</dd></div>`

/** Renders a page with a message. */
export const messagePage = (title: string, ...paragraphs: ReadonlyArray<string>): string =>
  page(title, paragraphs.map((text) => `<p dir="auto">${line(text)}</p>`).join("\n"))

const page = (title: string, content: string): string =>
  `${htmlHead({ title: line(title), style })}<body>
<main>
<h1 dir="auto">${line(title)}</h1>
${content}
</main>
</body>
</html>
`

/** Formats the time left to answer, never more than there is: in minutes, or in seconds where there are few. */
const timeLeft = (millis: number): string => {
  const unit = millis < 120_000 ? 1000 : 60_000
  return formatDuration(Math.floor(millis / unit) * unit)
}

/** The style sheet. All text has a contrast of at least 4.5 to 1 (https://www.w3.org/TR/WCAG22/#contrast-minimum). */
export const style = `
:root {
  color-scheme: light dark;
  --back: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #8c959f;
  --approve: #116329; --deny: #a40e26; --on: #ffffff; --focus: #0550ae;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --text: #e6edf3; --quiet: #9da7b3; --line: #6e7681;
    --approve: #7ee787; --deny: #ffa198; --on: #0d1117; --focus: #79c0ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 1.5rem 1rem; overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
.text { white-space: pre-wrap; }
dl { margin: 0 0 1rem; }
dl div { padding: 0.5rem 0; border-top: 1px solid var(--line); }
dt { color: var(--quiet); }
dd { margin: 0; }
label { display: block; margin: 0 0 0.25rem; }
.hint { margin: 0 0 0.25rem; color: var(--quiet); }
.wrong { margin: -0.75rem 0 1rem; color: var(--deny); font-weight: 600; }
input, select, textarea {
  display: block; width: 100%; margin: 0 0 1rem; padding: 0.5rem; font: inherit;
  color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 0.25rem;
}
textarea { resize: vertical; }
.answers { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0 0 1rem; }
.answers button {
  flex: 1 1 8rem; min-width: 0; min-height: 3rem; padding: 0.5rem 1rem; font: inherit; font-weight: 600;
  overflow-wrap: anywhere; border: 2px solid var(--edge); border-radius: 0.25rem; cursor: pointer;
}
.approve { --edge: var(--approve); background: var(--approve); color: var(--on); }
.deny { --edge: var(--deny); background: var(--back); color: var(--deny); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
`
