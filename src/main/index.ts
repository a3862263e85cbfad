/**
 * Runs an effect as the whole of a script.
 *
 * @since 0.1.0
 */
export type { MainOptions } from "./MainOptions.ts"
export { runMain } from "./runMain.ts"
