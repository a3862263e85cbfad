/** Reads the addresses of people and of servers in options. */
import * as Redacted from "effect/Redacted"
import type { SmtpOptions } from "../../EmailOptions.ts"

// -----------------------------------------------------------------------------
// people
// -----------------------------------------------------------------------------

export const isAddress = (text: string): boolean => /[^\s<>,;@]@[^\s<>,;@]/.test(text)

/** Removes the line breaks that a list of addresses may have after its commas, in a file or a variable of several lines. */
export const onOneLine = (addresses: string): string => addresses.trim().replace(/,\s+/g, ", ")

/** Returns whether a text has several lines. nodemailer would take the text of another line for the address. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
export const hasLines = (text: string): boolean => /[\u0000-\u001f\u007f]/.test(text)

// -----------------------------------------------------------------------------
// servers
// -----------------------------------------------------------------------------

/** Reads the address of a server, as in `smtps://user:password@host`. */
export const parseServer = (
  text: string
): Pick<SmtpOptions, "host" | "port" | "secure" | "user" | "password"> | undefined => {
  const url = URL.parse(text)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return undefined
  // what follows a host is most likely the rest of a password that is not encoded
  if (url.search !== "" || url.hash !== "" || !/^\/?$/.test(url.pathname)) return undefined
  try {
    const decoded = (part: string) => part === "" ? undefined : decodeURIComponent(part)
    const password = decoded(url.password)
    return {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? undefined : Number(url.port),
      secure: url.protocol === "smtps:" ? true : undefined,
      user: decoded(url.username),
      password: password === undefined ? undefined : Redacted.make(password)
    }
  } catch {
    // `decodeURIComponent` throws at a `%` that begins no escape
    return undefined
  }
}
