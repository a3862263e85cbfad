/**
 * The child's side of a supervised run: reports events and delivered alerts to the supervisor.
 *
 *     const supervisor = connect() // undefined if the process is not supervised
 *     if (supervisor !== undefined) {
 *       main.pipe(Effect.provide(reportingEvents(supervisor)))
 *       alerter.pipe(reportingAlerts(supervisor)) // the Layer that posts the pipeline's alerts
 *     }
 *
 * `connect` has to be called before anything else runs. A supervised process must take two signals for one: Ctrl-C on
 * a terminal reaches both processes, and the supervisor passes its own on. The supervisor acts on the second Ctrl-C.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import process from "node:process"
import { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import { labelsOf } from "../../internal/text/stepLabel.ts"
import { shortPath } from "../../report/internal/events/shortPath.ts"
import * as RunEvent from "../../RunEvent.ts"
import { StepContext } from "../../StepContext.ts"
import { ignoreClosed } from "../terminal.ts"
import { type Message, toLine, toMessage, variable } from "./protocol.ts"
import { hangupVariable, listenTo } from "./signals.ts"

/** The connection to the supervisor. When `send` returns, the message is in the pipe and survives a crash of the child. */
export interface Supervisor {
  readonly send: (message: Message) => void
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
  const fd = Number(process.env[variable] ?? NaN)
  delete process.env[variable]
  delete process.env[hangupVariable]
  const pipe = pipeAt(fd)
  if (pipe === undefined) return undefined
  listenTo(ignore)
  // the supervisor reads it and may have been killed: a log must not crash the run
  ignoreClosed("stderr")
  let lost = false
  return {
    send: (message) => {
      // the pipeline may have closed the file descriptor, and its number now be that of another file
      if (!lost) lost = pipeAt(fd) !== pipe || !write(fd, toLine(message))
    },
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
export const reportingEvents = ({ send }: Pick<Supervisor, "send">): Layer.Layer<never> =>
  Layer.merge(
    RunEvent.layer((event) => send(toMessage(event))),
    Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => send({ _tag: "Closed" }))))
  )

/** Wraps an alerter to report each alert that it has delivered. */
export const reportingAlerts =
  ({ send }: Pick<Supervisor, "send">) => <E, R>(alerter: Layer.Layer<Alerter, E, R>): Layer.Layer<Alerter, E, R> =>
    Layer.effect(
      Alerter,
      Effect.map(Alerter, (inner) =>
        Alerter.of({
          // the alerter's marks, such as that it takes quiet alerts
          ...inner,
          post: (alert) =>
            // in a finalizer, so that no interruption comes between the delivery and the report of it
            Effect.onExit(inner.post(alert), (exit) =>
              exit._tag === "Success" ?
                Effect.map(Effect.serviceOption(StepContext), (context) => {
                  const { severity, source, tags } = Alert.make(alert)
                  const interrupted = tags.includes("interrupted") ? { interrupted: true } : {}
                  const about = source ?? (context._tag === "Some" ? context.value : undefined)
                  if (about === undefined) return
                  const stepLabels = shortPath(labelsOf(about))
                  send({
                    _tag: "Alerted",
                    runId: about.runId,
                    stepLabels,
                    severity,
                    named: source !== undefined,
                    ...interrupted
                  })
                }) :
                Effect.void)
        }))
    ).pipe(Layer.provide(alerter))
