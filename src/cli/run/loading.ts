/** Where the command gets a pipeline from. */
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import {
  type ConfigFileError,
  load as fromFile,
  type Loaded,
  type LoadOptions,
  loadPipeline
} from "../../config/index.ts"
import type { LoadRequest } from "../request.ts"

export type { Loaded }

/** As the command line says. A parameter that does not fit as JSON may fit as text. */
export const load = (
  request: LoadRequest,
  alerter?: LoadOptions["alerter"]
): Effect.Effect<Loaded, ConfigFileError, FileSystem | Path> =>
  Effect.catch(attempt(request, alerter), (error) => {
    const params = withTexts(request, error)
    return params === undefined
      ? Effect.fail(error)
      // where it does not either, what was said of it as JSON is to the point
      : Effect.mapError(
        attempt({ ...request, params }, alerter),
        (second) => second.issues.length < error.issues.length ? second : error
      )
  })

const attempt = (
  { allowOutside, config, params, pipeline, root, runName }: LoadRequest,
  alerter: LoadOptions["alerter"]
) => {
  const options = { allowOutside, params, root, runName, alerter }
  return config === undefined ? loadPipeline(pipeline ?? "", options) : fromFile(config, { ...options, pipeline })
}

/** The parameters, with those that did not fit as text; nothing where all of them were text. */
const withTexts = (
  { config, params, texts }: LoadRequest,
  { issues }: ConfigFileError
): LoadRequest["params"] | undefined => {
  const changed: Record<string, Record<string, unknown>> = Object.create(null)
  for (const { file, path: [place, service = "", field = ""] } of issues) {
    if (file === config || place !== "params") continue
    const value = params[service]?.[field]
    const text = texts[service]?.[field]
    if (text === undefined || typeof value === "string") continue
    changed[service] = Object.assign(Object.create(null), params[service], changed[service], { [field]: text })
  }
  return Object.keys(changed).length === 0 ? undefined : Object.assign(Object.create(null), params, changed)
}
