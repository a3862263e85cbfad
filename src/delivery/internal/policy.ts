/** What all policies are made of. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Alert } from "../../Alert.ts"
import { Alerter, type AlerterError } from "../../Alerter.ts"
import { timed } from "../../internal/alerts/alerter.ts"
import { AlerterObservers } from "../../internal/model/observers.ts"
import { atLeast } from "../../internal/model/severity.ts"
import type { Observer } from "../../RunEvent.ts"

/** Posts an alert that has its time. */
export type Post = (alert: Alert) => Effect.Effect<void, AlerterError>

/**
 * A policy around one alerter. `make` is called when the layer is built, in its scope:
 * what it adds to the scope as finalizers runs while the alerter inside still works.
 */
export const around = <R>(make: (inner: Post) => Effect.Effect<Post, never, R>): <E, RIn>(
  self: Layer.Layer<Alerter, E, RIn>
) => Layer.Layer<Alerter, E, RIn | Exclude<R, Scope.Scope>> =>
  observing((inner) => Effect.map(make(inner), (post) => ({ post })))

/** {@link around}, where the policy may have to know of what the runs do that post to it. */
export const observing = <R>(
  make: (inner: Post) => Effect.Effect<{ readonly post: Post; readonly observer?: Observer }, never, R>
) =>
<E, RIn>(
  self: Layer.Layer<Alerter, E, RIn>
): Layer.Layer<Alerter, E, RIn | Exclude<R, Scope.Scope>> =>
  Layer.effectContext(
    Effect.gen(function*() {
      const within = yield* Effect.context<Alerter | R>()
      const { observer, post } = yield* make(Context.get(within, Alerter).post)
      const own = observer === undefined ? [] : [observer]
      return serving(post, [...Context.get(within, AlerterObservers), ...own])
    })
  ).pipe(Layer.provide(self))

/** An alerter made of a post, with the observers that it needs and those of the alerters within. */
export const serving = (post: Post, observers: ReadonlyArray<Observer>): Context.Context<Alerter> => {
  const service = Context.make(Alerter, { post: (alert) => timed(alert, post) })
  return observers.length === 0 ? service : Context.add(service, AlerterObservers, observers)
}

/** Whether it tells of something that went wrong. */
export const isFailure: (alert: Alert) => boolean = atLeast("warning")

/** What alerts are tagged with that were made of several. */
export const digestTag = "digest"

/** @internal */
export const isDigest = ({ tags }: Alert): boolean => tags.includes(digestTag)

/** What the alert is about: its `dedupeKey`, or the step or run that it comes from, or else its title. */
export const subject = ({ dedupeKey, source, title }: Alert): string =>
  dedupeKey ?? (source === undefined ? title : [source.pipeline, ...source.stepPath].join("/"))
