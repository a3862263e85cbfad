/**
 * Sends alerts to Pushover, which shows them as notifications on phones, and repeats urgent ones until somebody reacts.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Severity } from "../Alert.ts"
import type { Alerter } from "../Alerter.ts"
import { durationMistakes, optionalText, priorityMistakes, spanMistakes } from "../internal/model/options.ts"
import { withoutTrailingSlashes } from "../internal/text/baseUrl.ts"
import type { ChannelOptions } from "./ChannelOptions.ts"
import * as channel from "./internal/channel/channel.ts"
import * as variable from "./internal/channel/config.ts"
import { bodyForm } from "./internal/channel/form.ts"
import { incidentActionOf } from "./internal/channel/incident.ts"
import { readable } from "./internal/channel/readable.ts"
import { secret } from "./internal/channel/secrets.ts"
import * as internal from "./internal/pushover/message.ts"

export type { Priority } from "./internal/pushover/message.ts"

/**
 * The options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface PushoverOptions extends ChannelOptions {
  /** The token of an application. */
  readonly token: Redacted.Redacted<string>
  /** The key of a user or a group. */
  readonly user: Redacted.Redacted<string>
  /** The name of the device that is notified, or several with commas between them. All of the user's unless set. */
  readonly device?: string | undefined
  /** The name of the sound (https://pushover.net/api#sounds). The user's own choice unless set. */
  readonly sound?: string | undefined
  /**
   * The priorities by severity: -2 makes no notification, -1 no sound, 1 is heard in quiet hours, and 2 is repeated until
   * somebody confirms it. -1 for `info` and `success`, 0 for `warning`, 1 for `error`, 2 for `critical` unless set.
   */
  readonly priorities?: { readonly [severity in Severity]?: internal.Priority | undefined } | undefined
  /** How often an alert of priority 2 is repeated: at least every 30 seconds. One minute unless set. */
  readonly retry?: Duration.Input | undefined
  /** For how long an alert of priority 2 is repeated, at most 3 hours. One hour unless set. */
  readonly expire?: Duration.Input | undefined
  /** The URL of the API. `https://api.pushover.net` unless set. */
  readonly baseUrl?: string | undefined
}

/**
 * Sends alerts as messages (https://pushover.net/api).
 *
 * **Details**
 *
 * An alert of priority 2, as `critical` ones are, is repeated until somebody confirms it in the app, `expire` has passed,
 * or an alert with the same `dedupeKey` says that all is well again (`resolves`) or that somebody has acknowledged it.
 * That holds for all processes with the same token: the alerts of a key have the same tag
 * (https://pushover.net/api/receipts#cancel_by_tag). That a step without a key is well again, which is told quietly at the
 * end of its run, ends the alerts of the same process; `recovered` with a store ends those of others, too.
 *
 * A message has at most 1,024 characters, its title 250: longer alerts are shortened, the detail first. The alert's
 * address, or else its first action, is the address of the message; more actions are lines of its text.
 *
 * Unless `pace` is set, 5 alerts are sent at once and one a second, one after another: Pushover takes two requests at a
 * time (https://pushover.net/api#friendly). It asks to wait 5 seconds after an answer of 5xx, which is the `delay` unless
 * set. Beyond the messages of a month, 10,000 unless more are paid for, alerts fail with `RateLimited` until these are
 * reset.
 *
 * **Gotchas**
 *
 * A repeated post appears twice, even with the same `idempotencyKey`: the API has no argument for such a key.
 *
 * @example
 * ```ts
 * import { Pushover } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Pushover.layer({
 *   token: Redacted.make("azGDORePK8gMaC0QOYAMyEEuzJnyUi"),
 *   user: Redacted.make("uQiRzpo4DXghDmr9QzzfQu27cmVRsG"),
 *   priorities: { critical: 2, error: 0 },
 *   retry: "5 minutes",
 *   expire: "3 hours"
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: PushoverOptions): Layer.Layer<Alerter> => {
  // outside, since the layer may be built once for each run
  const ringing = internal.makeRinging()
  return channel.layer("pushover", { ...options, delay: options.delay ?? "5 seconds" }, own, () => {
    const token = Redacted.value(options.token)
    const user = Redacted.value(options.user)
    const baseUrl = `${withoutTrailingSlashes(options.baseUrl || "https://api.pushover.net")}/1`
    const keepsState = internal.hasEmergencies(options)
    return {
      secrets: [token, user],
      start: ({ http, time, words }) => {
        const send = (path: string, fields: Parameters<typeof bodyForm>[1]) =>
          http.send(bodyForm(HttpClientRequest.post(`${baseUrl}${path}`), { token, ...fields }), undefined, {
            refused: internal.refused
          })
        return Effect.succeed((alert) =>
          Effect.gen(function*() {
            const action = incidentActionOf(alert)
            const ends = keepsState && (action === "resolve" || action === "acknowledge")
            const rings = internal.isEmergency(alert, options)
            const tag = ends || rings ? yield* internal.tagOf(alert) : undefined
            if (ends && tag !== undefined) {
              yield* Effect.catchIf(
                send(`/receipts/cancel_by_tag/${tag}.json`, {}),
                // there is none to cancel
                ({ reason }) => reason._tag === "Rejected" && reason.status === 404,
                () => Effect.void
              )
              ringing.remove(alert)
            }
            if (alert.quiet) return
            if (rings) ringing.add(alert)
            yield* send("/messages.json", { user, ...internal.message(alert, tag, options, { time, words }) })
          }).pipe(Effect.mapError((refused) => readable(refused, internal.said)))
        )
      },
      pace: internal.pace,
      keepsState,
      // at the end of a run there is a quiet alert for each step that is well
      concerns: (alert) => !alert.quiet || ringing.has(alert)
    }
  })
}

const own: channel.OwnOptions<PushoverOptions> = {
  token: secret,
  user: secret,
  device: optionalText,
  sound: optionalText,
  priorities: (_, value) => priorityMistakes(value, -2, 2),
  retry: spanMistakes,
  expire: durationMistakes,
  baseUrl: optionalText
}

/**
 * Like {@link layer}, with the token from `PUSHOVER_TOKEN` and the key of the user or group from `PUSHOVER_USER`; or the
 * options from a config.
 *
 * @example
 * ```ts
 * import { Pushover } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Pushover.layerConfig()
 * const ofTeam = Pushover.layerConfig({
 *   token: Config.Redacted("TEAM_PUSHOVER"),
 *   user: Config.Redacted("TEAM_GROUP")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<PushoverOptions> = {
    token: variable.secret("PUSHOVER_TOKEN"),
    user: variable.secret("PUSHOVER_USER")
  }
): Layer.Layer<Alerter, Config.ConfigError> => variable.layerOf(config, layer)
