/** Posts alerts to channels of a server. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Alert, Alerter } from "../../src/index.ts"
import type { ChannelServer } from "./channelServer.ts"

/** Builds a channel. `sent` posts an alert, and returns the last request that the server has received. */
export const postingTo = <E>({ requests }: ChannelServer, layer: Layer.Layer<Alerter, E>) =>
  Effect.map(Layer.build(layer), (services) => {
    const { post } = Context.get(services, Alerter)
    return { post, sent: (alert: Alert) => Effect.map(post(alert), () => requests.at(-1)!), requests }
  })
