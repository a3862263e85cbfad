/** Tells observers what becomes of the alerts that the steps of a run post: at each channel, and at policies. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Alert } from "../../Alert.ts"
import { StepContext } from "../../StepContext.ts"
import { type AlerterError, errorIn, explain } from "../model/alerterError.ts"
import type { RunInfo } from "../model/eventInfo.ts"
import type { AlertPosted, Unsent } from "../model/events.ts"
import { evaluatedIn, type Occurrence } from "../model/occurrence.ts"
import type { Guard } from "../model/secrets.ts"
import { innerContext } from "../model/spanTracers.ts"
import { withoutUrls } from "../text/addresses.ts"
import { utc } from "../text/utc.ts"
import { cut, joinLines } from "../text/words.ts"
import type { Taken } from "./ledger.ts"

// with an ellipsis 200 and 300
const maxTitle = 199
const maxReason = 299

/** The event without the fields that the run adds. */
export type Told = Omit<AlertPosted, keyof RunInfo>

/** The post of a step, or of a run, that has observers. */
interface Reported {
  readonly by: Pick<Occurrence, "info"> & { readonly run: Pick<Occurrence["run"], "guard" | "telling"> }
  /** Whether a mailbox or another alerter tells what becomes of the alert, and those inside of it do not. */
  readonly isTold: boolean
  /** Whether an alerter of the library has the alert. One of the user's own tells nothing. */
  isSeen: boolean
}

const CurrentReported: Context.Reference<Reported | undefined> = Context.Reference<Reported | undefined>(
  "effect-epilogue/Alerter/Reported",
  { defaultValue: () => undefined }
)

/** Tells what has become of an alert at one place, or what has become of it since. */
export type Report = (result: AlertPosted["result"], error?: AlerterError | string) => void

/** Finds whose post an alert is: its results are told as those of the innermost step around. */
export const reporting = <E, R>(
  post: (reported: { isSeen: boolean } | undefined) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> =>
  Effect.withFiber((fiber) => {
    const known = fiber.getRef(CurrentReported)
    const context = innerContext(fiber, Context.getOrUndefined(fiber.context, StepContext))
    const by = context === undefined ? undefined : evaluatedIn(context)
    if (by === undefined || known?.by === by) return post(known)
    const made = by.run.telling === undefined ? undefined : { by, isTold: false, isSeen: false }
    return made === known ? post(made) : Effect.provideService(post(made), CurrentReported, made)
  })

/** Posts an alert outside of any step, and tells what becomes of it, without the values of the guard. */
export const reportedTo = <A, E, R>(
  post: Effect.Effect<A, E, R>,
  tell: (event: Told) => void,
  guard: Guard
): Effect.Effect<A, E, R> => {
  // the cast: nothing else is told of an alert
  const by = { info: undefined, run: { guard, telling: { send: (event: Unsent) => tell(event as Told) } } }
  return Effect.provideService(post, CurrentReported, { by, isTold: false, isSeen: false })
}

/** Returns a context in which nothing is told of an alert, since what has taken it tells that. */
export const untold = (context: Context.Context<never>): Context.Context<never> => {
  const reported = Context.get(context, CurrentReported)
  return reported === undefined ? context : Context.add(context, CurrentReported, { ...reported, isTold: true })
}

/**
 * Begins to report what becomes of an alert at a channel or a policy. `undefined` where nobody is told: of a quiet
 * alert, and where the run has no observers.
 */
export const reportOf = (
  { quiet, severity, title }: Alert,
  place: string,
  context: Context.Context<never>
): Report | undefined => {
  const reported = Context.get(context, CurrentReported)
  if (reported === undefined || quiet) return undefined
  reported.isSeen = true
  if (reported.isTold) return undefined
  const { by: { info, run } } = reported
  const postedAt = utc(Context.get(context, Clock.Clock).currentTimeMillisUnsafe())
  let deliveryId: string | undefined
  let last: Pick<AlertPosted, "previous" | "reason"> | undefined
  let isOver = false
  return (result, error) => {
    const why = typeof error === "object" ? explain(error.reason) : error
    const reason = why === undefined ? undefined : cut(joinLines(withoutUrls(run.guard?.text(why) ?? why)), maxReason)
    // of a channel that tries again, the reason of the first attempt is told
    const isNews = last?.previous !== result || (last.reason === undefined && reason !== undefined)
    if (isOver || !isNews) return
    const previous = last?.previous
    if (result === "held" || result === "waiting") last = { previous: result, reason }
    else isOver = true
    deliveryId ??= globalThis.crypto.randomUUID().slice(-12)
    run.telling?.send({
      _tag: "AlertPosted",
      deliveryId,
      step: info,
      title: cut(joinLines(title), maxTitle),
      severity,
      by: place,
      result,
      previous,
      reason,
      postedAt
    })
  }
}

/** Reports the end of a post. */
export const reportExit = (report: Report | undefined, exit: Exit.Exit<unknown, AlerterError>): void => {
  if (exit._tag === "Success") report?.("delivered")
  else report?.("failed", errorIn(exit) ?? "it was interrupted before it was delivered")
}

/** Reports the end of a post at a place. */
export const told = <A, E extends AlerterError, R>(
  alert: Alert,
  place: string,
  post: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const report = reportOf(alert, place, fiber.context)
    return report === undefined ? post : Effect.onExit(post, (exit) => Effect.sync(() => reportExit(report, exit)))
  })

/** Reports what becomes of an alert that a channel or a policy has taken, beside what a ledger notes of that. */
export const followed = (taken: Taken, report: Report | undefined): Taken =>
  report === undefined ? taken : {
    delivered: () => {
      report("delivered")
      taken.delivered()
    },
    lost: (error) => {
      report("failed", error)
      taken.lost(error)
    },
    kept: () => {
      report("held")
      taken.kept()
    }
  }

/** Reports what a policy does with an alert, or that an alerter drops all. */
export const reported = (
  alert: Alert,
  place: string,
  result: AlertPosted["result"]
): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    reportOf(alert, place, fiber.context)?.(result)
    return Effect.void
  })
