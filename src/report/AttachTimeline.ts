/**
 * Alerts with a picture of the run that they are about.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import type { Alerter } from "../Alerter.ts"
import { observing } from "../delivery/internal/policy.ts"
import * as internal from "./internal/attachTimeline.ts"
import { png, type PngOptions } from "./Timeline.ts"

/**
 * @category options
 * @since 0.1.0
 */
export interface AttachTimelineOptions extends PngOptions {
  /**
   * How many steps of a run are remembered besides those that go on: what failed, and what took longest, since a
   * picture has no room for all. 200 unless set, or up to twice as many.
   */
  readonly maxSteps?: number | undefined
}

/**
 * A policy around an alerter, as those of `effect-epilogue/delivery`: alerts about a run that goes on, and those about
 * its steps that are at least an `error`, get a picture of the run so far, `timeline.png`, as `Report.png` makes it.
 * `Email`, `Discord` and `Slack.layerBot` show it.
 *
 * It never keeps an alert back: where no picture can be made within 5 seconds, since the package `@resvg/resvg-js` is
 * not installed, say, the alert goes without, and a debug message is logged once. There is no drawing (SVG) in its
 * place, since mail readers show none, and take it for what phishing brings along
 * (https://www.spamresource.com/2025/12/microsoft-is-pulling-support-for-inline.html).
 *
 * What it needs to know of runs it is told where they run, by the layer alone: no other observers are in its way, nor
 * it in theirs. It forgets a run that has ended. So a policy that holds alerts back for longer (`digest`,
 * `quietHours`) has nothing to show if it is asked before; pipe it first, nearer to the channel, and `attachTimeline`
 * after it. Then what is held alone keeps its picture, and what is made of several alerts has none. So does an
 * `Outbox`, which stores it: `Outbox.layer(…).pipe(Report.attachTimeline())`.
 *
 * A `maxSteps` that is no whole number of at least 1 is a defect when the layer is built.
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
 * @category policies
 * @since 0.1.0
 */
export const attachTimeline: {
  (options?: AttachTimelineOptions): <E, R>(self: Layer.Layer<Alerter, E, R>) => Layer.Layer<Alerter, E, R>
  <E, R>(self: Layer.Layer<Alerter, E, R>, options?: AttachTimelineOptions): Layer.Layer<Alerter, E, R>
} = dual(
  (args) => Layer.isLayer(args[0]),
  <E, R>(self: Layer.Layer<Alerter, E, R>, options: AttachTimelineOptions = {}): Layer.Layer<Alerter, E, R> =>
    observing(internal.make(options, png))(self)
)
