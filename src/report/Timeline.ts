/**
 * Runs as charts: a page to look into, and pictures to paste. What went on at the same time stands below one another,
 * with what failed, what was tried again, and what hooks did.
 *
 * All of it is made from events, of one run or of several, in the order in which they came.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Event } from "./Event.ts"
import { palettes } from "./internal/timeline/colors.ts"
import * as page from "./internal/timeline/html.ts"
import * as gantt from "./internal/timeline/mermaid.ts"
import * as renderer from "./internal/timeline/png.ts"
import { timeline } from "./internal/timeline/rows.ts"
import * as picture from "./internal/timeline/svg.ts"

/**
 * @category options
 * @since 0.1.0
 */
export interface HtmlOptions {
  /** In place of the run's name. */
  readonly title?: string | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface SvgOptions extends HtmlOptions {
  /** `"light"` unless set. */
  readonly theme?: "light" | "dark" | undefined
  /** In pixels: 960 unless set, and no less than 400. The height is what is needed. */
  readonly width?: number | undefined
  /** Of more runs and steps, those that failed and the longest are shown: 40 unless set. */
  readonly maxRows?: number | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface PngOptions extends SvgOptions {
  /** How many pixels of the picture are one of its width: 2 unless set. Very large pictures are made with fewer. */
  readonly scale?: number | undefined
  /** Paths of TrueType or OpenType fonts, besides those of the system. */
  readonly fontFiles?: ReadonlyArray<string> | undefined
}

/**
 * @category options
 * @since 0.1.0
 */
export interface MermaidOptions extends HtmlOptions {
  /** Of more runs and steps, those that failed and the longest are shown: 60 unless set. */
  readonly maxRows?: number | undefined
}

const RendererMissingBase: new(
  fields: RendererMissingFields
) => Cause.YieldableError & { readonly _tag: "RendererMissing" } & RendererMissingFields = Data.TaggedError(
  "RendererMissing"
)<RendererMissingFields>

/**
 * What a {@link RendererMissing} is made of.
 *
 * @category errors
 * @since 0.1.0
 */
export interface RendererMissingFields {
  /** The package `@resvg/resvg-js`, or any font: without one, all text would be missing from pictures. */
  readonly missing: "renderer" | "fonts"
  /** Says what to install. */
  readonly message: string
}

/**
 * Something that {@link png} needs is not installed.
 *
 * @category errors
 * @since 0.1.0
 */
export class RendererMissing extends RendererMissingBase {}

/**
 * A page with a chart of runs. It is one file, which loads nothing and sends nothing, to be kept with a build or sent
 * around: steps fold, are found by name and by failure, and show what is known of them; time can be zoomed.
 *
 * What is text in events is text in the page.
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
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const html = (events: Iterable<Event>, options?: HtmlOptions): string =>
  page.html(timeline(events, options?.title))

/**
 * A picture of runs, to paste where no page can be shown. Times are from the start of the run on.
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
export const svg = (events: Iterable<Event>, options?: SvgOptions): string =>
  picture.svg(timeline(events, options?.title), {
    palette: palettes[options?.theme ?? "light"],
    width: Math.max(400, Math.round(options?.width ?? 960) || 960),
    maxRows: rowsOf(options?.maxRows, 40)
  })

/**
 * The picture of {@link svg}, for what shows no SVG: mails and chats. Needs the package `@resvg/resvg-js`, on Deno
 * with `--allow-ffi`.
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
  options?: PngOptions
): Effect.Effect<Uint8Array<ArrayBuffer>, RendererMissing> =>
  Effect.suspend(() =>
    renderer.png({
      svg: svg(events, options),
      scale: Math.max(0.1, options?.scale ?? 2),
      fontFiles: options?.fontFiles ?? []
    })
  ).pipe(Effect.mapError((fields) => new RendererMissing(fields)))

/**
 * A `gantt` of [Mermaid](https://mermaid.js.org/syntax/gantt.html), which GitHub and others draw where it stands in a
 * `mermaid` block of Markdown. Hooks are in it where they failed.
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
export const mermaid = (events: Iterable<Event>, options?: MermaidOptions): string =>
  gantt.mermaid(timeline(events, options?.title), rowsOf(options?.maxRows, 60))

const rowsOf = (rows: number | undefined, otherwise: number): number =>
  Math.max(1, Number.isNaN(rows) ? otherwise : rows ?? otherwise)
