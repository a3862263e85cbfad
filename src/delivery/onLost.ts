/**
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type { Alert } from "../Alert.ts"
import type { Alerter, AlerterError } from "../Alerter.ts"
import { CurrentLedger, type Ledger } from "../internal/alerts/ledger.ts"
import * as Writer from "../internal/text/writer.ts"
import { explain } from "./internal/entries.ts"
import { around } from "./internal/policy.ts"

/** Adds to a ledger that losses are told. */
class Telling extends Context.Service<Telling, (around: Ledger | undefined) => Ledger>()(
  "effect-epilogue/delivery/onLost"
) {}

/** The time for which the closing layer waits for the effects. */
const patience = "30 seconds"

/**
 * Runs an effect for each alert that will not arrive, with the reason.
 *
 * **When to use**
 *
 * To tell of it some other way: in a file, by an exit code, or through another alerter. A hook whose post fails at once
 * fails with the error, which is logged. This also tells of alerts that are lost later, when no hook waits for them any
 * more: held by `digest` or `quietHours`, or on their way to a channel.
 *
 * **Details**
 *
 * - An alert is lost when nothing will try it again. Where another channel has taken it (`fallback`), where a policy tries
 *   again, and where a store keeps it for the next process, nothing is lost.
 * - Wraps all policies: what is lost within `self` counts.
 * - The closing layer waits up to 30 seconds for the effects. Their failures are logged as an error.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { digest, onLost } from "effect-epilogue/delivery"
 * import { Effect } from "effect"
 *
 * const alerter = Slack.layerConfig().pipe(
 *   digest({ window: "10 minutes" }),
 *   onLost((alert, error) =>
 *     Effect.sync(() => {
 *       process.exitCode = 3
 *       process.stderr.write(`${alert.title}: ${error.message}\n`)
 *     })
 *   )
 * )
 * ```
 *
 * @see {@link fallback} for using another channel for what the first one does not take
 *
 * @category policies
 * @since 0.1.0
 */
export const onLost: {
  <R2>(
    tell: (alert: Alert, error: AlerterError) => Effect.Effect<unknown, unknown, R2>
  ): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R | R2>
  <E, R, R2>(
    self: Layer.Layer<Alerter, E, R>,
    tell: (alert: Alert, error: AlerterError) => Effect.Effect<unknown, unknown, R2>
  ): Layer.Layer<Alerter, E, R | R2>
} = dual(
  2,
  <E, R, R2>(
    self: Layer.Layer<Alerter, E, R>,
    tell: (alert: Alert, error: AlerterError) => Effect.Effect<unknown, unknown, R2>
  ): Layer.Layer<Alerter, E, R | R2> => telling(self).pipe(Layer.provide(ledger(tell)))
)

const telling = around((post) =>
  Effect.map(
    Telling,
    (toldBy) => (alert) =>
      Effect.withFiber((fiber) =>
        Effect.provideService(post(alert), CurrentLedger, toldBy(fiber.getRef(CurrentLedger)))
      )
  )
)

/** Built before the alerter, and closed after it: what is lost at its end is told, too. */
const ledger = <R>(
  tell: (alert: Alert, error: AlerterError) => Effect.Effect<unknown, unknown, R>
): Layer.Layer<Telling, never, R> =>
  Layer.effectContext(Effect.gen(function*() {
    const context = yield* Effect.context<R>()
    const running = new Set<Fiber.Fiber<unknown>>()
    const run = (alert: Alert, error: AlerterError): void => {
      const fiber = Effect.runForkWith(context)(Effect.catchCause(
        Effect.suspend(() => tell(alert, error)),
        (cause) => Writer.logError("effect-epilogue: onLost failed", explain(cause))
      ))
      running.add(fiber)
      fiber.addObserver(() => running.delete(fiber))
    }
    yield* Effect.addFinalizer(() => Effect.timeoutOption(Fiber.awaitAll(running), patience))
    const toldBy = (around: Ledger | undefined): Ledger => ({
      accepted: (alert, by) => {
        const taken = around?.accepted(alert, by)
        return {
          delivered: () => taken?.delivered(),
          kept: () => taken?.kept(),
          lost: (error) => {
            run(alert, error)
            taken?.lost(error)
          }
        }
      },
      lost: (alert, error) => {
        run(alert, error)
        around?.lost(alert, error)
      }
    })
    return Context.make(Telling, toldBy).pipe(Context.add(CurrentLedger, toldBy(yield* CurrentLedger)))
  }))
