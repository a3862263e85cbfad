/**
 * Counts crashes in the rows of activities. That one begins is written without waiting for the disk: it survives the
 * death of the process, and a power cut is no crash of a step.
 */
import * as Effect from "effect/Effect"
import { retryWhileBusy } from "../../../../internal/files/sqlite.ts"
import { begunOf, type Crashes, UnderWay } from "../../crashes/crashes.ts"
import type { Executions } from "./executions.ts"
import type { Store } from "./store.ts"

/** For how long it is tried to take a begin back, in milliseconds: a process that ends does not wait for more. */
const patience = 1_000

/** @internal */
export const make = (store: Store, executions: Executions, process: string): Crashes => {
  const underWay = new UnderWay()
  const leave: Crashes["leave"] = (part, attempt) =>
    Effect.suspend(() => {
      underWay.delete(part, attempt)
      return Effect.ignore(retryWhileBusy(() => store.leave(part, part.name, attempt, process), patience))
    })
  return {
    begin: (part, attempt, at) =>
      Effect.suspend(() => {
        const live = executions.liveOf(part)
        // of an evaluation that is over
        if (live === undefined) return Effect.undefined
        const { known, registration: { closed }, row: { id } } = live
        const before = known.begin(part.name) ? store.begun(part, part.name, closed) : Effect.succeed([])
        return Effect.flatMap(before, (rows) => {
          underWay.add(part, attempt)
          return Effect.flatMap(
            store.begin({ run: id, name: part.name, attempt, at, process }, closed),
            (isStored) => isStored ? Effect.succeed(begunOf(rows, attempt)) : executions.depose
          )
        })
      }),
    ended: (part, attempt) => underWay.delete(part, attempt),
    leave,
    leaveAll: (workflow) =>
      Effect.suspend(() =>
        Effect.forEach(underWay.of(workflow), ({ attempt, part }) => leave(part, attempt), { discard: true })
      ),
    find: (part) => {
      const closed = executions.liveOf(part)?.registration.closed
      return Effect.map(store.begun(part, part.name, closed), (rows) => begunOf(rows, -1))
    }
  }
}
