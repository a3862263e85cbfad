/** Opens a policy around a `TestAlerter`, to be closed by hand. */
import { Context, DateTime, Effect, Exit, Layer, Scope } from "effect"
import { KeyValueStore } from "effect/persistence"
import { Store } from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"

export type Policy<R> = (self: Layer.Layer<Alerter>) => Layer.Layer<Alerter, never, R>

/** Builds a policy around `channel`, whose post dies after its scope has closed. */
export const open = <R>(
  policy: Policy<R>,
  channel: Layer.Layer<Alerter | TestAlerter> = TestAlerter.layer
) =>
  Effect.gen(function*() {
    const services = yield* Layer.build(Layer.fresh(channel))
    const inner = Layer.effect(
      Alerter,
      Effect.gen(function*() {
        let works = true
        yield* Effect.addFinalizer(() => Effect.sync(() => works = false))
        const { post } = Context.get(services, Alerter)
        return Alerter.of({ post: (alert) => works ? post(alert) : Effect.die(new Error("posted too late")) })
      })
    )
    const scope = yield* Scope.make()
    const { post } = Context.get(yield* Layer.buildWithScope(policy(inner), scope), Alerter)
    const { attempts, sent } = Context.get(services, TestAlerter)
    return { post, sent, attempts, close: Scope.close(scope, Exit.void), titles: Effect.map(sent, titlesOf) }
  })

/** Makes the alert of a failure. */
export const failed = (title: string): Alert => Alert.make({ title, severity: "error", body: `${title} broke\nlater` })

export const titlesOf = (alerts: ReadonlyArray<Alert>): ReadonlyArray<string> => alerts.map(({ title }) => title)

/** A store that can be read but not written. */
export const readOnly: Layer.Layer<Store> = Layer.provide(
  Store.layerKeyValueStore,
  Layer.sync(KeyValueStore.KeyValueStore, () =>
    KeyValueStore.makeStringOnly({
      get: () => Effect.undefined,
      set: (key) => Effect.fail(new KeyValueStore.KeyValueStoreError({ method: "set", key, message: "disk full" })),
      remove: () => Effect.void,
      clear: Effect.void,
      keys: Effect.succeed([]),
      size: Effect.succeed(0)
    }))
)

export const utc: DateTime.TimeZone = DateTime.zoneMakeNamedUnsafe("UTC")

/** Returns the titles that a digest lists, or the title of an alert that is not a digest. */
export const listed = ({ detail, title }: Alert): ReadonlyArray<string> =>
  detail === undefined ? [title] : detail.split("\n").map((line) => /^\S+ \S+ \S+ (.*?)(?: – |$)/.exec(line)?.[1] ?? "")
