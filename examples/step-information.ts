/**
 * A failure hook that logs the name of the step, its parameters and its error.
 *
 *     bun examples/step-information.ts
 */
import { Data, Effect, Redacted, Schema } from "effect"
import { Params, Step, StepContext } from "effect-epilogue"
import { runMain } from "effect-epilogue/main"

class TrainParams extends Params.Service<TrainParams>()("TrainParams", {
  epochs: Schema.Int,
  learningRate: Schema.Number,
  token: Schema.Redacted(Schema.String)
}) {}

class Diverged extends Data.TaggedError("Diverged")<{ readonly epoch: number; readonly loss: number }> {
  override get message() {
    return `loss ${this.loss} in epoch ${this.epoch}`
  }
}

const report = (error: Diverged) =>
  Effect.gen(function*() {
    const { params, stepName } = yield* StepContext
    // `params` is for logs and alerts: encoded, with the token redacted.
    yield* Effect.logError(`${stepName} failed`, params)
    // The typed parameters. A hook may use any service, which the step then requires.
    const { learningRate } = yield* TrainParams
    // The error itself, typed.
    yield* Effect.logError(`${error._tag}: ${error.message}; try a learning rate of ${learningRate / 10}`)
  })

export const train = Step.make(
  "train",
  Effect.gen(function*() {
    const { epochs, learningRate } = yield* TrainParams
    if (learningRate > 0.5) return yield* new Diverged({ epoch: 2, loss: Infinity })
    return epochs
  })
).pipe(
  Step.params(TrainParams),
  Step.onFailureTag("Diverged", report)
)

export const program: Effect.Effect<number, Diverged | Params.ParamsError> = train.pipe(
  Effect.provide(TrainParams.layer({ epochs: 3, learningRate: 0.8, token: Redacted.make("s3cret") }))
)

if (import.meta.main) runMain(Effect.exit(program))
