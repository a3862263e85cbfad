/**
 * Monitors: services that notice when a pipeline has not run. Each module makes Layers that tell one of them of runs.
 *
 * @since 0.1.0
 */
export * as BetterStack from "./BetterStack.ts"
export * as Cronitor from "./Cronitor.ts"
export * as Healthchecks from "./Healthchecks.ts"
export { layerAll } from "./layerAll.ts"
export * from "./MonitorError.ts"
export type { LogOptions, MonitorOptions } from "./MonitorOptions.ts"
export * as Ping from "./Ping.ts"
export * as Sentry from "./Sentry.ts"
export * as UptimeKuma from "./UptimeKuma.ts"
