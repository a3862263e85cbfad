/**
 * Posts alerts. Hooks require the service `Alerter`, and one Layer of the script decides which channel receives
 * them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Alert } from "./Alert.ts"
import * as internal from "./internal/alerts/alerter.ts"
import { counted } from "./internal/alerts/metrics.ts"
import { forgetful } from "./internal/alerts/settling.ts"
import { AlerterError, AlerterErrorReason } from "./internal/model/alerterError.ts"

export {
  AlerterError,
  type AlerterErrorFields,
  AlerterErrorReason,
  isAlerterError
} from "./internal/model/alerterError.ts"

const Base: Context.ServiceClass<Alerter, "effect-epilogue/Alerter", Alerter.Shape> = Context.Service<
  Alerter,
  Alerter.Shape
>()("effect-epilogue/Alerter")

/**
 * The service that posts alerts.
 *
 * @example
 * ```ts
 * import { Alerter } from "effect-epilogue"
 * import { Effect } from "effect"
 *
 * // an alerter of one's own, in five lines
 * const toLog = Alerter.layer((alert) => Effect.log(alert.severity, alert.title))
 *
 * const program = Effect.gen(function*() {
 *   const alerter = yield* Alerter
 *   yield* alerter.post("good morning")
 * }).pipe(Effect.provide(toLog))
 * ```
 *
 * @see `AlerterHooks` for hooks that post alerts about steps
 * @see `TestAlerter` of `effect-epilogue/testing` for tests
 *
 * @category services
 * @since 0.1.0
 */
export class Alerter extends Base {
  /**
   * Makes an alerter from a function that sends an alert. The layer requires the services of the function.
   *
   * **Details**
   *
   * - The function receives an `Alert` with its time set, also if a string was posted.
   * - A failure or a defect that is not an {@link AlerterError} becomes one with the reason `Rejected` and the
   *   message as detail, without URLs, as these may contain secrets.
   * - The function runs with the span, the log annotations and the step context of the post's caller.
   * - The metrics `epilogue_alerts_delivered_total` (by `channel`) and `epilogue_alerts_failed_total` (by
   *   `channel` and the tag of the `reason`, or `Interrupted`) count its posts, as they do for every channel of
   *   `effect-epilogue/alerters`. If the function posts to an alerter that is counted itself, only that one
   *   counts.
   *
   * @see {@link AlerterError} for the errors of `post`
   */
  static layer<R = never>(
    post: (alert: Alert) => Effect.Effect<unknown, unknown, R>,
    options?: { readonly channel?: string | undefined }
  ): Layer.Layer<Alerter, never, R> {
    const channel = options?.channel ?? "custom"
    return Layer.effect(
      Alerter,
      Effect.map(Effect.context<R>(), (context) =>
        forgetful({
          post: (alert) =>
            internal.timed(alert, (timed) =>
              counted(
                channel,
                Effect.updateContext(
                  Effect.catchCause(
                    Effect.asVoid(Effect.suspend(() => post(timed))),
                    (cause) =>
                      internal.failWith(cause, (detail) =>
                        new AlerterError({ channel, reason: AlerterErrorReason.Rejected({ detail }) }))
                  ),
                  internal.calledFrom(context)
                )
              ))
        }))
    )
  }

  /**
   * Provides an alerter that prints to the console: in colour on a terminal, otherwise without. `NO_COLOR`
   * (https://no-color.org) turns colours off, and `FORCE_COLOR` takes precedence over both. What a terminal would obey
   * in the alert's texts is shown, as `\u{1b}`.
   */
  static readonly layerConsole: Layer.Layer<Alerter> = Alerter.layer(internal.print, { channel: "console" })

  /** Provides an alerter that drops all alerts. */
  static readonly layerNone: Layer.Layer<Alerter> = Layer.succeed(Alerter, forgetful({ post: () => Effect.void }))
}

/**
 * The types of the service.
 *
 * @category services
 * @since 0.1.0
 */
export declare namespace Alerter {
  /**
   * The functions of the service.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /**
     * Posts an alert, or one with that title. Succeeds when the channel has accepted it.
     *
     * A `quiet` alert is for alerters that keep failures, and is not to be shown. An alerter of {@link Alerter.layer}
     * gets none.
     */
    readonly post: (alert: Alert | string) => Effect.Effect<void, AlerterError>
  }
}
