/** Reads the addresses of people and of servers in options. */
import * as Redacted from "effect/Redacted"
import type { Encryption, SmtpOptions } from "../../EmailOptions.ts"

// -----------------------------------------------------------------------------
// people
// -----------------------------------------------------------------------------

/** Returns whether a text has the address of a mailbox in it. */
export const isAddress = (text: string): boolean => /[^\s<>,;@]@[^\s<>,;@]/.test(text)

/** Removes the line breaks that a list of addresses may have after its commas, in a file or a variable of several lines. */
export const onOneLine = (addresses: string): string => addresses.trim().replace(/,\s+/g, ", ")

/** Returns whether a text has several lines. nodemailer would take the text of another line for the address. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
export const hasLines = (text: string): boolean => /[\u0000-\u001f\u007f]/.test(text)

// -----------------------------------------------------------------------------
// servers
// -----------------------------------------------------------------------------

/** Returns whether a text has a certificate as PEM, and nothing else: nodemailer would ignore a broken one. */
export const isCertificate = (text: string): boolean =>
  /^(?:[^-]*-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----)+[^-]*$/.test(text)

/** Matches the part after a host in the address of a server. Anything else is most likely a password that is not encoded. */
const afterHost = /^\/?(?:\?tls=(required|opportunistic|none))?$/

const isEncryption = (text: string | undefined): text is Encryption =>
  text === "required" || text === "opportunistic" || text === "none"

/** Reads the address of a server, as in `smtps://user:password@host`. */
export const parseServer = (
  text: string
): Pick<SmtpOptions, "host" | "port" | "secure" | "user" | "password" | "tls"> | undefined => {
  const url = URL.parse(text)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return undefined
  const rest = afterHost.exec(`${url.pathname}${url.search}${url.hash}`)
  if (rest === null) return undefined
  try {
    const decoded = (part: string) => part === "" ? undefined : decodeURIComponent(part)
    const password = decoded(url.password)
    return {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? undefined : Number(url.port),
      secure: url.protocol === "smtps:" ? true : undefined,
      user: decoded(url.username),
      password: password === undefined ? undefined : Redacted.make(password),
      ...(isEncryption(rest[1]) ? { tls: rest[1] } : {})
    }
  } catch {
    // `decodeURIComponent` throws at a `%` that begins no escape
    return undefined
  }
}
