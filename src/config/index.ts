/**
 * Config files, which set the hooks, parameters, retries and alerts of a pipeline without changing its code.
 *
 * @since 0.1.0
 */
export { CommandFailed, type CommandFailedFields } from "./CommandFailed.ts"
/** Loads config files and the pipelines that they configure. */
export * as ConfigFile from "./ConfigFile.ts"
