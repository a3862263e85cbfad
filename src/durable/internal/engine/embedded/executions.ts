/**
 * Evaluates runs: each that is to be evaluated has one fiber, its driver, which evaluates the body until the run has
 * ended or is suspended. A suspended run is a row, and nothing in memory.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Scope from "effect/Scope"
import * as Workflow from "effect/workflow/Workflow"
import { makeDeferredState, WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { outcomeOf } from "../../../../internal/engine/outcome.ts"
import { pause } from "../../../../internal/files/sqlite.ts"
import { errorMessage } from "../../../../internal/text/errors.ts"
import * as Writer from "../../../../internal/text/writer.ts"
import { tellSetAside } from "../../runs/setAside.ts"
import { now } from "./database.ts"
import { Known } from "./known.ts"
import { cutOff, keyOf, type Live, makeLive, othersFirst, type Registration } from "./live.ts"
import type { Place, RunRow, Store } from "./store.ts"
import { decodePayload, encodeResult, uncapturedText } from "./values.ts"

type Result = Workflow.Result<unknown, unknown>

/** Returns the message of an error on one line. */
const messageOf = (cause: Cause.Cause<unknown>): string => errorMessage(Cause.squash(cause)).replace(/\s+/g, " ")

/** The runs that are being evaluated in this process. */
export class Executions {
  private readonly store: Store
  private readonly live = new Map<string, Live>()
  private readonly registrations = new Map<string, Registration>()
  private readonly waiting = new Map<string, Deferred.Deferred<void>>()
  private readonly toldMissing = new Set<string>()
  /** Whether another process has taken the database over. */
  deposed = false
  /** The engine, which runs provide to their bodies. */
  engine: WorkflowEngine["Service"] | undefined
  readonly deferreds = makeDeferredState()
  /** Called at each end of a run. */
  onEnd: (() => void) | undefined

  /** How long activities under way may go on once their workflow is to be run no more, in milliseconds. */
  private readonly drain: number

  constructor(store: Store, drain: number) {
    this.store = store
    this.drain = drain
  }

  // ---------------------------------------------------------------------------
  // workflows
  // ---------------------------------------------------------------------------

  /** Runs the runs of a workflow, also those that others have left, until the scope closes. */
  register(
    workflow: Workflow.Any,
    execute: Registration["execute"]
  ): Effect.Effect<void, never, Scope.Scope> {
    return Effect.contextWith((context: Context.Context<Scope.Scope>) => {
      const registration: Registration = {
        workflow,
        execute,
        context,
        closing: Latch.makeUnsafe(false),
        closed: Latch.makeUnsafe(false)
      }
      return Effect.andThen(
        Effect.acquireRelease(
          Effect.sync(() => this.registrations.set(workflow._tag, registration)),
          () => this.close(registration)
        ),
        this.startReady(workflow._tag)
      )
    })
  }

  /**
   * Cuts the runs of a workflow off, without an end, once the activities under way have ended or the time for that is up,
   * and waits until their fibers have ended.
   */
  private close(registration: Registration): Effect.Effect<void> {
    return Effect.suspend(() => {
      registration.closing.openUnsafe()
      const { _tag } = registration.workflow
      if (this.registrations.get(_tag) === registration) this.registrations.delete(_tag)
      // it was among the pipelines here until now, and its runs go on with the next process
      this.toldMissing.add(_tag)
      const cut = [...this.live.values()].filter((live) => live.registration === registration)
      return Effect.andThen(
        Effect.forEach(
          cut,
          // by the machine's clock: a process that ends does not wait for one that a test adjusts
          (live) =>
            Effect.andThen(Effect.raceFirst(live.idle.await, pause(this.drain)), Effect.sync(() => cutOff(live))),
          { concurrency: "unbounded", discard: true }
        ),
        Effect.suspend(() => {
          // before the fibers are waited for: a record that can't be written waits until this is open
          registration.closed.openUnsafe()
          return Effect.forEach(cut, ({ driver }) => driver === undefined ? Effect.void : Fiber.await(driver), {
            discard: true
          })
        })
      )
    })
  }

  /** Starts the runs of a workflow that are to be evaluated. */
  private startReady(workflow: string): Effect.Effect<void> {
    return Effect.flatMap(
      this.store.resumable(workflow),
      (rows) => Effect.forEach(rows, (row) => this.start(row), { discard: true })
    )
  }

  /** Starts a run that is to be evaluated, unless it is being evaluated. */
  start(row: RunRow): Effect.Effect<Live | undefined> {
    return Effect.suspend(() => {
      const known = this.live.get(keyOf(row))
      if (known !== undefined) return Effect.succeed(known)
      const registration = this.registrations.get(row.workflow)
      if (registration === undefined || this.deposed) return Effect.undefined
      const live = makeLive(row, registration)
      this.live.set(keyOf(row), live)
      const driver = this.drive(live).pipe(Effect.updateContext((_: Context.Context<never>) => registration.context))
      return Effect.map(Effect.forkDetach(driver), (fiber) => {
        live.driver = fiber
        return live
      })
    })
  }

  /** Tells, once, of a workflow that has runs to be evaluated and is not registered here. */
  private tellMissing(rows: ReadonlyArray<RunRow>): Effect.Effect<void> {
    const missing = new Set(
      rows.map(({ workflow }) => workflow).filter((workflow) =>
        !this.registrations.has(workflow) && !this.toldMissing.has(workflow)
      )
    )
    return Effect.forEach(missing, (workflow) => {
      this.toldMissing.add(workflow)
      const runs = `runs of ${JSON.stringify(workflow)}`
      return Writer.logWarning(`${runs} wait for a process that has this pipeline: it is not among the pipelines here`)
    }, { discard: true })
  }

  // ---------------------------------------------------------------------------
  // evaluation
  // ---------------------------------------------------------------------------

  liveOf(place: Place): Live | undefined {
    return this.live.get(keyOf(place))
  }

  /** Evaluates the body of a run until it has ended or is suspended. */
  private drive(live: Live): Effect.Effect<void> {
    const { registration } = live
    const { workflow } = registration
    return Effect.gen({ self: this }, function*() {
      while (true) {
        if (registration.closing.isOpen() || this.deposed) return yield* Effect.interrupt
        live.aside = false
        const decoded = yield* Effect.exit(decodePayload(workflow, live.row.payload))
        if (Exit.isFailure(decoded) && live.interruption === 0) {
          yield* this.setAside(live, `its payload does not fit the schema: ${messageOf(decoded.cause)}`)
          if (yield* this.suspend(live, new Workflow.Suspended({}))) return
          live.row = (yield* this.store.find(live.row, registration.closed)) ?? live.row
          live.interruption = Math.max(live.interruption, live.row.interruption)
          continue
        }
        // what is to be ended is evaluated with its payload as it is stored, so that its hooks run
        const payload: object = Exit.isSuccess(decoded) ? decoded.value : JSON.parse(live.row.payload)
        yield* this.store.activities(live.row.id, (rows) => {
          live.known = new Known(rows)
        }, registration.closed)
        const fiber = yield* Effect.forkDetach(this.evaluation(live, payload), { startImmediately: true })
        live.fiber = fiber
        const exit = yield* Fiber.await(fiber)
        live.fiber = undefined
        const left = yield* this.settle(live, exit)
        if (left) return
        const row = yield* this.store.find(live.row, registration.closed)
        if (row === undefined || row.state === "ended") {
          this.leave(live, Exit.succeed(new Workflow.Suspended({})))
          return
        }
        live.row = row
        live.interruption = Math.max(live.interruption, row.interruption)
      }
    }).pipe(
      Effect.onExit((exit) => {
        if (this.live.get(keyOf(live.row)) !== live) return Effect.void
        // cut off: the run goes on elsewhere, or later
        this.live.delete(keyOf(live.row))
        const cut: Exit.Exit<never> = Exit.isFailure(exit) ? Exit.failCause(exit.cause) : Exit.interrupt()
        Deferred.doneUnsafe(live.turn, cut)
        return Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? Effect.void : Writer.logError(
          `effect-epilogue: run ${live.row.execution} of ${
            JSON.stringify(workflow._tag)
          } stops here, and goes on with ` +
            "the next process",
          exit.cause
        )
      })
    )
  }

  /** Evaluates the body once. */
  private evaluation(live: Live, payload: object): Effect.Effect<Result> {
    const { registration, row: { execution } } = live
    const { workflow } = registration
    const instance = WorkflowInstance.initial(workflow, execution, { scope: Scope.forkUnsafe(live.scope) })
    live.instance = instance
    live.instances.add(instance)
    const suspendsOnFailure = Context.get(workflow.annotations, Workflow.SuspendOnFailure)
    return registration.execute(payload, execution).pipe(
      Effect.onExit((exit) => {
        // cut off: the next process ends it, or a hook that is cut off with it would run again in this one
        if (instance.abandoned) return Effect.void
        // An interruption takes effect where the run would be suspended; one that was asked for unsafely always does.
        const waits = instance.suspended || (suspendsOnFailure && Exit.isFailure(exit))
        if (live.interruption === 0 || (live.interruption < 2 && !waits)) return Effect.void
        instance.interrupted = true
        instance.suspended = false
        return Effect.withFiber<void>((fiber) => Effect.interruptible(Fiber.interrupt(fiber)))
      }),
      Workflow.intoResult,
      // the cast: a registration that lacks the engine is a mistake that `makeUnsafe` excludes
      Effect.provideService(WorkflowEngine, this.engine!),
      (evaluation) => this.deferreds.trackRun(instance, evaluation)
    )
  }

  /** Records what became of an evaluation. Returns whether the run has left this process. */
  private settle(live: Live, exit: Exit.Exit<Result>): Effect.Effect<boolean> {
    if (Exit.isSuccess(exit)) return this.settleResult(live, exit.value)
    const { cause } = exit
    if (!Cause.hasInterruptsOnly(cause)) return this.end(live, uncapturedText(cause), exit)
    if (live.registration.closing.isOpen() || this.deposed) return Effect.interrupt
    // interrupted for something that it waits for, before it could say so
    if (live.instance.suspended || live.interruption > live.row.interruption) return Effect.succeed(false)
    // the body has interrupted itself
    return this.settleResult(live, new Workflow.Complete({ exit: Exit.failCause(cause) }))
  }

  private settleResult(live: Live, result: Result): Effect.Effect<boolean> {
    return result._tag === "Suspended" ? this.suspend(live, result) : Effect.flatMap(
      encodeResult(live.registration.workflow, result),
      ({ result, text }) => this.end(live, text, Exit.succeed(result))
    )
  }

  /** Records that a run waits for code that what is stored of it fits, and tells of that once. */
  setAside(live: Live, why: string): Effect.Effect<void> {
    const { registration, row } = live
    live.aside = true
    return Effect.flatMap(this.store.setAside(row, why, registration.closed), (isNews) =>
      isNews
        ? Effect.provideContext(tellSetAside(row.workflow, row.execution, why), registration.context)
        : Effect.void)
  }

  private end(live: Live, text: string, exit: Exit.Exit<Result>): Effect.Effect<boolean> {
    const { registration: { closed }, row } = live
    return Effect.gen({ self: this }, function*() {
      const ended = Exit.isSuccess(exit) && exit.value._tag === "Complete" ? exit.value.exit : exit
      if (!(yield* this.store.end(row, text, outcomeOf(ended), yield* now, closed))) return yield* this.depose
      this.onEnd?.()
      // evaluations before the last one see a success, and what stood in for them is over
      yield* Scope.close(live.scope, Exit.void)
      this.leave(live, exit)
      const key = keyOf(row)
      const waiting = this.waiting.get(key)
      this.waiting.delete(key)
      if (waiting !== undefined) Deferred.doneUnsafe(waiting, Exit.void)
      if (row.parent !== null) yield* this.lookAt(JSON.parse(row.parent))
      return true
    })
  }

  private suspend(live: Live, result: Workflow.Suspended): Effect.Effect<boolean> {
    const { registration: { closed, workflow }, row } = live
    return Effect.gen({ self: this }, function*() {
      const { text } = yield* encodeResult(workflow, result)
      if (!(yield* this.store.suspend(row, result.failed === true, text, closed))) {
        const state = (yield* this.store.find(row, closed))?.state
        return state === "ready" && !this.deposed ? false : yield* this.depose
      }
      if (row.set_aside !== null && !live.aside) yield* this.store.takeUp(row, closed)
      // the next evaluation makes anew what this one has acquired, and the finalizers that end the run
      for (const instance of live.instances) instance.abandoned = true
      yield* Scope.close(live.scope, Exit.void)
      this.leave(live, Exit.succeed(result))
      // woken while the scope was closing
      const woken = yield* this.store.find(row, closed)
      if (woken?.state === "ready") yield* this.start(woken)
      return true
    })
  }

  private leave(live: Live, exit: Exit.Exit<Result>): void {
    this.live.delete(keyOf(live.row))
    Deferred.doneUnsafe(live.turn, exit)
  }

  /** Stops: another process has taken the database over, and records of this one would not count. */
  get depose(): Effect.Effect<never> {
    return Effect.suspend(() => {
      const first = !this.deposed
      this.deposed = true
      const told = Writer.logError(
        "effect-epilogue: another process has taken the database over, since this one did not answer: its runs stop here"
      )
      for (const live of this.live.values()) cutOff(live)
      return Effect.andThen(first ? told : Effect.void, Effect.interrupt)
    })
  }

  // ---------------------------------------------------------------------------
  // wakes
  // ---------------------------------------------------------------------------

  /** Looks at a run that may be to be evaluated. */
  lookAt(place: Place): Effect.Effect<void> {
    return Effect.flatMap(
      this.store.find(place),
      (row) => row?.state === "ready" ? Effect.asVoid(this.start(row)) : Effect.void
    )
  }

  /**
   * Looks at a run that something has woken: starts it, or lets what its evaluation waits for interrupt that. `deferred`
   * names what was completed, if this process knows.
   */
  woken(row: RunRow, deferred?: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const live = this.live.get(keyOf(row))
      if (live === undefined) return row.state === "ready" ? Effect.asVoid(this.start(row)) : Effect.void
      const unsafe = row.interruption > live.interruption && row.interruption > 1
      live.interruption = Math.max(live.interruption, row.interruption)
      const { instance } = live
      const awaited = deferred === undefined
        ? Effect.filter(
          [...instance.awaitedDeferreds.keys()],
          (name) => Effect.map(this.store.deferred(row, name), (exit) => exit !== undefined)
        )
        : Effect.succeed([deferred])
      // it may be another evaluation by then
      const wake = (name: string) =>
        live.instance === instance ? this.deferreds.deferredDone(row.execution, name) : Effect.void
      const wakeAll = Effect.flatMap(awaited, Effect.forEach(wake, { discard: true }))
      return Effect.andThen(
        // An evaluation that began after an interruption ends by itself. One that began before is ended by this, once it
        // has come to the steps that have begun: their interrupt hooks would not run otherwise.
        live.interruption === 0
          ? wakeAll
          : live.row.interruption === 0
          ? Effect.andThen(othersFirst(live), wakeAll)
          : Effect.void,
        Effect.suspend(() => unsafe && live.fiber !== undefined ? Fiber.interrupt(live.fiber) : Effect.void)
      )
    })
  }

  /**
   * Looks for the submissions, answers and interruptions of other processes. `complete` says that all workflows of this
   * process are registered by now.
   */
  look(complete: boolean): Effect.Effect<void> {
    return Effect.flatMap(this.store.ready, (rows) => {
      const woken = rows.filter((row) => this.live.get(keyOf(row))?.row.wakes !== row.wakes)
      return Effect.andThen(
        Effect.forEach(woken, (row) => Effect.forkDetach(this.woken(row)), { discard: true }),
        complete ? this.tellMissing(rows) : Effect.void
      )
    })
  }

  /** Waits until a run has ended. */
  awaitEnd(place: Place): Effect.Effect<void> {
    return Effect.suspend(() => {
      const key = keyOf(place)
      // before the row is read, or an end in between would not be noticed
      const waiting = this.waiting.get(key) ?? Deferred.makeUnsafe<void>()
      this.waiting.set(key, waiting)
      return Effect.flatMap(this.store.find(place), (row) => {
        if (row?.state === "ended") {
          this.waiting.delete(key)
          Deferred.doneUnsafe(waiting, Exit.void)
        }
        return Deferred.await(waiting)
      })
    })
  }
}
