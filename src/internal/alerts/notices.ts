/** Alerts about an alert that was told before: reminders, and that somebody has acknowledged it. */
import type { Alert } from "../../Alert.ts"

/** The tag of an alert that is told again, since it is still open. */
export const reminderTag = "reminder"

/** The tag of an alert that says who has acknowledged another one. */
export const acknowledgedTag = "acknowledged"

/** The tag of an alert that goes to others, since nobody has reacted to it. */
export const escalatedTag = "escalated"

/** Returns whether an alert reminds of one that was told before. It reports no other failure. */
export const isReminder = ({ tags }: Pick<Alert, "tags">): boolean => tags.includes(reminderTag)

/** Returns whether an alert says that another one is acknowledged. */
export const isAcknowledgement = ({ severity, tags }: Pick<Alert, "severity" | "tags">): boolean =>
  severity === "info" && tags.includes(acknowledgedTag)

/** Returns whether an alert is only about one that was told before, and counts for nothing by itself. */
export const isNotice = (alert: Pick<Alert, "severity" | "tags">): boolean =>
  isReminder(alert) || isAcknowledgement(alert)
