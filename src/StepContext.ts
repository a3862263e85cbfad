/**
 * The service that tells a step's body and its hooks about the step: its name, its
 * run, the attempt, its parameters, its annotations.
 *
 * @since 0.1.0
 */
export { StepContext } from "./internal/model/context.ts"
