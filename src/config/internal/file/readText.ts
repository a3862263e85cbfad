/** Reads config files, as far as they are of a size that anybody writes. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { denoAdvice } from "../../../internal/text/denied.ts"
import type { ConfigFileError } from "../../ConfigFileError.ts"
import { errorOf } from "./errorOf.ts"
import { mostBytes } from "./tree.ts"

/**
 * Returns the text of a config file. Fails before reading where it is missing or too large, and where it is no file: the
 * other end of a pipe might be waited for without end, and a device may be endless.
 */
export const readText = (file: string): Effect.Effect<string, ConfigFileError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const stat = Option.getOrUndefined(yield* Effect.option(fs.stat(file)))
    // a file system in memory may not know sizes, and whatever else is wrong, reading says it
    if (stat !== undefined && stat.type !== "File") {
      return yield* refuse(file, unreadable[stat.type] ?? "something else", "a config file")
    }
    if (stat !== undefined && stat.size > mostBytes) {
      return yield* refuse(file, `a file of ${stat.size} bytes`, `a file of at most ${mostBytes} bytes`)
    }
    // what has no size has nothing to read, or has to be waited for, as /proc/kmsg
    return stat?.size === 0n ? "" : yield* fs.readFileString(file)
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
const flagOf = (cause: unknown): string | undefined => cause instanceof Error ? denoAdvice(cause.message) : undefined

const unreadable: Readonly<Record<string, string>> = {
  Directory: "a folder",
  FIFO: "a pipe",
  Socket: "a socket",
  CharacterDevice: "a device",
  BlockDevice: "a device"
}

const refuse = (file: string, found: string, expected: string): Effect.Effect<never, ConfigFileError> =>
  Effect.fail(errorOf(file, [{ path: [], file, position: undefined, found, expected }]))
