/** A storage that takes its time: code around a step may interrupt it while it is being stored. */
import * as Cause from "effect/Cause"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import { MessageStorage } from "effect/cluster/MessageStorage"
import * as Storage from "effect/cluster/MessageStorage"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as Digest from "effect/crypto/Digest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Step } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { Bad, job, park, quick, watch } from "./support.ts"

const { live } = makeIt(test)

type Saving = <A, E>(save: Effect.Effect<A, E>) => Effect.Effect<A, E>

/** An engine that stores one activity in another way, the first time, and says when that is to happen. */
const engine = (activity: string, asked: Deferred.Deferred<void>, saving: Saving): Layer.Layer<WorkflowEngine> => {
  const storage = Layer.effect(
    MessageStorage,
    Effect.map(MessageStorage, (storage): Storage.MessageStorage["Service"] => ({
      ...storage,
      saveRequest: (message) => {
        const { payload } = message.envelope
        const isIt = Object(payload).name === activity && Deferred.doneUnsafe(asked, Exit.void)
        return isIt ? saving(storage.saveRequest(message)) : storage.saveRequest(message)
      }
    }))
  )
  return ClusterWorkflowEngine.layer.pipe(
    Layer.provide(Sharding.layer),
    Layer.provide(Runners.layerNoop),
    Layer.provideMerge(storage.pipe(Layer.provide(Storage.layerMemory))),
    Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop, Digest.layerWebCrypto]),
    Layer.provide(ShardingConfig.layer(quick))
  )
}

const moment = Effect.sleep("20 millis")

const cases: Readonly<Record<string, Saving>> = {
  "is not stored at all": (save) => Effect.andThen(Effect.never, save),
  "is stored when it is interrupted": (save) => Effect.onInterrupt(Effect.never, () => Effect.ignore(save)),
  "is stored after it was interrupted": (save) =>
    Effect.onInterrupt(Effect.never, () => Effect.forkDetach(Effect.andThen(moment, save))),
  "is stored, which nobody hears of": (save) => Effect.andThen(save, Effect.never),
  "is stored, whatever interrupts it": (save) => Effect.uninterruptible(Effect.andThen(moment, save)),
  "is stored, which is heard of late": (save) => Effect.uninterruptible(Effect.tap(save, () => moment))
}

for (const [name, saving] of Object.entries(cases)) {
  for (const what of ["start", "attempt"]) {
    live(`a step that is interrupted while its ${what} ${name}`, () =>
      Effect.gen(function*() {
        const seen = watch()
        const asked = Deferred.makeUnsafe<void>()
        const hanging = Step.make("hanging", Effect.onInterrupt(Effect.never, () => seen.note("body interrupted")))
          .pipe(
            Step.onInterrupt(() => seen.note("interrupt")),
            Step.onExit((exit) => seen.note(`exit ${exit._tag}`)),
            (step) => what === "start" ? Step.onStart(step, Effect.void) : step,
            Durable.step()
          )
        const failing = Step.make("failing", Effect.andThen(Deferred.await(asked), Effect.fail(new Bad({ n: 1 }))))
          .pipe(Durable.step({ error: Bad }))
        const { layer, workflow } = job(() =>
          Effect.gen(function*() {
            const exit = yield* Effect.exit(Effect.all([hanging, failing], { concurrency: 2 }))
            yield* park("1")
            yield* Durable.step(Step.make("after", seen.note("after")))
            return Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Bad
          })
        )
        const slow = engine(`step/hanging${what === "start" ? "/start" : ""}`, asked, saving)
        const exit = yield* Effect.exit(workflow.execute({ id: "1" })).pipe(
          Effect.provide(Layer.provideMerge(Layer.provide(layer, seen.layer), slow))
        )
        assert.deepEqual(exit, Exit.succeed(true))
        const [first, ...rest] = seen.list
        const ended = ["interrupt", "exit Failure", "after"]
        assert.deepEqual(first === "body interrupted" ? rest : seen.list, ended)
      }))
  }
}
