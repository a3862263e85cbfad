/** What tells a channel that it is sent the same post once more. */
import * as Effect from "effect/Effect"
import type { Alert } from "../../../Alert.ts"

/** The alert's idempotency key. An empty one is none. */
export const repeatKey = ({ idempotencyKey }: Alert): string | undefined => idempotencyKey || undefined

const encoder = new TextEncoder()

/** SHA-256 as 64 hexadecimal digits. Of JSON, in which halves of surrogate pairs differ too. */
export const sha256 = (text: string | ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", encoder.encode(JSON.stringify(text)))),
    (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
  )
