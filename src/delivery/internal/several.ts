/** The layer that policies over several alerters are made with, and the errors that they combine. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Alerter, AlerterError, AlerterErrorReason, isAlerterError } from "../../Alerter.ts"
import { takesQuiet } from "../../internal/alerts/settling.ts"
import { AlerterObservers } from "../../internal/model/observers.ts"
import { withoutUrls } from "../../internal/text/addresses.ts"
import { errorMessage } from "../../internal/text/errors.ts"
import { type Post, serving } from "./policy.ts"

/** A layer of an alerter with any errors and requirements. */
export type AnyAlerter = Layer.Layer<Alerter, unknown, unknown>

/**
 * Makes one alerter from several, whose posts `make` receives in the order of their layers.
 *
 * The layers are built with the memo map of the layers around them, so a layer that is used in two places is built
 * once.
 */
export const combine = <const Layers extends ReadonlyArray<AnyAlerter>>(
  layers: Layers,
  make: (posts: { readonly [K in keyof Layers]: Post }) => Post
): Layer.Layer<Alerter, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>> =>
  // Both casts: TypeScript does not carry the element types of a tuple through a loop.
  Layer.fromBuildMemo((memoMap, scope) =>
    Effect.gen(function*() {
      // Scopes close in parallel. In sequence, an alerter that takes long to flush would delay the others.
      const together = yield* Scope.fork(scope, "parallel")
      const contexts = yield* Effect.forEach(
        layers,
        (layer) =>
          Effect.flatMap(Scope.fork(together, "sequential"), (own) => Layer.buildWithMemoMap(layer, memoMap, own)),
        { concurrency: "unbounded" }
      )
      const alerters = contexts.map((context) => Context.get(context, Alerter))
      const posts = alerters.map(({ post }): Post => post)
      const post = make(posts as { readonly [K in keyof Layers]: Post })
      return serving(post, [
        ...new Set(contexts.flatMap((context) => Context.get(context, AlerterObservers)))
      ], alerters.some(takesQuiet))
    })
  ) as Layer.Layer<Alerter, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>>

/** Returns the error in the cause of a failed post. A defect or an interruption becomes a `Rejected` error. */
export const errorOf = (cause: Cause.Cause<AlerterError>): AlerterError => {
  const error = Cause.squash(cause)
  if (isAlerterError(error)) return error
  const detail = withoutUrls(errorMessage(error))
  return new AlerterError({ channel: "alerter", reason: AlerterErrorReason.Rejected({ detail }) })
}

/** Returns one error whose detail lists the messages of several. */
export const combinedError = (channel: string, errors: ReadonlyArray<AlerterError>): AlerterError =>
  new AlerterError({
    channel,
    reason: AlerterErrorReason.Rejected({ detail: errors.map(({ message }) => message).join("; ") })
  })
