/**
 * Runs a pipeline in a child process, and posts alerts if the child crashes: if it ends before its main does, killed
 * (by the system, for lack of memory) or by `process.exit` in the middle of a step.
 *
 *     const code = yield* supervise({
 *       command: process.execPath,
 *       args: [...process.execArgv, "run.js", "nightly.yaml"],
 *       pipeline: "nightly",
 *       alerter
 *     })
 *
 * With a `tree`, the parent shows the child's runs on the terminal, as the only process that draws there, and forwards the
 * child's stdout, too: it appears above the tree, and so does that of processes which inherit it.
 *
 * The child inherits a pipe as its file descriptor 3, whose number is in its environment, and `child.ts` reports events
 * on it. Such pipes of `node:child_process` work on Bun, Deno and Node (tried on Linux). The child shares stdin with
 * the parent, and stdout unless there is a tree. The parent forwards the child's stderr, which therefore is not a
 * terminal for the child.
 *
 * After a crash, each innermost open step whose failure had not been alerted gets an alert, and so does the run. A step
 * that had failed counts as open until something else begins in the body around it, since its hooks may be running.
 * Alerts that the child has delivered are not repeated. Those that it had only taken are posted by the parent: what a
 * policy of the child's alerter had held back (a digest, quiet hours), and what was under way to a channel, which may
 * have arrived. What a store keeps is left to the next process. A child whose main ended, with any exit code, has not
 * crashed. Alerts that did not arrive are printed. Monitors are told of the runs that had not ended, and get the pings
 * of ends that the child had not sent.
 *
 * Where a step or the run is overdue and the child has not told it some seconds later, being stopped or blocked, the parent
 * tells it in its place.
 *
 * Where nothing catches an error in the child, or nothing is left that could end it, the child interrupts its run, and its
 * hooks tell of it. If none has, the parent does.
 *
 * The first signal that asks the run to stop (SIGINT, SIGTERM, SIGQUIT, SIGHUP) is passed on, so that the child can run
 * its hooks. A stop by another signal than Ctrl-C's gets an alert, unless the child has delivered one. The second signal
 * kills the child, which does not count as a crash. While alerts are posted, the first signal gives them up. If the
 * parent is killed, the child interrupts its run.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type { Alert } from "../../Alert.ts"
import type { Alerter } from "../../Alerter.ts"
import { CurrentLedger } from "../../internal/alerts/ledger.ts"
import { Undelivered } from "../../internal/alerts/undelivered.ts"
import * as Guard from "../../internal/model/guard.ts"
import { english, type Words } from "../../internal/text/alertWords.ts"
import { listenToEnd } from "../../main/internal/ending.ts"
import { answerTo, codeOfSignal, isStopCode, listenTo, stopSignals } from "../../main/internal/signals.ts"
import { listenToUncaught, uncaughtDetail } from "../../main/internal/uncaught.ts"
import type { Monitor } from "../../monitors/internal/model.ts"
import { fromEventJson } from "../../report/internal/events/told.ts"
import type { Observer } from "../../RunEvent.ts"
import { ExitCode } from "../request.ts"
import { err, ignoreClosed } from "../terminal.ts"
import { alertsOf, cutOff, type Death, how, isCounted, ofDurable, repeated, stopAlert, unheardAlert } from "./alerts.ts"
import { OverdueClock, type Teller } from "./overdue.ts"
import { type End, Pings } from "./pings.ts"
import { type Around, patience, post } from "./posting.ts"
import { SpawnError, start } from "./process.ts"
import { onExit } from "./processEnd.ts"
import { fromLostCode, isEvent, type Message } from "./protocol.ts"
import { alertNotes, endRecords } from "./records.ts"
import { State } from "./state.ts"

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
  /** The monitors that the child tells of its runs, in the same order. */
  readonly monitors?: ReadonlyArray<Monitor> | undefined
  /** Knows what must not be shown of the config, and learns from the child what that must not show. */
  readonly guard?: Guard.Guard | undefined
  /** Writes an object as a JSON line to standard output. Unless set, lines for people go to standard error. */
  readonly emit?: ((value: object) => void) | undefined
  /**
   * Says that the child's runs are durable: they go on in the next process, and one alert tells of a crash. Called with
   * how the child ended where it has crashed.
   */
  readonly durable?: ((death: string) => Effect.Effect<void>) | undefined
  /** Shows what the child tells of its runs, which then does not, and what the child prints above that. */
  readonly tree?: Tree | undefined
  /** Whether an alert that did not arrive makes the exit code 3 where it were 0. */
  readonly requireAlerts?: boolean | undefined
}

/** A display of events. `close` leaves the runs that have not ended as they are, and the terminal as it was. */
export interface Tree {
  readonly observer: Observer
  readonly close: () => void
}

/** How long a child may take to hear of a signal, in milliseconds. Docker kills both ten seconds after SIGTERM. */
const hearing = 5_000

/**
 * Runs and supervises a child process. Succeeds with the exit code for the parent: that of the child if its main ended,
 * 128 and the number of the signal that interrupted it, 1 if it crashed.
 */
export const supervise = <E = never, R = never>(
  options: SuperviseOptions<E, R>
): Effect.Effect<number, SpawnError, R> =>
  Effect.uninterruptible(
    Effect.gen(function*() {
      const state = new State()
      const pings = new Pings(options.monitors ?? [])
      const quit = yield* Deferred.make<void>()
      const guard = options.guard ?? Guard.make()
      const say = sayTo(guard)
      const around: Around = { guard, underWay: new Set() }
      const telling = yield* tellingOf(options, around, say)
      const clock = new OverdueClock(state, telling)
      const posts = options.alerter !== undefined
      const { tree } = options
      const child = yield* start({ ...options, posts, shows: tree !== undefined, scrub: guard.text }, (message) => {
        if (message._tag === "Secret") guard.add([message.value])
        if (tree !== undefined) show(tree, message)
        state.receive(message)
        pings.receive(message)
        clock.receive(message)
      })
      const since = Date.now()
      const signals: Signals = { count: 0, sent: undefined, killedBy: undefined }
      let unheard: NodeJS.Timeout | undefined
      const release = listen(
        (signal) => {
          signals.count++
          if (child.isDead()) Deferred.doneUnsafe(quit, Effect.void)
          else if (signals.count === 1) {
            say(answerTo(signal, state.answer))
            child.kill(signals.sent = signal)
            // whoever presses Ctrl-C knows of it, and durable runs are only interrupted until the next start
            if (options.durable !== undefined || signal === "SIGINT") return
            unheard = setTimeout(() => {
              if (!isUnheard(state)) return
              say(`${signal}: ${english.notResponding}`)
              const times = { at: Date.now(), since }
              telling.post?.((words) => unheardAlert(state, options.pipeline, signal, times, words))
            }, hearing)
          } else if (signals.killedBy === undefined && child.kill("SIGKILL")) signals.killedBy = signal
        },
        say,
        around
      )
      const death = yield* child.death
      clearTimeout(unheard)
      clock.stop()
      tree?.close()
      yield* Effect.raceFirst(telling.end, Deferred.await(quit))
      if (!state.closed && fromLostCode(death.code) === undefined) yield* endRecords(state, death, say)
      const code = yield* conclude({ ...options, ...around }, state, pings, death, signals, quit)
      release()
      return code
    })
  )

/** Whether a run goes on whose process has not heard of the signal, as where its thread is blocked. */
const isUnheard = ({ begun, closed, interruptionAlerted, stopping }: State): boolean =>
  begun && !closed && !stopping && !interruptionAlerted

const show = ({ observer }: Tree, message: Message): void => {
  const event = isEvent(message) ? fromEventJson(message) : undefined
  if (event !== undefined) observer(event)
}

/** Posts, while the child runs, what it can't tell. What did not arrive is printed at once. */
const tellingOf = <E, R>(
  { alerter, emit }: SuperviseOptions<E, R>,
  around: Around,
  say: (line: string) => void
): Effect.Effect<Teller & { readonly end: Effect.Effect<void> }, never, R> =>
  Effect.map(Effect.context<R>(), (context) => {
    const fibers = new Set<Fiber.Fiber<void>>()
    const tell = (alert: (words: Words) => Alert, layer: Layer.Layer<Alerter, E, R>): void => {
      const undelivered = new Undelivered()
      const { guard } = around
      const posting = post((words) => [guard.alert(alert(words))], layer, undelivered, around).pipe(
        Effect.provideService(CurrentLedger, undelivered.ledger),
        Effect.andThen(Effect.sync(() => print(undelivered, guard, emit)))
      )
      const fiber = Effect.runForkWith(context)(posting)
      fibers.add(fiber)
      fiber.addObserver(() => fibers.delete(fiber))
    }
    return {
      say,
      post: alerter && ((alert) => tell(alert, alerter)),
      end: Effect.suspend(() => Effect.asVoid(Fiber.awaitAll(fibers)))
    }
  })

/** Prints what did not arrive. */
const print = (undelivered: Undelivered, guard: Guard.Guard, emit: SuperviseOptions<never, never>["emit"]): void => {
  if (emit === undefined) undelivered.lines(guard.text).forEach((line) => err(`epilogue: ${line}`))
  else undelivered.json(guard.text).forEach(emit)
}

interface Signals {
  count: number
  /** The signal that was passed on. */
  sent: NodeJS.Signals | undefined
  /** The signal at which the child was killed. */
  killedBy: NodeJS.Signals | undefined
}

const conclude = <E, R>(
  { alerter, durable, emit, guard, pipeline, requireAlerts = false, underWay }: SuperviseOptions<E, R> & Around,
  state: State,
  pings: Pings,
  death: Death,
  { killedBy, sent }: Readonly<Signals>,
  quit: Deferred.Deferred<void>
): Effect.Effect<number, never, R> => {
  const { code, signal } = death
  // a child that came to its end has printed what did not arrive
  const isTold = state.closed || isStopCode(code)
  const undelivered = isTold ? new Undelivered() : state.undelivered
  const say = sayTo(guard)
  const printUndelivered = (): void => print(undelivered, guard, emit)
  if (killedBy !== undefined) {
    // only after the death of the child, when all its reports have been read
    say(`quit at once${cutOff(state, death)}`)
    undelivered.addOpen("the process was killed")
    if (!isTold) undelivered.addMore(state.moreTaken)
    return Effect.sync(() => {
      printUndelivered()
      return codeOfSignal(killedBy)
    })
  }
  // on a terminal Ctrl-C reaches the child too, perhaps before it listens to signals, and then kills it
  const obeyed = stopSignals().some((stop) => stop === signal) || isStopCode(code)
  const lostCodes = fromLostCode(code)
  // a child that came to its end has told of its alerts, and one that has lost the pipe could not
  const taken = state.closed || lostCodes !== undefined ? { alerts: [], more: 0 } : state.takeOver()

  /**
   * Posts what the child had taken and not posted, then alerts, then the summaries that it owed. Pings monitors, with
   * `end` also those of runs that had not ended. Prints what did not arrive.
   */
  const postAll = (alerts: (words: Words) => ReadonlyArray<Alert>, end?: End): Effect.Effect<void, never, R> => {
    const held = taken.alerts.filter((taken) => !isCounted(taken))
    const counted = taken.alerts.filter(isCounted)
    const all = (words: Words) =>
      [
        ...repeated({ ...taken, alerts: held }, death, words),
        ...alerts(words),
        ...repeated({ alerts: counted, more: 0 }, death, words)
      ].map(guard.alert)
    // what nobody posts is known from the child's reports alone
    if (alerter === undefined) {
      for (const { alert, by } of taken.alerts) undelivered.take(alert, by)
      undelivered.addMore(taken.more)
    }
    const posting = alerter === undefined || all(english).length === 0
      ? undefined
      : Effect.flatMap(alertNotes(state, say), (note) => post(all, alerter, undelivered, { guard, underWay }, note))
    const pinging = Effect.timeoutOption(pings.send(state, pipeline, end), patience)
    return Effect.gen(function*() {
      // detached, since whoever gives the alerts up does not wait until the mailboxes of the alerter are empty
      const fiber = yield* Effect.forkDetach(
        Effect.all([posting ?? Effect.void, pinging], { concurrency: "unbounded", discard: true }).pipe(
          Effect.provideService(CurrentLedger, undelivered.ledger)
        )
      )
      yield* Effect.raceFirst(Fiber.join(fiber), Deferred.await(quit))
      undelivered.addOpen(posting === undefined ? how(death) : "given up")
      for (const { alert, monitor } of pings.sending) {
        undelivered.add(alert, {
          channel: monitor,
          reason: "Rejected",
          message: `${monitor}: given up before it was sent`
        })
      }
      printUndelivered()
    })
  }
  if (sent !== undefined && obeyed) {
    // whoever presses Ctrl-C knows of it, and durable runs are only interrupted until the next start
    const isKnown = durable !== undefined || sent === "SIGINT" || state.interruptionAlerted
    const alerts = (words: Words) => isKnown ? [] : [stopAlert(state, pipeline, sent, death, words)]
    // a child that came to its end has told of its runs, and whoever presses Ctrl-C knows that none has begun
    const isUntold = durable === undefined && (state.begun ? !state.closed : sent !== "SIGINT")
    const end = isUntold ? { death, stoppedBy: sent } : undefined
    if (!isKnown || !state.closed || isUntold) return Effect.as(postAll(alerts, end), codeOfSignal(sent))
  }
  if (lostCodes !== undefined) return Effect.succeed(lostCodes)
  // a kill is told as the crash that it is
  if (isUntold(state) && (signal === undefined || !isCrash(state))) {
    const alerts = (words: Words) => [stopAlert(state, pipeline, undefined, death, words)]
    return Effect.as(postAll(alerts, { death }), code ?? ExitCode.failed)
  }
  if (durable === undefined ? !isCrash(state) : state.closed) {
    if (signal !== undefined) say(`${how(death)} after the run had ended`)
    // a code of 0 that its main did not choose: a failed run must not look like a success
    const ended = code === 0 && !state.closed && state.failed ? ExitCode.failed : code ?? ExitCode.failed
    if (isTold || !state.begun) return Effect.succeed(ended)
    return Effect.map(
      postAll(() => []),
      () => undelivered.codeOf(ended, requireAlerts ? ExitCode.alertLost : undefined)
    )
  }
  const crashes = (words: Words) =>
    durable === undefined ? alertsOf(state, pipeline, death, words) : [ofDurable(state, pipeline, death, words)]
  const shown = crashes(english).map(guard.alert)
  for (const { body, title } of shown) say(`${title}: ${body?.replaceAll("\n", "; ")}`)
  if (shown.length === 0) say(`${how(death)} after the run's failure had been alerted`)
  const told = durable?.(how(death)) ?? Effect.void
  return Effect.as(
    Effect.andThen(told, postAll(crashes, durable === undefined ? { death } : undefined)),
    ExitCode.failed
  )
}

/** Whether the child was failing, and no hook of a run has told of it. */
const isUntold = ({ begun, failing, interruptionAlerted }: State): boolean =>
  begun && failing !== undefined && !interruptionAlerted

const isCrash = ({ begun, closed, runs }: State): boolean => !closed && (runs.size > 0 || !begun)

const sayTo = ({ text }: Guard.Guard) => (line: string): void => err(`epilogue: ${text(line)}`)

/**
 * Listens to the signals that ask a run to stop. Goes on after an error that nothing catches, as of an alerter of the
 * user's: the run and its alerts would end with this process. Where a module of that ends the process, says what this cuts
 * off. Returns a function that stops listening.
 */
const listen = (
  onSignal: (signal: NodeJS.Signals) => void,
  say: (line: string) => void,
  { underWay }: Around
): () => void => {
  const stops = [
    listenTo(onSignal),
    listenToUncaught((error) => uncaughtDetail(error).split("\n").forEach(say)),
    listenToEnd({ onExit: onExit(() => [...underWay].flatMap((lines) => lines())) }),
    // the reader of stderr may end before the child does
    ignoreClosed("stderr")
  ]
  return () => stops.forEach((stop) => stop())
}

export { SpawnError }
