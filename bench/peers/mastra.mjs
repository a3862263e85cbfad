// A step with hooks in Mastra, whose hooks are the workflow's: each step is a workflow of its own.
import { Mastra } from "@mastra/core/mastra"
import { createStep, createWorkflow } from "@mastra/core/workflows"
import { z } from "zod"
import { boom, called } from "../effects.ts"

const input = z.object({ fails: z.boolean() })

const step = createStep({
  id: "step",
  inputSchema: input,
  outputSchema: z.number(),
  execute: async ({ inputData }) => {
    if (inputData.fails) throw boom
    return 1
  }
})

const workflow = createWorkflow({
  id: "job",
  inputSchema: input,
  outputSchema: z.number(),
  options: {
    onFinish: ({ status }) => {
      if (status === "success") called.success++
    },
    onError: () => {
      called.failure++
    }
  }
}).then(step).commit()

const job = new Mastra({ workflows: { job: workflow }, logger: false }).getWorkflow("job")

/** Runs `n` steps one after another. */
export const mastra = (n, fails) => async () => {
  for (let i = 0; i < n; i++) await (await job.createRun()).start({ inputData: { fails } })
}
