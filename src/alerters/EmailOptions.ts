/**
 * The options of `Email`.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import type { ChannelOptions } from "./ChannelOptions.ts"

/**
 * The options of mails, whichever way the server is named.
 *
 * @category models
 * @since 0.1.0
 */
export interface MailOptions extends ChannelOptions {
  /** The sender, as in `"alerts@example.com"` or `"Alerts <alerts@example.com>"`. */
  readonly from: string
  /** The recipients: one address, several with commas between them, or a list. */
  readonly to: string | ReadonlyArray<string>
  /** The beginning of every subject, such as `"[production]"`. */
  readonly subjectPrefix?: string | undefined
  /**
   * Whether to send nothing, neither password nor mail, over an unencrypted connection.
   * Unless set, true for every server but the machine itself (`localhost`, `127.0.0.1`).
   */
  readonly requireTls?: boolean | undefined
  /** How the server's certificate is checked. */
  readonly tls?: TlsOptions | undefined
}

/**
 * Sets how the server's certificate is checked.
 *
 * @category models
 * @since 0.1.0
 */
export interface TlsOptions {
  /**
   * Whether the server's certificate must be valid. Unless set, true for every server but
   * the machine itself if TLS is not required there.
   */
  readonly rejectUnauthorized?: boolean | undefined
  /** The certificate (PEM) of the authority that signed the server's, if the runtime does not know it. */
  readonly ca?: string | undefined
}

/**
 * The options of `Email.layer`, which name the server by its host.
 *
 * @category models
 * @since 0.1.0
 */
export interface SmtpOptions extends MailOptions {
  /** The name or the IP address of the SMTP server. */
  readonly host: string
  /** Unless set, 465 if `secure` is true, 587 otherwise. */
  readonly port?: number | undefined
  /** Whether the connection begins with TLS, rather than with STARTTLS. Unless set, true on port 465, false otherwise. */
  readonly secure?: boolean | undefined
  /** The user to log in as. Needs a `password`. */
  readonly user?: string | undefined
  /** The password of `user`. */
  readonly password?: Redacted.Redacted<string> | undefined
}

/**
 * The options of `Email.layerConfig`, which name the server by a URL.
 *
 * @category models
 * @since 0.1.0
 */
export interface UrlOptions extends MailOptions {
  /**
   * The server's URL, as in `smtps://user:password@host` or `smtp://host:2525`. The user and
   * the password must be percent-encoded.
   */
  readonly url: Redacted.Redacted<string>
}
