/**
 * The child's side of a supervised run. Its main does this before it runs anything:
 *
 *     const supervisor = connect() // undefined where nobody supervises
 *     if (supervisor !== undefined) {
 *       main.pipe(Effect.provide(observing(supervisor)))
 *       alerter.pipe(telling(supervisor)) // the Layer that posts the pipeline's alerts
 *     }
 *
 * Supervised, it must take a signal that comes twice for one: Ctrl-C on a terminal
 * reaches both processes, and the supervisor passes on what it gets. The second
 * Ctrl-C is the supervisor's to act on.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import process from "node:process"
import { Alert } from "../../Alert.ts"
import { Alerter } from "../../Alerter.ts"
import * as RunEvent from "../../RunEvent.ts"
import { StepContext } from "../../StepContext.ts"
import { type Told, toLine, toTold, variable } from "./protocol.ts"

/** Whom the child tells. What it is told is with the system when `tell` returns, whatever happens to the child then. */
export interface Supervisor {
  readonly tell: (told: Told) => void
  /** Whether something could not be told. */
  readonly isUnheard: () => boolean
}

/** How long to try where the pipe stays full, which means that the supervisor hangs. In milliseconds. */
const patience = 5000

/**
 * The supervisor that started this process, if any. To be called once: processes
 * that are started later must not take it for theirs. From then on a lost supervisor
 * stops nothing: neither SIGINT nor stderr without a reader ends the process by itself.
 */
export const connect = (): Supervisor | undefined => {
  const fd = Number(process.env[variable] ?? NaN)
  delete process.env[variable]
  const pipe = pipeAt(fd)
  if (pipe === undefined) return undefined
  process.on("SIGINT", ignore)
  process.on("SIGTERM", ignore)
  // the supervisor reads it; when that has been killed, what is logged must not crash the run
  process.stderr.on("error", ignore)
  let lost = false
  return {
    tell: (told) => {
      // something may have closed it, and the number be that of another file now
      if (!lost) lost = pipeAt(fd) !== pipe || !write(fd, toLine(told))
    },
    isUnheard: () => lost
  }
}

const ignore = (): void => {}

/** What tells this pipe from others, if it is one. */
const pipeAt = (fd: number): string | undefined => {
  if (!Number.isInteger(fd)) return undefined
  try {
    const stat = fs.fstatSync(fd)
    return stat.isFIFO() || stat.isSocket() ? `${stat.dev} ${stat.ino}` : undefined
  } catch {
    return undefined
  }
}

/** Whether all of it could be written. After a part of a line nothing more may follow. */
const write = (fd: number, line: string): boolean => {
  let rest = Buffer.from(line)
  let waited = 0
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest))
      waited = 0
    } catch (error) {
      // EPIPE where the supervisor is gone: the run goes on
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN") || waited++ >= patience) return false
      Atomics.wait(pause, 0, 0, 1)
    }
  }
  return true
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Tells all events, and at the end that the end has come in order. */
export const observing = ({ tell }: Pick<Supervisor, "tell">): Layer.Layer<never> =>
  Layer.merge(
    RunEvent.layer((event) => tell(toTold(event))),
    Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => tell({ _tag: "Closed" }))))
  )

/** The alerter, which tells of each alert that it has delivered. */
export const telling =
  ({ tell }: Pick<Supervisor, "tell">) => <E, R>(alerter: Layer.Layer<Alerter, E, R>): Layer.Layer<Alerter, E, R> =>
    Layer.effect(
      Alerter,
      Effect.map(Alerter, (inner) =>
        Alerter.of({
          post: (alert) =>
            // as a finalizer, so that no interruption comes between
            Effect.onExit(inner.post(alert), (exit) =>
              exit._tag === "Success" ?
                Effect.map(Effect.serviceOption(StepContext), (context) => {
                  const { severity, source } = Alert.make(alert)
                  const about = source ?? (context._tag === "Some" ? context.value : undefined)
                  if (about === undefined) return
                  const { runId, stepPath } = about
                  tell({ _tag: "Alerted", runId, stepPath, severity, named: source !== undefined })
                }) :
                Effect.void)
        }))
    ).pipe(Layer.provide(alerter))
