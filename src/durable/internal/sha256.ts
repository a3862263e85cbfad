/** Hashes of texts. */
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"

/** Returns the SHA-256 of a text as hexadecimal digits. */
export const sha256 = (text: string): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
    (hash) => Hex.encode(new Uint8Array(hash))
  )
