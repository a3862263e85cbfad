/**
 * The options of `Email`.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import type { ChannelOptions } from "./ChannelOptions.ts"

/**
 * Who writes to whom.
 *
 * @category models
 * @since 0.1.0
 */
export interface MailOptions extends ChannelOptions {
  /** As in `"alerts@example.com"` or `"Alerts <alerts@example.com>"`. */
  readonly from: string
  /** One address, several with commas between them, or a list. */
  readonly to: string | ReadonlyArray<string>
  /** What every subject begins with: `"[production]"`, say. */
  readonly subjectPrefix?: string | undefined
  /**
   * Whether nothing is sent, and no password, unless it is encrypted. True unless
   * set, save where the server is the machine itself (`localhost`, `127.0.0.1`).
   */
  readonly requireTls?: boolean | undefined
  readonly tls?: TlsOptions | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface TlsOptions {
  /**
   * Whether the server's certificate must be valid. True unless set, save where the
   * server is the machine itself and TLS is not required.
   */
  readonly rejectUnauthorized?: boolean | undefined
  /** The certificate of the authority that the server's is signed by, as PEM, where it is none that everybody knows. */
  readonly ca?: string | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface SmtpOptions extends MailOptions {
  readonly host: string
  /** 465 where `secure` is true, 587 otherwise, unless set. */
  readonly port?: number | undefined
  /** Whether it is TLS from the beginning, and not after STARTTLS. True on port 465, false otherwise, unless set. */
  readonly secure?: boolean | undefined
  readonly user?: string | undefined
  readonly password?: Redacted.Redacted<string> | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface UrlOptions extends MailOptions {
  /**
   * As in `smtps://user:password@host` or `smtp://host:2525`. The user and the
   * password are percent-encoded.
   */
  readonly url: Redacted.Redacted<string>
}
