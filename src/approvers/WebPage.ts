/**
 * Asks on a web page with two buttons, which the script itself serves, on Bun, Deno and Node. It
 * needs no account anywhere.
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
 * Shows each question on a page of its own, on a server that runs as long as the layer is in use.
 *
 * **Details**
 *
 * The page's URL contains 256 random bits, and anybody who has it can answer. It is passed to
 * `announce`, and appears in no log, span or error. Opening the page answers nothing, so link
 * previews are harmless; the buttons post a form. After the first answer, or when the question has
 * timed out or was withdrawn, the page only says so.
 *
 * A question with `values` has an input for each field, labelled by its annotations. Values that do not fit are shown again
 * beside what was expected, except for secrets, and the question stays open.
 *
 * If the question has `approvers`, each of them gets a link of their own, which identifies the
 * person who answers. Otherwise the page asks for a name, which is not verified; the id is
 * `"local"`.
 *
 * Building the layer fails if the server can't listen.
 *
 * The approver is not resumable. To serve the same page after a restart, the token of its URL
 * would have to be stored, and anybody who can read the storage could approve with it.
 *
 * **Gotchas**
 *
 * The server speaks HTTP without encryption. Let it listen on other addresses than this machine's
 * own only behind a proxy that adds TLS, and set `publicUrl`.
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
