/** The services of every pipeline that the command runs. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

import { logger } from "./logger.ts"

export { err, errBlock, out } from "../terminal.ts"

/** Files, paths, processes and the terminal; logs go to standard error. */
export const services: Layer.Layer<NodeServices.NodeServices> = Layer.mergeAll(
  NodeServices.layer,
  Logger.layer([logger, Logger.tracerLogger]),
  // for loggers of the user's own
  Layer.succeed(Logger.LogToStderr, true)
)
