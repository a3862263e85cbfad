/** What approvers have in common. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Person, Question } from "../Approver.ts"

/** An answer that somebody gave. */
export interface Vote {
  readonly answer: "approve" | "deny"
  readonly by: Person
  /** Other names by which the channel knows exactly this person. */
  readonly handles?: ReadonlyArray<string> | undefined
  /** The time at which it was heard, where the channel does not say. */
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

/** @internal */
export const now = Effect.map(Clock.currentTimeMillis, (millis) => DateTime.makeUnsafe(millis))

/** What is wrong with a question, if anything is. */
export const mistake = ({ approvers, timeout, title }: Question): string | undefined => {
  if (title.trim() === "") return "the question has no title"
  if (approvers?.length === 0) return "its approvers are an empty list, so nobody could answer"
  const limit = Duration.fromInput(timeout)
  if (limit._tag === "None" || !(Duration.toMillis(limit.value) > 0)) return "its timeout is no positive duration"
  return undefined
}
