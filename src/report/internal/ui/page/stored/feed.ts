/** Keeps the durable runs and the questions that the server sends. */
import { useEffect, useState } from "preact/hooks"
import { receive } from "../../../timeline/page/source.ts"
import type { DurableItem, DurableRunDetails, DurableRunJson, QuestionJson } from "../../stored/data.ts"
import { type FeedState, feedStates } from "../feed.ts"

/** A message of the server: see `ItemChange` of `watch.ts`. */
interface Change {
  readonly all: boolean
  readonly items: ReadonlyArray<DurableItem>
  readonly removed: ReadonlyArray<string>
}

/** The state of the page, of which the database may be one that can't be read. */
export type DurableState = FeedState | "unreadable"

export const durableStates: Readonly<Record<DurableState, string>> = {
  ...feedStates,
  unreadable: "The database can't be read: trying again…"
}

/** The durable runs and the open questions, the newest first. */
export interface DurableFeed {
  readonly runs: ReadonlyArray<DurableRunJson>
  readonly questions: ReadonlyArray<QuestionJson>
  readonly state: DurableState
}

/** Returns the durable runs, and again whenever something has changed. */
export const useDurable = (): DurableFeed => {
  const [feed, setFeed] = useState<DurableFeed>({ runs: [], questions: [], state: "loading" })
  useEffect(() => {
    const byId = new Map<string, DurableItem>()
    receive("/api/durable", {
      onData: (data) => {
        // a cast: stored/watch.ts writes this data
        const { all, items, removed } = JSON.parse(data) as Change
        if (all) byId.clear()
        for (const id of removed) byId.delete(id)
        for (const item of items) byId.set(item.id, item)
        const known = [...byId.values()]
        setFeed({
          runs: known.flatMap((item) => item.kind === "run" ? [item] : []).toSorted((a, b) => b.at - a.at),
          questions: known.flatMap((item) => item.kind === "question" ? [item] : []).toSorted((a, b) => b.at - a.at),
          state: byId.has("problem") ? "unreadable" : "live"
        })
      },
      onLost: () => setFeed((feed) => ({ ...feed, state: "lost" }))
    })
  }, [])
  return feed
}

/** Returns a run, and again whenever it has changed. */
export const useRun = (id: string): { readonly run: DurableRunDetails | undefined; readonly state: DurableState } => {
  const [run, setRun] = useState<DurableRunDetails>()
  const [state, setState] = useState<DurableState>("loading")
  useEffect(() => {
    receive(`/api/durable/${encodeURIComponent(id)}`, {
      onData: (data) => {
        // a cast: stored/watch.ts writes this data
        setRun(JSON.parse(data) as DurableRunDetails)
        setState("live")
      },
      onLost: () => setState("lost"),
      onEnd: () => setState("unreadable")
    })
  }, [id])
  return { run, state }
}
