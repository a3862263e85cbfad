/** Posts one alert about an error: where an inner step's hook has told of it, the hooks of the steps around it do not. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { AlertedErrors, type Alerting } from "../model/alerted.ts"
import { StepContext } from "../model/context.ts"
import { knownBy } from "../model/interrupting.ts"
import { evaluatedIn, type Occurrence } from "../model/occurrence.ts"
import { posting } from "../model/posting.ts"
import { errorsOf } from "../model/sameError.ts"
import { droppedBy } from "./metrics.ts"
import { hasNotUndone } from "./rollbackFields.ts"

/** Returns what has been alerted in a run. Runs inside of others share it, since they may fail with the same error. */
const alertedIn = (evaluation: Occurrence): AlertedErrors => {
  let { run } = evaluation
  while (run.around !== undefined) run = run.around.run
  return run.alerted ??= new AlertedErrors()
}

/** Returns the positions of the errors of an exit that alerts about an evaluation, or about what is in it, have told. */
export const toldPositions = (evaluation: Occurrence, exit: Exit.Exit<unknown, unknown>): ReadonlyArray<number> =>
  Exit.isFailure(exit) ? alertedIn(evaluation).toldIn(knownBy(evaluation, exit.cause), evaluation) : []

/** Marks errors of an exit as told from inside of an evaluation, or by its own hook. */
export const markTold = (
  evaluation: Occurrence,
  exit: Exit.Exit<unknown, unknown>,
  positions: ReadonlyArray<number> | undefined,
  by: "inner" | "own"
): void => {
  if (positions === undefined || positions.length === 0 || Exit.isSuccess(exit)) return
  const place = by === "own" ? evaluation : { around: evaluation, owner: undefined }
  alertedIn(evaluation).markTold(knownBy(evaluation, exit.cause), positions, place)
}

/** Returns the cause with only those of its errors that an alert is about. */
const only = (cause: Cause.Cause<unknown>, { errors }: Alerting): Cause.Cause<unknown> =>
  errors.length === errorsOf(cause).length ?
    cause :
    Cause.fromReasons(cause.reasons.filter((reason) =>
      Cause.isFailReason(reason)
        ? errors.includes(reason.error)
        : Cause.isDieReason(reason)
        ? errors.includes(reason.defect)
        : true
    ))

/**
 * Posts an alert about a cause, unless all of its errors have been alerted by hooks of inner steps. `post` receives the
 * cause with the others alone. With `each`, or for a run that could not undo a step, it always posts.
 *
 * An alert has told of its errors once its post succeeds, and no policy has dropped it; or once the time of the hook is
 * up and the alert is in a mailbox, unless that loses it later.
 */
export const once = <E, R>(
  cause: Cause.Cause<unknown>,
  each: boolean,
  post: (untold: Cause.Cause<unknown>) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, E, R | StepContext> =>
  Effect.flatMap(StepContext, (context) => {
    const evaluation = evaluatedIn(context)
    if (evaluation === undefined) return Effect.asVoid(post(cause))
    const alerted = alertedIn(evaluation)
    const known = knownBy(evaluation, cause)
    // uninterruptible but for the waiting and the post, so that no alert stays begun
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        each || hasNotUndone(evaluation)
          ? Effect.succeed(alerted.post(errorsOf(known), evaluation))
          : restore(alerted.begin(known, evaluation)),
        (alerting) =>
          alerting === undefined
            ? Effect.void
            : Effect.asVoid(posting((posting) => {
              posting.lost = alerting.revoke
              return Effect.onExit(
                restore(droppedBy(Effect.suspend(() => post(only(cause, alerting))))),
                // the errors of an alert that is still on its way count as told, until it is lost
                (exit) => Effect.sync(() => alerting.end(Exit.isSuccess(exit) ? !exit.value : posting.isOnItsWay))
              )
            }))
      )
    )
  })
