/** The job with DBOS, on Postgres. */
import { DBOS } from "@dbos-inc/dbos-sdk"
import process from "node:process"
import { body, main, post, retries, steps, success } from "./job.mjs"

const retry = { retriesAllowed: true, maxAttempts: retries + 1, intervalSeconds: 0 }
const job = DBOS.registerWorkflow(async (run) => {
  for (let index = 0; index < steps; index++) {
    try {
      await DBOS.runStep(() => body(index), { name: `step-${index}`, ...retry })
      await DBOS.runStep(async () => success(), { name: `success-${index}` })
    } catch (error) {
      await DBOS.runStep(() => post(run, index, error), { name: `alert-${index}`, ...retry })
    }
  }
}, { name: "job" })

DBOS.setConfig({ name: "peers", systemDatabaseUrl: process.env.DATABASE_URL, logLevel: "error", runAdminServer: false })
await DBOS.launch()
await main(async (run) => {
  const handle = await DBOS.startWorkflow(job, { workflowID: run })(run)
  await handle.getResult()
}, () => DBOS.shutdown())
