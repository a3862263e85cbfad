/** Sends mails over SMTP with nodemailer, which is loaded when the layer is built. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type { SendMailOptions, SMTPTransportOptions } from "nodemailer"
import { AlerterErrorReason } from "../../../Alerter.ts"
import { type Failure, failure } from "../channel/retry.ts"
import type { Attached } from "./content.ts"

/** The server, and the login. */
export interface Server {
  readonly host: string
  readonly port: number
  /** Whether the connection begins with TLS. */
  readonly secure: boolean
  /** Whether to fail if the server does not offer STARTTLS. */
  readonly requireTls: boolean
  readonly auth: { readonly user: string; readonly pass: string } | undefined
  readonly tls: { readonly rejectUnauthorized: boolean; readonly ca?: string | undefined }
  readonly limit: Duration.Duration
}

export interface Mail {
  readonly from: string
  /** The recipients in the header, which may be more than those of one attempt. */
  readonly to: ReadonlyArray<string>
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly attachments: ReadonlyArray<Attached>
  readonly messageId: string
  readonly thread: string | undefined
  readonly urgent: boolean
  readonly date: Date
}

/** A recipient whom the server refused while it accepted the mail for others. */
export interface Refused {
  readonly recipient: string
  readonly failure: Failure
}

export interface Smtp {
  /** Sends a mail once, to some of its recipients. Succeeds with those that were refused. */
  readonly send: (mail: Mail, to: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Refused>, Failure>
}

/** The longest delay of a timer. */
const maxMillis = 2 ** 31 - 1

/**
 * Loads nodemailer, and fails if it is not installed. An interrupted `send` closes its connection; nodemailer before
 * 10.6 closes it only when the timeout ends.
 */
export const make = (server: Server, detail: (text: string) => string): Effect.Effect<Smtp, unknown> =>
  Effect.map(Effect.tryPromise(() => import("nodemailer")), ({ default: nodemailer }) => {
    const { auth, host, limit, port, requireTls, secure, tls } = server
    const millis = Math.min(Duration.toMillis(limit), maxMillis)
    const options: SMTPTransportOptions = {
      host,
      port,
      secure,
      requireTLS: requireTls,
      tls: { rejectUnauthorized: tls.rejectUnauthorized, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
      ...(auth === undefined ? {} : { auth }),
      connectionTimeout: millis,
      dnsTimeout: millis,
      greetingTimeout: millis,
      socketTimeout: millis,
      logger: false
    }
    const transport = nodemailer.createTransport(options)
    return {
      send: (mail, to) =>
        Effect.map(
          Effect.tryPromise({
            try: (signal) => transport.sendMail({ ...message(mail, to), signal }),
            catch: (error) => failureOf(error, detail, limit)
          }),
          ({ rejectedErrors = [] }) =>
            rejectedErrors.map((error) => ({
              recipient: textIn(error, "recipient") ?? "",
              failure: failureOf(error, detail, limit)
            }))
        )
    }
  })

const message = (
  { attachments, date, from, html, messageId, subject, text, thread, to, urgent }: Mail,
  now: ReadonlyArray<string>
): SendMailOptions => ({
  from,
  to: [...to],
  envelope: { from, to: [...now] },
  subject,
  text,
  html,
  // as base64, since nodemailer accepts bytes only as a `Buffer`
  attachments: attachments.map(({ cid, content, mediaType, name }) => ({
    filename: name,
    content: Base64.encode(content),
    encoding: "base64",
    contentType: mediaType,
    ...(cid === undefined ? {} : { cid })
  })),
  messageId,
  date,
  ...(thread === undefined ? {} : { inReplyTo: thread, references: [thread] }),
  ...(urgent ? { priority: "high" } : {}),
  // keeps out-of-office replies away: https://www.rfc-editor.org/rfc/rfc3834#section-5
  headers: { "Auto-Submitted": "auto-generated" },
  xMailer: false,
  encoding: "quoted-printable",
  // keeps nodemailer from reading files or URLs that the text of an alert might name
  disableFileAccess: true,
  disableUrlAccess: true
})

// -----------------------------------------------------------------------------
// errors
// -----------------------------------------------------------------------------

const textIn = (error: unknown, key: string): string | undefined => {
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

const failureOf = (error: unknown, detail: (text: string) => string, limit: Duration.Duration): Failure => {
  const code = textIn(error, "code") ?? ""
  const status = statusIn(error)
  const said = detail((textIn(error, "response") ?? textIn(error, "message") ?? "").replace(/^\d{3}[ -]/, ""))
  const temporary = status !== undefined && status < 500
  if ((code === "EAUTH" && !temporary) || (status !== undefined && unauthorized.has(status))) {
    return failure(AlerterErrorReason.Unauthorized({ detail: said }))
  }
  if (status !== undefined) {
    const noTls = code === "ETLS" && textIn(error, "command") === "STARTTLS"
    return failure(
      AlerterErrorReason.Rejected({
        status,
        detail: noTls ? `the server offers no TLS, which is required: ${said}` : said
      }),
      temporary
    )
  }
  if (code === "ETIMEDOUT") return failure(AlerterErrorReason.TimedOut({ limit }), true)
  const system = textIn(error, "originalCode") ?? code
  if (untrusted.test(system)) return failure(AlerterErrorReason.Unreachable({ detail: system }))
  if (broken.test(code)) return failure(AlerterErrorReason.Unreachable({ detail: system }), true)
  return failure(AlerterErrorReason.Rejected({ detail: said }))
}
