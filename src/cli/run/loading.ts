/** Loads the pipeline that the command line names. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import { ConfigFile } from "../../config/index.ts"
import type { LoadRequest } from "../request.ts"

/**
 * Loads a pipeline from a config file, a module, or both, with the parameters of the command line.
 *
 * A parameter whose JSON value does not fit its field is tried again as text: `--param Job.version=5` sets a field of
 * text to `"5"`.
 */
export const load = (
  request: LoadRequest,
  alerter?: ConfigFile.LoadOptions["alerter"]
): Effect.Effect<ConfigFile.Loaded, ConfigFile.ConfigFileError, FileSystem | Path> =>
  Effect.catch(attempt(request, alerter), (error) => {
    const params = withTexts(request, error)
    return params === undefined
      ? Effect.fail(error)
      // where the text does not fit either, the error about the JSON value explains more
      : Effect.mapError(
        attempt({ ...request, params }, alerter),
        (second) => second.issues.length < error.issues.length ? second : error
      )
  })

const attempt = (
  { allowOutside, config, params, pipeline, root, runName, timeout }: LoadRequest,
  alerter: ConfigFile.LoadOptions["alerter"]
) => {
  const options = {
    allowOutside,
    params,
    root,
    runName,
    timeout: timeout === undefined ? undefined : Duration.millis(timeout),
    alerter
  }
  return config === undefined
    ? ConfigFile.loadPipeline(pipeline ?? "", options)
    : ConfigFile.load(config, { ...options, pipeline })
}

/** Returns the parameters with the texts of those that did not fit, or `undefined` if there is no text to try. */
const withTexts = (
  { config, params, texts }: LoadRequest,
  { issues }: ConfigFile.ConfigFileError
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
