/** Makes the alerter that sends mails. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type Alerter, AlerterError, AlerterErrorReason } from "../../../Alerter.ts"
import { type Check, optionalText, text } from "../../../internal/model/options.ts"
import { isLoopback } from "../../../internal/text/host.ts"
import { scrubber } from "../../../internal/text/secrets.ts"
import * as Writer from "../../../internal/text/writer.ts"
import type { MailOptions, SmtpOptions, UrlOptions } from "../../EmailOptions.ts"
import * as channels from "../channel/channel.ts"
import { limitOf, make as makeAttempts } from "../channel/retry.ts"
import { optionalSecret, secret } from "../channel/secrets.ts"
import { hasLines, isAddress, isCertificate, onOneLine, parseServer } from "./address.ts"
import { content, domainOf, maxAttached, messageId, threadId } from "./content.ts"
import * as Slots from "./slots.ts"
import * as Smtp from "./smtp.ts"

const name = "email"

const fail = (reason: AlerterErrorReason) => new AlerterError({ channel: name, reason })

const invalid = (detail: string) => fail(AlerterErrorReason.InvalidAlert({ detail }))

/**
 * The connections of a pool: one less than Microsoft 365 accepts from a user at a time, so that another job may send, too:
 * https://learn.microsoft.com/en-us/exchange/troubleshoot/send-emails/smtp-submission-improvements
 */
const defaultConnections = 2

/**
 * Exim leaves all further mails of a connection to its next queue run, which may be half an hour away:
 * https://github.com/Exim/exim/wiki/Q0009
 */
const defaultMessages = 10

/** Checks that something is a text. An empty one is refused by an error of the channel. */
const anyText: Check<string> = (what, value) => value === "" ? [] : text(what, value)

/** The options that all mails have, whichever way the server is named. */
const ofMails: channels.OwnOptions<MailOptions> = {
  from: anyText,
  to: (what, value) => [value].flat().flatMap((one) => anyText(what, one)),
  subjectPrefix: optionalText,
  tls: 0,
  ca: optionalText,
  rejectUnauthorized: 0,
  maxConnections: 0,
  messagesPerConnection: 0
}

const ofHost: channels.OwnOptions<SmtpOptions> = {
  host: anyText,
  port: 0,
  secure: 0,
  user: optionalText,
  password: optionalSecret,
  ...ofMails
}

const ofUrl: channels.OwnOptions<UrlOptions> = { url: secret, ...ofMails }

const serverOf = (options: SmtpOptions): Smtp.Server => {
  const { ca, host, maxConnections, messagesPerConnection, password, port, user } = options
  const secure = options.secure ?? port === 465
  const tls = options.tls ?? (isLoopback(host) ? "opportunistic" : "required")
  return {
    host,
    port: port ?? (secure ? 465 : 587),
    secure,
    tls,
    ca,
    rejectUnauthorized: options.rejectUnauthorized ?? (secure || tls === "required" || ca !== undefined),
    auth: user === undefined || password === undefined
      ? undefined
      : { user, pass: Redacted.value(password) },
    limit: limitOf(options),
    maxConnections: maxConnections ?? defaultConnections,
    messagesPerConnection: messagesPerConnection ?? defaultMessages
  }
}

const isWhole = (value: number, max = Infinity): boolean => Number.isInteger(value) && value > 0 && value <= max

/** Returns the mistake in the options, if there is one. */
const mistake = (
  { ca, host, maxConnections = 1, messagesPerConnection = 1, password, port, secure, tls, user }: SmtpOptions,
  from: string,
  to: ReadonlyArray<string>
): string | undefined => {
  if (host.trim() === "") return "it has no host"
  if (port !== undefined && !isWhole(port, 65_535)) return "its port is no number from 1 to 65535"
  if (!isWhole(maxConnections)) return "its maxConnections is no whole number above 0"
  if (!isWhole(messagesPerConnection)) return "its messagesPerConnection is no whole number above 0"
  if (tls === "none" && (secure ?? port === 465)) return "its tls is none, though its port begins with TLS"
  if (ca !== undefined && !isCertificate(ca)) return "its ca is no certificate as PEM"
  if (!isAddress(from)) return "its sender is no address"
  if (hasLines(from)) return "its sender has more than one line"
  if (to.length === 0) return "it has no recipients"
  if (!to.every(isAddress)) return "one of its recipients is no address"
  if (to.some(hasLines)) return "one of its recipients has more than one line"
  if (!user !== (password === undefined)) return "a user needs a password, and a password a user"
  return undefined
}

/**
 * Returns the password in the forms in which a server may quote it: as it is, as UTF-8 read as Latin-1, and in base64
 * as it was sent (https://www.rfc-editor.org/rfc/rfc4616).
 */
const secretsOf = (auth: Smtp.Server["auth"]): ReadonlyArray<string> => {
  if (auth === undefined) return []
  const binary = (text: string) => String.fromCharCode(...new TextEncoder().encode(text))
  const login = btoa(binary(`\u0000${auth.user}\u0000${auth.pass}`))
  return [auth.pass, binary(auth.pass), btoa(binary(auth.pass)), login]
}

/** @internal */
export const layer = (
  options: SmtpOptions,
  secrets: ReadonlyArray<string> = []
): Layer.Layer<Alerter, AlerterError> =>
  channels.layer(name, options, ofHost, () => {
    const server = serverOf(options)
    const from = onOneLine(options.from)
    const to = [options.to].flat().map(onOneLine)
    const domain = domainOf(from)
    const scrub = scrubber([server.host, ...(options.user === undefined ? [] : [options.user])])
    return {
      secrets: [...secretsOf(server.auth), ...secrets],
      start: ({ http, time, words }) =>
        Effect.gen(function*() {
          const wrong = mistake(options, from, to)
          if (wrong !== undefined) return yield* invalid(wrong)
          const smtp = yield* Effect.mapError(
            Smtp.make(server, (text) => http.detail(scrub(text))),
            () => fail(AlerterErrorReason.Unreachable({ detail: "it needs a package: npm install nodemailer" }))
          )
          const attempts = makeAttempts(name, options)
          const slots = Slots.make(server.maxConnections)
          return (alert) =>
            Effect.gen(function*() {
              const id = yield* messageId(alert, to, domain)
              const mail: Smtp.Mail = {
                ...content(alert, options.subjectPrefix, { time, words }, id),
                from,
                to,
                messageId: id,
                thread: alert.source === undefined ? undefined : threadId(alert.source.runId, domain),
                urgent: alert.severity === "critical",
                date: new Date(yield* Clock.currentTimeMillis)
              }
              yield* deliver(smtp, slots, attempts, mail)
            })
        }),
      // no pace: common servers have limits for connections, and delay or refuse mails that are too many, one by one
      pace: [],
      concurrency: server.maxConnections,
      maxAttached
    }
  })

/** Sends a mail to all recipients, and again to those for whom the server refuses it temporarily. */
const deliver = (
  smtp: Smtp.Smtp,
  slots: Slots.Slots,
  attempts: ReturnType<typeof makeAttempts>,
  mail: Smtp.Mail
): Effect.Effect<void, AlerterError> =>
  Effect.suspend(() => {
    let pending = mail.to
    let arrived = false
    const refused: Array<Smtp.Refused> = []
    const attempt = Effect.flatMap(Effect.suspend(() => smtp.send(mail, pending)), (now) => {
      arrived = true
      refused.push(...now.filter((one) => !one.failure.retryable))
      const [first, ...more] = now.filter((one) => one.failure.retryable)
      if (first === undefined) return Effect.void
      pending = [first, ...more].map(({ recipient }) => recipient)
      return Effect.fail({ ...first.failure, unconnected: false })
    })
    const inSlot: Effect.Effect<void, AlerterError> = Effect.suspend(() => {
      let crowded = false
      const sent = slots.within((giveUp) =>
        attempts(
          Effect.catchIf(attempt, ({ retryable, unconnected }) => retryable && unconnected, (failed) =>
            Effect.flatMap(giveUp, (given) => {
              crowded = given
              return Effect.fail(given ? { ...failed, retryable: false } : failed)
            }))
        )
      )
      return Effect.catchIf(sent, () => crowded, () => inSlot)
    })
    // some recipients have it: an error would send it to them again, or through a fallback
    const warn = (error: AlerterError) =>
      Writer.logWarning("effect-epilogue: not every recipient gets the mail", error.message)
    return Effect.matchEffect(inSlot, {
      onFailure: (error) => arrived ? warn(error) : Effect.fail(error),
      onSuccess: () => refused[0] === undefined ? Effect.void : warn(fail(refused[0].failure.reason))
    })
  })

/** @internal */
export const layerUrl = (given: UrlOptions): Layer.Layer<Alerter, AlerterError> =>
  Layer.suspend(() => {
    // before those of the server are added, which are no options here
    const { url, ...options } = channels.check(name, given, ofUrl)
    const address = Redacted.value(url).trim()
    const server = parseServer(address)
    return server === undefined
      ? Layer.unwrap(Effect.fail(invalid("its server is no address such as smtps://user:password@host")))
      : layer({ ...options, ...server }, passwordsIn(address))
  })

/** Returns the password as it stands in the URL, and as a parser normalizes it. */
const passwordsIn = (address: string): ReadonlyArray<string> => {
  const { password } = new URL(address)
  return password === "" ? [] : [password, address.slice(0, address.lastIndexOf("@")).replace(/^[^:]*:\/\/[^:]*:/, "")]
}
