/** Keys by which a channel recognizes a repeated post. */
import * as Effect from "effect/Effect"
import type { Alert } from "../../../Alert.ts"

/** Returns the alert's idempotency key. An empty key counts as none. */
export const repeatKey = ({ idempotencyKey }: Alert): string | undefined => idempotencyKey || undefined

const encoder = new TextEncoder()

/** Returns the SHA-256 of the text's JSON, as 64 hexadecimal digits. In UTF-8 itself, all lone surrogates are the same. */
export const sha256 = (text: string | ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", encoder.encode(JSON.stringify(text)))),
    (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
  )
