/** Keeps which errors of a run have been alerted, so that the alert of an outer step does not repeat them. */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { isAgain, type Place } from "./place.ts"
import { errorKey, errorsOf, holdsKnown, isReference, partsOf } from "./sameError.ts"

/** An alert about an error. */
interface Posted {
  readonly by: Place
  /** Completed when the post has ended. `undefined` if it was delivered. */
  posting: Deferred.Deferred<void> | undefined
}

/** How many alerts about one error, and how many errors without a reference, are remembered. */
const maxPosted = 256

/** The errors of a run, and of the runs inside it, that have been alerted. It takes constant memory. */
export class AlertedErrors {
  readonly #byReference = new WeakMap<object, Array<Posted>>()
  readonly #byValue = new Map<unknown, Array<Posted>>()

  /**
   * Begins an alert about the errors of a cause that no alert from inside of `place` has told. Succeeds with these
   * errors and with functions that end the alert, or with `undefined` where all have been told. Waits for alerts from
   * inside that are being posted, since they may fail.
   *
   * An earlier evaluation of the same step value in the run, at the same place, counts as inside for an error with a
   * reference: a step that is evaluated again, and fails with the very same object, has nothing new to tell, unless it has
   * succeeded meanwhile.
   */
  begin(cause: Cause.Cause<unknown>, place: Place): Effect.Effect<Alerting | undefined> {
    return Effect.suspend(() => {
      const posting = new Set<Posted>()
      const errors = errorsOf(cause)
      const untold = errors.filter((error) => !this.#isTold(error, place, posting))
      if (untold.length === 0 && errors.length > 0) return Effect.undefined
      if (posting.size === 0) return Effect.succeed(this.post(untold, place))
      return Effect.flatMap(
        // the cast: a post that is in the set is not delivered yet
        Effect.forEach(posting, ({ posting }) => Deferred.await(posting!), { discard: true }),
        () => this.begin(cause, place)
      )
    })
  }

  /** Begins an alert about errors, whether or not they have been told. */
  post(errors: ReadonlyArray<unknown>, by: Place): Alerting {
    const posted: Posted = { by, posting: Deferred.makeUnsafe<void>() }
    const keys = new Set(errors.flatMap((error) => [...partsOf(error)]))
    for (const key of keys) this.#add(key, posted)
    const revoke = (): void => {
      for (const key of keys) this.#remove(key, posted)
    }
    return {
      errors,
      end: (delivered) => {
        const { posting } = posted
        if (posting === undefined) return
        posted.posting = undefined
        if (!delivered) revoke()
        Deferred.doneUnsafe(posting, Effect.void)
      },
      revoke
    }
  }

  /** Returns the positions of the errors in a cause that were told by alerts from inside of a place, or by its own. */
  toldIn(cause: Cause.Cause<unknown>, place: Place): ReadonlyArray<number> {
    return errorsOf(cause).flatMap((error, i) => this.#isTold(error, place, new Set(), true) ? [i] : [])
  }

  /** Marks the errors of a cause at these positions as told by a place. */
  markTold(cause: Cause.Cause<unknown>, positions: ReadonlyArray<number>, by: Place): void {
    const errors = errorsOf(cause)
    this.post(positions.flatMap((i) => i < errors.length ? [errors[i]] : []), by).end(true)
  }

  /** Whether an error has been told from inside of a place or, with `own`, by the place itself. */
  #isTold(error: unknown, place: Place, posting: Set<Posted>, own = false): boolean {
    return holdsKnown(error, (part) => {
      const reference = isReference(part)
      const alerts = reference ? this.#byReference.get(part) : this.#byValue.get(errorKey(part))
      return alerts?.some((alert) => {
        if (alert.by === place ? !own : !isInside(alert.by, place, reference)) return false
        if (alert.posting === undefined) return true
        posting.add(alert)
        return false
      }) === true
    })
  }

  #add(key: unknown, alert: Posted): void {
    const alerts = (isReference(key) ? this.#byReference.get(key) : this.#byValue.get(key)) ?? []
    alerts.push(alert)
    if (alerts.length > maxPosted) alerts.shift()
    if (isReference(key)) {
      this.#byReference.set(key, alerts)
      return
    }
    this.#byValue.delete(key)
    this.#byValue.set(key, alerts)
    for (const oldest of this.#byValue.keys()) {
      if (this.#byValue.size <= maxPosted) break
      this.#byValue.delete(oldest)
    }
  }

  #remove(key: unknown, alert: Posted): void {
    const alerts = isReference(key) ? this.#byReference.get(key) : this.#byValue.get(key)
    const at = alerts?.indexOf(alert) ?? -1
    if (at >= 0) alerts!.splice(at, 1)
  }
}

/** Whether an alert was posted from inside of a place or, with `again`, of an earlier evaluation of it. */
const isInside = (by: Place, place: Place, again: boolean): boolean => {
  const { run } = by
  const isSame = again && run === place.run && !run?.unsuccessful?.failures.some((at) => at.over && at.step === by)
    ? isAgain
    : Object.is
  for (let at: Place | undefined = by; at !== undefined; at = at.around) if (isSame(at, place)) return true
  return false
}

/** An alert that is being posted. */
export interface Alerting {
  /** The errors that it is about. */
  readonly errors: ReadonlyArray<unknown>
  /** Ends it. An alert that was not delivered has told nothing. */
  readonly end: (delivered: boolean) => void
  /** Takes back that it has told of its errors. */
  readonly revoke: () => void
}
