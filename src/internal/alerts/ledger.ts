/** The ledger of alerts: what becomes of those that an alerter has taken, beyond the post that brought them. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Alert } from "../../Alert.ts"
import { AlerterError, AlerterErrorReason, errorIn } from "../model/alerterError.ts"

/** Learns what becomes of alerts that somebody has taken, beyond the post that brought them. */
export interface Ledger {
  /** An alerter has taken an alert, and is responsible for it from now on. `by`: the channel or the policy. */
  readonly accepted: (alert: Alert, by: string) => Taken
  /** A post failed, and its caller was told: nothing else will try it. */
  readonly lost: (alert: Alert, error: AlerterError) => void
}

/** An alert that somebody has taken. One of the functions is called, once. */
export interface Taken {
  /** The alert has arrived, or another alert or alerter stands for it from now on. */
  readonly delivered: () => void
  /** The alert will not arrive. */
  readonly lost: (error: AlerterError) => void
  /** A store keeps the alert for another process. */
  readonly kept: () => void
}

/**
 * The ledger of a program, if it has one. Who takes an alert reads it in the fiber of the post, so that the post is known
 * to have handed the alert on; posts in the background use that of the fiber that has built the layer.
 */
export const CurrentLedger: Context.Reference<Ledger | undefined> = Context.Reference<Ledger | undefined>(
  "effect-epilogue/Alerter/Ledger",
  { defaultValue: () => undefined }
)

const ignore = () => {}

/** Takes note of nothing. */
export const none: Ledger = {
  accepted: () => ({ delivered: ignore, lost: ignore, kept: ignore }),
  lost: ignore
}

/** The ledger inside of a post: keeps whether others have taken the alert, and what failed, until the post ends. */
class PostLedger implements Ledger {
  readonly #around: Ledger
  /** The note that the post itself is under way. */
  #own: Taken | undefined
  #isOver = false
  /** The number of those that have taken the alert and not settled it. */
  #holding = 0
  #last: AlerterError | undefined

  constructor(around: Ledger, own?: Taken) {
    this.#around = around
    this.#own = own
  }

  /** Whether somebody holds the alert who will settle it. */
  get isTaken(): boolean {
    return this.#holding > 0 && this.#last === undefined
  }

  accepted(alert: Alert, by: string): Taken {
    const taken = this.#around.accepted(alert, by)
    // from now on there are two notes of one alert
    this.#settle()
    this.#holding++
    this.#last = undefined
    const settling = <A extends ReadonlyArray<unknown>>(settle: (...args: A) => void) => (...args: A) => {
      this.#holding--
      settle(...args)
    }
    return {
      delivered: settling(taken.delivered),
      kept: settling(taken.kept),
      lost: settling((error: AlerterError) => {
        if (this.#isOver) return taken.lost(error)
        // the post may yet send it another way: it is under way again
        this.#last = error
        this.#settle()
        this.#own = taken
      })
    }
  }

  lost(alert: Alert, error: AlerterError): void {
    if (this.#isOver) this.#around.lost(alert, error)
    else this.#last = error
  }

  /** Ends the post of an alert to a channel. */
  end(alert: Alert, channel: string, exit: Exit.Exit<void, AlerterError>): void {
    this.#isOver = true
    if (exit._tag === "Success" || (this.isTaken && Cause.hasInterruptsOnly(exit.cause))) return this.#settle()
    const error = errorIn(exit) ?? this.#last ?? new AlerterError({ channel, reason: AlerterErrorReason.TimedOut({}) })
    if (this.#own !== undefined) this.#own.lost(error)
    else if (!(this.#around instanceof PostLedger)) this.#around.lost(alert, error)
    // a post that ends later than the one around it was given up: that has sent the alert another way, or told of it
    else this.#around.#last = error
  }

  /** From now on those who have taken the alert tell themselves that it is lost. */
  release(): void {
    this.#isOver = true
    this.#settle()
  }

  #settle(): void {
    this.#own?.delivered()
    this.#own = undefined
  }
}

/**
 * Tells the ledger of a post: that it is under way, and whether it failed or was interrupted. Of posts inside of others
 * only the outermost tells, since those around may send the alert another way. A post that is interrupted after somebody
 * has taken the alert loses nothing.
 */
export const entered = <E extends AlerterError, R>(
  alert: Alert,
  channel: string,
  post: Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> =>
  Effect.withFiber((fiber) => {
    const around = fiber.getRef(CurrentLedger)
    if (around === undefined || alert.quiet) return post
    const posted = new PostLedger(around, around instanceof PostLedger ? undefined : around.accepted(alert, channel))
    return Effect.onExit(
      Effect.provideService(post, CurrentLedger, posted),
      (exit) => Effect.sync(() => posted.end(alert, channel, exit))
    )
  })

/** The ledger of posts whose caller tries again, or settles what it has taken: a failure of them loses nothing yet. */
interface Trial extends Ledger {
  /** Whether others hold the alert and will settle it, though the post was interrupted. */
  readonly isTaken: boolean
  /** Ends the trial: from now on those others tell themselves that the alert is lost. */
  readonly release: () => void
}

/** Makes the ledger of a {@link Trial}. */
export const trial = (around: Ledger = none): Trial => new PostLedger(around)
