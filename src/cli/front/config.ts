/** Finds the config file of a command. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { defaultConfigs, UsageError } from "../request.ts"

/** Returns the path that was given, or that of a default file in this folder, if there is one. */
export const configOf = (
  given: string | undefined
): Effect.Effect<string | undefined, UsageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const exists = (path: string) => Effect.orElseSucceed(fs.exists(path), () => false)
    if (given !== undefined) {
      return (yield* exists(given))
        ? given
        : yield* Effect.fail(new UsageError({ message: `there is no file ${given}` }))
    }
    for (const name of defaultConfigs) if (yield* exists(name)) return name
    return undefined
  })
