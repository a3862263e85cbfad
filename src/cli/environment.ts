/** What every pipeline that the command runs has, and what the command writes to. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import process from "node:process"

export const out = (text: string): void => void process.stdout.write(`${text}\n`)
export const err = (text: string): void => void process.stderr.write(`${text}\n`)

/** Whatever a pipeline has of its own: files, paths, processes, the terminal. */
export const services: Layer.Layer<NodeServices.NodeServices> = Layer.mergeAll(
  NodeServices.layer,
  Layer.succeed(Logger.LogToStderr, true)
)
