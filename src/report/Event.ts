/**
 * Converts events of runs to plain data, for records and timelines.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { RunEvent } from "../RunEvent.ts"
import { EventJson, toEventJson } from "./internal/events/eventJson.ts"

/**
 * A `RunEvent` as JSON.
 *
 * **Details**
 *
 * Times are in milliseconds since 1970, durations in milliseconds, causes as their pretty text. Parameters and
 * annotations are redacted, and values of exits are left out. A `stepPath` of more than 32 names has its first 15, an
 * ellipsis, and its last 16.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = EventJson

/**
 * The schema of {@link Event}. Later versions may add fields, and remove none.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event: Schema.Codec<Event> = EventJson

/**
 * Converts a `RunEvent` to plain data.
 *
 * @see {@link html} and {@link svg} for charts of events
 * @category constructors
 * @since 0.1.0
 */
export const fromRunEvent: (event: RunEvent) => Event = toEventJson
