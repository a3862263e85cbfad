/** The layers that every policy around one alerter is made with, and how policies classify alerts. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../Alert.ts"
import { Alerter, type AlerterError } from "../../Alerter.ts"
import { timed } from "../../internal/alerts/alerter.ts"
import type { Telling } from "../../internal/alerts/digest.ts"
import { isQuestion } from "../../internal/alerts/notices.ts"
import { repeatsTag } from "../../internal/alerts/repeats.ts"
import { forgetful, takesQuiet } from "../../internal/alerts/settling.ts"
import { CurrentWords, inWords, wordsOf } from "../../internal/alerts/words.ts"
import { inZone, zoneMistakes, zoneOf } from "../../internal/alerts/zone.ts"
import { AlerterObservers } from "../../internal/model/observers.ts"
import { checked, refuse } from "../../internal/model/options.ts"
import { posting } from "../../internal/model/posting.ts"
import * as Severity from "../../internal/model/severity.ts"
import type { Words } from "../../internal/text/alertWords.ts"
import type { Observer } from "../../RunEvent.ts"

export { isDigest, subject } from "../../internal/alerts/digest.ts"
export { isNoFailure, isNotice, isQuestion, isReminder } from "../../internal/alerts/notices.ts"

/** Posts an alert whose `at` is set: {@link serving} sets it before any policy sees the alert. */
export type Post = (alert: Alert) => Effect.Effect<void, AlerterError>

/** Tells that a policy looks at quiet alerts, or that it wants them even where the alerter that it wraps does not. */
type Quiet = "takes" | "wants"

/** Makes the post of a policy of the one that it wraps, of the time zone in which that shows times, and of its words. */
type Make<R> = (inner: Post, zone: DateTime.TimeZone, words: Words) => Effect.Effect<Post, never, R>

/**
 * Wraps the post of an alerter in a policy. Without `quiet`, quiet alerts pass by the policy.
 *
 * `make` runs when the layer is built, in the layer's scope. Finalizers that it adds run before those of the wrapped
 * alerter, so they can still post.
 */
export const around = <R>(
  make: Make<R>,
  quiet?: Quiet
): <E, RIn>(
  self: Layer.Layer<Alerter, E, RIn>
) => Layer.Layer<Alerter, E, RIn | Exclude<R, Scope.Scope>> =>
  observing((inner, zone, words) => Effect.map(make(inner, zone, words), (post) => ({ post })), quiet)

/**
 * Wraps the post of an alerter, like {@link around}, in a policy with options, which it checks: `known` names those that
 * exist. Times are shown in the zone of the options, or else in that of the wrapped alerter.
 */
export const configured = <O extends { readonly timeZone?: DateTime.TimeZone | undefined }, R>(
  policy: string,
  options: O,
  known: Readonly<Record<keyof O, 0>>,
  make: (inner: Post, options: O, telling: Telling) => Effect.Effect<Post, never, R>,
  quiet?: Quiet
) =>
  around(
    (inner, zone, words) => {
      const { timeZone } = checked(policy, options, known)
      refuse(policy, zoneMistakes("timeZone", timeZone))
      return make(inner, options, { zone: timeZone ?? zone, words })
    },
    quiet
  )

/** Wraps the post of an alerter, like {@link around}, for a policy that also observes the runs that post to it. */
export const observing = <R>(
  make: (
    inner: Post,
    zone: DateTime.TimeZone,
    words: Words
  ) => Effect.Effect<{ readonly post: Post; readonly observer?: Observer }, never, R>,
  quiet?: Quiet
) =>
<E, RIn>(
  self: Layer.Layer<Alerter, E, RIn>
): Layer.Layer<Alerter, E, RIn | Exclude<R, Scope.Scope>> =>
  Layer.effectContext(
    Effect.gen(function*() {
      const within = yield* Effect.context<Alerter | R>()
      const alerter = Context.get(within, Alerter)
      const inner: Post = alerter.post
      const zone = zoneOf(alerter)
      const words = wordsOf(alerter)
      const { observer, post } = yield* make(inner, zone ?? DateTime.zoneMakeLocal(), words ?? (yield* CurrentWords))
      const all: Post = quiet === undefined ? (alert) => alert.quiet ? inner(alert) : post(alert) : post
      const own = observer === undefined ? [] : [observer]
      return serving(
        all,
        [...Context.get(within, AlerterObservers), ...own],
        quiet === "wants" || takesQuiet(alerter),
        { zone, words }
      )
    })
  ).pipe(Layer.provide(self))

/**
 * Makes the `Alerter` service from a post. `observers` are those of the policy and of all alerters that it wraps; `settles`
 * says whether any of these takes quiet alerts, `common` are the time zone and the words that they have in common.
 */
export const serving = (
  post: Post,
  observers: ReadonlyArray<Observer>,
  settles: boolean,
  { words, zone }: { readonly zone: DateTime.TimeZone | undefined; readonly words: Words | undefined }
): Context.Context<Alerter> => {
  const plain = Alerter.of({ post: (alert) => timed(alert, post) })
  const alerter = inWords(zone === undefined ? plain : inZone(plain, zone), words)
  const service = Context.make(Alerter, settles ? alerter : forgetful(alerter))
  return observers.length === 0 ? service : Context.add(service, AlerterObservers, observers)
}

/**
 * Posts for a policy that keeps what was delivered. Where the post is interrupted while the alert is in a mailbox, which
 * delivers it, that counts as success: the policy must wait for it uninterruptibly.
 */
export const orTaken = (post: Effect.Effect<void, AlerterError>): Effect.Effect<void, AlerterError> =>
  posting((posting) =>
    Effect.catchCause(
      post,
      (cause) => posting.isOnItsWay && Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.failCause(cause)
    )
  )

/** Returns whether an alert reports a failure. A question is a warning that reports none. */
export const isFailure = (alert: Pick<Alert, "severity" | "tags">): boolean =>
  Severity.isFailure(alert) && !isQuestion(alert)

/** Returns whether an alert is not held: an urgent one, the recovery from one, or a question, whose time runs meanwhile. */
export const passesAtOnce = (alert: Alert, isUrgent: (alert: Pick<Alert, "severity">) => boolean): boolean =>
  isUrgent(alert) || isQuestion(alert) || alert.recovers.some(isUrgent)

/** Returns whether two failures have the same severity and tags, and so go the same way as a rule. */
export const isLike = (a: Kind, b: Kind): boolean => a.severity === b.severity && a.tags.join() === b.tags.join()

type Kind = Pick<Alert, "severity" | "tags">

/** Returns whether an alert says that the failures of its subject are over. */
export const isResolving = (alert: Alert): boolean => alert.resolves && !isFailure(alert)

/** Returns whether an alert only counts duplicates of others that were delivered. */
export const isRepeats = ({ tags }: Alert): boolean => tags.includes(repeatsTag)
