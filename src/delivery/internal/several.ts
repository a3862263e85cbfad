/** Policies over several alerters. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Alerter, AlerterError, AlerterErrorReason, isAlerterError } from "../../Alerter.ts"
import { AlerterObservers } from "../../internal/model/observers.ts"
import { withoutUrls } from "../../internal/text/redact.ts"
import { type Post, serving } from "./policy.ts"

/** Whatever its layer needs, and however it fails to be built. */
export type AnyAlerter = Layer.Layer<Alerter, unknown, unknown>

/**
 * An alerter made of those of other layers, in their order. They are built with the
 * layers around them, so that one that is used in two places is built once.
 */
export const combine = <const Layers extends ReadonlyArray<AnyAlerter>>(
  layers: Layers,
  make: (posts: { readonly [K in keyof Layers]: Post }) => Post
): Layer.Layer<Alerter, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>> =>
  // casts, since TypeScript does not follow the types of a tuple's parts through a loop
  Layer.fromBuildMemo((memoMap, scope) =>
    Effect.gen(function*() {
      // Closed at once, or one that has much to flush would keep the others waiting.
      const together = yield* Scope.fork(scope, "parallel")
      const contexts = yield* Effect.forEach(
        layers,
        (layer) =>
          Effect.flatMap(Scope.fork(together, "sequential"), (own) => Layer.buildWithMemoMap(layer, memoMap, own)),
        { concurrency: "unbounded" }
      )
      const posts = contexts.map((context): Post => Context.get(context, Alerter).post)
      const post = make(posts as { readonly [K in keyof Layers]: Post })
      return serving(post, [...new Set(contexts.flatMap((context) => Context.get(context, AlerterObservers)))])
    })
  ) as Layer.Layer<Alerter, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>>

/** What an alerter's cause comes to as an error, also where it died or was interrupted from within. */
export const errorOf = (cause: Cause.Cause<AlerterError>): AlerterError => {
  const error = Cause.squash(cause)
  if (isAlerterError(error)) return error
  const detail = withoutUrls(error instanceof Error ? error.message : String(error))
  return new AlerterError({ channel: "alerter", reason: AlerterErrorReason.Rejected({ detail }) })
}

/** One error that tells of several. */
export const allOf = (channel: string, errors: ReadonlyArray<AlerterError>): AlerterError =>
  new AlerterError({
    channel,
    reason: AlerterErrorReason.Rejected({ detail: errors.map(({ message }) => message).join("; ") })
  })
