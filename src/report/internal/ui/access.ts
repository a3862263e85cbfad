/** Decides which requests may see the page: those of its own browser, with the token of its link. */
import type * as Headers from "effect/http/Headers"
import { isSameSecret } from "../../../internal/text/token.ts"

/** The server of the page, as its requests name it. */
export interface Site {
  /** The values of `Host` by which browsers may reach it, in lower case. */
  readonly hosts: ReadonlyArray<string>
  readonly token: string
  /** The name of the cookie with the token. Cookies do not tell ports apart, so it has the port. */
  readonly cookie: string
}

/** Returns the site at a URL of this machine, or `undefined` for one that others reach. */
export const siteAt = (url: string, token: string): Site | undefined => {
  const { host, hostname, port } = URL.parse(url) ?? {}
  if (host === undefined || hostname === undefined || port === undefined) return undefined
  if (hostname !== "localhost" && hostname !== "[::1]" && !/^127(?:\.\d{1,3}){3}$/.test(hostname)) return undefined
  return { hosts: [host, `localhost:${port}`], token, cookie: `epilogue_ui_${port}` }
}

/**
 * Returns why a request is refused, or `undefined`. A page elsewhere, whose name was made to point to this machine (DNS
 * rebinding), must not reach the server, and neither must requests that such a page sends.
 */
export const refusal = (site: Site, headers: Headers.Headers): 403 | 421 | undefined => {
  const { host, origin, "sec-fetch-site": from } = headers
  if (host === undefined || !site.hosts.includes(host.toLowerCase())) return 421
  if (origin !== undefined && !site.hosts.some((host) => origin === `http://${host}`)) return 403
  // a link in a mail or a chat leads from another site to a page, but nothing else of another site may be fetched
  const isPage = headers["sec-fetch-mode"] === "navigate"
  return from === undefined || from === "same-origin" || from === "none" || isPage ? undefined : 403
}

/** Whether a request has the token, as a cookie. */
export const isKnown = ({ cookie, token }: Site, cookies: Readonly<Record<string, string>>): boolean =>
  isSameSecret(token, cookies[cookie] ?? "")
