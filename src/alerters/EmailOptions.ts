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
   * Whether connections are encrypted. Unless set, `"required"` for every server but the machine
   * itself (`localhost`, `127.0.0.1`), and `"opportunistic"` there.
   */
  readonly tls?: Encryption | undefined
  /** Certificates (PEM) of the authorities that the server's may be signed by, in place of those that the runtime knows. */
  readonly ca?: string | undefined
  /**
   * Whether the server's certificate must be valid. Unless set, true with `tls: "required"`,
   * with `secure` and with a `ca`: otherwise an attacker could as well keep the encryption from
   * beginning.
   */
  readonly rejectUnauthorized?: boolean | undefined
  /**
   * How many connections there may be at a time. 2 unless set. If the server refuses one of
   * several, mails wait for those that it accepted.
   */
  readonly maxConnections?: number | undefined
  /**
   * How many mails one connection sends before another takes its place. 10 unless set, since some
   * servers delay the mails after these.
   */
  readonly messagesPerConnection?: number | undefined
}

/**
 * Sets whether connections to a mail server are encrypted.
 *
 * - `"required"`: nothing is sent, neither password nor mail, before the connection is encrypted.
 * - `"opportunistic"`: the connection is encrypted if the server offers it (STARTTLS).
 * - `"none"`: the connection is not encrypted. Whoever can read it sees the password and the mails.
 *
 * @category models
 * @since 0.1.0
 */
export type Encryption = "required" | "opportunistic" | "none"

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
   * The server's URL, as in `smtps://user:password@host`, `smtp://host:2525` or
   * `smtp://relay.internal?tls=none`. The user and the password must be percent-encoded.
   */
  readonly url: Redacted.Redacted<string>
}
