/** Posts the alerts of the standard hooks through an alerter. */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { hasProperty } from "effect/Predicate"
import type { Alert, Severity } from "../../Alert.ts"
import { StepContext } from "../../StepContext.ts"
import type { AlerterError } from "../model/alerterError.ts"
import type { Outcome } from "../model/events.ts"
import { isRunInterrupted } from "../model/interrupting.ts"
import { evaluatedIn, type Occurrence, type OccurrenceRun } from "../model/occurrence.ts"
import { isToldElsewhere, type Overdue } from "../model/overdue.ts"
import { postingOfHook } from "../model/posting.ts"
import { CurrentGuard } from "../model/secrets.ts"
import { reasonOf, skippedOf, type StepSkipped } from "../model/skip.ts"
import { CurrentStopping } from "../model/stopping.ts"
import type { Words } from "../text/alertWords.ts"
import { errorText } from "../text/errors.ts"
import { attempt, property, Unreadable } from "../text/read.ts"
import { explained, posted } from "./alerter.ts"
import { once } from "./once.ts"
import { alertOf } from "./outcomeAlert.ts"
import { endedAlert, onTold, overdueAlert } from "./overdueAlert.ts"
import { summarized } from "./runSummary.ts"
import { settleLater } from "./settle.ts"
import type { Posting } from "./settling.ts"
import { CurrentWords, wordsOf } from "./words.ts"
import { zoneOf } from "./zone.ts"

/** The evaluation that an alert is about, and the words that it is told in. */
interface About {
  readonly run: OccurrenceRun | undefined
  readonly millis: number
  readonly words: Words
}

const wordsFor = (alerter: Posting): Effect.Effect<Words> =>
  Effect.map(CurrentWords, (words) => wordsOf(alerter) ?? words)

/**
 * Returns an alert as the function of a hook changes it. One that throws, or returns no alert, must not keep people from
 * being told: the alert stays as it was, with the error in a field that is named as the function of the hook is.
 */
const adjusted = <About>(
  alert: Alert,
  kind: Outcome | "overdue",
  adjust: (alert: Alert, about: About) => Alert,
  about: About
): Alert => {
  const made = attempt(() => {
    const made = adjust(alert, about)
    if (typeof property(Object(made), "title") !== "string") {
      throw new TypeError(`its function returned ${Effect.isEffect(made) ? "an Effect" : kindOf(made)}, and no alert`)
    }
    return made
  })
  return Unreadable.is(made)
    ? alert.with({ fields: [...alert.fields, { name: `${kind}With`, value: errorText(made.thrown) }] })
    : made
}

const kindOf = (value: unknown): string =>
  value === null ? "null" : hasProperty(value, "then") ? "a promise" : typeof value

/** Posts the alert of a step or a run that ended. `end` is the cause of a failure, or the reason of a skip. */
export const post = (
  alerter: Posting,
  outcome: Outcome,
  end: Cause.Cause<unknown> | string | undefined,
  adjust: (alert: Alert, about: About) => Alert,
  then: (evaluation: Occurrence, alert: Alert, alerter: Posting) => void = () => {}
): Effect.Effect<void, AlerterError, StepContext> =>
  Effect.gen(function*() {
    const context = yield* StepContext
    const guard = yield* CurrentGuard
    const words = yield* wordsFor(alerter)
    const stopping = outcome === "interrupt" ? yield* CurrentStopping : undefined
    const signal = stopping?.signal()
    const staying = signal === undefined ? 0 : stopping!.staying()
    const failure = stopping?.failure()
    const started = DateTime.toEpochMillis(context.startedAt)
    const evaluation = evaluatedIn(context)
    const before = Math.max(0, (evaluation?.bodyMillis ?? started) - started)
    const millis = Math.max(0, Duration.toMillis(yield* StepContext.elapsed) - before)
    yield* explained("alerter", () => {
      // before the body is cut to its first line, and again, since the hook's own changes may add some
      const cause = typeof end === "string" ? undefined : end
      const shown = cause && (guard?.cause(cause) ?? cause)
      const made = adjusted(
        alertOf({
          context,
          outcome,
          severity: failure === undefined ? severityOf(outcome, evaluation) : "error",
          millis,
          cause: shown,
          reason: typeof end === "string" ? end : staying > 0 ? words.runsUnderWay(staying) : failure,
          signal,
          evaluation,
          words
        }),
        outcome,
        adjust,
        { run: evaluation?.run, millis, words }
      )
      const alert = guard?.alert(made) ?? made
      if (evaluation !== undefined) {
        // a quiet alert tells nobody of the end
        if (evaluation.lateness !== undefined && !alert.quiet) evaluation.lateness.endTold = true
        then(evaluation, alert, alerter)
      }
      return postingOfHook(posted(alert, alerter))
    })
  })

/** Posts the alert of an interruption, unless an inner step has told of it. */
export const postInterrupt = (
  alerter: Posting,
  cause: Cause.Cause<unknown>,
  adjust: (alert: Alert) => Alert
): Effect.Effect<void, AlerterError, StepContext> =>
  once(cause, false, () => post(alerter, "interrupt", undefined, adjust))

/** Posts the alert of a skip, unless the skipped step inside has told of it. */
export const postSkip = (
  alerter: Posting,
  skipped: StepSkipped,
  adjust: (alert: Alert) => Alert
): Effect.Effect<void, AlerterError, StepContext> =>
  once(Cause.fail(skipped), false, () => post(alerter, "skip", reasonOf(skipped), adjust))

/** Posts the alert that sums a run up. */
export const postSummary = (
  alerter: Posting,
  exit: Exit.Exit<unknown, unknown>,
  outcome: Outcome,
  adjust: (alert: Alert) => Alert
): Effect.Effect<void, AlerterError, StepContext> =>
  Effect.flatMap(CurrentGuard, (guard) => {
    const end = exit._tag === "Failure" && outcome === "failure" ? exit.cause : reasonOf(skippedOf(exit))
    const shown = (cause: Cause.Cause<unknown>) => guard?.cause(cause) ?? cause
    return post(
      alerter,
      outcome,
      end,
      (alert, { run, words }) => adjust(run === undefined ? alert : summarized(alert, outcome, run, shown, words))
    )
  })

/** Posts the alert of a step or a run that is overdue, and has its end told where this has been told. */
export const postOverdue = (
  alerter: Posting,
  overdue: Overdue,
  adjust: (alert: Alert, overdue: Overdue) => Alert
): Effect.Effect<void, AlerterError, StepContext> =>
  Effect.gen(function*() {
    const context = yield* StepContext
    const guard = yield* CurrentGuard
    const words = yield* wordsFor(alerter)
    const services = yield* Effect.context<StepContext>()
    yield* explained("alerter", () => {
      const evaluation = evaluatedIn(context)
      const zone = zoneOf(alerter) ?? DateTime.zoneMakeLocal()
      const made = adjusted(overdueAlert(context, overdue, zone, words), "overdue", adjust, overdue)
      const alert = guard?.alert(made) ?? made
      const told = () => {
        if (evaluation === undefined) return
        const tellEnd = (exit: Exit.Exit<unknown, unknown>) =>
          Effect.provideContext(postEnd(alerter, exit, alert), services)
        evaluation.lateness = { endTold: false, tellEnd }
      }
      return isToldElsewhere(overdue) ? Effect.sync(told) : onTold(postingOfHook(posted(alert, alerter)), told)
    })
  })

/** Posts how a step or a run ended that an alert has told to be overdue, where no hook has. */
const postEnd = (
  alerter: Posting,
  exit: Exit.Exit<unknown, unknown>,
  overdue: Alert
): Effect.Effect<void, AlerterError, StepContext> => {
  if (exit._tag === "Success") {
    return post(
      alerter,
      "success",
      undefined,
      (alert, { millis, words }) => endedAlert(alert, overdue, millis, words),
      settle
    )
  }
  const skipped = skippedOf(exit)
  if (skipped !== undefined) return postSkip(alerter, skipped, (alert) => alert)
  return Cause.hasInterruptsOnly(exit.cause)
    ? postInterrupt(alerter, exit.cause, (alert) => alert)
    : once(exit.cause, false, (untold) => post(alerter, "failure", untold, (alert) => alert))
}

/** Keeps the alert of a success that does not resolve yet until the end of its run. */
export const settle = (evaluation: Occurrence, alert: Alert, alerter: Posting): void => {
  if (!alert.resolves) settleLater(evaluation, alert, alerter)
}

/** Returns the severity of an outcome. A skip is no warning, nor is an interruption that the run survives. */
const severityOf = (outcome: Outcome, evaluation: Occurrence | undefined): Severity =>
  outcome === "success"
    ? "success"
    : outcome === "failure"
    ? "error"
    : outcome === "skip"
    ? "info"
    : evaluation === undefined || isRunInterrupted(evaluation)
    ? "warning"
    : "info"
