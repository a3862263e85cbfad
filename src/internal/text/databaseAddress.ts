/**
 * Tells the path of a SQLite file from the address of a database server.
 *
 * An address that is taken for a path becomes the name of a file, and is shown by errors, logs and `ls`, with its
 * password. So a text is a path only if it can't be an address, and no message of this module shows any part of it.
 */

/** Begins as no address does: at the root, in this folder or the one above, on a drive of Windows or its network. */
const explicit = /^(?:\/(?!\/)|\.{1,2}[\\/]|[a-z]:[\\/](?![\\/])|\\\\)/i

const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** A `.env` reader or a shell may leave them around a value, which then does not begin with `postgres://`. */
const surrounded = /^[\s\p{Pi}\p{Pf}"'`]|[\s\p{Pi}\p{Pf}"'`]$/u

/** The end of a scheme, also as JSON and percent-encoding write it. */
const scheme = /(?::|%3a)(?:\\?\/|%2f){2}/i

const password = /(?:pass(?:word|wd|phrase|file)?|pwd)\s{0,8}[=:]/i

/** Characters that separate the parts of an address or of `key=value` pairs. */
const separators = /[:@=?#%&;,"'`]|^\/\//

const isAddress = (text: string): boolean =>
  scheme.test(text) || password.test(text) || (!explicit.test(text) && separators.test(text))

/** Says what is wrong with a text, whichever of the two it is. */
const unclear = (text: string): string | undefined =>
  text === ""
    ? "it has no name"
    : surrounded.test(text)
    ? "it has quotes or white space around it"
    : controls.test(text)
    ? "it has control characters in it"
    : undefined

/** Returns why a text is not taken for the path of a SQLite file, or `undefined` for a path. */
export const refusedPath = (text: string): string | undefined =>
  unclear(text) ??
    (isAddress(text)
      ? "it may be an address or a URI (a path with any of : @ = ? # % & ; , in it has to begin with ./ or /)"
      : undefined)

/** Whether a text is meant as the URL of a Postgres database. */
export const isPostgres = (text: string): boolean => /^postgres(?:ql)?:\/\//i.test(text)

/** Returns what is wrong with the URL of a Postgres database, as a predicate without its subject, or `undefined` for one that is. */
export const refusedUrl = (text: string): string | undefined => {
  const unclearly = unclear(text)
  if (unclearly !== undefined) return `begins with postgres://, and ${unclearly}`
  const url = URL.parse(text)
  if (url === null) return "begins with postgres:// and is not a valid URL"
  // A password with one of these characters ends the host too early: its rest would be the name of the database, say,
  // which the server's errors show.
  return text.includes("#") || /@/.test(url.pathname + url.search)
    ? "begins with postgres://, and a / ? # or @ in its user, password or query is not percent-encoded"
    : undefined
}
