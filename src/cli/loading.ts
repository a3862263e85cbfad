/** Where the command gets a pipeline from. */
import type * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import { type ConfigFileError, load as fromFile, type Loaded, type LoadOptions, loadPipeline } from "../config/index.ts"
import type { LoadRequest } from "./request.ts"

export type { Loaded }

/** As the command line says. */
export const load = (
  { allowOutside, config, params, pipeline, root, runName }: LoadRequest,
  alerter?: LoadOptions["alerter"]
): Effect.Effect<Loaded, ConfigFileError, FileSystem | Path> => {
  const options = { allowOutside, params, root, runName, alerter }
  return config === undefined ? loadPipeline(pipeline ?? "", options) : fromFile(config, { ...options, pipeline })
}
