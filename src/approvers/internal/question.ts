/** Renders questions and decisions as alerts, and reads answers from texts. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { Alert, type Field, type Severity } from "../../Alert.ts"
import type { Dated } from "../../alerters/internal/channel/channel.ts"
import type { Decision, Question } from "../../Approver.ts"
import { isDoubtful, labels, labelsShown, type Vote } from "../../internal/approvals/question.ts"
import { clean, fitEnd, oneLine } from "../../internal/text/fit.ts"

const maxName = 100
const maxComment = 300

type Time = (at: DateTime.DateTime) => string

/** Makes an alert, which each channel can render. The approver's own fields come first, since the last may be left out. */
const alertOf = (
  { body, fields = [], title }: Question,
  about: ReadonlyArray<Field>,
  severity: Severity,
  at: DateTime.Utc
): Dated =>
  // a cast, since the alert has the time that it is given
  Alert.make({ title, body, fields: [...about, ...fields], severity, at }) as Dated

/** Renders the question, with how to answer and until when. */
export const asking = (question: Question, at: DateTime.Utc, how: ReadonlyArray<Field>, time: Time): Dated => {
  const end = DateTime.make(DateTime.toEpochMillis(at) + Duration.toMillis(question.timeout))
  const until = end._tag === "None" ? [] : [{ name: "Until", value: time(end.value) }]
  return alertOf(question, [...how, ...until], "info", at)
}

/**
 * Says how a question that asks for values is answered: an approval by a reaction would have none. The command is among the
 * fields of the question, which the approver that takes the values has added.
 */
export const howWithValues = (question: Question, { deny }: { readonly deny: string }): ReadonlyArray<Field> => [
  { name: "How", value: `“${labelsShown(question).approve}” needs values, which the command below takes. ${deny}` }
]

/** Renders the question with its decision. */
export const settled = (question: Question, at: DateTime.Utc, decision: Decision | undefined, time: Time): Dated =>
  alertOf(question, [{ name: "Decision", value: outcome(decision, time) }], severity(decision), at)

const outcome = (decision: Decision | undefined, time: Time): string => {
  if (decision === undefined) return "Withdrawn: nobody waits for the answer any more"
  if (decision._tag === "TimedOut") return `Timed out at ${time(decision.at)}`
  const said = `${decision._tag} by ${fitEnd(oneLine(decision.by.name), maxName)} at ${time(decision.at)}`
  return decision.comment === undefined ? said : `${said}: ${fitEnd(oneLine(decision.comment), maxComment)}`
}

const severity = (decision: Decision | undefined): Severity => {
  if (decision === undefined) return "info"
  return decision._tag === "Approved" ? "success" : decision._tag === "Denied" ? "error" : "warning"
}

/**
 * Reads a reply that begins with the label of an answer, or with a plain yes or no; the rest is the comment. A longer
 * word that begins so ("nothing") is no answer, and neither is a question ("approve?").
 */
export const replied = (text: string, question: Question): Pick<Vote, "answer" | "comment"> | undefined => {
  const { approve, deny } = labels(question)
  const plain = (["approve", "yes"] as const).filter((yes) => !isDoubtful(yes, question))
  // the question's labels first; then sorted by length, since a longer word may begin with a shorter one
  const words = [
    { word: deny, answer: "deny" },
    { word: approve, answer: "approve" },
    { word: "deny", answer: "deny" },
    { word: "no", answer: "deny" },
    ...plain.map((word) => ({ word, answer: "approve" }) as const)
  ] as const
  const reply = clean(text).replace(opening, "")
  for (const { answer, word } of words.toSorted((a, b) => b.word.length - a.word.length)) {
    const name = oneLine(word).replace(opening, "")
    if (name === "" || reply.slice(0, name.length).toLowerCase() !== name.toLowerCase()) continue
    const rest = reply.slice(name.length)
    if (!ending.test(rest)) continue
    const comment = rest.replace(ending, "").trim()
    return { answer, comment: comment === "" ? undefined : comment }
  }
  return undefined
}

// both patterns contain the marks of emphasis and quotes that people put around a word
const opening = /^[\s*_~`"'“”‘’„«»]+/

/** Matches what may follow a word: marks, then a stop, a dash, a space or nothing. */
const ending = /^[*_~`"'“”‘’„«»]*(?:$|[,;:]+[*_~`"'“”‘’„«»]*|[.!…]+[*_~`"'“”‘’„«»]*(?=\s|$)|\s+[-–—]+(?=\s)|\s)/
