/** The job with this library. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Webhook } from "../../src/alerters/index.ts"
import { Durable, Outbox } from "../../src/durable/index.ts"
import { AlerterHooks, Pipeline, Step } from "../../src/index.ts"
import { body, main, retries, steps, success, url } from "./job.mjs"

const step = (index) =>
  Step.make(`step-${index}`, Effect.tryPromise({ try: () => body(index), catch: String })).pipe(
    Step.retry({ times: retries }),
    Step.onSuccess(() => Effect.sync(success)),
    Durable.step({ success: Schema.Int, error: Schema.String })
  )

const job = Durable.pipeline("job", {
  payload: { run: Schema.String },
  idempotencyKey: ({ run }) => run
}, ({ run }) =>
  Pipeline.make("job", Effect.forEach(Arr.range(0, steps - 1), (index) => Effect.exit(step(index)), { discard: true })).pipe(
    Pipeline.runName(run),
    Pipeline.stepHooks(AlerterHooks.failure)
  ))

/** Runs the job on an engine that also provides its `SqlClient`. */
export const runOn = (engine) => {
  const layer = job.layer.pipe(
    Layer.provide(Outbox.layer(Webhook.layer({ url: Redacted.make(url) }))),
    Layer.provideMerge(engine)
  )
  return main((run) => Effect.runPromise(Effect.provide(job.workflow.execute({ run }), layer)))
}
