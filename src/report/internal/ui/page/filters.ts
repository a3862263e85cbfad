/** Shows the search and the filters of the list. */
import { h } from "preact"
import { statusWords } from "../../events/status.ts"
import type { RunJson } from "../data.ts"

/** Which runs are shown. An empty text is no filter. */
export interface Wanted {
  readonly search: string
  readonly status: string
  readonly pipeline: string
}

interface Props {
  readonly runs: ReadonlyArray<RunJson>
  readonly wanted: Wanted
  readonly onChange: (wanted: Wanted) => void
}

/** Returns how often each value occurs, the most frequent first. */
const counted = (values: ReadonlyArray<string>): ReadonlyArray<readonly [string, number]> => {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)
}

export const Filters = ({ onChange, runs, wanted }: Props) => {
  const select = (name: "status" | "pipeline", label: string, words: (value: string) => string) =>
    h(
      "select",
      {
        "aria-label": label,
        value: wanted[name],
        // a cast, since Preact does not know the element of this tag
        onChange: ({ currentTarget }: Event) =>
          onChange({ ...wanted, [name]: (currentTarget as HTMLSelectElement).value })
      },
      h("option", { value: "" }, `Any ${name}`),
      // the chosen one stays, also when no run has it any more
      ...counted([...runs.map((run) => run[name]), ...(wanted[name] === "" ? [] : [wanted[name]])]).map((
        [value, count]
      ) =>
        h(
          "option",
          { value, key: value },
          `${words(value)} (${(count - (value === wanted[name] ? 1 : 0)).toLocaleString("en")})`
        )
      )
    )
  return h(
    "div",
    { class: "tools", role: "search" },
    h("input", {
      type: "search",
      placeholder: "Find runs",
      "aria-label": "Find runs by pipeline, name or id",
      autocomplete: "off",
      spellcheck: false,
      value: wanted.search,
      onInput: ({ currentTarget }) => onChange({ ...wanted, search: currentTarget.value })
    }),
    select("status", "Status", (status) => statusWords[status as RunJson["status"]] ?? status),
    select("pipeline", "Pipeline", (pipeline) => pipeline)
  )
}
