/**
 * Provides the context of the current step to its body and its hooks: name, path, run, attempt, parameters and
 * annotations.
 *
 * @since 0.1.0
 */
export { StepContext } from "./internal/model/context.ts"
