/** Tells monitors of the runs of a command, and of a job that could not begin. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Alert } from "../../Alert.ts"
import type { Monitor } from "../../monitors/internal/model.ts"
import { isEnd, make as makePing } from "../../monitors/internal/ping.ts"
import * as Sender from "../../monitors/internal/sender.ts"
import { scopes } from "../../monitors/internal/together.ts"
import * as Watch from "../../monitors/internal/watch.ts"
import * as RunEvent from "../../RunEvent.ts"
import type { Supervisor } from "../supervise/child.ts"
import { toPingJson } from "../supervise/pingJson.ts"

/** The monitors of a command. */
export interface Monitoring {
  /** The observers that tell them of runs. */
  readonly layer: Layer.Layer<never>
  /** Tells them of a job that could not begin, or was stopped before. The name of its pipeline may not be known. */
  readonly tell: (alert: Alert, pipelineName: string | undefined, isStopped: boolean) => void
}

/** Makes monitors. They send what is left when the scope closes. The supervisor learns of each end that is to be sent. */
export const make = (
  monitors: ReadonlyArray<Monitor>,
  supervisor: Pick<Supervisor, "send"> | undefined
): Effect.Effect<Monitoring, never, Scope.Scope> =>
  Effect.gen(function*() {
    let count = 0
    const noting = (monitor: number): Sender.Noting => (ping) => {
      if (supervisor === undefined || !isEnd(ping)) return () => {}
      const id = count++
      supervisor.send({ _tag: "PingTaken", id, monitor, ping: toPingJson(ping) })
      return () => supervisor.send({ _tag: "PingSettled", id })
    }
    const ownScope = yield* scopes
    const all = yield* Effect.forEach(monitors, (monitor, i) =>
      Effect.gen(function*() {
        const { send } = yield* Sender.make(monitor, noting(i))
        return { monitor, send, observer: yield* Watch.make(monitor, send) }
      }).pipe(Effect.provideServiceEffect(Scope.Scope, ownScope)))
    return {
      layer: all.length === 0 ? Layer.empty : RunEvent.layer(...all.map(({ observer }) => observer)),
      tell: ({ body, detail, title }, pipelineName, isStopped) => {
        for (const { monitor, send } of all) {
          const kind = isStopped ? Watch.interruptKind(monitor) : "failure"
          if (kind === undefined) continue
          send(makePing({ kind, pipelineName, headline: title, lines: body?.split("\n") ?? [], detail }))
        }
      }
    }
  })
