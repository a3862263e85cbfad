/**
 * Progress, records, timelines and metrics of runs.
 *
 * @since 0.1.0
 */
export * as Report from "./Report.ts"
