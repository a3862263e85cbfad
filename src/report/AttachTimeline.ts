/**
 * Attaches to alerts a picture of the run that they are about.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type { Alert, Attachment } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { explain } from "../delivery/internal/entries.ts"
import { countOf } from "../delivery/internal/options.ts"
import { observing, type Post } from "../delivery/internal/policy.ts"
import { checked, optionalText } from "../internal/model/options.ts"
import { atLeast } from "../internal/model/severity.ts"
import { count, plural } from "../internal/text/words.ts"
import * as Writer from "../internal/text/writer.ts"
import type { Observer } from "../RunEvent.ts"
import type { Event } from "./Event.ts"
import { type Recent, RecentRuns } from "./internal/events/recent.ts"
import { png, type PngOptions } from "./Timeline.ts"

/**
 * Options of {@link attachTimeline}, and of the picture.
 *
 * @category options
 * @since 0.1.0
 */
export interface AttachTimelineOptions extends PngOptions {
  /**
   * How many ended steps of a run are kept for its picture, besides all running ones: the latest failures first, then
   * the longest steps. 200 unless set; up to twice as many are kept for a while.
   */
  readonly maxSteps?: number | undefined
}

/**
 * Wraps an alerter in a policy that attaches a picture of the run so far to its alerts: `timeline.png`, as
 * {@link png} makes it.
 *
 * **When to use**
 *
 * For channels that show pictures: `Email`, `Discord` and `Slack.layerBot`. It combines with the policies of
 * `effect-epilogue/delivery`.
 *
 * **Details**
 *
 * Alerts about a run that has not ended get the picture, and alerts about a step if their severity is at least `error`.
 *
 * The policy never keeps an alert back: if no picture can be made within 5 seconds, or the package `@resvg/resvg-js` is
 * not installed, the alert goes out without it, and a debug message is logged once. There is no SVG in its place: mail
 * readers show none, and some take it for phishing
 * (https://www.spamresource.com/2025/12/microsoft-is-pulling-support-for-inline.html).
 *
 * The layer observes the runs that post to the alerter by itself: no other layer is needed. It forgets a run when that
 * ends. A `maxSteps` that is not a whole number of at least 1 is a defect when the layer is built.
 *
 * **Gotchas**
 *
 * A policy that holds alerts back for longer (`digest`, `quietHours`) may hand them on when their run has ended and no
 * picture can be made any more. Pipe it before `attachTimeline`, nearer to the channel: then an alert that is held
 * alone keeps its picture, and one that is made of several alerts has none. The same goes for an `Outbox`, which stores
 * the picture with the alert: `Outbox.layer(…).pipe(Report.attachTimeline())`.
 *
 * @example
 * ```ts
 * import { Slack } from "effect-epilogue/alerters"
 * import { minSeverity } from "effect-epilogue/delivery"
 * import { Report } from "effect-epilogue/report"
 *
 * const alerter = Slack.layerBotConfig().pipe(Report.attachTimeline({ theme: "dark" }), minSeverity("warning"))
 * ```
 *
 * @see {@link png} for the picture alone
 * @category policies
 * @since 0.1.0
 */
export const attachTimeline: {
  (options?: AttachTimelineOptions): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R>
  <E, R>(self: Layer.Layer<Alerter, E, R>, options?: AttachTimelineOptions): Layer.Layer<Alerter, E, R>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R>(self: Layer.Layer<Alerter, E, R>, options: AttachTimelineOptions = {}): Layer.Layer<Alerter, E, R> =>
    observing(make(options, png))(self)
)

/** The name of the attachment. */
const name = "timeline.png"

/** How long an alert waits for its picture. */
const limit = "5 seconds"

const isError = atLeast("error")

/** Returns the run to make a picture of, unless the alert should have none. */
const runOf = (runs: RecentRuns, alert: Alert): Recent | undefined => {
  const { attachments, source } = alert
  if (source === undefined || (source.stepPath.length > 0 && !isError(alert))) return undefined
  // another `attachTimeline`, nearer to the hook, attached it already
  if (attachments.some((attachment) => attachment.name === name)) return undefined
  return runs.of(source.runId)
}

/** Returns a title that says how many steps are not in the picture, or `undefined` for the usual title. */
const titleOf = ({ pipeline, runName }: NonNullable<Alert["source"]>, { known, steps }: Recent): string | undefined =>
  known === steps ? undefined : `${pipeline} · ${runName}: ${count(known)} of ${plural(steps, "step")}`

/** @internal */
export type Render = (
  events: ReadonlyArray<Event>,
  options: AttachTimelineOptions
) => Effect.Effect<Uint8Array, unknown>

/**
 * Makes the post and the observer of the policy. `render` makes the picture; tests pass one that is slow or fails.
 *
 * @internal
 */
export const make = (
  options: AttachTimelineOptions,
  render: Render
) =>
(inner: Post): Effect.Effect<{ readonly post: Post; readonly observer: Observer }> =>
  Effect.sync(() => {
    const { maxSteps = 200, ...ofPicture } = checked("attachTimeline", options, {
      maxSteps: 0,
      title: optionalText,
      theme: 0,
      width: 0,
      maxRows: 0,
      scale: 0,
      fontFiles: 0
    })
    const runs = new RecentRuns(countOf("attachTimeline", "maxSteps", maxSteps))
    let logged = false

    /** Makes the attachment, or none where that fails. */
    const picture = (events: ReadonlyArray<Event>, title: string | undefined) =>
      Effect.suspend(() => render(events, { title, ...ofPicture })).pipe(
        Effect.timeout(limit),
        Effect.map((content): ReadonlyArray<Attachment> => [{ name, mediaType: "image/png", content }]),
        Effect.catchCause((cause) => {
          // once: without the renderer, it fails in the same way for each alert
          if (logged) return Effect.succeed([])
          logged = true
          return Effect.as(Writer.logDebug("effect-epilogue: alerts have no picture of their run", explain(cause)), [])
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
