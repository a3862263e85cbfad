/** Questions, as all approvers treat them: their answers, who may give one, and their mistakes. */
import * as Clock from "effect/Clock"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AlerterError } from "../model/alerterError.ts"
import type { Decision, Person, Question, Resumable } from "../model/approval.ts"
import { CurrentGuard, type Guard } from "../model/secrets.ts"
import { fitEnd, oneLine } from "../text/fit.ts"
import { utc } from "../text/utc.ts"

/** An answer to a question, before it is known whether it counts. */
export interface Vote {
  readonly answer: "approve" | "deny"
  readonly by: Person
  /** Other names by which the channel knows exactly this person. */
  readonly handles?: ReadonlyArray<string> | undefined
  /** The time of the answer; in a channel that only keeps answers in order, the time when it was received. */
  readonly at?: DateTime.Utc | undefined
  readonly comment?: string | undefined
}

/** The functions of an approver, which ask questions. */
interface Asking {
  readonly ask: (question: Question) => Effect.Effect<Decision, AlerterError>
  readonly resumable?: Resumable | undefined
  readonly takesValues?: boolean | undefined
}

/** Removes the secrets of the guard, if there is one, from the questions that an approver gets. */
export const withoutSecrets = (approver: Asking): Asking => {
  const { ask, resumable } = approver
  const withShown = <A>(question: Question, use: (shown: Question) => Effect.Effect<A, AlerterError>) =>
    Effect.flatMap(CurrentGuard, (guard) => use(guard === undefined ? question : shownBy(guard, question)))
  return {
    ...approver,
    ask: (question) => withShown(question, ask),
    resumable: resumable && {
      // durable approvals pass a channel more than the question: the token of its answer
      post: (question, ...rest: []) => withShown(question, (shown) => resumable.post(shown, ...rest)),
      listen: (question, handle) => withShown(question, (shown) => resumable.listen(shown, handle)),
      withdraw: (question, handle) => withShown(question, (shown) => resumable.withdraw(shown, handle))
    }
  }
}

const shownBy = ({ text }: Guard, question: Question): Question => {
  const { body, fields, options, title } = question
  const shown = (one: string | undefined) => one === undefined ? undefined : text(one)
  return {
    ...question,
    title: text(title),
    body: shown(body),
    fields: fields?.map(({ name, value }) => ({ name: text(name), value: text(value) })),
    options: options && { approve: shown(options.approve), deny: shown(options.deny) }
  }
}

/** Whether the answer of a person counts. */
export const mayAnswer = ({ approvers }: Question, by: Person, handles: ReadonlyArray<string> = []): boolean =>
  approvers === undefined || [by.id, ...handles].some((name) => approvers.includes(name))

/** Returns the names of the two answers. */
export const labels = ({ options }: Question): { readonly approve: string; readonly deny: string } => ({
  approve: options?.approve ?? "Approve",
  deny: options?.deny ?? "Deny"
})

/** The length of a name that fits on a button, in UTF-16 code units. */
const maxLabel = 60

/** Returns the names of the two answers, cut to fit on buttons. */
export const labelsShown = (question: Question): { readonly approve: string; readonly deny: string } => {
  const { approve, deny } = labels(question)
  return { approve: fitEnd(oneLine(approve), maxLabel), deny: fitEnd(oneLine(deny), maxLabel) }
}

/**
 * Whether the name of the denial begins with `yes`: a plain "yes" is ambiguous where "Yes, keep them" denies. A plain
 * "no" is never ambiguous in a way that matters, since a denial does nothing.
 */
export const isDoubtful = (yes: string, question: Question): boolean =>
  new RegExp(`^\\P{L}*${yes}(?!\\p{L})`, "iu").test(oneLine(labels(question).deny))

/** Reads the current time. */
export const now = Effect.map(Clock.currentTimeMillis, utc)

/** Returns the mistake in a question in words, or `undefined`. */
export const mistake = (question: Question): string | undefined => {
  const { approvers, timeout, title } = question
  if (oneLine(title) === "") return "the question has no title"
  if (approvers?.length === 0) return "its approvers are an empty list, so nobody could answer"
  if (approvers?.some((id) => id.trim() === "")) return "one of its approvers has no id"
  const { approve, deny } = labelsShown(question)
  if (approve === "" || deny === "") return "one of its two answers has an empty name"
  if (approve.toLowerCase() === deny.toLowerCase()) return "its two answers have the same name"
  const limit = Duration.fromInput(timeout)
  if (limit._tag === "None" || !(Duration.toMillis(limit.value) > 0)) return "its timeout is not a positive duration"
  return undefined
}
