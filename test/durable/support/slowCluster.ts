/** An in-memory cluster whose storage saves slowly, and whose saves may be interrupted. */
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as MessageStorage from "effect/cluster/MessageStorage"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as SqliteClient from "../../../src/durable/internal/engine/sqliteClient.ts"
import { fastSharding, type Storage } from "./engine.ts"

/** Changes how a request is saved. */
export type Saving = <A, E>(save: Effect.Effect<A, E>) => Effect.Effect<A, E>

const short = Effect.sleep("20 millis")

export const savings = {
  "is never stored": (save) => Effect.andThen(Effect.never, save),
  "is stored on interruption": (save) => Effect.onInterrupt(Effect.never, () => Effect.ignore(save)),
  "is stored some time after the interruption": (save) =>
    Effect.onInterrupt(Effect.never, () => Effect.forkDetach(Effect.andThen(short, save))),
  "is stored without a confirmation": (save) => Effect.andThen(save, Effect.never),
  "is stored uninterruptibly": (save) => Effect.uninterruptible(Effect.andThen(short, save)),
  "is stored and confirmed late": (save) => Effect.uninterruptible(Effect.tap(save, () => short))
} satisfies Readonly<Record<string, Saving>>

/** Returns a function that delays each save in another way, by up to 10 milliseconds. */
export const varyingSaves = (): Saving => {
  let times = 0
  return (save) => {
    const delay = Effect.sleep(times * 7 % 11)
    const late = Effect.andThen(delay, save)
    switch (times++ % 5) {
      case 0:
        return late
      case 1:
        return Effect.onInterrupt(late, () => Effect.forkDetach(late))
      case 2:
        return Effect.tap(save, () => delay)
      case 3:
        return Effect.uninterruptible(late)
      default:
        return save
    }
  }
}

/** Applies `saving` to the first save of an activity, and none to others; calls `asked` then. */
export const onFirstSave = (activity: string, saving: Saving, asked: () => void = () => {}) => {
  let first = true
  return (name: unknown): Saving => {
    if (name !== activity || !first) return identity
    first = false
    asked()
    return saving
  }
}

/** @param savingOf - how a request is saved, by the name of the activity if it is for one */
export const slowCluster = (savingOf: (activity: unknown) => Saving): Storage => {
  const storage = Layer.effect(
    MessageStorage.MessageStorage,
    Effect.map(MessageStorage.MessageStorage, (storage): MessageStorage.MessageStorage["Service"] => ({
      ...storage,
      saveRequest: (message) => savingOf(Object(message.envelope.payload).name)(storage.saveRequest(message))
    }))
  )
  return ClusterWorkflowEngine.layer.pipe(
    Layer.provide(Sharding.layer),
    Layer.provide(Runners.layerNoop),
    Layer.provideMerge(storage.pipe(Layer.provide(MessageStorage.layerMemory))),
    Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop, Digest.layerWebCrypto]),
    Layer.provide(ShardingConfig.layer(fastSharding)),
    Layer.merge(Layer.orDie(SqliteClient.layer({ filename: ":memory:" })))
  )
}
