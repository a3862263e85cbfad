/** The pings that the supervisor sends to monitors on behalf of a child process that crashed. */
import * as Effect from "effect/Effect"
import type { Alert } from "../../Alert.ts"
import { english } from "../../internal/text/alertWords.ts"
import { clean } from "../../internal/text/fit.ts"
import type { Monitor } from "../../monitors/internal/model.ts"
import { make as makePing, type Ping, toAlert } from "../../monitors/internal/ping.ts"
import { Selection } from "../../monitors/internal/selection.ts"
import * as Sender from "../../monitors/internal/sender.ts"
import { interruptKind } from "../../monitors/internal/watch.ts"
import { type Death, how, lasted, running } from "./alerts.ts"
import type { PingJson } from "./pingJson.ts"
import type { Message } from "./protocol.ts"
import { innermost, type OpenRun, type State } from "./state.ts"

/** How many of the last lines of standard error a ping has. */
const maxLogs = 50

/** How many steps that were running a ping names. */
const maxSteps = 10

/** The runs of a child, as far as a monitor has been told of them. */
interface Told {
  readonly monitor: Monitor
  readonly selection: Selection
  /** The runs that it is told of and that have not ended. */
  readonly open: Set<string>
  /** The ends that are on their way, by the ids of their messages. */
  readonly underWay: Map<number, PingJson>
}

/** The end of a child. */
export interface End {
  readonly death: Death
  /** The signal by which the supervisor stopped the child, if it did. */
  readonly stoppedBy?: string | undefined
}

/** A ping on its way, as the alert that stands for it, and the name of its monitor. */
interface Sending {
  readonly alert: Alert
  readonly monitor: string
}

/** Keeps what monitors have been told, by the messages of a child. */
export class Pings {
  readonly #told: ReadonlyArray<Told>
  /** The pings that the supervisor is sending. */
  readonly #sending = new Set<Sending>()

  constructor(monitors: ReadonlyArray<Monitor>) {
    this.#told = monitors.map((monitor) => ({
      monitor,
      selection: new Selection(monitor),
      open: new Set(),
      underWay: new Map()
    }))
  }

  receive(message: Message): void {
    switch (message._tag) {
      case "RunStarted":
        for (const { open, selection } of this.#told) if (selection.begins(message)) open.add(message.runId)
        return
      case "RunEnded":
        for (const { open, selection } of this.#told) {
          selection.ends(message.runId)
          open.delete(message.runId)
        }
        return
      case "PingTaken":
        this.#told[message.monitor]?.underWay.set(message.id, message.ping)
        return
      case "PingSettled":
        for (const { underWay } of this.#told) underWay.delete(message.id)
        return
    }
  }

  /** The pings that have neither arrived nor been lost. */
  get sending(): ReadonlyArray<Sending> {
    return [...this.#sending]
  }

  /**
   * Sends each monitor the ends that the child had not sent. With `end`, also those of the runs that had not ended, and
   * where none had begun, that of the job.
   */
  send(state: State, pipeline: string, end?: End): Effect.Effect<void> {
    return Effect.forEach(this.#told, (told) => {
      const pings = [
        ...[...told.underWay.values()].map((ping) => makePing(ping)),
        ...(end === undefined ? [] : endsOf(told, state, pipeline, end))
      ]
      if (pings.length === 0) return Effect.void
      const noting: Sender.Noting = (ping) => {
        const sending: Sending = { alert: toAlert(ping), monitor: told.monitor.service.name }
        this.#sending.add(sending)
        return () => this.#sending.delete(sending)
      }
      return Effect.scoped(Effect.flatMap(Sender.make(told.monitor, noting), (sender) => {
        pings.forEach(sender.send)
        return sender.settled
      }))
    }, { concurrency: "unbounded", discard: true })
  }
}

const endsOf = ({ monitor, open }: Told, state: State, pipeline: string, end: End): ReadonlyArray<Ping> => {
  const kind = end.stoppedBy === undefined ? "failure" : interruptKind(monitor)
  if (kind === undefined) return []
  if (!state.begun) return [pingOf(kind, end, state.pipelineName, pipeline)]
  return [...open].flatMap((runId) => {
    const run = state.runs.get(runId)
    return run === undefined ? [] : [pingOf(kind, end, run.pipelineName, run.pipelineName, run)]
  })
}

const pingOf = (
  kind: Ping["kind"],
  { death, stoppedBy }: End,
  pipelineName: string | undefined,
  name: string,
  run?: OpenRun
): Ping => {
  const job = pipelineName ?? name
  const millis = Math.max(0, death.at - (run?.startedAt ?? death.since))
  const after = `after ${lasted(millis)}${run === undefined ? ", before its run began" : ""}`
  const steps = run === undefined ? [] : innermost(run).slice(0, maxSteps)
  return makePing({
    kind,
    pipelineName,
    runId: run?.runId,
    runName: run?.runName,
    headline: stoppedBy === undefined
      ? `${job} crashed ${after}: ${how(death)}`
      : `${job} was interrupted ${after}: stopped by ${stoppedBy}`,
    lines: steps.map((step) => `in ${running(step, death.at, english)}`),
    logs: clean(death.stderr).trim().split("\n").filter((line) => line !== "").slice(-maxLogs),
    millis,
    exitCode: stoppedBy === undefined ? death.code : undefined
  })
}
