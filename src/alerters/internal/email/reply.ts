/** Reads what went wrong with a mail: the replies of servers, and the errors of nodemailer. */
import type * as Duration from "effect/Duration"
import { AlerterErrorReason } from "../../../Alerter.ts"
import type { Encryption } from "../../EmailOptions.ts"
import { type Failure, failure } from "../channel/retry.ts"

/** Returns a property of an error that is a text. */
export const textIn = (error: unknown, key: string): string | undefined => {
  // a cast, since any object may have any key
  const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[key] : undefined
  return typeof value === "string" ? value : undefined
}

/** Returns the code of the server's reply: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1 */
const statusIn = (error: unknown): number | undefined => {
  const status = typeof error === "object" && error !== null && "responseCode" in error ? error.responseCode : undefined
  return typeof status === "number" && status >= 400 && status < 600 ? status : undefined
}

/** The codes of replies that refuse the login: https://www.rfc-editor.org/rfc/rfc4954#section-6 */
const unauthorized = new Set([530, 534, 535, 538])

/** nodemailer's codes of connections that were not made, or that broke off. */
const broken = /^(ECONNECTION|ESOCKET|EDNS|EPROTOCOL|ETLS)$/

/** Codes of certificates that are not trusted, which another attempt does not change. */
const untrusted = /CERT|SELF_SIGNED|VERIFY|ALTNAME/

/** Codes of certificates that are signed by an authority that the runtime does not know. */
const unknownAuthority = /SELF_SIGNED|UNABLE_TO|UNKNOWN_?ISSUER/i

/** Codes of TLS that begins where the server does not expect it. */
const noTls = /WRONG_VERSION_NUMBER|PACKET_LENGTH|ERR_SSL|EPROTO$/

/**
 * Matches replies about a rate or about connections that are too many, rather than about a mail: Microsoft 365
 * (https://learn.microsoft.com/en-us/exchange/troubleshoot/send-emails/smtp-submission-improvements), Amazon SES
 * (https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html), Postfix
 * (https://www.postfix.org/TUNING_README.html#conn_limit), Exim.
 */
const tooMany =
  /too many (?:concurrent|connections|messages|mails|e-?mails|requests)|too (?:much mail|quickly|fast)|\brate\b|throttl|(?:connections?|thread) limit/i

/** The command of errors of connections that the system could not make. nodemailer has none by this name. */
export const connecting = "connect"

/** Returns whether the connection was refused, by the system or in the server's greeting. */
export const isUnconnected = (error: unknown): boolean => {
  const command = textIn(error, "command")
  return command === connecting || (command === "CONN" && textIn(error, "code") === "EPROTOCOL")
}

/** Returns whether the server closed a connection before anything of the mail was sent over it. */
export const isStale = (error: unknown): boolean =>
  textIn(error, "code") === "ECONNECTION" && textIn(error, "command") === undefined

/** The options on which the meaning of an error depends. */
export interface Terms {
  readonly limit: Duration.Duration
  readonly secure: boolean
  readonly tls: Encryption
}

/** Returns the failure that an error of nodemailer stands for, and whether another attempt may succeed. */
export const failureOf = (
  error: unknown,
  detail: (text: string) => string,
  { limit, secure, tls }: Terms
): Failure => {
  const code = textIn(error, "code") ?? ""
  const status = statusIn(error)
  const said = detail((textIn(error, "response") ?? textIn(error, "message") ?? "").replace(/^\d{3}[ -]/, ""))
  const temporary = status !== undefined && status < 500
  if ((code === "EAUTH" && !temporary) || (status !== undefined && unauthorized.has(status))) {
    return failure(AlerterErrorReason.Unauthorized({ detail: said }))
  }
  if (status !== undefined) {
    const unencrypted = tls === "required" && textIn(error, "command") === "STARTTLS"
    const explained = unencrypted && !temporary
      ? "the server offers no encryption (STARTTLS): set tls to \"opportunistic\" to send all the same, " +
        `or secure to true if its port begins with TLS: ${said}`
      : said
    if (temporary && tooMany.test(said)) return failure(AlerterErrorReason.RateLimited({}), true)
    return { ...failure(AlerterErrorReason.Rejected({ status, detail: explained }), temporary), deferred: temporary }
  }
  if (code === "ETIMEDOUT") return failure(AlerterErrorReason.TimedOut({ limit }), true)
  const system = textIn(error, "originalCode") ?? code
  if (untrusted.test(system)) {
    const remedy = unknownAuthority.test(system)
      ? ": its certificate is signed by an authority that this machine does not know: set ca to that one's"
      : ""
    return failure(AlerterErrorReason.Unreachable({ detail: `${system}${remedy}` }))
  }
  if (secure && noTls.test(system)) {
    return failure(
      AlerterErrorReason.Unreachable({ detail: `${system}: its port does not begin with TLS: set secure to false` })
    )
  }
  if (broken.test(code)) return failure(AlerterErrorReason.Unreachable({ detail: system }), true)
  return failure(AlerterErrorReason.Rejected({ detail: said }))
}
