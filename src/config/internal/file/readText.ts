/** Reads config files, as far as they are of a size that anybody writes. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { denoFlag } from "../../../internal/text/denied.ts"
import type { ConfigFileError } from "../../ConfigFileError.ts"
import { errorOf } from "./errorOf.ts"
import { mostBytes } from "./tree.ts"

/**
 * Returns the text of a config file. Fails before reading where it is missing or too large. Of a pipe or a device, which
 * have no size, no more than the limit is read.
 */
export const readText = (file: string): Effect.Effect<string, ConfigFileError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const stat = Option.getOrUndefined(yield* Effect.option(fs.stat(file)))
    // a file system in memory may not know sizes, and whatever else is wrong, reading says it
    if (stat === undefined) return yield* fs.readFileString(file)
    if (stat.type === "Directory") return yield* refuse(file, "a folder", "a config file")
    if (stat.type === "File") {
      if (stat.size > mostBytes) return yield* refuse(file, `a file of ${stat.size} bytes`, fitting)
      return yield* fs.readFileString(file)
    }
    const bytes = yield* fs.stream(file, { bytesToRead: mostBytes + 1 }).pipe(Stream.runCollect, Effect.map(joined))
    return bytes.length > mostBytes
      ? yield* refuse(file, "more", fitting)
      : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  }).pipe(
    Effect.catchTag("PlatformError", ({ reason }) =>
      refuse(
        file,
        reason._tag === "NotFound"
          ? "no such file"
          : `a file that can't be read (${flagOf(reason.cause) ?? reason._tag})`,
        "a config file"
      ))
  )

/** Returns what Deno says of a permission that the command was not given. */
const flagOf = (cause: unknown): string | undefined =>
  cause instanceof Error ? denoFlag.exec(cause.message)?.[0] : undefined

const fitting = `a file of at most ${mostBytes} bytes`

const refuse = (file: string, found: string, expected: string): Effect.Effect<never, ConfigFileError> =>
  Effect.fail(errorOf(file, [{ path: [], file, position: undefined, found, expected }]))

const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
