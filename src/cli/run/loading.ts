/** Loads the pipeline that the command line names. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { Path } from "effect/Path"
import type { ConfigFile } from "../../config/index.ts"
import { fromFile, type LoadedFile, type LoadOptions, withoutFile } from "../../config/internal/load.ts"
import type { LoadRequest, UsageError } from "../request.ts"
import { alerterAt } from "../supervise/config.ts"

/** The options of loading that only the command has. */
export type CommandOptions = Pick<
  LoadOptions,
  "alerter" | "buildAlerter" | "given" | "onName" | "tellsMonitors" | "text" | "withoutPipeline"
>

/**
 * Loads a pipeline from a config file, a module, or both, with the parameters of the command line.
 *
 * A parameter whose JSON value does not fit its field is tried again as text: `--param Job.version=5` sets a field of
 * text to `"5"`.
 */
export const load = (
  request: LoadRequest,
  own: CommandOptions = {}
): Effect.Effect<LoadedFile, ConfigFile.ConfigFileError | UsageError, FileSystem | Path> =>
  Effect.flatMap(alerterAt(request.alertUrls), (alerterSpec) => {
    const options = { ...own, alerterSpec }
    return Effect.catch(attempt(request, options), (error) => {
      const params = withTexts(request, error)
      return params === undefined
        ? Effect.fail(error)
        // where the text does not fit either, the error about the JSON value explains more
        : Effect.mapError(
          attempt({ ...request, params }, options),
          (second) => second.issues.length < error.issues.length ? second : error
        )
    })
  })

const attempt = (
  { allowOutside, config, params, pipeline, project, root, runName, timeout }: LoadRequest,
  own: CommandOptions & Pick<LoadOptions, "alerterSpec">
) => {
  const options: LoadOptions = {
    allowOutside,
    project,
    params,
    root,
    runName,
    timeout: timeout === undefined ? undefined : Duration.millis(timeout),
    pipeline,
    ...own
  }
  return config === undefined ? withoutFile(options) : fromFile(config, options)
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
