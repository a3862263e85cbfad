/** Makes alerters for delivery policies to wrap, and stores for the state of policies. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Scope from "effect/Scope"
import { Store } from "../../src/delivery/index.ts"
import { type Alert, Alerter, AlerterError, AlerterErrorReason } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"

export interface Inner {
  /** Provides the same alerter in every build. */
  readonly layer: Layer.Layer<Alerter>
  readonly sent: Effect.Effect<ReadonlyArray<Alert>>
  readonly titles: Effect.Effect<ReadonlyArray<string>>
  readonly attempts: Effect.Effect<number>
}

/** Builds a `TestAlerter` for a policy to wrap. */
export const inner = (
  layer: Layer.Layer<Alerter | TestAlerter> = TestAlerter.layer
): Effect.Effect<Inner, never, Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(layer)), (context) => {
    const { attempts, sent } = Context.get(context, TestAlerter)
    return {
      layer: Layer.succeed(Alerter, Context.get(context, Alerter)),
      sent,
      titles: Effect.map(sent, (alerts) => alerts.map(({ title }) => title)),
      attempts
    }
  })

export type Post = Alerter.Shape["post"]

/** Builds a layer anew and returns its `post`. */
export const build = <E>(layer: Layer.Layer<Alerter, E>): Effect.Effect<Post, E, Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(layer)), (context) => Context.get(context, Alerter).post)

/** Returns the error of a channel that is down. */
export const failure = (channel: string): AlerterError =>
  new AlerterError({ channel, reason: AlerterErrorReason.Unreachable({ detail: "no route" }) })

/** Provides an alerter without `Alerter.layer`, so that nothing turns its defects into errors. */
export const bare = (post: (alert: Alert | string) => Effect.Effect<void, AlerterError>): Layer.Layer<Alerter> =>
  Layer.succeed(Alerter, { post })

/** Makes an alerter that records the alerts which `accepts` accepts and fails on others. */
export const selective = (
  accepts: (alert: Alert) => boolean
): { readonly layer: Layer.Layer<Alerter>; readonly list: Array<Alert> } => {
  const list: Array<Alert> = []
  const layer = Alerter.layer((alert) =>
    Effect.suspend(() => accepts(alert) ? Effect.sync(() => list.push(alert)) : Effect.fail(failure("selective")))
  )
  return { layer, list }
}

export interface MemoryStore {
  readonly layer: Layer.Layer<Store>
  readonly store: KeyValueStore.KeyValueStore
}

/** Builds a `KeyValueStore` in memory, and a layer of a `Store` that is in it in every build. */
export const memoryStore: Effect.Effect<MemoryStore, never, Scope.Scope> = Effect.map(
  Layer.build(Layer.fresh(KeyValueStore.layerMemory)),
  (context) => {
    const store = Context.get(context, KeyValueStore.KeyValueStore)
    return { store, layer: inStore(Layer.succeed(KeyValueStore.KeyValueStore, store)) }
  }
)

/** Provides a `Store` in a `KeyValueStore`. */
const inStore = (store: Layer.Layer<KeyValueStore.KeyValueStore>): Layer.Layer<Store> =>
  Layer.provide(Store.layerKeyValueStore, store)

/** Provides a store whose every operation is the given Effect. */
export const brokenStore = (
  effect: Effect.Effect<never, KeyValueStore.KeyValueStoreError> = Effect.fail(
    new KeyValueStore.KeyValueStoreError({ message: "disk full", method: "any" })
  )
): Layer.Layer<Store> =>
  inStore(Layer.succeed(
    KeyValueStore.KeyValueStore,
    KeyValueStore.make({
      get: () => effect,
      getUint8Array: () => effect,
      set: () => effect,
      remove: () => effect,
      clear: effect,
      size: effect,
      keys: effect
    })
  ))

/** Returns the value of an alert's field. */
export const field = (alert: Alert | undefined, name: string): string | undefined =>
  alert?.fields.find((field) => field.name === name)?.value
