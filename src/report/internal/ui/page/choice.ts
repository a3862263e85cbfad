/** Chooses two runs of the list to compare. */
import { h } from "preact"
import type { RunJson } from "../data.ts"

/** Chooses a run, or gives it up. A third one takes the place of the first of two. */
export const choose = (chosen: ReadonlyArray<string>, id: string): ReadonlyArray<string> =>
  chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id].slice(-2)

interface Props {
  readonly runs: ReadonlyArray<RunJson>
  readonly chosen: ReadonlyArray<string>
  readonly onClear: () => void
}

/** Returns the address of the comparison of two runs, the earlier one first. */
const comparisonOf = (runs: ReadonlyArray<RunJson>): string =>
  `/compare/${runs.toSorted((a, b) => a.at - b.at).map(({ id }) => encodeURIComponent(id)).join("/")}`

/** Says which runs are chosen, and leads to their comparison. */
export const Choice = ({ chosen, onClear, runs }: Props) => {
  const found = runs.filter(({ id }) => chosen.includes(id))
  const [one, other] = found
  if (one === undefined) return null
  const text = other === undefined
    ? ["One run of ", h("b", { dir: "auto" }, one.pipeline), " is chosen: choose another one to compare it with."]
    : other.pipeline === one.pipeline
    ? ["Two runs of ", h("b", { dir: "auto" }, one.pipeline), " are chosen."]
    : ["Runs of two pipelines are chosen: only runs of one can be compared."]
  return h(
    "section",
    { class: "choice-bar", "aria-label": "Comparison" },
    h("p", { "aria-live": "polite" }, ...text),
    h(
      "button",
      {
        disabled: other === undefined || other.pipeline !== one.pipeline,
        onClick: () => location.assign(comparisonOf(found))
      },
      "Compare"
    ),
    h("button", { onClick: onClear }, "Clear")
  )
}
