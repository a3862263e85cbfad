/** The embedded engine of the process that runs what is in a database, as `effect/workflow` asks for it. */
import * as Cause from "effect/Cause"
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { type Encoded, makeUnsafe, type WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { Alongside, markAlongside } from "../../run/alongside.ts"
import { Deferrable } from "../../run/deferrable.ts"
import type { Move } from "../watch.ts"
import type { Clocks } from "./clocks.ts"
import { now, type Survives } from "./database.ts"
import type { Executions } from "./executions.ts"
import { cutOff, type Live, othersFirst } from "./live.ts"
import type { Place, RunRow, Store } from "./store.ts"
import {
  activityExit,
  decodeResult,
  deferredExit,
  encodePayload,
  fromActivityExit,
  fromDeferredExit
} from "./values.ts"

type Result = Workflow.Result<unknown, unknown>

/** The deferred by which a run asks whether it was asked to end, as it is named on a cluster. */
const interruptSignal = "Workflow/InterruptSignal"

/** Names an execution of a workflow. */
export const placeOf = (workflow: Workflow.Any, execution: string): Place => ({ workflow: workflow._tag, execution })

const placeOfInstance = ({ executionId, workflow }: WorkflowInstance["Service"]): Place =>
  placeOf(workflow, executionId)

/** Returns a run, which is submitted where it is not there. `submitted` is called then. */
export const findOrSubmit = (
  store: Store,
  workflow: Workflow.Any,
  { detached, executionId, parent, payload }: Parameters<Encoded["execute"]>[1],
  submitted: () => void = () => {}
): Effect.Effect<RunRow> =>
  Effect.gen(function*() {
    const place = placeOf(workflow, executionId)
    const found = yield* store.find(place)
    if (found !== undefined) return found
    const text = yield* encodePayload(workflow, payload)
    const waiting = parent === undefined || detached === true ? undefined : placeOfInstance(parent)
    const made = yield* store.submit(place, text, waiting, yield* now)
    submitted()
    // another process may have been first
    return made ?? (yield* store.find(place)) ?? (yield* Effect.die(new Error(`run ${executionId} was removed`)))
  })

/** Returns the result of a run that has ended or is suspended. */
export const poll = (
  store: Store,
  workflow: Workflow.Any,
  executionId: string
): Effect.Effect<Option.Option<Result>> =>
  Effect.flatMap(
    store.find(placeOf(workflow, executionId)),
    (row) =>
      row === undefined || row.state === "ready" || row.result === null
        ? Effect.succeedNone
        : Effect.map(decodeResult(workflow, row.result), Option.some)
  )

/** @internal */
export const make = (store: Store, executions: Executions, clocks: Clocks): WorkflowEngine["Service"] => {
  const encoded: Encoded = {
    register: (workflow, execute) => executions.register(workflow, execute),
    // the cast: with `discard` there is no result
    execute: ((workflow, options) => execute(store, executions, workflow, options)) as Encoded["execute"],
    poll: (workflow, executionId) => poll(store, workflow, executionId),
    interrupt: (workflow, executionId) => call(store, executions, placeOf(workflow, executionId), 1),
    interruptUnsafe: (workflow, executionId) => call(store, executions, placeOf(workflow, executionId), 2),
    resume: (workflow, executionId) => call(store, executions, placeOf(workflow, executionId), 0),
    awaitComplete: (workflow, executionId) => executions.awaitEnd(placeOf(workflow, executionId)),
    activityExecute: (activity, attempt) =>
      Effect.flatMap(WorkflowInstance, (instance) => runActivity(store, executions, instance, activity, attempt)),
    deferredResult: (deferred) =>
      Effect.flatMap(WorkflowInstance, (instance) => {
        const place = placeOfInstance(instance)
        const live = executions.liveOf(place)
        if (deferred.name === interruptSignal) {
          return (live?.interruption ?? 0) > 0 ? Effect.succeedSome(Exit.void) : Effect.succeedNone
        }
        return Effect.flatMap(
          store.deferred(place, deferred.name, live?.registration.closed),
          (exit) => {
            if (exit === undefined) return Effect.succeedNone
            const result = Option.some(fromDeferredExit(exit))
            return live === undefined ? Effect.succeed(result) : Effect.as(othersFirst(live), result)
          }
        )
      }),
    deferredDone: ({ deferredName, executionId, exit, workflowName }) =>
      complete(store, executions, { workflow: workflowName, execution: executionId }, deferredName, exit),
    scheduleClock: (workflow, { clock, executionId }) =>
      Effect.gen(function*() {
        const due = Math.ceil((yield* now) + Duration.toMillis(clock.duration))
        yield* store.schedule(placeOf(workflow, executionId), clock.name, clock.deferred.name, due)
        clocks.changed()
      })
  }
  const engine = makeUnsafe(encoded)
  executions.engine = engine
  markAlongside(engine)
  return engine
}

const execute = (
  store: Store,
  executions: Executions,
  workflow: Workflow.Any,
  options: Parameters<Encoded["execute"]>[1]
): Effect.Effect<Result | void> =>
  Effect.gen(function*() {
    const row = yield* findOrSubmit(store, workflow, options)
    const live = row.state === "ready" ? yield* executions.start(row) : undefined
    if (options.discard) return
    if (live !== undefined) return yield* Deferred.await(live.turn)
    return row.state === "ready" || row.result === null
      // until a process has the workflow
      ? new Workflow.Suspended({})
      : yield* decodeResult(workflow, row.result)
  })

/** Asks a run to resume, or to end, as `Store.call` says. */
export const call = (store: Store, executions: Executions, place: Place, interruption: number): Effect.Effect<void> =>
  Effect.flatMap(
    store.call(place, interruption),
    (row) => row === undefined ? Effect.void : executions.woken(row)
  )

/** Completes a deferred, and wakes its run. */
const complete = (
  store: Store,
  executions: Executions,
  place: Place,
  name: string,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const instance = Context.getOrUndefined(fiber.context as Context.Context<WorkflowInstance>, WorkflowInstance)
    const own = instance !== undefined && instance.executionId === place.execution
    const { database } = store
    // in a transaction of the user's, which may be rolled back, and which does not wait for an evaluation
    const inTransaction = database.inTransaction(fiber.context)
    return Effect.flatMap(store.complete(place, name, deferredExit(exit)), (row) => {
      if (row === undefined) return Effect.void
      const wake = executions.woken(row, name)
      // a run does not wait for its own interruption
      return own || inTransaction ? database.afterCommit(Effect.asVoid(Effect.forkDetach(wake))) : wake
    })
  })

// -----------------------------------------------------------------------------
// activities
// -----------------------------------------------------------------------------

const runActivity = (
  store: Store,
  executions: Executions,
  instance: WorkflowInstance["Service"],
  activity: Activity.Any,
  attempt: number
): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const live = executions.liveOf(placeOfInstance(instance))
    // of an evaluation that is over
    if (live === undefined) return new Workflow.Suspended({})
    const { closed, closing } = live.registration
    // The process is ending: no activity begins but those with which an interruption ends.
    if (closing.isOpen() && !instance.interrupted) {
      cutOff(live)
      return yield* Effect.interrupt
    }
    live.reads++
    const recorded = live.known.mayHave(activity.name, attempt)
      ? yield* store.activity(live.row.id, activity.name, attempt, closed)
      : undefined
    if (recorded !== undefined) return new Workflow.Complete({ exit: fromActivityExit(recorded) })
    // An interruption that was asked for comes before what has not ended yet: the body is evaluated only to come to what
    // has to end. Hooks run once `interrupted` is set.
    if (live.interruption > 0 && !instance.interrupted) {
      yield* othersFirst(live)
      if (!instance.interrupted) return new Workflow.Suspended({})
    }
    const own = WorkflowInstance.initial(instance.workflow, instance.executionId)
    own.interrupted = instance.interrupted
    // the cast: the context of a workflow has the services of its activities
    const executed = (activity.executeEncoded as Effect.Effect<unknown, unknown>).pipe(
      Workflow.intoResult,
      Effect.provideService(WorkflowInstance, own),
      Effect.exit
    )
    const { database } = store
    const recorder = <E>(write: Write<E>) => (exit: Exit.Exit<Result>) =>
      record(store, executions, live, activity, attempt, exit, write)
    const withTransaction = Context.get(activity.annotations, ClusterSchema.WithTransaction)
    return yield* Effect.uninterruptible(counted(
      live,
      withTransaction
        ? database.inClient(Effect.flatMap(executed, recorder((move) => database.attempt(move))), closed)
        : Effect.flatMap(executed, recorder((move, survives) => database.write(move, closed, survives)))
    ))
  })

type Write<E> = (move: Move, survives: Survives) => Effect.Effect<ReadonlyArray<unknown>, E>

/** Counts an activity among those that are being executed, which a process that ends waits for. */
const counted = <A, E>(live: Live, executed: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  live.running++
  live.idle.closeUnsafe()
  return Effect.onExit(executed, () => {
    if (--live.running === 0) live.idle.openUnsafe()
    return Effect.void
  })
}

/** Records how an activity has ended, and returns what is recorded. An activity that was interrupted runs again. */
const record = <E>(
  store: Store,
  executions: Executions,
  live: Live,
  { annotations, name }: Activity.Any,
  attempt: number,
  result: Exit.Exit<Result>,
  write: Write<E>
): Effect.Effect<Result, E> => {
  if (Exit.isFailure(result) && Cause.hasInterruptsOnly(result.cause)) return result
  const value = Exit.isSuccess(result) ? result.value : new Workflow.Complete({ exit: result })
  if (value._tag === "Suspended") return Effect.succeed(value)
  const { exit, text } = activityExit(name, value.exit)
  const move = store.recording(live.row.id, name, attempt, text)
  live.known.end(name, attempt)
  const { database } = store
  const alongside = Exit.isSuccess(exit) ? Context.get(annotations, Alongside)() : undefined
  const recorded: Effect.Effect<ReadonlyArray<unknown>, E> = alongside === undefined
    ? write(move, Context.get(annotations, Deferrable)() ? "soon" : "all")
    : database.inClient(Effect.andThen(alongside, database.attempt(move)), live.registration.closed)
  return Effect.flatMap(recorded, (rows) => {
    if (rows.length > 0) return Effect.succeed(new Workflow.Complete({ exit }))
    // run twice at once, and the other one was first; or another process is the runner
    return Effect.flatMap(
      store.recorded(live.row.id, name, attempt, live.registration.closed),
      (first) =>
        first === undefined
          ? executions.depose
          : Effect.succeed(new Workflow.Complete({ exit: fromActivityExit(first) }))
    )
  })
}
