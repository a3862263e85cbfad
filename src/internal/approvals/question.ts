/** What approvers have in common. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Person, Question } from "../model/approval.ts"
import { fitEnd, oneLine } from "../text/fit.ts"

/** An answer that somebody gave. */
export interface Vote {
  readonly answer: "approve" | "deny"
  readonly by: Person
  /** Other names by which the channel knows exactly this person. */
  readonly handles?: ReadonlyArray<string> | undefined
  /** When it was given, or heard where the channel does not say so but keeps them in order. */
  readonly at?: DateTime.Utc | undefined
  readonly comment?: string | undefined
}

/** Whether a question says that this person's answer counts. */
export const mayAnswer = ({ approvers }: Question, by: Person, handles: ReadonlyArray<string> = []): boolean =>
  approvers === undefined || [by.id, ...handles].some((name) => approvers.includes(name))

/** What the two answers are called. */
export const labels = ({ options }: Question): { readonly approve: string; readonly deny: string } => ({
  approve: options?.approve ?? "Approve",
  deny: options?.deny ?? "Deny"
})

/** What fits on a button, in UTF-16 code units. */
const maxLabel = 60

/** What the answers are called, fit to be shown. */
export const labelsShown = (question: Question): { readonly approve: string; readonly deny: string } => {
  const { approve, deny } = labels(question)
  return { approve: fitEnd(oneLine(approve), maxLabel), deny: fitEnd(oneLine(deny), maxLabel) }
}

/**
 * Whether a plain yes may be taken for the other answer, as "yes" may where "Yes, keep them" denies. There is no
 * such doubt about a plain no, since nothing comes of it.
 */
export const isDoubtful = (yes: string, question: Question): boolean =>
  new RegExp(`^\\P{L}*${yes}(?!\\p{L})`, "iu").test(oneLine(labels(question).deny))

/** @internal */
export const now = Effect.map(Clock.currentTimeMillis, (millis) => DateTime.makeUnsafe(millis))

/** What is wrong with a question, if anything is. */
export const mistake = (question: Question): string | undefined => {
  const { approvers, timeout, title } = question
  if (oneLine(title) === "") return "the question has no title"
  if (approvers?.length === 0) return "its approvers are an empty list, so nobody could answer"
  if (approvers?.some((id) => id.trim() === "")) return "one of its approvers has no id"
  const { approve, deny } = labelsShown(question)
  if (approve === "" || deny === "") return "one of its two answers is called nothing"
  if (approve.toLowerCase() === deny.toLowerCase()) return "its two answers are called the same"
  const limit = Duration.fromInput(timeout)
  if (limit._tag === "None" || !(Duration.toMillis(limit.value) > 0)) return "its timeout is no positive duration"
  return undefined
}
