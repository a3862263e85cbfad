/**
 * Reads the URLs by which a channel can be named in place of its options: `slack://TOKEN_A/TOKEN_B/TOKEN_C`. Where Apprise
 * (https://github.com/caronc/apprise/wiki) has the service, they are Apprise's.
 */
import * as Redacted from "effect/Redacted"
import { percentDecoded } from "../../../../internal/text/percentDecoded.ts"

/** The parts of a URL. Its values are decoded, and any of them may be a secret. */
export interface Address {
  readonly scheme: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** Empty if there is none. Of the case in which it is written, since it may be a token. */
  readonly host: string
  readonly port: number | undefined
  /** The segments of the path that are not empty. */
  readonly path: ReadonlyArray<string>
  readonly query: Readonly<Record<string, string>>
  /** All that follows `://`, as it is written. */
  readonly rest: string
}

/** The options of a channel as a config file would have them. */
export type RawOptions = Readonly<Record<string, unknown>>

/** A form of URL that names a channel. */
export interface UrlForm {
  readonly schemes: ReadonlyArray<string>
  /** The form, as errors show it: with names in capitals where values are. */
  readonly form: string
  /**
   * Returns the options, or `undefined` for a URL of another form. What is left of the query are options by their
   * names, as a config file has them.
   */
  readonly read: (address: Address) => RawOptions | undefined
  /** The parameters of the query that are read, and no options. */
  readonly parameters?: ReadonlyArray<string> | "all"
}

/** Parameters of Apprise about its own way to send, and to show: they are ignored. */
const ignored: ReadonlySet<string> = new Set([
  "avatar",
  "blocks",
  "cto",
  "emojis",
  "fields",
  "footer",
  "footer_logo",
  "format",
  "image",
  "overflow",
  "preview",
  "rto",
  "store",
  "tz",
  "verify"
])

const shape = /^\s*([a-z][a-z0-9+.-]*):\/\/([^?]*)(?:\?([^]*))?$/i

/** The schemes of references to modules, and of addresses that are none of a channel. */
const otherSchemes: ReadonlySet<string> = new Set(["http", "https", "file", "data", "npm", "jsr", "node"])

/** Returns whether a value of a file is written as the URL of a channel. */
export const isChannelUrl = (input: unknown): boolean => {
  const text = Redacted.isRedacted(input) ? Redacted.value(input) : input
  const scheme = typeof text === "string" ? shape.exec(text)?.[1]?.toLowerCase() : undefined
  return scheme !== undefined && !otherSchemes.has(scheme)
}

/**
 * Returns the parts of a URL, or `undefined` if it is none. Not those of `URL`, for which a host is no token and `#`
 * begins a fragment, and not the name of a channel.
 */
export const parse = (written: string): Address | undefined => {
  // as `URL` has it: half of a surrogate pair can't be encoded again
  const text = written.trim().toWellFormed()
  const [, scheme = "", rest = "", search = ""] = shape.exec(text) ?? []
  if (scheme === "") return undefined
  const [before = "", ...path] = rest.split("/")
  // of several, the last one, since a password may have others
  const at = before.lastIndexOf("@")
  const login = at < 0 ? undefined : before.slice(0, at)
  const authority = before.slice(at + 1)
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority) ?? [undefined, authority]
  const colon = login?.indexOf(":") ?? -1
  return {
    scheme: scheme.toLowerCase(),
    user: login === undefined ? undefined : percentDecoded(colon < 0 ? login : login.slice(0, colon)),
    password: login === undefined || colon < 0 ? undefined : percentDecoded(login.slice(colon + 1)),
    host: percentDecoded(host),
    port: port === undefined ? undefined : Number(port),
    path: path.map(percentDecoded).filter((segment) => segment !== ""),
    query: Object.fromEntries(new URLSearchParams(search)),
    rest: text.slice(scheme.length + "://".length)
  }
}

/** Returns the address of a server: of https for the secure scheme, which ends with `s`, and of http for the other one. */
export const serverOf = ({ host, port, scheme }: Address, isSecure = scheme.endsWith("s")): string =>
  `${isSecure ? "https" : "http"}://${host}${port === undefined ? "" : `:${port}`}`

/** Returns the address that a URL would have with the scheme https or http, with its query. */
export const webOf = (address: Address, isSecure: boolean): string => `${isSecure ? "https" : "http"}://${address.rest}`

/** Joins segments of a path. */
export const pathOf = (segments: ReadonlyArray<string>): string => segments.map(encodeURIComponent).join("/")

/** Returns the options that a form reads from an address: those of the channel, and those that the query names. */
export const optionsOf = ({ parameters = [], read }: UrlForm, address: Address): RawOptions | undefined => {
  const options = read(address)
  if (options === undefined || parameters === "all") return options
  const others = Object.entries(address.query).filter(([name]) => !ignored.has(name) && !parameters.includes(name))
  // as the value of a variable, a text counts as the number or the word that it spells
  return { ...Object.fromEntries(others.map(([name, value]) => [name, Redacted.make(value)])), ...options }
}
