/** What every pipeline that the command runs has. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

export { err, out } from "../terminal.ts"

/** Whatever a pipeline has of its own: files, paths, processes, the terminal. */
export const services: Layer.Layer<NodeServices.NodeServices> = Layer.mergeAll(
  NodeServices.layer,
  Layer.succeed(Logger.LogToStderr, true)
)
