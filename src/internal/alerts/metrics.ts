/** Counts alerts where they are delivered, fail, or are held back, whoever listens. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import type { AlerterError } from "../model/alerterError.ts"

const counter = (name: string, description: string): Metric.Counter<number> =>
  Metric.counter(name, { description, incremental: true })

const delivered = counter("epilogue_alerts_delivered_total", "Alerts that arrived, by channel")
const failed = counter("epilogue_alerts_failed_total", "Alerts that did not arrive, by channel and reason")
const held = counter("epilogue_alerts_held_back_total", "Alerts that a policy held or dropped, by policy")

// a channel's labels are its own name and a tag: an error may quote anything
const add = (metric: Metric.Counter<number>, attributes: Metric.Metric.AttributeSet): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(metric, attributes), 1)

/** Of the post that this one is a part of, where an alerter passes its alerts on to another. */
const Around: Context.Reference<{ counted: boolean } | undefined> = Context.Reference<{ counted: boolean } | undefined>(
  "effect-epilogue/Alerter/Around",
  { defaultValue: () => undefined }
)

/** Counts what comes of a post, unless an alerter within has done so: each alert once in each channel that it comes to. */
export const counted = (
  channel: string,
  post: Effect.Effect<void, AlerterError>
): Effect.Effect<void, AlerterError> =>
  Effect.withFiber((fiber) => {
    const around = fiber.getRef(Around)
    const own = { counted: false }
    return Effect.onExit(Effect.provideService(post, Around, own), (exit) => {
      if (around !== undefined) around.counted = true
      if (own.counted) return Effect.void
      return exit._tag === "Success"
        ? add(delivered, { channel })
        : add(failed, { channel, reason: reasonOf(exit) })
    })
  })

/** What takes too long, for a hook or for a fallback, is interrupted: then too it has not arrived. */
const reasonOf = ({ cause }: Exit.Failure<void, AlerterError>): string => {
  const error = Cause.findErrorOption(cause)
  return error._tag === "Some" ? error.value.reason._tag : "Interrupted"
}

/** A policy keeps an alert for later, or for good. */
export const heldBack = (policy: string): Effect.Effect<void> => add(held, { policy })
