/**
 * Draws runs as charts: a page to explore, and pictures to paste. Steps that ran at the same time stand below one
 * another, with their failures, retries and hooks.
 *
 * Each chart is made from the events of one run or of several, in the order in which they came.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { checked, type Known, numberMistakes, optionalText, refuse } from "../internal/model/options.ts"
import { selfExplained } from "../internal/text/selfExplained.ts"
import type { Event } from "./Event.ts"
import { palettes } from "./internal/timeline/colors.ts"
import * as gantt from "./internal/timeline/mermaid.ts"
import { pageOf } from "./internal/timeline/pageOf.ts"
import { rowsOf } from "./internal/timeline/pick.ts"
import * as renderer from "./internal/timeline/png.ts"
import { timeline } from "./internal/timeline/rows.ts"
import * as picture from "./internal/timeline/svg.ts"

/**
 * Options of {@link html}.
 *
 * @category options
 * @since 0.1.0
 */
export interface HtmlOptions {
  /** The title: the pipeline and the name of the run, unless set. */
  readonly title?: string | undefined
}

/**
 * Options of {@link svg}.
 *
 * @category options
 * @since 0.1.0
 */
export interface SvgOptions extends HtmlOptions {
  /** `"light"` unless set. */
  readonly theme?: "light" | "dark" | undefined
  /** The width in pixels: 960 unless set, and at least 400. The height follows from the rows. */
  readonly width?: number | undefined
  /** How many runs and steps are shown: 40 unless set. Of more, failed ones go first, then long ones. */
  readonly maxRows?: number | undefined
}

/**
 * Options of {@link png}.
 *
 * @category options
 * @since 0.1.0
 */
export interface PngOptions extends SvgOptions {
  /** How many pixels make one pixel of `width`: 2 unless set. Fewer for pictures of more than 16 million pixels. */
  readonly scale?: number | undefined
  /** Paths of TrueType or OpenType fonts to use in addition to those of the system. */
  readonly fontFiles?: ReadonlyArray<string> | undefined
}

/**
 * Options of {@link mermaid}.
 *
 * @category options
 * @since 0.1.0
 */
export interface MermaidOptions extends HtmlOptions {
  /** How many runs and steps are shown: 60 unless set. Of more, failed ones go first, then long ones. */
  readonly maxRows?: number | undefined
}

const RendererMissingBase: new(
  fields: RendererMissingFields
) => Cause.YieldableError & { readonly _tag: "RendererMissing" } & RendererMissingFields = selfExplained(
  Data.TaggedError(
    "RendererMissing"
  )<RendererMissingFields>
)

/**
 * The fields of a {@link RendererMissing}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface RendererMissingFields {
  /** The package `@resvg/resvg-js`, or any font at all: without fonts, pictures would have no text. */
  readonly missing: "renderer" | "fonts"
  /** Says what to install. */
  readonly message: string
}

/**
 * The error of {@link png} when something that it needs is not installed.
 *
 * @category errors
 * @since 0.1.0
 */
export class RendererMissing extends RendererMissingBase {}

/**
 * Returns an HTML page with a chart of runs, to explore: steps can be folded, searched by name and filtered by failure,
 * each shows its details, and time can be zoomed.
 *
 * **Details**
 *
 * The page is one file that loads nothing and sends nothing, so it can be kept with a build or sent around. Text of
 * events is escaped: it stays text in the page.
 *
 * @example
 * ```ts
 * import { Effect, FileSystem } from "effect"
 * import { Pipeline, RunEvent } from "effect-epilogue"
 * import { Report } from "effect-epilogue/report"
 *
 * const events: Array<Report.Event> = []
 *
 * const program = Effect.gen(function*() {
 *   const fs = yield* FileSystem.FileSystem
 *   yield* Pipeline.make("nightly", Effect.log("working")).pipe(
 *     Effect.provide(RunEvent.layer((event) => events.push(Report.fromRunEvent(event))))
 *   )
 *   yield* fs.writeFileString("nightly.html", Report.html(events))
 *   // of a record that was written earlier
 *   yield* fs.writeFileString("before.html", yield* Report.html(Report.read("before.jsonl")))
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const html: {
  (events: Iterable<Event>, options?: HtmlOptions): string
  <E, R>(events: Stream.Stream<Event, E, R>, options?: HtmlOptions): Effect.Effect<string, E, R>
} = pageOf

/**
 * Returns an SVG picture of runs, to paste where no page can be shown. Times are relative to the start of the run.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 *
 * const picture = (events: Iterable<Report.Event>) => Report.svg(events, { theme: "dark", maxRows: 20 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const svg = (events: Iterable<Event>, options: SvgOptions = {}): string =>
  pictureOf("Report.svg", events, checked("Report.svg", options, svgOptions))

const svgOptions: Known<SvgOptions> = { title: optionalText, theme: 0, width: 0, maxRows: 0 }

const pictureOf = (
  of: string,
  events: Iterable<Event>,
  { maxRows, theme = "light", title, width = 960 }: SvgOptions
): string => {
  refuse(of, numberMistakes("width", width, "above 0"))
  return picture.svg(timeline(events, title), {
    palette: palettes[theme],
    width: Math.max(400, Math.round(width)),
    maxRows: rowsOf(of, maxRows, 40)
  })
}

/**
 * Renders the picture of {@link svg} as PNG, for mails and chats, which show no SVG. Fails with `RendererMissing`
 * unless the package `@resvg/resvg-js` and a font are installed. On Deno it needs `--allow-ffi`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Report } from "effect-epilogue/report"
 *
 * const picture = (events: Iterable<Report.Event>) =>
 *   Report.png(events).pipe(
 *     Effect.catchTag("RendererMissing", ({ message }) => Effect.as(Effect.logWarning(message), undefined))
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const png = (
  events: Iterable<Event>,
  options: PngOptions = {}
): Effect.Effect<Uint8Array<ArrayBuffer>, RendererMissing> =>
  Effect.suspend(() => {
    const { fontFiles = [], scale = 2, ...ofPicture } = checked("Report.png", options, {
      ...svgOptions,
      scale: 0,
      fontFiles: 0
    })
    refuse("Report.png", numberMistakes("scale", scale, "above 0"))
    return renderer.png({ svg: pictureOf("Report.png", events, ofPicture), scale: Math.max(0.1, scale), fontFiles })
  }).pipe(Effect.mapError((fields) => new RendererMissing(fields)))

/**
 * Returns a `gantt` chart of [Mermaid](https://mermaid.js.org/syntax/gantt.html), which GitHub and others draw from a
 * `mermaid` block of Markdown. Of the hooks, it has only those that failed.
 *
 * @example
 * ```ts
 * import { Report } from "effect-epilogue/report"
 *
 * const markdown = (events: Iterable<Report.Event>) => "```mermaid\n" + Report.mermaid(events) + "```\n"
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const mermaid = (events: Iterable<Event>, options: MermaidOptions = {}): string => {
  const { maxRows, title } = checked("Report.mermaid", options, { title: optionalText, maxRows: 0 })
  return gantt.mermaid(timeline(events, title), rowsOf("Report.mermaid", maxRows, 60))
}
