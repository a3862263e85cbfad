/**
 * Serves a page with the recorded runs, live and past.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { checked, optionalText } from "../internal/model/options.ts"
import type { Synchronous } from "../internal/model/synchronous.ts"
import { defaultFolder } from "./internal/record/names.ts"
import type { PlaceOptions } from "./Record.ts"
import type { RecordError } from "./RecordError.ts"
import type { UiError } from "./UiError.ts"

export { DurableRuns, type DurableRunsError } from "../internal/model/durableRuns.ts"

/**
 * Options of {@link layerUi}.
 *
 * @category options
 * @since 0.1.0
 */
export interface UiOptions extends PlaceOptions {
  /** Called with the link to the page, which has its token. Unless set, the link is logged. */
  readonly onLink?: ((link: string) => Synchronous<"call Effect.runFork">) | undefined
}

/**
 * Serves a page with the runs that are recorded in a folder or a file: a list that is kept up to date, with filters, a
 * search and the durations of the last runs of each pipeline, and of each run the timeline of {@link html}, live while
 * it goes on, with what its steps logged. Two runs of a pipeline can be compared, as {@link compare} does it, and each
 * pipeline has a page with its durations over time. Where the service {@link DurableRuns} is provided, it has durable
 * runs and their questions, too.
 *
 * **Details**
 *
 * The layer needs an `HttpServer` of `effect/http`, such as that of `@effect/platform-node` or `@effect/platform-bun`,
 * which listens at a loopback address; it fails with a `UiError` for any other, since records hold parameters and
 * errors. Its link has a token, which the browser keeps as a cookie. The page loads nothing from elsewhere, and changes
 * nothing unless the durable runs are provided with actions.
 *
 * @example
 * ```ts
 * import { NodeHttpServer } from "@effect/platform-node"
 * import { Report } from "effect-epilogue/report"
 * import { Layer } from "effect"
 * import { createServer } from "node:http"
 *
 * const ui = Report.layerUi().pipe(
 *   Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
 * )
 * ```
 *
 * @see {@link layerRecord} to record runs
 * @see `Durable.layerUi` for durable runs
 * @category layers
 * @since 0.1.0
 */
export const layerUi = (
  options: UiOptions = {}
): Layer.Layer<never, RecordError | UiError, HttpServer.HttpServer> =>
  // loaded here, since only this needs a server and the page
  Layer.unwrap(
    Effect.map(Effect.promise(() => import("./internal/ui/serve.ts")), ({ serve }) => {
      const { file, folder = defaultFolder, onLink } = checked("Report.layerUi", options, {
        file: optionalText,
        folder: optionalText,
        onLink: 0
      })
      return serve(file ?? folder, onLink)
    })
  )
