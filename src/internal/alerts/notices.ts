/** Alerts that report no failure: reminders of one, that somebody has acknowledged it, and questions. */
import type { Alert } from "../../Alert.ts"
import { rank } from "../model/severity.ts"

/** The tag of an alert that is told again, since it is still open. */
export const reminderTag = "reminder"

/** The tag of an alert that says who has acknowledged another one. */
export const acknowledgedTag = "acknowledged"

/** The tag of an alert that goes to others, since nobody has reacted to it. */
export const escalatedTag = "escalated"

/** The tag of an alert that asks a person for an approval. */
export const questionTag = "question"

/** The tag of an alert that tells of an interruption. */
export const interruptedTag = "interrupted"

/** The tag of alerts about a step or a run that is overdue. */
export const overdueTag = "overdue"

/**
 * Returns whether an alert tells of an interruption, or of a step or a run that is overdue. It may have to be recovered
 * from, but nothing has failed. An interruption that is an error, as by one that nothing catches, is a failure.
 */
export const isNoFailure = ({ severity, tags }: Pick<Alert, "severity" | "tags">): boolean =>
  (tags.includes(interruptedTag) && rank(severity) < rank("error")) || tags.includes(overdueTag)

/** Returns whether an alert asks for an approval, which waits for an answer and not for an end of quiet hours. */
export const isQuestion = ({ tags }: Pick<Alert, "tags">): boolean => tags.includes(questionTag)

/** Returns whether an alert reminds of one that was told before. It reports no other failure. */
export const isReminder = ({ tags }: Pick<Alert, "tags">): boolean => tags.includes(reminderTag)

/** Returns whether an alert says that another one is acknowledged. */
export const isAcknowledgement = ({ severity, tags }: Pick<Alert, "severity" | "tags">): boolean =>
  severity === "info" && tags.includes(acknowledgedTag)

/** Returns whether an alert counts for nothing: a question, or one that is only about another that was told before. */
export const isNotice = (alert: Pick<Alert, "severity" | "tags">): boolean =>
  isReminder(alert) || isAcknowledgement(alert) || isQuestion(alert)
