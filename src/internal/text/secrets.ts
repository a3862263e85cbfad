/** Removes the secrets of a channel from text. */

/** Replaces each secret in a text with `<redacted>`. */
export type Scrub = (text: string) => string

/**
 * Returns a function that replaces the secrets in a text.
 *
 * A server may quote a URL or a token, whole or in part. So the path of a URL is secret
 * too, and so is each part of it that looks like an identifier.
 */
export const scrubber = (secrets: ReadonlyArray<string>): Scrub => {
  const found = new Set(
    secrets
      // channels send a secret without the line end that a file or a variable may have left at its end
      .map((secret) => secret.trim())
      .flatMap((secret) => [secret, ...partsOf(secret)])
      .flatMap(formsOf)
      .filter((part) => part.length >= 4)
  )
  // the longest first: otherwise the rest of a secret that contains another one would stay
  const parts = [...found].toSorted((a, b) => b.length - a.length)
  return (text) => parts.reduce((scrubbed, part) => scrubbed.replaceAll(part, "<redacted>"), text)
}

const partsOf = (secret: string): ReadonlyArray<string> => {
  const url = URL.parse(secret)
  if (url === null || url.host === "") return looksRandom(secret) ? secret.split(":").filter(looksRandom) : []
  const path = url.pathname + url.search
  // not decoded, since decoding would turn a `+` into a space
  const values = url.search.slice(1).split("&").map((pair) => pair.slice(pair.indexOf("=") + 1))
  const inside = [...url.pathname.split("/"), ...values, ...url.searchParams.values()].filter(looksRandom)
  return [...[path, url.pathname].filter((path) => !isWords(path)), url.password, ...inside]
    .flatMap((part) => [part, decoded(part)])
    .filter((part) => part.length > 1)
}

/** Returns the forms of a secret in a URL and in JSON, where a slash may be escaped. */
const formsOf = (secret: string): ReadonlyArray<string> => {
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, encodeURIComponent(secret.toWellFormed()), json, json.replaceAll("/", "\\/")]
}

/**
 * Whether a part of a URL looks like an identifier. Words such as "services" or "webhooks" do not, since error messages
 * may contain them; nor do dates, such as the version of the API in a URL of Teams.
 */
const looksRandom = (part: string): boolean =>
  (part.length >= 16 || (part.length >= 8 && /\d/.test(part))) && !/^\d{4}-\d{2}-\d{2}$/.test(part)

/** Whether a path consists of words alone, such as "/api/alerts", and so is no secret. */
const isWords = (path: string): boolean => /^[/a-z_-]{0,23}$/.test(path)

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
