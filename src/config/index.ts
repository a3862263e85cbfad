/**
 * Pipelines and hooks from a file.
 *
 * @since 0.1.0
 */
export {
  ConfigFileError,
  type ConfigFileErrorFields,
  type ConfigIssue,
  isConfigFileError,
  type Position
} from "./ConfigFileError.ts"
export * from "./Document.ts"
export {
  type ExplainedHook,
  type ExplainedStep,
  type FileAlerter,
  load,
  type Loaded,
  type LoadOptions,
  loadPipeline
} from "./load.ts"
