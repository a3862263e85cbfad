/** Makes pages of events, wherever they come from. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { checked, optionalText } from "../../../internal/model/options.ts"
import type { Event } from "../../Event.ts"
import { html } from "./html.ts"
import { timeline } from "./rows.ts"

interface Options {
  readonly title?: string | undefined
}

export function pageOf(events: Iterable<Event>, options?: Options): string
export function pageOf<E, R>(events: Stream.Stream<Event, E, R>, options?: Options): Effect.Effect<string, E, R>
export function pageOf<E, R>(
  events: Iterable<Event> | Stream.Stream<Event, E, R>,
  options?: Options
): string | Effect.Effect<string, E, R> {
  const page = (all: Iterable<Event>) =>
    html(timeline(all, checked("Report.html", options ?? {}, { title: optionalText }).title))
  return Symbol.iterator in events ? page(events) : Effect.map(Stream.runCollect(events), page)
}
