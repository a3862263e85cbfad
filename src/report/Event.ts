/**
 * Events of runs as plain data: what records, timelines and the command work with.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { RunEvent } from "../RunEvent.ts"
import { EventJson, toEventJson } from "./internal/events/eventJson.ts"

/**
 * An event of a run, as JSON: a `RunEvent` with times in milliseconds since 1970, durations in milliseconds, causes as
 * their pretty text, parameters and annotations without secrets, and without the values of exits.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = EventJson

/**
 * The schema of {@link Event}. Fields are added to it in later versions, and none is taken away.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event: Schema.Codec<Event> = EventJson

/**
 * An event as plain data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromRunEvent: (event: RunEvent) => Event = toEventJson
