/** Pictures of runs, beside the alerts about them. */
import * as Effect from "effect/Effect"
import type { Alert, Attachment } from "../../Alert.ts"
import { explain } from "../../delivery/internal/entries.ts"
import { countOf } from "../../delivery/internal/options.ts"
import type { Post } from "../../delivery/internal/policy.ts"
import { atLeast } from "../../internal/model/severity.ts"
import type { Observer } from "../../RunEvent.ts"
import type { AttachTimelineOptions } from "../AttachTimeline.ts"
import type { EventJson } from "./events/eventJson.ts"
import { type Recent, RecentRuns } from "./events/recent.ts"

/** What makes a picture of events: given, so that it is loaded by whoever uses it. */
export type Render = (
  events: ReadonlyArray<EventJson>,
  options: AttachTimelineOptions
) => Effect.Effect<Uint8Array, unknown>

const name = "timeline.png"

/** How long an alert waits for its picture. */
const limit = "5 seconds"

const isBad = atLeast("error")

/** What is known of the run that the alert is about: of a step, only where it is bad news. */
const runOf = (runs: RecentRuns, alert: Alert): Recent | undefined => {
  const { attachments, source } = alert
  if (source === undefined || (source.stepPath.length > 0 && !isBad(alert))) return undefined
  // it has one already, of another layer
  if (attachments.some((attachment) => attachment.name === name)) return undefined
  return runs.of(source.runId)
}

const titleOf = ({ pipeline, runName }: NonNullable<Alert["source"]>, { known, steps }: Recent): string | undefined =>
  known === steps ? undefined : `${pipeline} · ${runName}: ${known} of ${steps} steps`

/** @internal */
export const make = (
  options: AttachTimelineOptions,
  render: Render
): (inner: Post) => Effect.Effect<{ readonly post: Post; readonly observer: Observer }> =>
(inner) =>
  Effect.sync(() => {
    const runs = new RecentRuns(countOf("attachTimeline", "maxSteps", options.maxSteps ?? 200))
    let told = false

    /** None where it can't be made, which is said once, to whoever looks for it. */
    const picture = (events: ReadonlyArray<EventJson>, title: string | undefined) =>
      Effect.suspend(() => render(events, { title, ...options })).pipe(
        Effect.timeout(limit),
        Effect.map((content): ReadonlyArray<Attachment> => [{ name, mediaType: "image/png", content }]),
        Effect.catchCause((cause) => {
          if (told) return Effect.succeed([])
          told = true
          return Effect.as(Effect.logDebug("effect-epilogue: alerts have no picture of their run", explain(cause)), [])
        })
      )

    return {
      observer: runs.observe,
      post: (alert) =>
        Effect.suspend(() => {
          const recent = runOf(runs, alert)
          if (recent === undefined || alert.source === undefined) return inner(alert)
          return Effect.flatMap(
            picture(recent.events, titleOf(alert.source, recent)),
            (pictures) => inner(alert.with({ attachments: [...alert.attachments, ...pictures] }))
          )
        })
    }
  })
