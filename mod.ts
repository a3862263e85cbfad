/**
 * Typed success and failure hooks for named steps and pipelines, on Effect.
 *
 * @module
 */
export * from "./src/index.ts"
