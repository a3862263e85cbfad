/**
 * A pipeline that a config file completes: in code it has no hooks, retries or time limits.
 *
 *     bunx epilogue run examples/config/training.yaml
 */
import { Data, Effect, Schema } from "effect"
import { Params, Pipeline, Step, StepContext } from "effect-epilogue"

export class TrainParams extends Params.Service<TrainParams>()("TrainParams", {
  epochs: Schema.Int,
  learningRate: Schema.Number
}) {}

export class Diverged extends Data.TaggedError("Diverged")<{ readonly epoch: number }> {
  override get message() {
    return `the loss grows since epoch ${this.epoch}`
  }
}

let reads = 0

export const load = Step.make(
  "load",
  // a source that answers only at the third attempt
  Effect.suspend(() => ++reads < 3 ? Effect.fail("no answer") : Effect.succeed([0.9, 0.4, 0.2, 0.1]))
)

export const train = Step.fn("train")(
  function*(losses: ReadonlyArray<number>) {
    const { epochs, learningRate } = yield* TrainParams
    if (learningRate > 0.5) return yield* new Diverged({ epoch: 2 })
    const loss = losses[Math.min(epochs, losses.length) - 1] ?? 1
    yield* StepContext.annotate({ loss })
    return loss
  },
  Step.params(TrainParams)
)

export const evaluate = Step.fn("evaluate")((loss: number) => Effect.succeed(1 - loss))

export const pipeline = Pipeline.make(
  "training",
  Effect.gen(function*() {
    const losses = yield* load
    return yield* evaluate(yield* train(losses))
  })
)
