/**
 * The child's side of a supervised run: reports events and delivered alerts to the supervisor.
 *
 *     const supervisor = connect() // undefined if the process is not supervised
 *     if (supervisor !== undefined) {
 *       main.pipe(Effect.provide(reportingEvents(supervisor)))
 *       alerter.pipe(reportingAlerts(supervisor)) // the Layer that posts the pipeline's alerts
 *       main.pipe(Effect.provideService(CurrentLedger, reportingLedger(supervisor, ledger)))
 *     }
 *
 * `connect` has to be called before anything else runs. A supervised process must take two signals for one: Ctrl-C on
 * a terminal reaches both processes, and the supervisor passes its own on. The supervisor acts on the second Ctrl-C.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import process from "node:process"
import type { Alert } from "../../Alert.ts"
import type { Alerter } from "../../Alerter.ts"
import { toJson } from "../../internal/alerts/json.ts"
import type { Ledger } from "../../internal/alerts/ledger.ts"
import { interruptedTag } from "../../internal/alerts/notices.ts"
import { type Loss, lossOf } from "../../internal/alerts/undelivered.ts"
import type { Occurrence } from "../../internal/model/occurrence.ts"
import { CurrentOverdueWatcher, type OverdueWatcher } from "../../internal/model/overdueWatcher.ts"
import { labelsOf } from "../../internal/text/stepLabel.ts"
import { variable as readVariable } from "../../internal/text/terminal.ts"
import { hangupVariable, listenTo } from "../../main/internal/signals.ts"
import { shortPath } from "../../report/internal/events/shortPath.ts"
import * as RunEvent from "../../RunEvent.ts"
import { StepContext } from "../../StepContext.ts"
import { ignoreClosed } from "../terminal.ts"
import { patienceOf } from "./overdue.ts"
import { type Message, postsVariable, showsVariable, toLine, toMessage, variable } from "./protocol.ts"
import { wrappedBy } from "./wrappedBy.ts"

/** The connection to the supervisor. When `send` returns, the message is in the pipe and survives a crash of the child. */
export interface Supervisor {
  readonly send: (message: Message) => void
  /** Whether the supervisor has an alerter, and posts for this process where that comes too late. */
  readonly posts: boolean
  /** Whether the supervisor shows the runs of this process. */
  readonly shows: boolean
  /** Whether the pipe was lost, so that the supervisor may lack messages. */
  readonly isLost: () => boolean
  /** Calls a function once the supervisor has been killed. Returns a function that stops watching. */
  readonly onGone: (gone: () => void) => () => void
}

/** The time between two looks at whether the supervisor is still there, in milliseconds. */
const probing = 1000

/** The time to retry while the pipe stays full, which means that the supervisor hangs; in milliseconds. */
const patience = 5000

/**
 * Connects to the supervisor that started this process, if any. Call it once: it removes the variable from the
 * environment, so that processes which this one starts do not connect to the same supervisor.
 *
 * From then on no signal that asks a run to stop ends the process by itself, and neither does writing to stderr after
 * the supervisor, its reader, was killed.
 */
export const connect = (): Supervisor | undefined => {
  // a process that may not look has no supervisor, which hands on all permissions
  const given = readVariable(variable)
  if (given === undefined) return undefined
  const fd = Number(given)
  const posts = process.env[postsVariable] === "1"
  delete process.env[variable]
  const shows = process.env[showsVariable] === "1"
  delete process.env[postsVariable]
  delete process.env[showsVariable]
  delete process.env[hangupVariable]
  const pipe = pipeAt(fd)
  if (pipe === undefined) return undefined
  listenTo(ignore)
  // the supervisor reads it and may have been killed: a log must not crash the run
  ignoreClosed("stderr")
  if (shows) ignoreClosed("stdout")
  let lost = false
  return {
    send: (message) => {
      // the pipeline may have closed the file descriptor, and its number now be that of another file
      if (!lost) lost = pipeAt(fd) !== pipe || !write(fd, toLine(message))
    },
    posts,
    shows,
    isLost: () => lost,
    onGone: (gone) => {
      const timer = setInterval(() => {
        if (pipeAt(fd) !== pipe || !isClosed(fd)) return
        clearInterval(timer)
        lost = true
        gone()
      }, probing)
      // a run that has ended does not wait for its supervisor to be killed
      timer.unref()
      return () => clearInterval(timer)
    }
  }
}

const ignore = (): void => {}

/** Returns the identity of the pipe at a file descriptor, or `undefined` if there is none. */
const pipeAt = (fd: number): string | undefined => {
  if (!Number.isInteger(fd)) return undefined
  try {
    const stat = fs.fstatSync(fd)
    return stat.isFIFO() || stat.isSocket() ? `${stat.dev} ${stat.ino}` : undefined
  } catch {
    return undefined
  }
}

/** Whether nobody reads a pipe any more. Writes an empty line, which is no message. */
const isClosed = (fd: number): boolean => {
  try {
    fs.writeSync(fd, "\n")
    return false
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPIPE"
  }
}

/** Writes a line synchronously, and returns whether all of it was written. After a part of a line, write no more. */
const write = (fd: number, line: string): boolean => {
  let rest = Buffer.from(line)
  let waited = 0
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest))
      waited = 0
    } catch (error) {
      // EPIPE: the supervisor has ended, and the run goes on
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN") || waited++ >= patience) return false
      Atomics.wait(pause, 0, 0, 1)
    }
  }
  return true
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Reports all events, and `Closed` when the layer closes, which tells a normal end from a crash. */
export const reportingEvents = ({ posts, send }: Pick<Supervisor, "send" | "posts">): Layer.Layer<never> =>
  Layer.mergeAll(
    RunEvent.layer((event) => {
      // not what is logged: the supervisor has standard error, and a chatty step would wait for the pipe
      if (event._tag === "StepLogged" || event._tag === "RunLogged") return
      // the supervisor learns of alerts by themselves
      if (event._tag !== "AlertPosted") send(toMessage(event))
    }),
    Layer.succeed(CurrentOverdueWatcher, reportingLimits({ posts, send })),
    Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => send({ _tag: "Closed" }))))
  )

/** Reports the limits of bodies, and leaves those to the supervisor to which this process comes late. */
const reportingLimits = ({ posts, send }: Pick<Supervisor, "send" | "posts">): OverdueWatcher => ({
  begun: (evaluation, limits) => {
    if (limits.length === 0) return
    send({
      _tag: "OverdueWatched",
      ...ownerOf(evaluation),
      limits: limits.map(({ deadline, dueAt, every, limitMillis }) => ({
        dueAt,
        limitMillis,
        ...(every === undefined ? {} : { every }),
        ...(deadline === undefined ? {} : { deadline })
      }))
    })
  },
  tells: (evaluation, { deadline, every, limitMillis }, late) => {
    if (!posts || late <= patienceOf({ limitMillis, every })) return false
    send({
      _tag: "OverdueLeft",
      ...ownerOf(evaluation),
      limitMillis,
      ...(deadline === undefined ? {} : { deadline })
    })
    return true
  }
})

const ownerOf = ({ index, isRun, run }: Occurrence): { readonly runId: string; readonly index?: number } => ({
  runId: run.id,
  ...(isRun ? {} : { index })
})

/** Wraps an alerter to report each alert that it has delivered. */
export const reportingAlerts = (
  { send }: Pick<Supervisor, "send">
): <E, R>(alerter: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R> =>
  wrappedBy(({ severity, source, tags }, exit) =>
    Effect.map(Effect.serviceOption(StepContext), (context) => {
      const about = source ?? Option.getOrUndefined(context)
      if (exit._tag === "Failure" || about === undefined) return
      send({
        _tag: "Alerted",
        runId: about.runId,
        stepLabels: shortPath(labelsOf(about)),
        severity,
        named: source !== undefined,
        ...(tags.includes(interruptedTag) ? { interrupted: true } : {})
      })
    })
  )

/**
 * Wraps a ledger to report each alert that somebody has taken, and what becomes of it. `show` removes what the
 * supervisor must not post.
 */
export const reportingLedger = (
  { send }: Pick<Supervisor, "send">,
  ledger: Ledger,
  show: (alert: Alert) => Alert = (alert) => alert
): Ledger => {
  let count = 0
  const accepted: Ledger["accepted"] = (alert, by) => {
    const taken = ledger.accepted(alert, by)
    const id = count++
    send({ _tag: "AlertTaken", id, by, alert: toJson(show(alert).with({ attachments: [] })) })
    const settled = (lost: { readonly lost?: Loss } = {}) => send({ _tag: "AlertSettled", id, ...lost })
    return {
      delivered: () => {
        settled()
        taken.delivered()
      },
      kept: () => {
        settled()
        taken.kept()
      },
      lost: (error) => {
        settled({ lost: lossOf(error) })
        taken.lost(error)
      }
    }
  }
  return { accepted, lost: (alert, error) => accepted(alert, error.channel).lost(error) }
}
