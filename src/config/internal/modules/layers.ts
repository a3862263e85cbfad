/** Loads an alerter of the user's own from a module. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type { FileAlerter } from "../../Loaded.ts"
import { describe, isPlainFunction } from "./hooks.ts"
import * as Sources from "./modules.ts"
import type { Refusal } from "./refusal.ts"

/** Returns a function that imports the module of a reference and returns its export, if that is a Layer. */
export const layerSource =
  (sources: Sources.SourceOptions) =>
  (reference: string): Effect.Effect<FileAlerter, Refusal, FileSystem.FileSystem | Path.Path> =>
    Effect.flatMap(Effect.flatMap(Sources.resolve(reference, sources), Sources.load), (value) =>
      Layer.isLayer(value)
        // a cast, since the exports of a module have no types at run time
        ? Effect.succeed(value as FileAlerter)
        : Effect.fail({
          found: `${reference}, which is ${describe(value)}${
            isPlainFunction(value) ? " (Alerter.layer makes a Layer of a function)" : ""
          }`,
          expected: "a Layer of Alerter"
        }))
