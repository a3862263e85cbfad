/**
 * A question as a web page with two buttons, served by the script itself. It runs on
 * Bun, Deno and Node, and needs no account anywhere.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type { AlerterError } from "../Alerter.ts"
import type { Approver } from "../Approver.ts"
import * as internal from "./internal/page/asking.ts"
import type { WebPageOptions } from "./WebPageOptions.ts"

export type { WebPageOptions } from "./WebPageOptions.ts"

/**
 * Shows each question on a page of its own, on a server that runs as long as the layer
 * is in use. The page's address holds 256 random bits, and is the one thing that an
 * answer needs: it is handed to `announce` and is in no log, span or error. Opening it
 * decides nothing, so previews of links are harmless; the buttons post a form. After
 * the first answer, or when nobody waits for one any more, the page only says so.
 *
 * Where the question has `approvers`, each gets a link of their own, and who answered is
 * known by it. Otherwise the page asks for a name, which nobody checks; the id is
 * `"local"`.
 *
 * The server speaks HTTP without encryption: let it listen elsewhere than on this
 * machine only behind a proxy that adds it, and say so with `publicUrl`. Building the
 * layer fails where it can't listen.
 *
 * It is not resumable: to serve a page at its address again, whoever goes on after a
 * restart would have to be handed the token, which would then stand in a handle, and so
 * in whatever that is stored in, for everybody to approve with.
 *
 * @example
 * ```ts
 * import { Alerter, Approver } from "effect-epilogue"
 * import { WebPage } from "effect-epilogue/approvers"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * // the link on the console
 * const here = WebPage.layer()
 *
 * // the link by the alerter of the script
 * const announced = WebPage.layer({
 *   port: 8080,
 *   publicUrl: "https://approve.example.com/",
 *   announce: (link, question) =>
 *     Effect.flatMap(Alerter, (alerter) => alerter.post(`${question.title} ${Redacted.value(link)}`))
 * }).pipe(Layer.provide(Alerter.layerConsole))
 *
 * const program = Approver.ask({ title: "Deploy?", timeout: "1 hour" }).pipe(Effect.provide(announced))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <R = never>(
  options: WebPageOptions<R> = {}
): Layer.Layer<Approver, AlerterError, R> => internal.layer(options)
