/**
 * Monitors: services that notice when a pipeline has not run. Each module makes Layers that tell one of them of runs.
 *
 * @since 0.1.0
 */
/** Runs as heartbeats of Better Stack. */
export * as BetterStack from "./BetterStack.ts"
/** Runs as jobs of Cronitor. */
export * as Cronitor from "./Cronitor.ts"
/** Runs as checks of Healthchecks.io, or of a server of one's own with the same API. */
export * as Healthchecks from "./Healthchecks.ts"
export { layerAll } from "./layerAll.ts"
export * from "./MonitorError.ts"
export type { LogOptions, MonitorOptions } from "./MonitorOptions.ts"
/** Runs as requests to any address. */
export * as Ping from "./Ping.ts"
/** Runs as check-ins of Sentry Crons. */
export * as Sentry from "./Sentry.ts"
/** Runs as push monitors of Uptime Kuma. */
export * as UptimeKuma from "./UptimeKuma.ts"
