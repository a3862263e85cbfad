/**
 * Typed success and failure hooks for named steps and pipelines, on Effect 4.
 *
 * @module
 */
export * from "./src/index.ts"
