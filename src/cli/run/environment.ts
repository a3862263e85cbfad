/** The services of every pipeline that the command runs. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

export { err, out } from "../terminal.ts"

/** Files, paths, processes and the terminal; logs go to standard error. */
export const services: Layer.Layer<NodeServices.NodeServices> = Layer.mergeAll(
  NodeServices.layer,
  Layer.succeed(Logger.LogToStderr, true)
)
