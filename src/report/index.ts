/**
 * Shows runs: progress, records, timelines and metrics.
 *
 * @since 0.1.0
 */
export * as Report from "./Report.ts"
