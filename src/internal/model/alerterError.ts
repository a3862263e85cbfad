/** The error of alerters and approvers. */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import { formatDuration } from "../text/duration.ts"
import { selfExplained } from "../text/selfExplained.ts"

/**
 * The reason why an alert did not arrive, or a question could not be asked:
 *
 * - `Unauthorized`: the channel does not accept the credentials;
 * - `RateLimited`: too many alerts; `retryAfter` is set if the channel says how long to wait;
 * - `Rejected`: the channel refuses this alert; `status` is its HTTP status, if any;
 * - `Unreachable`: the channel can't be reached, or it closed the connection;
 * - `TimedOut`: the channel did not answer in time;
 * - `InvalidAlert`: the alert can't be sent through this channel at all.
 *
 * **Gotchas**
 *
 * A `detail` is shown in logs, so it must not contain a token or a URL.
 *
 * @see {@link AlerterError} for the error with this reason
 *
 * @category errors
 * @since 0.1.0
 */
export type AlerterErrorReason = Data.TaggedEnum<{
  Unauthorized: { readonly detail?: string | undefined }
  RateLimited: { readonly retryAfter?: Duration.Duration | undefined }
  Rejected: { readonly status?: number | undefined; readonly detail: string }
  Unreachable: { readonly detail?: string | undefined }
  TimedOut: { readonly limit?: Duration.Duration | undefined }
  InvalidAlert: { readonly detail: string }
}>

/**
 * The constructors of {@link AlerterErrorReason}, as in `AlerterErrorReason.Unreachable({})`.
 *
 * @category errors
 * @since 0.1.0
 */
export const AlerterErrorReason: Data.TaggedEnum.Constructor<AlerterErrorReason> = Data.taggedEnum<AlerterErrorReason>()

/**
 * The fields of an {@link AlerterError}.
 *
 * @see {@link AlerterErrorReason} for the reasons
 *
 * @category errors
 * @since 0.1.0
 */
export interface AlerterErrorFields {
  /** The name of the channel: `"console"`, `"slack"`, …. */
  readonly channel: string
  /** The reason why the alert did not arrive. */
  readonly reason: AlerterErrorReason
}

const AlerterErrorBase: new(
  fields: AlerterErrorFields
) => Cause.YieldableError & { readonly _tag: "AlerterError" } & AlerterErrorFields = selfExplained(
  Data.TaggedError("AlerterError")<
    AlerterErrorFields
  >
)

/**
 * The error of an alert that did not arrive, or of a question that could not be asked.
 *
 * @see {@link AlerterErrorReason} for its reasons
 * @see {@link isAlerterError} for the type guard
 *
 * @category errors
 * @since 0.1.0
 */
export class AlerterError extends AlerterErrorBase {
  /** Makes the error of the fields. Its stack has no frames: those of a mailbox say nothing of the channel. */
  constructor(fields: AlerterErrorFields) {
    super(fields)
    this.stack = `AlerterError: ${this.message}`
  }

  /** Says what went wrong, without addresses and secrets. */
  override get message(): string {
    return `${this.channel}: ${explain(this.reason)}`
  }
}

/**
 * Returns whether a value is an {@link AlerterError}.
 *
 * @see {@link AlerterError} for the class
 *
 * @category guards
 * @since 0.1.0
 */
export const isAlerterError = (u: unknown): u is AlerterError => u instanceof AlerterError

/** Returns the error of a post that has failed, or `undefined` for one that succeeded, died or was interrupted. */
export const errorIn = (exit: Exit.Exit<unknown, AlerterError>): AlerterError | undefined =>
  exit._tag === "Failure" ? exit.cause.reasons.find(isFail)?.error : undefined

// not that of `Cause`, which would be loaded for it alone
const isFail = <E>(reason: Cause.Reason<E>): reason is Cause.Fail<E> => reason._tag === "Fail"

/** Explains a reason in words. `noun` is what could not be sent. */
export const explain = (reason: AlerterErrorReason, noun = "alert"): string => {
  switch (reason._tag) {
    case "Unauthorized":
      return detailed("the credentials were not accepted", reason.detail)
    case "RateLimited":
      return reason.retryAfter === undefined
        ? `too many ${noun}s`
        : `too many ${noun}s, the next may come in ${formatDuration(Duration.toMillis(reason.retryAfter))}`
    case "Rejected":
      return detailed(
        `the ${noun} was rejected${reason.status === undefined ? "" : ` (${reason.status})`}`,
        reason.detail
      )
    case "Unreachable":
      return detailed("could not be reached", reason.detail)
    case "TimedOut":
      return reason.limit === undefined
        ? "no answer in time"
        : `no answer within ${formatDuration(Duration.toMillis(reason.limit))}`
    case "InvalidAlert":
      return detailed(`the ${noun} can't be sent`, reason.detail)
  }
}

const detailed = (text: string, detail: string | undefined): string =>
  detail === undefined || detail === "" ? text : `${text}: ${detail}`
