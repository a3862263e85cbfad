/** Serves the page by the `HttpServer` that is provided. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { DurableRuns } from "../../../internal/model/durableRuns.ts"
import { newToken } from "../../../internal/text/token.ts"
import * as Writer from "../../../internal/text/writer.ts"
import type { RecordError } from "../../RecordError.ts"
import { UiError } from "../../UiError.ts"
import { siteAt } from "./access.ts"
import { app } from "./app.ts"
import { watchRuns } from "./runs.ts"
import { watchDurable } from "./stored/watch.ts"

/** @internal */
export const serve = (
  folder: string,
  onLink: ((link: string) => void) | undefined
): Layer.Layer<never, RecordError | UiError, HttpServer.HttpServer> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    const url = HttpServer.formatAddress(address)
    const site = siteAt(url, newToken())
    if (site === undefined) {
      return yield* new UiError({
        address: url,
        message: `the page would be at ${url}, which other machines may reach: expected an address such as 127.0.0.1`
      })
    }
    const runs = yield* watchRuns(folder)
    const durableRuns = yield* Effect.serviceOption(DurableRuns)
    const durable = durableRuns._tag === "None" ? undefined : yield* watchDurable(durableRuns.value, folder)
    const closing = yield* Deferred.make<void>()
    yield* HttpServer.serveEffect(app({ site, folder, runs, durable, closing: Deferred.await(closing) }))
    yield* Effect.addFinalizer(() => Deferred.succeed(closing, undefined))
    const link = `http://${site.hosts[0]}/?token=${site.token}`
    if (onLink === undefined) yield* Writer.logInfo(`runs are shown at ${link}`)
    else onLink(link)
  }))
