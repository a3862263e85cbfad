/** Questions, as all approvers treat them: their answers, who may give one, and their mistakes. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Person, Question } from "../model/approval.ts"
import { fitEnd, oneLine } from "../text/fit.ts"

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
export const now = Effect.map(Clock.currentTimeMillis, (millis) => DateTime.makeUnsafe(millis))

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
