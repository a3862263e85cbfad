/** Policies that hold back, opened and closed by hand. */
import { Context, DateTime, Effect, Exit, Layer, Scope } from "effect"
import { KeyValueStore } from "effect/persistence"
import { type Alert, Alerter } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"

export type Policy<R> = (self: Layer.Layer<Alerter>) => Layer.Layer<Alerter, never, R>

/** An alerter inside a policy. What it gets after its scope was closed is a defect. */
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

export const titlesOf = (alerts: ReadonlyArray<Alert>): ReadonlyArray<string> => alerts.map(({ title }) => title)

/** One store for several runs. */
export const store = Effect.map(
  Layer.build(Layer.fresh(KeyValueStore.layerMemory)),
  (services) => ({
    layer: Layer.succeedContext(services),
    store: Context.get(services, KeyValueStore.KeyValueStore)
  })
)

/** A store that can't be written. */
export const readOnly: Layer.Layer<KeyValueStore.KeyValueStore> = Layer.sync(
  KeyValueStore.KeyValueStore,
  () =>
    KeyValueStore.makeStringOnly({
      get: () => Effect.undefined,
      set: (key) => Effect.fail(new KeyValueStore.KeyValueStoreError({ method: "set", key, message: "disk full" })),
      remove: () => Effect.void,
      clear: Effect.void,
      keys: Effect.succeed([]),
      size: Effect.succeed(0)
    })
)

export const utc: DateTime.TimeZone = DateTime.zoneMakeNamedUnsafe("UTC")

/** The titles that a digest lists, or that of an alert which is none. */
export const listed = ({ detail, title }: Alert): ReadonlyArray<string> =>
  detail === undefined ? [title] : detail.split("\n").map((line) => /^\S+ \S+ \S+ (.*?)(?: – |$)/.exec(line)?.[1] ?? "")
