/**
 * Pipelines and hooks from a file.
 *
 * @since 0.1.0
 */
export * as ConfigFile from "./ConfigFile.ts"
