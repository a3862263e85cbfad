/**
 * Runs a pipeline in a child process, and posts alerts if the child crashes: if it ends before its main does, killed
 * (by the system, for lack of memory), by an uncaught error, or by `process.exit` in the middle of a step.
 *
 *     const code = yield* supervise({
 *       command: process.execPath,
 *       args: [...process.execArgv, "run.js", "nightly.yaml"],
 *       pipeline: "nightly",
 *       alerter
 *     })
 *
 * The child inherits a pipe as its file descriptor 3, whose number is in its environment, and `child.ts` reports events
 * on it. Such pipes of `node:child_process` work on Bun, Deno and Node (tried on Linux). The child shares stdin and
 * stdout with the parent. The parent forwards the child's stderr, which therefore is not a terminal for the child.
 *
 * After a crash, each innermost open step whose failure had not been alerted gets an alert, and so does the run. A step
 * that had failed counts as open until something else begins in the body around it, since its hooks may be running.
 * Alerts that the child has delivered are not repeated. Alerts that a policy of the child's alerter had held back (a
 * digest, quiet hours) are lost with it. A child whose main ended, with any exit code, has not crashed.
 *
 * The first signal that asks the run to stop (SIGINT, SIGTERM, SIGQUIT, SIGHUP) is passed on, so that the child can run
 * its hooks. A stop by another signal than Ctrl-C's gets an alert, unless the child has delivered one. The second signal
 * kills the child, which does not count as a crash. While alerts are posted, the first signal gives them up. If the
 * parent is killed, the child interrupts its run.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import * as Guard from "../../internal/model/guard.ts"
import { withoutUrls } from "../../internal/text/addresses.ts"
import { errorMessage } from "../../internal/text/errors.ts"
import { ExitCode } from "../request.ts"
import { err, ignoreClosed } from "../terminal.ts"
import { alertsOf, type Death, how, lasted, stopAlert, subject } from "./alerts.ts"
import { SpawnError, start } from "./process.ts"
import { fromLostCode } from "./protocol.ts"
import { listenTo, stopSignals } from "./signals.ts"
import { innermost, State } from "./state.ts"

export interface SuperviseOptions<E, R> {
  /** The path of the runtime, as `process.execPath`. */
  readonly command: string
  /** The arguments of the runtime, the script, and its arguments. On Deno they begin with `run` and the permissions. */
  readonly args: ReadonlyArray<string>
  /** Variables to add to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The name of the pipeline in the alert of a child that crashes before its run begins. */
  readonly pipeline: string
  /** The layer is built only if there are alerts to post. Without an alerter a crash is printed to stderr alone. */
  readonly alerter?: Layer.Layer<Alerter, E, R> | undefined
  /** Knows what must not be shown of the config, and learns from the child what that must not show. */
  readonly guard?: Guard.Guard | undefined
}

/** The time limit of posting all alerts, retries included. */
const patience = "30 seconds"

/**
 * Runs and supervises a child process. Succeeds with the exit code for the parent: that of the child if its main ended,
 * 130 if it was interrupted, 1 if it crashed.
 */
export const supervise = <E = never, R = never>(
  options: SuperviseOptions<E, R>
): Effect.Effect<number, SpawnError, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const state = new State()
      const quit = yield* Deferred.make<void>()
      const guard = options.guard ?? Guard.make()
      const say = sayTo(guard)
      const child = yield* start({ ...options, scrub: guard.text }, (message) => {
        if (message._tag === "Secret") guard.add([message.value])
        state.receive(message)
      })
      const signals = { count: 0, sent: undefined as NodeJS.Signals | undefined, killed: false }
      const pass = (signal: NodeJS.Signals) => {
        if (signals.sent === undefined) child.kill(signals.sent = signal)
      }
      const release = listen((signal) => {
        signals.count++
        if (child.isDead()) Deferred.doneUnsafe(quit, Effect.void)
        else if (signals.count === 1) {
          say("interrupting; press Ctrl-C again to quit at once")
          pass(signal)
        } else if (!signals.killed) signals.killed = child.kill("SIGKILL")
      })
      const ended = yield* Effect.exit(restore(child.death))
      if (ended._tag === "Failure") {
        // `runMain` interrupts this fiber a moment before `listen` receives the signal, which is to be passed on first
        yield* Effect.yieldNow
        pass("SIGTERM")
      }
      const death = ended._tag === "Success" ? ended.value : yield* child.death
      const code = yield* conclude({ ...options, guard }, state, death, signals, quit)
      release()
      return code
    })
  )

interface Signals {
  /** The signal that was passed on. */
  readonly sent: string | undefined
  readonly killed: boolean
}

const conclude = <E, R>(
  { alerter, guard, pipeline }: SuperviseOptions<E, R> & { readonly guard: Guard.Guard },
  state: State,
  death: Death,
  signals: Signals,
  quit: Deferred.Deferred<void>
): Effect.Effect<number, never, R> => {
  const { code, signal } = death
  const say = sayTo(guard)
  if (signals.killed) {
    // only after the death of the child, when all its reports have been read
    say(`quit at once${cutOff(state, death)}`)
    return Effect.succeed(ExitCode.interrupted)
  }
  // on a terminal Ctrl-C reaches the child too, perhaps before it listens to signals, and then kills it
  const obeyed = stopSignals.some((stop) => stop === signal) || code === ExitCode.interrupted
  const sayFailed = (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
    Effect.sync(() => {
      say(`an alert could not be posted: ${withoutUrls(errorMessage(Cause.squash(cause)))}`)
    })
  const post = (alert: Alert): Effect.Effect<void, never, Alerter> =>
    Effect.catchCause(Effect.flatMap(Alerter, (alerter) => alerter.post(alert)), sayFailed)
  const postAll = (alerts: ReadonlyArray<Alert>): Effect.Effect<void, never, R> => {
    if (alerter === undefined || alerts.length === 0) return Effect.void
    const posted = Effect.forEach(alerts, post, { concurrency: "unbounded", discard: true })
    return Effect.timeout(Effect.provide(posted, alerter), patience).pipe(
      Effect.raceFirst(Deferred.await(quit)),
      Effect.catchCause(sayFailed)
    )
  }
  if (signals.sent !== undefined && obeyed) {
    // whoever presses Ctrl-C knows of it
    const isTold = signals.sent === "SIGINT" || state.interruptionAlerted
    const alerts = isTold ? [] : [guard.alert(stopAlert(state, pipeline, signals.sent, death))]
    if (alerts.length > 0 || !state.closed) return Effect.as(postAll(alerts), ExitCode.interrupted)
  }
  const lostCodes = fromLostCode(code)
  if (lostCodes !== undefined) return Effect.succeed(lostCodes)
  if (!isCrash(state, death)) {
    if (signal !== undefined) say(`${how(death)} after the run had ended`)
    // a code of 0 that its main did not choose: a failed run must not look like a success
    return Effect.succeed(code === 0 && !state.closed && state.failed ? ExitCode.failed : code ?? ExitCode.failed)
  }
  const alerts = alertsOf(state, pipeline, death).map(guard.alert)
  for (const { body, title } of alerts) say(`${title}: ${body?.replaceAll("\n", "; ")}`)
  if (alerts.length === 0) say(`${how(death)} after the run's failure had been alerted`)
  return Effect.as(postAll(alerts), ExitCode.failed)
}

/** Exit codes before any run that are no crash: the config was wrong, or the child was interrupted. */
const quiet: ReadonlySet<number | undefined> = new Set([ExitCode.usage, ExitCode.interrupted])

const isCrash = ({ begun, closed, runs }: State, { code }: Death): boolean =>
  !closed && (runs.size > 0 || (!begun && !quiet.has(code)))

const sayTo = ({ text }: Guard.Guard) => (line: string): void => err(`epilogue: ${text(line)}`)

const cutOff = (state: State, { at }: Death): string => {
  const hooks = [...state.hooks.values()].map(({ at: since, title }) => `${title} (${lasted(at - since)})`)
  const running = [...state.runs.values()].flatMap((run) => {
    const steps = innermost(run)
    if (steps.length === 0 && hooks.length > 0) return []
    return steps.length === 0
      ? [`${run.pipelineName} (${lasted(at - run.startedAt)})`]
      : steps.map((step) => `${subject(run, step)} (${lasted(at - step.startedAt)})`)
  })
  const all = [...running, ...hooks]
  return all.length === 0 ? "" : `; cut off: ${all.join(", ")}`
}

/** Listens to the signals that ask a run to stop. Returns a function that stops listening. */
const listen = (onSignal: (signal: NodeJS.Signals) => void): () => void => {
  const release = listenTo(onSignal)
  // the reader of stderr may end before the child does
  const unignore = ignoreClosed("stderr")
  return () => {
    release()
    unignore()
  }
}

export { SpawnError }
