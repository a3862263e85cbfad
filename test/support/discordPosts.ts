/** Posts to a server in place of Discord. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Discord } from "../../src/alerters/index.ts"
import { type Alert, Alerter } from "../../src/index.ts"
import { channelServer } from "./channelServer.ts"

export const timeZone = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")
export const at = DateTime.makeUnsafe("2026-11-23T12:40:12Z")

/** Posts alerts through one layer to one server, and returns the bodies that it received. */
export const poster = (make: (url: string) => Layer.Layer<Alerter> = webhook()) =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 204 })
    const context = yield* Layer.build(make(server.url))
    return (alert: Alert) =>
      Effect.gen(function*() {
        yield* Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(Effect.provide(context))
        return server.requests.pop()!
      })
  })

export const webhook = (query = "") => (url: string) =>
  Discord.layer({
    webhookUrl: Redacted.make(`${url}/api/webhooks/1/abc${query}`),
    timeZone,
    delay: "1 millis",
    pace: []
  })

export const embedOf = (alert: Alert) =>
  Effect.gen(function*() {
    const post = yield* poster()
    return (yield* post(alert.with({ at }))).json.embeds[0]
  })
