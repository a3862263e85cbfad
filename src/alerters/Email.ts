/**
 * Sends alerts by mail.
 *
 * Needs the package `nodemailer`, which is loaded when the layer is built:
 * `npm install nodemailer`.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as Layer from "effect/Layer"
import type { Alerter, AlerterError } from "../Alerter.ts"
import type { SmtpOptions, UrlOptions } from "./EmailOptions.ts"
import * as variable from "./internal/channel/config.ts"
import * as internal from "./internal/email/post.ts"

export type { Encryption, MailOptions, SmtpOptions, UrlOptions } from "./EmailOptions.ts"

/**
 * Sends alerts as mails over SMTP, each with a plain text part and an HTML part.
 *
 * **Details**
 *
 * The detail is cut in its middle to 256 KB of HTML. Mails of one run reference the run, so
 * mail clients show them as one conversation. Attachments are sent up to 4 MiB together, since
 * many servers accept no mail of more than 10 MB; pictures (PNG, JPEG, GIF) are shown inline.
 *
 * Mails share two connections, each for up to ten mails: Microsoft 365 accepts three at a time
 * (https://learn.microsoft.com/en-us/exchange/troubleshoot/send-emails/smtp-submission-improvements),
 * and Exim delays what comes after ten (https://github.com/Exim/exim/wiki/Q0009). They are closed
 * with the layer, and don't keep a process alive that has nothing else to do.
 *
 * Nothing is sent unless the connection is encrypted, by STARTTLS or from its beginning
 * (`secure`), save to the machine itself. Set `tls` for a server that offers no encryption, and
 * `ca` for one whose certificate is signed by an authority of your own.
 *
 * An attempt is repeated after a temporary refusal by the server (a 4xx reply) or a connection
 * error, never after a permanent refusal (5xx). Unless `retries` is set, temporary refusals may last
 * some ten minutes: a server that greylists accepts a mail only after five. Each attempt has the same `Message-ID`. If the
 * server accepts the mail for some recipients only, they receive it, and a warning is logged.
 *
 * If the alert has an `idempotencyKey`, the `Message-ID` is derived from it and the recipients,
 * so a repeated post has the same id.
 *
 * **Gotchas**
 *
 * Whether a mail with a known `Message-ID` is delivered again is up to the receiving server.
 * Cyrus drops it (https://www.cyrusimap.org/imap/reference/faqs/feature-duplicate-delivery.html),
 * Sieve filters can (https://www.rfc-editor.org/rfc/rfc7352), and Exchange does only if the time
 * is the same as well
 * (https://learn.microsoft.com/en-us/previous-versions/office/exchange-server-2007/dd577073(v=exchg.80)),
 * which it is not in a repeated post.
 *
 * Building the layer fails with an `AlerterError` if `nodemailer` is not installed, or if an
 * option is wrong.
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
 * Like {@link layer}, with the server from `SMTP_URL`, the sender from `ALERT_EMAIL_FROM`
 * and the recipients from `ALERT_EMAIL_TO`, or the options from a config.
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
    // not checked here: the layer checks them, wherever they come from
    url: variable.secret("SMTP_URL"),
    from: variable.text("ALERT_EMAIL_FROM"),
    to: variable.text("ALERT_EMAIL_TO")
  }
): Layer.Layer<Alerter, AlerterError | Config.ConfigError> => variable.layerOf(config, internal.layerUrl)
