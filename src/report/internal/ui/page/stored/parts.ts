/** Small parts of the pages of durable runs. */
import { h } from "preact"
import { timeText } from "../times.ts"
import type { Shown } from "./status.ts"

/** Returns the address of the page of a run. */
export const link = (folder: "/durable" | "/runs", run: string): string => `${folder}/${encodeURIComponent(run)}`

export const Badge = ({ shown: { color, sign, words } }: { readonly shown: Shown }) =>
  h("span", { class: `status ${color}` }, h("span", { "aria-hidden": "true" }, `${sign} `), words)

export const Time = ({ at }: { readonly at: number }) =>
  h("time", { dateTime: new Date(at).toISOString() }, timeText(at))
