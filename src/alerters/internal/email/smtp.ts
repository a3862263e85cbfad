/** Sends mails over SMTP with nodemailer, which is loaded when the layer is built. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import type * as Scope from "effect/Scope"
import type { SendMailOptions, SMTPPoolOptions } from "nodemailer"
import type { Failure } from "../channel/retry.ts"
import type { Attached } from "./content.ts"
import { failureOf, isStale, isUnconnected, type Terms, textIn } from "./reply.ts"
import { connector } from "./sockets.ts"

/** The server, and the login. */
export interface Server extends Terms {
  readonly host: string
  readonly port: number
  readonly ca: string | undefined
  readonly rejectUnauthorized: boolean
  readonly auth: { readonly user: string; readonly pass: string } | undefined
  readonly maxConnections: number
  readonly messagesPerConnection: number
}

/** A mail, and whom it is for. */
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

/** The failure of an attempt. */
interface SmtpFailure extends Failure {
  /** Whether the server refused the connection itself. It may accept no more at a time. */
  readonly unconnected: boolean
}

/** Sends mails to one server. */
export interface Smtp {
  /** Sends a mail once, to some of its recipients. Succeeds with those that were refused. */
  readonly send: (
    mail: Mail,
    to: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Refused>, SmtpFailure>
}

/** The longest delay of a timer. */
const maxMillis = 2 ** 31 - 1

/**
 * How long a connection waits for the next mail. Servers wait for 5 minutes
 * (https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.2.7), but Postfix under load for 10 seconds
 * (https://www.postfix.org/STRESS_README.html).
 */
const idleMillis = 9_000

/** How long a server may take to close a connection from its side, while the process waits. */
const closeMillis = 500

/** Loads nodemailer. Bundlers take it in where it is installed, and leave out an import in `try` where it is not. */
const loadNodemailer = Effect.tryPromise(async () => {
  try {
    return (await import("nodemailer")).default
  } catch (cause) {
    throw new Error("the package nodemailer could not be loaded", { cause })
  }
})

/**
 * Loads nodemailer, and fails if it is not installed. The connections are closed with the scope. An interrupted `send`
 * closes its connection.
 */
export const make = (
  server: Server,
  detail: (text: string) => string
): Effect.Effect<Smtp, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const nodemailer = yield* loadNodemailer
    const millis = Math.min(Duration.toMillis(server.limit), maxMillis)
    const sockets = connector(yield* Effect.promise(() => import("node:net")), millis)
    const transport = yield* Effect.acquireRelease(
      Effect.sync(() => nodemailer.createTransport({ ...optionsOf(server, millis), getSocket: sockets.connect })),
      (transport) =>
        Effect.sync(() => {
          transport.close({ force: true })
          sockets.close()
        })
    )
    const once = (mail: Mail, to: ReadonlyArray<string>) =>
      Effect.tryPromise({
        try: (signal) => transport.sendMail({ ...message(mail, to), signal }),
        // a function, so that an error that is `undefined` is one, too
        catch: (error) => () => error
      })
    return {
      send: (mail, to) =>
        once(mail, to).pipe(
          // an idle connection that the server has closed meanwhile does not count as an attempt
          Effect.catchIf((error) => isStale(error()), () => once(mail, to)),
          Effect.mapError((error) => ({
            ...failureOf(error(), detail, server),
            unconnected: isUnconnected(error())
          })),
          Effect.map(({ rejectedErrors = [] }) =>
            rejectedErrors.map((error) => ({
              recipient: textIn(error, "recipient") ?? "",
              failure: failureOf(error, detail, server)
            }))
          ),
          sockets.held
        )
    }
  })

const optionsOf = (
  { auth, ca, host, maxConnections, messagesPerConnection, port, rejectUnauthorized, secure, tls }: Server,
  millis: number
): SMTPPoolOptions & { readonly pool: true } => ({
  pool: true,
  maxConnections,
  maxMessages: messagesPerConnection,
  // nodemailer's own requeue would fail with the error of the first attempt, which it keeps with the recipients
  maxRequeues: 0,
  idleTimeout: idleMillis,
  host,
  port,
  secure,
  requireTLS: tls === "required",
  ignoreTLS: tls === "none",
  tls: { rejectUnauthorized, ...(ca === undefined ? {} : { ca }) },
  ...(auth === undefined ? {} : { auth }),
  greetingTimeout: millis,
  // while a connection is idle, too
  socketTimeout: Math.max(millis, idleMillis + 1_000),
  socketCloseTimeout: closeMillis,
  logger: false
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
