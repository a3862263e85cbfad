/** Keeps what a channel is told in confidence out of what it says. */

/** Replaces each secret that is found. */
export type Scrub = (text: string) => string

/**
 * A server may quote the address or the token back, whole or in part, so of an address
 * the path, and each part of it that looks like an identifier, are secret too.
 */
export const scrubber = (secrets: ReadonlyArray<string>): Scrub => {
  const found = new Set(
    secrets
      // sent without the line end that a file or a variable may have left there
      .map((secret) => secret.trim())
      .flatMap((secret) => [secret, ...partsOf(secret)])
      .flatMap(formsOf)
      .filter((part) => part.length >= 4)
  )
  // the longest first, or of a secret that holds another there would be something left
  const parts = [...found].toSorted((a, b) => b.length - a.length)
  return (text) => parts.reduce((scrubbed, part) => scrubbed.replaceAll(part, "<redacted>"), text)
}

const partsOf = (secret: string): ReadonlyArray<string> => {
  const url = URL.parse(secret)
  if (url === null || url.host === "") return looksRandom(secret) ? secret.split(":").filter(looksRandom) : []
  const path = url.pathname + url.search
  // as they stand in the address: to decode all of them alike would make a space of a `+`
  const values = url.search.slice(1).split("&").map((pair) => pair.slice(pair.indexOf("=") + 1))
  const inside = [...url.pathname.split("/"), ...values, ...url.searchParams.values()].filter(looksRandom)
  return [...[path, url.pathname].filter((path) => !isWords(path)), url.password, ...inside]
    .flatMap((part) => [part, decoded(part)])
    .filter((part) => part.length > 1)
}

/** As a secret stands in an address, and in JSON, where a slash may be escaped. */
const formsOf = (secret: string): ReadonlyArray<string> => {
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, encodeURIComponent(secret.toWellFormed()), json, json.replaceAll("/", "\\/")]
}

/**
 * Not a word such as "services" or "webhooks", which may well stand in an error message. Nor a date, such as the
 * version of the API in an address of Teams.
 */
const looksRandom = (part: string): boolean =>
  (part.length >= 16 || (part.length >= 8 && /\d/.test(part))) && !/^\d{4}-\d{2}-\d{2}$/.test(part)

/** A path that anybody might have, such as "/api/alerts". */
const isWords = (path: string): boolean => /^[/a-z_-]{0,23}$/.test(path)

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
