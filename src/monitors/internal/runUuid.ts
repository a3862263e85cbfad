/** The UUIDs by which services match the start and the end of a run. */
import * as Effect from "effect/Effect"
import { sha256 } from "../../alerters/internal/channel/repeat.ts"

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Returns the UUID of a run: its id, or for one that is no UUID, as that of a durable run, one made of its digest
 * (version 8, https://www.rfc-editor.org/rfc/rfc9562#section-5.8).
 */
export const runUuid = (runId: string): Effect.Effect<string> =>
  uuid.test(runId)
    ? Effect.succeed(runId.toLowerCase())
    : Effect.map(sha256(runId), (digest) => {
      const variant = "89ab"[Number.parseInt(digest[16]!, 16) & 3]!
      const digits = `${digest.slice(0, 12)}8${digest.slice(13, 16)}${variant}${digest.slice(17, 32)}`
      return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
    })
