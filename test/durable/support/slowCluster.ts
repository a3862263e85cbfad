/** A cluster in memory whose storage takes its time, and is at times interrupted in it. */
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
import { type Place, quick } from "./engine.ts"

/** What becomes of something that is to be saved. */
export type Saving = <A, E>(save: Effect.Effect<A, E>) => Effect.Effect<A, E>

const short = Effect.sleep("20 millis")

export const savings = {
  "is not stored at all": (save) => Effect.andThen(Effect.never, save),
  "is stored when it is interrupted": (save) => Effect.onInterrupt(Effect.never, () => Effect.ignore(save)),
  "is stored after it was interrupted": (save) =>
    Effect.onInterrupt(Effect.never, () => Effect.forkDetach(Effect.andThen(short, save))),
  "is stored, which nobody hears of": (save) => Effect.andThen(save, Effect.never),
  "is stored, whatever interrupts it": (save) => Effect.uninterruptible(Effect.andThen(short, save)),
  "is stored, which is heard of late": (save) => Effect.uninterruptible(Effect.tap(save, () => short))
} satisfies Readonly<Record<string, Saving>>

/** Each time another way, and most of them some milliseconds. */
export const variously = (): Saving => {
  let times = 0
  return (save) => {
    const while_ = Effect.sleep(times * 7 % 11)
    const late = Effect.andThen(while_, save)
    switch (times++ % 5) {
      case 0:
        return late
      case 1:
        return Effect.onInterrupt(late, () => Effect.forkDetach(late))
      case 2:
        return Effect.tap(save, () => while_)
      case 3:
        return Effect.uninterruptible(late)
      default:
        return save
    }
  }
}

/** That activity, in that way, when it is first to be saved. */
export const atFirst = (activity: string, saving: Saving, asked: () => void = () => {}) => {
  let first = true
  return (name: unknown): Saving => {
    if (name !== activity || !first) return identity
    first = false
    asked()
    return saving
  }
}

/** @param savingOf - how a request is saved, by the name of the activity if it is for one */
export const slowCluster = (savingOf: (activity: unknown) => Saving): Place => {
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
    Layer.provide(ShardingConfig.layer(quick)),
    Layer.merge(Layer.orDie(SqliteClient.layer({ filename: ":memory:" })))
  )
}
