/** The metrics of alerts: those that were delivered, that failed, and that a policy held back. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import type { Alert } from "../../Alert.ts"
import { type AlerterError, errorIn } from "../model/alerterError.ts"
import { CurrentPosting } from "../model/posting.ts"
import { CurrentGuard } from "../model/secrets.ts"
import { reported, reportExit, reportOf } from "./reports.ts"

/** Labels are names and tags alone, and never messages: an error may quote anything. */
type Labels = Metric.Metric.AttributeSet

// given to a metric as it is made: `Metric.withAttributes` would load more, and make another one around it each time
const counter = (name: string, description: string) => (attributes: Labels): Metric.Counter<number> =>
  Metric.counter(name, { description, attributes, incremental: true })

const delivered = counter("epilogue_alerts_delivered_total", "Alerts that arrived, by channel")
const failed = counter("epilogue_alerts_failed_total", "Alerts that did not arrive, by channel and reason")
const folded = counter(
  "epilogue_alerts_folded_total",
  "Alerts folded into another, by channel"
)
const lost = counter(
  "epilogue_alerts_lost_total",
  "Alerts given up after their hook, by channel"
)
const waiting = (attributes: Labels) =>
  Metric.gauge("epilogue_alerts_waiting", { description: "Alerts on their way to a channel, by channel", attributes })
const held = counter("epilogue_alerts_held_back_total", "Alerts that a policy held or dropped, by policy")

/** Returns the labels of a channel, whose name users choose, without the secrets of the guard. */
const labelsOf = (channel: string, context: Context.Context<never>) => ({
  channel: Context.get(context, CurrentGuard)?.text(channel) ?? channel
})

/** The post around a post, where an alerter passes its alerts on to another one. */
const Around: Context.Reference<{ counted: boolean } | undefined> = Context.Reference<{ counted: boolean } | undefined>(
  "effect-epilogue/Alerter/Around",
  { defaultValue: () => undefined }
)

/** Counts and reports the result of a post, unless an alerter that it was passed on to has: once for each channel. */
export const counted = (
  alert: Alert,
  channel: string,
  post: Effect.Effect<void, AlerterError>
): Effect.Effect<void, AlerterError> =>
  Effect.withFiber((fiber) => {
    const around = fiber.getRef(Around)
    const own = { counted: false }
    const posting = fiber.getRef(CurrentPosting)
    const report = reportOf(alert, channel, fiber.context)
    posting?.addDirect(1)
    return Effect.onExit(Effect.provideService(post, Around, own), (exit) => {
      posting?.addDirect(-1)
      if (around !== undefined) around.counted = true
      if (own.counted) return Effect.void
      reportExit(report, exit)
      const labels = labelsOf(channel, fiber.context)
      return exit._tag === "Success"
        ? Metric.update(delivered(labels), 1)
        : Metric.update(failed({ ...labels, reason: reasonOf(exit) }), 1)
    })
  })

/** Returns the label of a failure. A post that exceeds the time limit of a hook or a fallback is `Interrupted`. */
const reasonOf = (exit: Exit.Exit<void, AlerterError>): string => errorIn(exit)?.reason._tag ?? "Interrupted"

/** Adds to the number of alerts that are on their way to a channel. */
export const countWaiting = (channel: string, change: number, context: Context.Context<never>): void =>
  waiting(labelsOf(channel, context)).modifyUnsafe(change, context)

/** Counts an alert that was folded into another. */
export const countFolded = (channel: string, context: Context.Context<never>): void =>
  folded(labelsOf(channel, context)).updateUnsafe(1, context)

/** Counts alerts that will not arrive, though nobody waits for them. */
export const countLost = (channel: string, count: number, context: Context.Context<never>): void =>
  lost(labelsOf(channel, context)).updateUnsafe(count, context)

/** Counts an alert that a policy holds for later, or that repeats one that was delivered. */
export const heldBack = (policy: string): Effect.Effect<void> => Metric.update(held({ policy }), 1)

/** Counts and reports what a policy does with an alert. */
const kept = (alert: Alert, policy: string, result: "held" | "dropped"): Effect.Effect<void> =>
  Effect.andThen(reported(alert, policy, result), heldBack(policy))

/** The post around, which learns whether a policy only counted the alert. */
const Counting: Context.Reference<{ counted: boolean } | undefined> = Context.Reference<
  { counted: boolean } | undefined
>("effect-epilogue/Alerter/Counting", { defaultValue: () => undefined })

/** Counts an alert that a policy only counts, so that people are not shown it. */
export const countedOnly = (alert: Alert, policy: string): Effect.Effect<void> =>
  Effect.flatMap(Counting, (counting) => {
    if (counting !== undefined) counting.counted = true
    return kept(alert, policy, "held")
  })

/** Posts an alert, and succeeds with whether a policy only counted it, at one of its places or at all. */
export const countedBy = <A, E, R>(
  post: Effect.Effect<A, E, R>
): Effect.Effect<readonly [A, counted: boolean], E, R> =>
  Effect.suspend(() => {
    const counting = { counted: false }
    return Effect.map(Effect.provideService(post, Counting, counting), (value) => [value, counting.counted] as const)
  })

/** The post of a hook, which learns whether the alert was dropped: then its errors have not been told. */
const Fate: Context.Reference<{ dropped: boolean } | undefined> = Context.Reference<{ dropped: boolean } | undefined>(
  "effect-epilogue/Alerter/Fate",
  { defaultValue: () => undefined }
)

const drop: Effect.Effect<void> = Effect.map(Fate, (fate) => {
  if (fate !== undefined) fate.dropped = true
})

/** Counts an alert that a policy drops, so that nobody is told. */
export const dropped = (alert: Alert, policy: string): Effect.Effect<void> =>
  Effect.andThen(drop, kept(alert, policy, "dropped"))

/** Posts an alert, and succeeds with whether a policy dropped it. */
export const droppedBy = <E, R>(post: Effect.Effect<unknown, E, R>): Effect.Effect<boolean, E, R> =>
  Effect.suspend(() => {
    const fate = { dropped: false }
    return Effect.map(Effect.provideService(post, Fate, fate), () => fate.dropped)
  })

/** Marks the alert around as dropped if all of its posts were. */
export const droppedByAll = (posts: ReadonlyArray<boolean>): Effect.Effect<void> =>
  posts.every((dropped) => dropped) ? drop : Effect.void
