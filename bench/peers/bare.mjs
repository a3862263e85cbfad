/** The job with `effect/workflow` alone, on the embedded engine: the same activities, written by hand. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import process from "node:process"
import { Durable } from "../../src/durable/index.ts"
import { body, main, post, retries, steps, success } from "./job.mjs"

const step = (run, index) =>
  Effect.gen(function*() {
    const exit = yield* Effect.exit(
      Activity.make({
        name: `step-${index}`,
        success: Schema.Int,
        error: Schema.String,
        execute: Effect.tryPromise({ try: () => body(index), catch: String })
      }).pipe(Activity.retry({ times: retries }))
    )
    yield* Exit.isSuccess(exit)
      ? Activity.make({ name: `success-${index}`, execute: Effect.sync(success) })
      : Activity.make({ name: `alert-${index}`, execute: Effect.promise(() => post(run, index, exit.cause)) })
  })

const job = Workflow.make("job", { payload: { run: Schema.String }, idempotencyKey: ({ run }) => run })
const layer = job.toLayer(({ run }) =>
  Effect.forEach(Arr.range(0, steps - 1), (index) => step(run, index), { discard: true })
).pipe(Layer.provideMerge(Durable.layerSqlite({ filename: process.env.FILE })))

await main((run) => Effect.runPromise(Effect.provide(job.execute({ run }), layer)))
