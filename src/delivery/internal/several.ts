/** The layer that policies over several alerters are made with, and the errors that they combine. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Alert } from "../../Alert.ts"
import { Alerter, AlerterError, AlerterErrorReason, isAlerterError } from "../../Alerter.ts"
import { CurrentLedger } from "../../internal/alerts/ledger.ts"
import { takesQuiet } from "../../internal/alerts/settling.ts"
import { CurrentWords, isSame, wordsOf } from "../../internal/alerts/words.ts"
import { zoneOf } from "../../internal/alerts/zone.ts"
import { AlerterObservers } from "../../internal/model/observers.ts"
import { refuse } from "../../internal/model/options.ts"
import { withoutUrls } from "../../internal/text/addresses.ts"
import type { Words } from "../../internal/text/alertWords.ts"
import { errorMessage } from "../../internal/text/errors.ts"
import { type Post, serving } from "./policy.ts"

/** A layer of an alerter with any errors and requirements. */
export type AnyAlerter = Layer.Layer<Alerter, unknown, unknown>

/**
 * Makes one alerter from several, whose posts `make` receives in the order of their layers, and the time zone that they
 * have in common. Finalizers that it adds run before those of the several. With `quiet` it gets quiet alerts, though none
 * of the several takes them.
 *
 * The layers are built with the memo map of the layers around them, so a layer that is used in two places is built
 * once.
 */
export const combine = <const Layers extends ReadonlyArray<AnyAlerter>, R = never>(
  policy: string,
  layers: Layers,
  make: (
    posts: { readonly [K in keyof Layers]: Post },
    common: { readonly zone: DateTime.TimeZone | undefined; readonly words: Words }
  ) => Effect.Effect<Post, never, Scope.Scope | R>,
  quiet?: "wants"
): Layer.Layer<Alerter, Layer.Error<Layers[number]>, Layer.Services<Layers[number]> | Exclude<R, Scope.Scope>> =>
  // Both casts: TypeScript does not carry the element types of a tuple through a loop.
  Layer.fromBuildMemo((memoMap, scope) =>
    Effect.gen(function*() {
      // a single one is no list, where types are not checked
      const given: ReadonlyArray<unknown> = [layers].flat()
      const others = given.filter((layer) => !Layer.isLayer(layer))
      refuse(policy, others.map((other) => `each of its alerters must be a Layer, got ${typeof other}`))
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
      const zone = sharedZone(alerters)
      const words = sharedWords(alerters)
      const post = yield* Effect.provideService(
        Effect.flatMap(
          CurrentWords,
          (current) => make(posts as { readonly [K in keyof Layers]: Post }, { zone, words: words ?? current })
        ),
        Scope.Scope,
        scope
      )
      return serving(
        post,
        [
          ...new Set(contexts.flatMap((context) => Context.get(context, AlerterObservers)))
        ],
        quiet === "wants" || alerters.some(takesQuiet),
        { zone, words }
      )
    })
  ) as Layer.Layer<
    Alerter,
    Layer.Error<Layers[number]>,
    Layer.Services<Layers[number]> | Exclude<R, Scope.Scope>
  >

/** Returns what several have in common, if they do. */
const shared = <A>(
  [first, ...others]: ReadonlyArray<A | undefined>,
  isSame: (a: A, b: A) => boolean
): A | undefined =>
  first !== undefined && others.every((other) => other !== undefined && isSame(first, other)) ? first : undefined

/** Returns the time zone that alerters have in common, if they do. */
const sharedZone = (alerters: ReadonlyArray<Alerter["Service"]>): DateTime.TimeZone | undefined =>
  shared(alerters.map(zoneOf), (a, b) => DateTime.zoneToString(a) === DateTime.zoneToString(b))

/** Returns the words that alerters have in common, if they do. */
const sharedWords = (alerters: ReadonlyArray<Alerter["Service"]>): Words | undefined =>
  shared(alerters.map(wordsOf), isSame)

/** Returns the error in the cause of a failed post. A defect or an interruption becomes a `Rejected` error. */
export const errorOf = (cause: Cause.Cause<AlerterError>): AlerterError => {
  const error = Cause.squash(cause)
  if (isAlerterError(error)) return error
  const detail = withoutUrls(errorMessage(error))
  return new AlerterError({ channel: "alerter", reason: AlerterErrorReason.Rejected({ detail }) })
}

/**
 * Posts an alert to several alerters at once. Returns of each whether a policy dropped the alert, or why it failed. If the
 * posts are interrupted while some of the alerters have the alert in a mailbox, the ledger is told why others have failed.
 */
export const postAll = (
  channel: string,
  alert: Alert,
  posts: ReadonlyArray<Effect.Effect<boolean, AlerterError>>,
  needs: "all" | "any" = "all"
): Effect.Effect<ReadonlyArray<boolean | AlerterError>> =>
  Effect.suspend(() => {
    const errors: Array<AlerterError> = []
    return Effect.forEach(posts, (post) =>
      Effect.matchCause(post, {
        onSuccess: (dropped): boolean | AlerterError => dropped,
        onFailure: (cause) => {
          const error = errorOf(cause)
          if (!Cause.hasInterruptsOnly(cause)) errors.push(error)
          return error
        }
      }), { concurrency: "unbounded" }).pipe(
        Effect.onInterrupt(() =>
          Effect.map(CurrentLedger, (ledger) => {
            if (needs === "all" && errors.length > 0 && !alert.quiet) ledger?.lost(alert, oneOf(channel, errors))
          })
        )
      )
  })

/** Returns one error whose detail lists the messages of several. */
export const combinedError = (channel: string, errors: ReadonlyArray<AlerterError>): AlerterError =>
  new AlerterError({
    channel,
    reason: AlerterErrorReason.Rejected({ detail: errors.map(({ message }) => message).join("; ") })
  })

/** Returns the only error, or one with the messages of all. */
export const oneOf = (channel: string, errors: ReadonlyArray<AlerterError>): AlerterError => {
  const [first, second] = errors
  return first !== undefined && second === undefined ? first : combinedError(channel, errors)
}
