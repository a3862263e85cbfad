/** The layers that every policy around one alerter is made with, and how policies classify alerts. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../Alert.ts"
import { Alerter, type AlerterError } from "../../Alerter.ts"
import { timed } from "../../internal/alerts/alerter.ts"
import { forgetful, takesQuiet } from "../../internal/alerts/settling.ts"
import { AlerterObservers } from "../../internal/model/observers.ts"
import { atLeast } from "../../internal/model/severity.ts"
import { subjectKey } from "../../internal/text/stepLabel.ts"
import type { Observer } from "../../RunEvent.ts"

/** Posts an alert whose `at` is set: {@link serving} sets it before any policy sees the alert. */
export type Post = (alert: Alert) => Effect.Effect<void, AlerterError>

/**
 * Wraps the post of an alerter in a policy.
 *
 * `make` runs when the layer is built, in the layer's scope. Finalizers that it adds run before those of the wrapped
 * alerter, so they can still post.
 */
export const around = <R>(make: (inner: Post) => Effect.Effect<Post, never, R>): <E, RIn>(
  self: Layer.Layer<Alerter, E, RIn>
) => Layer.Layer<Alerter, E, RIn | Exclude<R, Scope.Scope>> =>
  observing((inner) => Effect.map(make(inner), (post) => ({ post })))

/** How a policy treats quiet alerts: it looks at them, or it even wants them where the alerter that it wraps does not. */
type Quiet = "takes" | "wants"

/** Wraps the post of an alerter, like {@link around}, in a policy that looks at quiet alerts. */
export const aroundAll = <R>(
  make: (inner: Post) => Effect.Effect<Post, never, R>,
  quiet: Quiet
): <E, RIn>(
  self: Layer.Layer<Alerter, E, RIn>
) => Layer.Layer<Alerter, E, RIn | Exclude<R, Scope.Scope>> =>
  observing((inner) => Effect.map(make(inner), (post) => ({ post })), quiet)

/** Wraps the post of an alerter, like {@link around}, for a policy that also observes the runs that post to it. */
export const observing = <R>(
  make: (inner: Post) => Effect.Effect<{ readonly post: Post; readonly observer?: Observer }, never, R>,
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
      const { observer, post } = yield* make(inner)
      const all: Post = quiet === undefined ? (alert) => alert.quiet ? inner(alert) : post(alert) : post
      const own = observer === undefined ? [] : [observer]
      return serving(all, [...Context.get(within, AlerterObservers), ...own], quiet === "wants" || takesQuiet(alerter))
    })
  ).pipe(Layer.provide(self))

/**
 * Makes the `Alerter` service from a post. `observers` are those of the policy and of all alerters that it wraps; `settles`
 * says whether any of these takes quiet alerts.
 */
export const serving = (
  post: Post,
  observers: ReadonlyArray<Observer>,
  settles: boolean
): Context.Context<Alerter> => {
  const alerter = Alerter.of({ post: (alert) => timed(alert, post) })
  const service = Context.make(Alerter, settles ? alerter : forgetful(alerter))
  return observers.length === 0 ? service : Context.add(service, AlerterObservers, observers)
}

/** Returns whether an alert reports a failure: a `warning` or worse. */
export const isFailure: (alert: Alert) => boolean = atLeast("warning")

/** The tag of alerts that combine several others. */
export const digestTag = "digest"

/** Returns whether an alert combines several others. */
export const isDigest = ({ tags }: Alert): boolean => tags.includes(digestTag)

/** Returns what an alert is about: its `dedupeKey`, else the step or run in its `source`, else its title. */
export const subject = ({ dedupeKey, source, title }: Alert): string =>
  dedupeKey ?? (source === undefined ? title : subjectKey(source))
