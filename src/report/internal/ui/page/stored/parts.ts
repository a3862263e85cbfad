/** Small parts of the pages of durable runs. */
import { h } from "preact"
import type { Shown } from "./status.ts"

export const Badge = ({ shown: { color, sign, words } }: { readonly shown: Shown }) =>
  h("span", { class: `status ${color}` }, h("span", { "aria-hidden": "true" }, `${sign} `), words)
