/**
 * The service that posts alerts, wherever they go. Hooks ask for it; the script
 * says with one Layer which channel it is.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Alert } from "./Alert.ts"
import * as internal from "./internal/alerts/alerter.ts"
import { counted } from "./internal/alerts/metrics.ts"
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
 * Posts alerts.
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
 * @category services
 * @since 0.1.0
 */
export class Alerter extends Base {
  /**
   * An alerter made of a function. It gets an `Alert` with its time, also where a
   * string was posted. A failure or a defect that is no {@link AlerterError}
   * becomes one (`Rejected`, with the message less the addresses in it). The
   * function's services are those of the layer.
   *
   * What becomes of each alert is counted in the metrics `epilogue_alerts_delivered_total`,
   * by `channel`, and `epilogue_alerts_failed_total`, by `channel` and the tag of the
   * `reason` (or `Interrupted`), as it is in every channel of `effect-epilogue/alerters`.
   * Where the function posts to another alerter that counts, that one's count stands alone.
   */
  static layer<R = never>(
    post: (alert: Alert) => Effect.Effect<unknown, unknown, R>,
    options?: { readonly channel?: string | undefined }
  ): Layer.Layer<Alerter, never, R> {
    const channel = options?.channel ?? "custom"
    return Layer.effect(
      Alerter,
      Effect.map(Effect.context<R>(), (context) =>
        Alerter.of({
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
   * Writes alerts to the console: coloured on a terminal, plain otherwise or where
   * `NO_COLOR` is set (https://no-color.org). `FORCE_COLOR` goes before both.
   */
  static readonly layerConsole: Layer.Layer<Alerter> = Alerter.layer(internal.print, { channel: "console" })

  /** Drops alerts. */
  static readonly layerNone: Layer.Layer<Alerter> = Layer.succeed(Alerter, Alerter.of({ post: () => Effect.void }))
}

/**
 * @category services
 * @since 0.1.0
 */
export declare namespace Alerter {
  /**
   * What the service holds.
   *
   * @category services
   * @since 0.1.0
   */
  export interface Shape {
    /** Posts an alert, or one of that title. Succeeds when it has arrived. */
    readonly post: (alert: Alert | string) => Effect.Effect<void, AlerterError>
  }
}
