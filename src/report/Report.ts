/**
 * What shows a run: its progress while it goes, a record of it, a timeline, metrics. All of it are observers of
 * `RunEvent`: a run without them pays nothing.
 *
 * @since 0.1.0
 */
export { Event, fromRunEvent } from "./Event.ts"
