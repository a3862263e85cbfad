/** The metrics of alerts: those that were delivered, that failed, and that a policy held back. */
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

// labels are names and tags alone, and never messages: an error may quote anything
const add = (metric: Metric.Counter<number>, attributes: Metric.Metric.AttributeSet): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(metric, attributes), 1)

/** The post around a post, where an alerter passes its alerts on to another one. */
const Around: Context.Reference<{ counted: boolean } | undefined> = Context.Reference<{ counted: boolean } | undefined>(
  "effect-epilogue/Alerter/Around",
  { defaultValue: () => undefined }
)

/** Counts the result of a post, unless an alerter that it was passed on to has counted it: once for each channel. */
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

/** Returns the label of a failure. A post that exceeds the time limit of a hook or a fallback is `Interrupted`. */
const reasonOf = ({ cause }: Exit.Failure<void, AlerterError>): string => {
  const error = Cause.findErrorOption(cause)
  return error._tag === "Some" ? error.value.reason._tag : "Interrupted"
}

/** Counts an alert that a policy holds for later, or that repeats one that was delivered. */
export const heldBack = (policy: string): Effect.Effect<void> => add(held, { policy })

/** The post of a hook, which learns whether the alert was dropped: then its errors have not been told. */
const Fate: Context.Reference<{ dropped: boolean } | undefined> = Context.Reference<{ dropped: boolean } | undefined>(
  "effect-epilogue/Alerter/Fate",
  { defaultValue: () => undefined }
)

const drop: Effect.Effect<void> = Effect.map(Fate, (fate) => {
  if (fate !== undefined) fate.dropped = true
})

/** Counts an alert that a policy drops, so that nobody is told. */
export const dropped = (policy: string): Effect.Effect<void> => Effect.andThen(drop, heldBack(policy))

/** Posts an alert, and succeeds with whether a policy dropped it. */
export const droppedBy = <E, R>(post: Effect.Effect<unknown, E, R>): Effect.Effect<boolean, E, R> =>
  Effect.suspend(() => {
    const fate = { dropped: false }
    return Effect.map(Effect.provideService(post, Fate, fate), () => fate.dropped)
  })

/** Marks the alert around as dropped if all of its posts were. */
export const droppedByAll = (posts: ReadonlyArray<boolean>): Effect.Effect<void> =>
  posts.every((dropped) => dropped) ? drop : Effect.void
