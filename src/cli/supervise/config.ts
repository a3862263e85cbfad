/**
 * Reads what the supervisor needs of a config file. It imports no module of the user's: only the child does, so that
 * their side effects happen once and can't crash the supervisor.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { ConfigFile } from "../../config/index.ts"
import * as alerters from "../../config/internal/apply/alerter.ts"
import { decode } from "../../config/internal/file/decode.ts"
import { readText } from "../../config/internal/file/readText.ts"
import { layerSource } from "../../config/internal/modules/layers.ts"
import type * as Sources from "../../config/internal/modules/modules.ts"
import type { AlerterSpec } from "../../config/internal/schema/alerter.ts"
import { type LoadRequest, UsageError } from "../request.ts"

/** The settings of a supervisor. */
export interface Supervision {
  /** The name of the pipeline until the child reports it. */
  readonly pipeline: string
  /** The alerter of the file. Where that names a module, building the layer imports it. */
  readonly alerter: ConfigFile.FileAlerter | undefined
}

/** Returns `undefined` where the config can't be read or is wrong: loading the pipeline then reports the mistakes. */
export const read = (
  { allowOutside, config, pipeline, root }: LoadRequest
): Effect.Effect<Supervision | undefined, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    if (config === undefined) return { pipeline: path.basename(pipeline ?? ""), alerter: undefined }
    const { document } = yield* Effect.flatMap(readText(config), (text) => decode(text, config))
    const folder = path.dirname(path.resolve(config))
    const sources = { folder, root: root ?? folder, allowOutside }
    // a cast, since the public type of a document leaves out what the Schema has verified
    const spec = document.alerter as AlerterSpec | undefined
    return {
      pipeline: path.basename(pipeline ?? config),
      alerter: spec === undefined ? undefined : alerterOf(spec, sources, path.basename(config))
    }
  }).pipe(Effect.orElseSucceed(() => undefined))

const alerterOf = (spec: AlerterSpec, sources: Sources.SourceOptions, name: string): ConfigFile.FileAlerter =>
  Layer.unwrap(Effect.mapError(
    alerters.build(spec, {
      folder: sources.folder,
      name,
      loadLayer: layerSource(sources)
    }),
    ([{ problem }]) => new UsageError({ message: `alerter: expected ${problem.expected}, found ${problem.found}` })
  ))
