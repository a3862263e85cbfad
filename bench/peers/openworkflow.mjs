/** The job with openworkflow, on SQLite. */
import process from "node:process"
import { OpenWorkflow } from "openworkflow"
import { BackendSqlite } from "openworkflow/sqlite"
import { body, main, post, retries, steps, success } from "./job.mjs"

const backend = BackendSqlite.connect(process.env.FILE)
const client = new OpenWorkflow({ backend })
const retryPolicy = { maximumAttempts: retries + 1, initialInterval: "1ms", backoffCoefficient: 1 }
const job = client.defineWorkflow({ name: "job" }, async ({ input: { run }, step }) => {
  for (let index = 0; index < steps; index++) {
    try {
      await step.run({ name: `step-${index}`, retryPolicy }, () => body(index))
      await step.run({ name: `success-${index}` }, () => success())
    } catch (error) {
      if (error?.name !== "StepError") throw error
      await step.run({ name: `alert-${index}` }, () => post(run, index, error))
    }
  }
})
const worker = client.newWorker({ concurrency: 1 })
await worker.start()
await main(async (run) => {
  const handle = await job.run({ run }, { idempotencyKey: run })
  await handle.result({ timeoutMs: 300_000 })
}, () => worker.stop())
