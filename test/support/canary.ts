/** Searches every output for a secret. */
import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { RunEvent } from "../../src/index.ts"

/** What every secret holds, and nothing else does. */
export const canary = "c4n4ry"

/** A value in each way that somebody might print it. */
export const printouts = (value: unknown): ReadonlyArray<string> => {
  const json = () => JSON.stringify(value, (_, item: unknown) => typeof item === "bigint" ? String(item) : item) ?? ""
  const texts = [json, () => inspect(value, { depth: 30, showHidden: true, getters: true }), () => `${String(value)}`]
  const printed = texts.map((print) => {
    try {
      return print()
    } catch (error) {
      return `can't be printed: ${String(error)}`
    }
  })
  if (value instanceof Error) printed.push(value.message, value.stack ?? "", ...printouts(value.cause))
  if (Cause.isCause(value)) {
    printed.push(
      Cause.pretty(value),
      ...value.reasons.flatMap((reason) =>
        Cause.isFailReason(reason) ? printouts(reason.error) : Cause.isDieReason(reason) ? printouts(reason.defect) : []
      )
    )
  }
  return printed
}

export const leaks = (outputs: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  outputs.flatMap(printouts).filter((text) => text.includes(canary))

/** Keeps every output of what is run in its layer. */
export const recorder = () => {
  const outputs: Array<unknown> = []
  const counts = { alerts: 0, logs: 0, spans: 0, events: 0 }
  const keep = (kind: keyof typeof counts, ...kept: ReadonlyArray<unknown>) => {
    counts[kind]++
    outputs.push(...kept)
  }
  const kept = <A>(format: Logger.Logger<unknown, A>) => Logger.map(format, (formatted) => keep("logs", formatted))
  const loggers = [
    kept(Logger.formatSimple),
    kept(Logger.formatLogFmt),
    kept(Logger.formatStructured),
    kept(Logger.formatJson)
  ]
  const raw = Logger.make<unknown, void>(({ cause, message }) => keep("logs", message, cause))
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        end(time, exit)
        keep("spans", span.name, span.attributes, span.events, exit._tag === "Failure" ? exit.cause : exit.value)
      }
      return span
    }
  })
  const layer = Layer.mergeAll(
    Logger.layer([...loggers, raw]),
    Layer.succeed(Tracer.Tracer, tracer),
    RunEvent.layer((event) => {
      keep("events", event, "exit" in event ? event.exit : undefined, "cause" in event ? event.cause : undefined)
    })
  )
  return { outputs, counts, keep, layer }
}
