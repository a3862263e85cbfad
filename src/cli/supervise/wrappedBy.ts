/** Watches the posts of an alerter. */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Alert } from "../../Alert.ts"
import { Alerter, type AlerterError } from "../../Alerter.ts"

/**
 * Wraps an alerter, and calls a function with each alert and the exit of its post. It runs in a finalizer, so that no
 * interruption comes between a delivery and the report of it.
 */
export const wrappedBy =
  (onPosted: (alert: Alert, exit: Exit.Exit<void, AlerterError>) => Effect.Effect<void>) =>
  <E, R>(alerter: Layer.Layer<Alerter, E, R>): Layer.Layer<Alerter, E, R> =>
    Layer.effect(
      Alerter,
      Effect.map(Alerter, (inner) =>
        Alerter.of({
          // its marks, such as that it takes quiet alerts
          ...inner,
          post: (alert) => Effect.onExit(inner.post(alert), (exit) => onPosted(Alert.make(alert), exit))
        }))
    ).pipe(Layer.provide(alerter))
