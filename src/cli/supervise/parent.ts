/**
 * Runs a pipeline in a child process, and alerts where the child dies without having
 * come to its end: killed (by the system, where memory runs out), crashed, or left by
 * `process.exit` in the middle of a step.
 *
 *     const code = yield* supervise({
 *       command: process.execPath,
 *       args: [...process.execArgv, "run.js", "nightly.yaml"],
 *       pipeline: "nightly",
 *       alerter
 *     })
 *
 * The child gets a pipe as its file descriptor 3, whose number is in its environment,
 * and `child.ts` tells on it what happens. Such pipes of `node:child_process` work on
 * Bun, Deno and Node alike (tried on Linux). stdin and stdout are the parent's. stderr
 * is passed on, so for the child it is no terminal.
 *
 * Where the child dies, each innermost step that was open and whose failure had not
 * been alerted gets an alert, and so does the run. A step that had failed counts as
 * open until something else begins in the body around it. Whatever the child has
 * delivered is not repeated; what a policy of its alerter had only kept for later (a
 * digest, quiet hours) is lost with it. A child whose main came to its end, with
 * whatever exit code, has not crashed.
 *
 * The first SIGINT or SIGTERM is passed on, so that the child can run its hooks; the
 * second kills the child, which is no crash either. While alerts are posted, the first
 * gives them up. Where the parent is killed the child goes on, unsupervised.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import process from "node:process"
import type { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import { scrubAlert } from "../../alerters/internal/channel/scrub.ts"
import { withoutUrls } from "../../internal/text/redact.ts"
import { scrubber } from "../../internal/text/secrets.ts"
import { ExitCode } from "../request.ts"
import { alertsOf, type Death, how, lasted, subject } from "./alerts.ts"
import { SpawnError, start } from "./process.ts"
import { fromUnheard } from "./protocol.ts"
import { innermost, State } from "./state.ts"

export interface SuperviseOptions<E, R> {
  /** The runtime, as in `process.execPath`. */
  readonly command: string
  /** For the runtime, then the script's: on Deno they begin with `run` and the permissions. */
  readonly args: ReadonlyArray<string>
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** What the alert calls a child that dies before its run begins. */
  readonly pipeline: string
  /** Built only where there is something to alert. Without it the crash is told on stderr alone. */
  readonly alerter?: Layer.Layer<Alerter, E, R> | undefined
  /** Left out of what is alerted, where the child wrote them to stderr, say. */
  readonly secrets?: ReadonlyArray<string> | undefined
}

/** What all alerts together may take, retries included. */
const patience = "30 seconds"

/**
 * The exit code for the parent: the child's where it came to its end, 130 where it was
 * interrupted, and 1 where it crashed.
 */
export const supervise = <E = never, R = never>(
  options: SuperviseOptions<E, R>
): Effect.Effect<number, SpawnError, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const state = new State()
      const quit = yield* Deferred.make<void>()
      const child = yield* start(options, (told) => state.tell(told))
      const signals = { count: 0, sent: undefined as NodeJS.Signals | undefined, killed: false }
      const pass = (signal: NodeJS.Signals) => {
        if (signals.sent === undefined) child.kill(signals.sent = signal)
      }
      const release = listen((signal) => {
        signals.count++
        if (child.isDead()) Deferred.doneUnsafe(quit, Effect.void)
        else if (signals.count === 1) {
          say("interrupting; once more (Ctrl-C) quits at once")
          pass(signal)
        } else if (!signals.killed) signals.killed = child.kill("SIGKILL")
      })
      const ended = yield* Effect.exit(restore(child.death))
      if (ended._tag === "Failure") {
        // A main interrupts on a signal too: then this comes a moment before the signal itself.
        yield* Effect.yieldNow
        pass("SIGTERM")
      }
      const death = ended._tag === "Success" ? ended.value : yield* child.death
      const code = yield* conclude(options, state, death, signals, quit)
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
  { alerter, pipeline, secrets = [] }: SuperviseOptions<E, R>,
  state: State,
  death: Death,
  signals: Signals,
  quit: Deferred.Deferred<void>
): Effect.Effect<number, never, R> => {
  const { code, signal } = death
  if (signals.killed) {
    // only now, when all that the child told has been read
    say(`quit at once${cutOff(state, death)}`)
    return Effect.succeed(ExitCode.interrupted)
  }
  // on a terminal the child gets Ctrl-C itself too, perhaps before it minds signals
  const obeyed = signal === "SIGINT" || signal === "SIGTERM" || code === ExitCode.interrupted
  if (signals.sent !== undefined && !state.closed && obeyed) return Effect.succeed(ExitCode.interrupted)
  const unheard = fromUnheard(code)
  if (unheard !== undefined) return Effect.succeed(unheard)
  if (!isCrash(state, death)) {
    if (signal !== undefined) say(`${how(death)} after the run had ended`)
    // a code of 0 that its main did not choose
    return Effect.succeed(code === 0 && !state.closed && state.failed ? ExitCode.failed : code ?? ExitCode.failed)
  }
  const scrub = scrubber(secrets)
  const alerts = alertsOf(state, pipeline, death).map((alert) => scrubAlert(alert, scrub))
  for (const { body, title } of alerts) say(`${title}: ${body}`)
  if (alerts.length === 0) say(`${how(death)} after the run's failure had been alerted`)
  const posted = alerter === undefined
    ? Effect.void
    : Effect.provide(Effect.forEach(alerts, post, { concurrency: "unbounded", discard: true }), alerter)
  return Effect.timeout(posted, patience).pipe(
    Effect.raceFirst(Deferred.await(quit)),
    Effect.catchCause((cause) => Effect.sync(() => sayFailed(cause))),
    Effect.as(ExitCode.failed)
  )
}

/** Codes of a main that found its config wrong, or was interrupted, before it ran anything. */
const quiet: ReadonlySet<number | undefined> = new Set([ExitCode.usage, ExitCode.interrupted])

const isCrash = ({ begun, closed, runs }: State, { code }: Death): boolean =>
  !closed && (runs.size > 0 || (!begun && !quiet.has(code)))

const post = (alert: Alert): Effect.Effect<void, never, Alerter> =>
  Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
    Effect.catchCause((cause) => Effect.sync(() => sayFailed(cause)))
  )

const sayFailed = (cause: Cause.Cause<unknown>): void => {
  const error = Cause.squash(cause)
  say(`an alert could not be posted: ${withoutUrls(error instanceof Error ? error.message : String(error))}`)
}

const say = (line: string): void => void process.stderr.write(`epilogue: ${line.replaceAll("\n", "; ")}\n`)

const cutOff = (state: State, { at }: Death): string => {
  const hooks = [...state.hooks.values()].map(({ at: since, title }) => `${title} (${lasted(at - since)})`)
  const running = [...state.runs.values()].flatMap((run) => {
    const steps = innermost(run)
    if (steps.length === 0 && hooks.length > 0) return []
    return steps.length === 0
      ? [`${run.pipelineName} (${lasted(at - run.startedAt)})`]
      : steps.map(({ startedAt, stepPath }) => `${subject(run, stepPath)} (${lasted(at - startedAt)})`)
  })
  const all = [...running, ...hooks]
  return all.length === 0 ? "" : `; cut off: ${all.join(", ")}`
}

/** Calls back on each of these signals, which do not end the process by themselves meanwhile. */
const listen = (onSignal: (signal: NodeJS.Signals) => void): () => void => {
  const ignore = () => {}
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
  // whoever read our stderr may be gone before the child is
  process.stderr.on("error", ignore)
  return () => {
    process.off("SIGINT", onSignal)
    process.off("SIGTERM", onSignal)
    process.stderr.off("error", ignore)
  }
}

export { SpawnError }
