/** The embedded engine of a process that submits, answers, interrupts and looks, and runs nothing. */
import * as Effect from "effect/Effect"
import * as Workflow from "effect/workflow/Workflow"
import { type Encoded, makeUnsafe, type WorkflowEngine } from "effect/workflow/WorkflowEngine"
import { pause } from "../../../../internal/files/sqlite.ts"
import { findOrSubmit, placeOf, poll } from "./engine.ts"
import type { Place, Store } from "./store.ts"
import { decodeResult, deferredExit } from "./values.ts"

/** The time between two looks at a run that a caller waits for, in milliseconds. */
const interval = 100

const never = Effect.die(new Error("this engine runs no workflow"))

/** @internal */
export const make = (store: Store, ring: () => void): WorkflowEngine["Service"] => {
  const rung = <A>(effect: Effect.Effect<A>): Effect.Effect<void> => Effect.andThen(effect, Effect.sync(ring))
  const ended = (place: Place): Effect.Effect<void> =>
    Effect.flatMap(
      store.find(place),
      (row) => row?.state === "ended" ? Effect.void : Effect.andThen(pause(interval), ended(place))
    )
  const encoded: Encoded = {
    // other processes run them
    register: () => Effect.void,
    // the cast: with `discard` there is no result
    execute: ((workflow, options) =>
      Effect.gen(function*() {
        const row = yield* findOrSubmit(store, workflow, options, ring)
        if (options.discard) return
        return row.state === "ready" || row.result === null
          ? new Workflow.Suspended({})
          : yield* decodeResult(workflow, row.result)
      })) as Encoded["execute"],
    poll: (workflow, executionId) => poll(store, workflow, executionId),
    interrupt: (workflow, executionId) => rung(store.call(placeOf(workflow, executionId), 1)),
    interruptUnsafe: (workflow, executionId) => rung(store.call(placeOf(workflow, executionId), 2)),
    resume: (workflow, executionId) => rung(store.call(placeOf(workflow, executionId), 0)),
    awaitComplete: (workflow, executionId) => ended(placeOf(workflow, executionId)),
    activityExecute: () => never,
    deferredResult: () => never,
    deferredDone: ({ deferredName, executionId, exit, workflowName }) =>
      rung(store.complete({ workflow: workflowName, execution: executionId }, deferredName, deferredExit(exit))),
    scheduleClock: () => never
  }
  return makeUnsafe(encoded)
}
