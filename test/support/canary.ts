/** Records every output of an Effect and searches it for secrets. */
import * as Cause from "effect/Cause"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { RunEvent } from "../../src/index.ts"

/** A text that every secret of a test contains, and nothing else. */
export const canary = "c4n4ry"

/** Prints a value in each way that a program might: JSON, `inspect`, `String`, and the texts of errors and causes. */
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

/** Returns the printouts of the outputs that contain the {@link canary}. */
export const leaks = (outputs: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  outputs.flatMap(printouts).filter((text) => text.includes(canary))

/** Makes a layer that records all logs, spans and run events of the Effects that use it. */
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
        keep(
          "spans",
          span.name,
          span.attributes,
          span.events,
          span.links.map(({ attributes }) => attributes),
          exit._tag === "Failure" ? exit.cause : exit.value
        )
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
