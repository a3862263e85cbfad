/** Reads the DSN of a project of Sentry. */

/** The parts of a DSN that requests need. */
export interface Dsn {
  /** The address to which the path of an endpoint is appended. */
  readonly api: string
  readonly publicKey: string
}

/** Parses a DSN, `protocol://key@host/path/project` (https://develop.sentry.dev/sdk/foundations/transport/authentication/). */
export const parseDsn = (dsn: string): Dsn | undefined => {
  const url = URL.parse(dsn.trim())
  const [, path = "", project] = /^(\/.*)?\/(\d+)\/?$/.exec(url?.pathname ?? "") ?? []
  if (url === null || !/^https?:$/.test(url.protocol) || project === undefined) return undefined
  if (!/^\w+$/.test(url.username) || url.search !== "" || url.hash !== "") return undefined
  return { api: `${url.protocol}//${url.host}${path}/api/${project}`, publicKey: url.username }
}

/** @internal */
export const isDsn = (text: string): boolean => parseDsn(text) !== undefined

/** @internal */
export const aDsn = "a DSN such as https://key@o0.ingest.sentry.io/0"

/** Whether a text may be the name of an environment. */
export const isEnvironment = (text: string): boolean => /^[^\s/]{1,64}$/.test(text)

/** @internal */
export const anEnvironment = "a name without spaces and slashes"
