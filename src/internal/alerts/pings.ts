/** Marks the alerts that stand for pings of monitors in a ledger. */
import type { Alert } from "../../Alert.ts"

/** The tag of the alerts that stand for pings. */
export const pingTag = "ping"

/** Whether an alert stands for a ping. */
export const isPing = ({ tags }: Pick<Alert, "tags">): boolean => tags.includes(pingTag)
