/**
 * Loads config files and the pipelines that they configure.
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
 * Loads a config file and the modules that it names, and returns the pipeline as the file configures it.
 *
 * **When to use**
 *
 * For scripts that run a pipeline by a config file without the command `epilogue run`.
 *
 * **Details**
 *
 * - A file whose name ends with `.json` is read as JSON, one with `.yaml` or `.yml` as YAML.
 * - A file has at most 1 MiB, 50,000 values, those of aliases included, and 64 levels. A larger file is refused before it
 *   is read.
 * - The modules are imported, but no step and no hook runs.
 * - Fails with a {@link ConfigFileError} that lists every issue with its place: invalid values, exports that are not
 *   hooks, parameters that can't be decoded.
 * - What neither the file nor the code sets comes from the project file: the nearest `epilogue.yaml` without a
 *   `pipeline` in the folder of the file, or above it in its repository. One that others may write is refused.
 * - Options win over the file, and the file wins over the code. For each kind, the file's hooks of a step replace the
 *   file's `stepHooks`, and these replace the hooks of the code, unless `inherit` combines them.
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
 * @see {@link loadPipeline} for a pipeline without a config file
 *
 * @category constructors
 * @since 0.1.0
 */
export const load = (
  file: string,
  options?: LoadOptions
): Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path> => internal.fromFile(file, options ?? {})

/**
 * Loads a pipeline without a config file, like {@link load} with an empty one. `reference` is an export of a module,
 * `./path.ts#export`, relative to the working directory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const loadPipeline = (
  reference: string,
  options?: LoadOptions
): Effect.Effect<Loaded, ConfigFileError, FileSystem.FileSystem | Path.Path> =>
  internal.withoutFile({ ...options, pipeline: reference })
