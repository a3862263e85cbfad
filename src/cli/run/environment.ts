/** The services of every pipeline that the command runs. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"

import { logger } from "./logger.ts"
import { dropsLogs } from "./openWork.ts"

export { err, errBlock, out } from "../terminal.ts"

/** Adds what is logged to spans. Formatting it takes long for large objects, and seconds for deep ones. */
const spanLogger = Logger.make((options) => {
  if (!dropsLogs(options.fiber.cache.span)) Logger.tracerLogger.log(options)
})

/** Files, paths, processes and the terminal; logs go to standard error. */
export const services: Layer.Layer<NodeServices.NodeServices> = Layer.mergeAll(
  NodeServices.layer,
  Logger.layer([logger, spanLogger]),
  // for loggers of the user's own
  Layer.succeed(Logger.LogToStderr, true)
)
