/**
 * Alerts by mail.
 *
 * Needs the package `nodemailer`, which is loaded when the layer is built:
 * `npm install nodemailer`.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Alerter, AlerterError } from "../Alerter.ts"
import type { SmtpOptions, UrlOptions } from "./EmailOptions.ts"
import * as internal from "./internal/email/post.ts"

export type { MailOptions, SmtpOptions, TlsOptions, UrlOptions } from "./EmailOptions.ts"

/**
 * Sends mails over SMTP, each with a plain part and one of HTML. The detail has 256
 * KB of it at most, and is cut in its middle. Mails of one run refer to it, so that
 * they are shown as one conversation. Attachments are sent up to 4 MiB together, since
 * many servers take no mail of more than 10 MB; pictures (PNG, JPEG, GIF) are shown
 * where they are read.
 *
 * An attempt that the server puts off (with a code of 4xx) is followed by another, as
 * is one that was not connected; never one that it refuses (5xx). A mail that is sent
 * again has the `Message-ID` that it had before. Where a server takes a mail for some
 * of the recipients only, it is sent, and a warning is logged.
 *
 * The `Message-ID` is made of the alert's `idempotencyKey` and the recipients, where
 * there is a key: a repeat of the post has the same. Whether that is shown again is up to
 * who receives it: some deliver one of the same `Message-ID` once, as Cyrus does
 * (https://www.cyrusimap.org/imap/reference/faqs/feature-duplicate-delivery.html) and
 * filters of Sieve can (https://www.rfc-editor.org/rfc/rfc7352); Exchange does where the
 * time is the same too
 * (https://learn.microsoft.com/en-us/previous-versions/office/exchange-server-2007/dd577073(v=exchg.80)),
 * and that of a repeat is its own.
 *
 * Fails when it is built without `nodemailer`.
 *
 * @example
 * ```ts
 * import { Email } from "effect-epilogue/alerters"
 * import { Redacted } from "effect"
 *
 * const alerter = Email.layer({
 *   host: "smtp.example.com",
 *   user: "alerts",
 *   password: Redacted.make("secret"),
 *   from: "Alerts <alerts@example.com>",
 *   to: ["ops@example.com", "oncall@example.com"]
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: SmtpOptions): Layer.Layer<Alerter, AlerterError> => internal.layer(options)

/**
 * {@link layer} with the server from `SMTP_URL`, the sender from `ALERT_EMAIL_FROM`
 * and the recipients from `ALERT_EMAIL_TO`, or with the config given.
 *
 * @example
 * ```ts
 * import { Email } from "effect-epilogue/alerters"
 * import { Config } from "effect"
 *
 * const alerter = Email.layerConfig()
 * const ofTeam = Email.layerConfig({
 *   url: Config.Redacted("SMTP_URL"),
 *   from: Config.succeed("alerts@example.com"),
 *   to: Config.String("TEAM_ADDRESS")
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  config: Config.Wrap<UrlOptions> = {
    // checked when the layer is built, as they are where code gives them
    url: Config.Redacted("SMTP_URL"),
    from: Config.String("ALERT_EMAIL_FROM"),
    to: Config.String("ALERT_EMAIL_TO")
  }
): Layer.Layer<Alerter, AlerterError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(config), internal.layerUrl))
