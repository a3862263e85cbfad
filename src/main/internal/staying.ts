/** Knows the durable runs under way in a process, which go on without it. */
import type { Holding } from "../../internal/model/holding.ts"

/** @internal */
export interface Staying {
  readonly holding: Holding
  readonly count: () => number
  /** Names the runs, and says that they go on; `undefined` where there are none. */
  readonly text: () => string | undefined
}

/** The most durable runs that are named. */
const mostNamed = 3

/** Begins with no runs. Those that wait count, too. Calls `changed` where the text may be another one. */
export const make = (changed: () => void = () => {}): Staying => {
  const runs = new Map<string, string>()
  return {
    holding: (pipelineName, runId) => {
      runs.set(runId, pipelineName)
      changed()
      return (isSuspended) => {
        if (isSuspended) return
        runs.delete(runId)
        changed()
      }
    },
    count: () => runs.size,
    text: () => {
      const { size } = runs
      if (size === 0) return undefined
      const named = [...runs].slice(0, mostNamed).map(([id, name]) => `${name} (${id})`)
      const names = [...named, ...(size > mostNamed ? [`${size - mostNamed} more`] : [])].join(", ")
      return `the durable ${size === 1 ? `run ${names} goes` : `runs ${names} go`} on at the next start`
    }
  }
}
