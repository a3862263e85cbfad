/** Keeps the runs that the server sends. */
import { count, plural } from "../../../../internal/text/words.ts"
import { receive } from "../../timeline/page/source.ts"
import type { RunJson } from "../data.ts"

/** A message of the server: see `Change` of `runs.ts`. */
interface Change {
  readonly all: boolean
  readonly runs: ReadonlyArray<RunJson>
  readonly removed: ReadonlyArray<string>
}

/** Whether what is shown is that of now. */
export type FeedState = "loading" | "live" | "lost"

/** The words that stand in place of a count while there is none. */
export const feedStates: Readonly<Record<FeedState, string>> = {
  loading: "Loading…",
  live: "",
  lost: "The server can't be reached: trying again…"
}

/** Counts the runs that are shown of all. */
export const runsText = (shown: number, all: number): string =>
  shown === all ? plural(all, "run") : `${count(shown)} of ${count(all)} runs`

/** The runs, the newest first, and whether the server can be reached. */
export interface Feed {
  readonly runs: ReadonlyArray<RunJson>
  readonly state: FeedState
}

/** Listens to the server, and calls `onFeed` whenever something has changed. */
export const listen = (onFeed: (feed: Feed) => void): void => {
  const byId = new Map<string, RunJson>()
  let runs: ReadonlyArray<RunJson> = []
  receive("/api/runs", {
    onData: (data) => {
      // a cast: runs.ts writes this data
      const { all, removed, runs: changed } = JSON.parse(data) as Change
      if (all) byId.clear()
      for (const id of removed) byId.delete(id)
      for (const run of changed) byId.set(run.id, run)
      runs = [...byId.values()].toSorted((a, b) => b.at - a.at)
      onFeed({ runs, state: "live" })
    },
    onLost: () => onFeed({ runs, state: "lost" })
  })
}
