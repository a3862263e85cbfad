/** Formats and shows times. */
import { h } from "preact"

const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })

/** Formats a time in the reader's time zone. */
export const timeText = (millis: number): string => times.format(millis)

export const Time = ({ at }: { readonly at: number }) =>
  h("time", { dateTime: new Date(at).toISOString() }, timeText(at))
