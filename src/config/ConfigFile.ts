/**
 * Pipelines that run as a config file says.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { ConfigFileError } from "./ConfigFileError.ts"
import * as internal from "./internal/load.ts"
import type { Loaded, LoadOptions } from "./Loaded.ts"

export * from "./ConfigFileError.ts"
export * from "./Document.ts"
export type * from "./Loaded.ts"

/**
 * Loads a file (YAML, or JSON where it ends in `.json`), and the modules that it
 * names. Nothing of the pipeline runs. Fails with all that is wrong, each with its
 * place: what the file says wrongly, hooks that are none, parameters that do not fit.
 *
 * Flags come before the file, and the file before the code. Of each kind of hook the
 * file's for the step take the place of the file's `stepHooks`, and these of the
 * code's, unless `inherit` says otherwise.
 *
 * @example
 * ```ts
 * import { ConfigFile } from "effect-epilogue/config"
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import { Effect, Path } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { pipeline } = yield* ConfigFile.load("nightly.yaml", { runName: "by hand" })
 *   yield* pipeline
 * }).pipe(Effect.provide([NodeFileSystem.layer, Path.layer]))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const load = (
  file: string,
  options?: LoadOptions
): Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path> => internal.fromFile(file, options ?? {})

/**
 * {@link load} without a file: the pipeline is a module's export, `./path.ts#export`,
 * relative to the working folder.
 *
 * @category constructors
 * @since 0.1.0
 */
export const loadPipeline = (
  reference: string,
  options?: LoadOptions
): Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  internal.withoutFile({ ...options, pipeline: reference })
