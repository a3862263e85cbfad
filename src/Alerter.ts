/**
 * Posts alerts. Hooks require the service `Alerter`, and one Layer of the script decides which channel receives
 * them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import { Alert } from "./Alert.ts"
import * as internal from "./internal/alerts/alerter.ts"
import { counted } from "./internal/alerts/metrics.ts"
import { pageUrl } from "./internal/alerts/pageUrl.ts"
import { reported } from "./internal/alerts/reports.ts"
import { forgetful } from "./internal/alerts/settling.ts"
import { CurrentWords, inWords, merged, wordsOf } from "./internal/alerts/words.ts"
import type { AlerterError } from "./internal/model/alerterError.ts"
import { AlerterObservers } from "./internal/model/observers.ts"
import type { Words } from "./internal/text/alertWords.ts"

export {
  AlerterError,
  type AlerterErrorFields,
  AlerterErrorReason,
  isAlerterError
} from "./internal/model/alerterError.ts"

export type { AlertKind, Words } from "./internal/text/alertWords.ts"
export type { DurationPart } from "./internal/text/duration.ts"

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
            internal.timed(
              alert,
              (timed) =>
                counted(
                  timed,
                  channel,
                  Effect.updateContext(
                    internal.explained(channel, () => post(timed)),
                    internal.calledFrom(context)
                  )
                ),
              channel,
              pageUrl
            )
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
  static readonly layerNone: Layer.Layer<Alerter> = Layer.succeed(
    Alerter,
    forgetful({ post: (alert) => reported(Alert.make(alert), "none", "dropped") })
  )

  /**
   * Replaces the words that the library itself says in alerts, all or some of them. Those that the table lacks stay as they
   * are: English, or those of another `words` around.
   *
   * **When to use**
   *
   * For alerts in another language, or where readers know other terms. `effect-epilogue/alerters/words/de` has a German
   * table.
   *
   * **Details**
   *
   * - The words hold for the channels and policies of the layer, for the policies that are piped after it, and for the
   *   standard hooks that post to it. Where a `fanOut`, `route` or `fallback` has parts with different words, hooks and
   *   policies around it use English ones.
   * - Severities, tags, keys and texts of errors are not translated, and neither are logs. Policies recognize alerts
   *   whatever their words, also those that were stored in another language.
   * - A function of the table that throws is a defect of the hook or the policy that calls it.
   *
   * @example
   * ```ts
   * import { Alerter } from "effect-epilogue"
   * import { german } from "effect-epilogue/alerters/words/de"
   *
   * const deutsch = Alerter.layerConsole.pipe(Alerter.words(german))
   *
   * const ofOurs = Alerter.layerConsole.pipe(Alerter.words({ run: "night", failed: (subject) => `${subject} broke` }))
   * ```
   *
   * @see {@link Words} for the table
   */
  static readonly words: {
    (words: Partial<Words>): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R>
    <E, R>(self: Layer.Layer<Alerter, E, R>, words: Partial<Words>): Layer.Layer<Alerter, E, R>
  } = dual(
    2,
    <E, R>(self: Layer.Layer<Alerter, E, R>, words: Partial<Words>): Layer.Layer<Alerter, E, R> =>
      Layer.unwrap(Effect.map(CurrentWords, (around) => {
        const all = merged(around, words)
        return Layer.effectContext(
          Effect.map(Effect.context<Alerter>(), (within) => {
            const alerter = Context.get(within, Alerter)
            // those of another `words` inside have been merged over these
            return Context.make(Alerter, inWords(alerter, wordsOf(alerter) ?? all)).pipe(
              Context.add(AlerterObservers, Context.get(within, AlerterObservers))
            )
          })
        ).pipe(Layer.provide(self), Layer.provide(Layer.succeed(CurrentWords, all)))
      }))
  )
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
