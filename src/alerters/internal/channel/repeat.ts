/** Keys by which a channel recognizes a repeated post. */
import * as Effect from "effect/Effect"
import type { Alert } from "../../../Alert.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"

/** Returns the alert's idempotency key. An empty key counts as none. */
export const repeatKey = ({ idempotencyKey }: Alert): string | undefined => idempotencyKey || undefined

const encoder = new TextEncoder()

/** Returns the SHA-256 of the text's JSON, as 64 hexadecimal digits. In UTF-8 itself, all lone surrogates are the same. */
export const sha256 = (text: string | ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", encoder.encode(JSON.stringify(text)))),
    (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
  )

/**
 * Shortens a key that is too long, or has characters that channels do not show. A digest of the whole key at its end
 * keeps different keys apart.
 */
export const fitKey = (key: string, limit: number): Effect.Effect<string> => {
  const plain = oneLine(key)
  if (plain === key && key.length <= limit) return Effect.succeed(key)
  return Effect.map(sha256(key), (hex) => `${fitEnd(plain, limit - hex.length - 1)}#${hex}`)
}
