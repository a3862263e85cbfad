/** Formats the times of the list. */
const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })

/** Formats a time in the reader's time zone. */
export const timeText = (millis: number): string => times.format(millis)
