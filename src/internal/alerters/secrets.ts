/** Keeps what a channel is told in confidence out of what it says. */
import type { Alert } from "../../Alert.ts"

/** Replaces each secret that is found. */
export type Scrub = (text: string) => string

/**
 * A server may quote the address or the token back, whole or in part, so of an address
 * the path, and each part of it that looks like an identifier, are secret too.
 */
export const scrubber = (secrets: ReadonlyArray<string>): Scrub => {
  const found = new Set(secrets.flatMap((secret) => [secret, ...partsOf(secret)]).filter((part) => part.length >= 4))
  // the longest first, or of a secret that holds another there would be something left
  const parts = [...found].toSorted((a, b) => b.length - a.length)
  return (text) => parts.reduce((scrubbed, part) => scrubbed.replaceAll(part, "<redacted>"), text)
}

const partsOf = (secret: string): ReadonlyArray<string> => {
  const url = URL.parse(secret)
  if (url === null || url.host === "") return looksRandom(secret) ? secret.split(":").filter(looksRandom) : []
  const path = url.pathname + url.search
  const inside = [...url.pathname.split("/"), ...url.searchParams.values(), url.password].filter(looksRandom)
  return [path, url.pathname, decoded(path), ...inside, ...inside.map(decoded)].filter((part) => part.length > 1)
}

/** Not a word such as "services" or "webhooks", which may well stand in an error message. */
const looksRandom = (part: string): boolean => part.length >= 16 || (part.length >= 8 && /\d/.test(part))

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The alert without the secrets of the channel: an error's message may quote them. */
export const scrubAlert = (alert: Alert, scrub: Scrub): Alert =>
  alert.with({
    title: scrub(alert.title),
    body: alert.body === undefined ? undefined : scrub(alert.body),
    fields: alert.fields.map(({ name, value }) => ({ name: scrub(name), value: scrub(value) })),
    detail: alert.detail === undefined ? undefined : scrub(alert.detail),
    dedupeKey: alert.dedupeKey === undefined ? undefined : scrub(alert.dedupeKey),
    tags: alert.tags.map(scrub)
  })
