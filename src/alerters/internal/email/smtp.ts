/** Mails over SMTP, by nodemailer, which is loaded where it is needed. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type { SendMailOptions, SMTPTransportOptions } from "nodemailer"
import { AlerterErrorReason } from "../../../Alerter.ts"
import { type Failure, failure } from "../channel/retry.ts"
import type { Attached } from "./content.ts"

/** Where to, and as whom. */
export interface Server {
  readonly host: string
  readonly port: number
  /** TLS from the first byte on. */
  readonly secure: boolean
  /** No STARTTLS, no mail. */
  readonly requireTls: boolean
  readonly auth: { readonly user: string; readonly pass: string } | undefined
  readonly tls: { readonly rejectUnauthorized: boolean; readonly ca?: string | undefined }
  readonly limit: Duration.Duration
}

export interface Mail {
  readonly from: string
  /** As its header says. */
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

/** A recipient that the server refused while it took the mail for others. */
export interface Refused {
  readonly recipient: string
  readonly failure: Failure
}

export interface Smtp {
  /** Sends a mail once, to some of those whom it is to. */
  readonly send: (mail: Mail, to: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Refused>, Failure>
}

/** Timers take no more. */
const maxMillis = 2 ** 31 - 1

/**
 * Fails where nodemailer is missing. An interrupted send closes its connection; a nodemailer older than 10.6 leaves that
 * to the time limit.
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
  // as base64, since nodemailer takes no bytes but those of a Buffer
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
  // out-of-office notes are not for machines: https://www.rfc-editor.org/rfc/rfc3834#section-5
  headers: { "Auto-Submitted": "auto-generated" },
  xMailer: false,
  encoding: "quoted-printable",
  // text of an alert is never the name of a file, or an address, to read
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

/** The code of the server's reply: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1 */
const statusIn = (error: unknown): number | undefined => {
  const status = typeof error === "object" && error !== null && "responseCode" in error ? error.responseCode : undefined
  return typeof status === "number" && status >= 400 && status < 600 ? status : undefined
}

/** Replies that mean "not with these credentials": https://www.rfc-editor.org/rfc/rfc4954#section-6 */
const unauthorized = new Set([530, 534, 535, 538])

/** Codes of nodemailer's where the conversation did not begin, or broke off. */
const broken = /^(ECONNECTION|ESOCKET|EDNS|EPROTOCOL|ETLS)$/

/** Codes of TLS where the server is not who it should be, which trying again does not change. */
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
