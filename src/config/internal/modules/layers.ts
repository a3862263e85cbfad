/** An alerter of the user's own, by its source. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type { FileAlerter } from "../../load.ts"
import * as Sources from "./modules.ts"

/** Finds and imports the module, and takes the Layer. */
export const layerSource =
  (sources: Sources.SourceOptions) =>
  (reference: string): Effect.Effect<FileAlerter, Sources.Problem, FileSystem.FileSystem | Path.Path> =>
    Effect.flatMap(Effect.flatMap(Sources.resolve(reference, sources), Sources.load), (value) =>
      Layer.isLayer(value)
        // a cast, since what a module exports has no types at run time
        ? Effect.succeed(value as FileAlerter)
        : Effect.fail({ found: `${reference}, which is no Layer`, expected: "a Layer of Alerter" }))
