/** Finds the config file of a command. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { defaultConfigs, UsageError } from "../request.ts"
import { whyOf } from "../terminal.ts"

/** Returns the path that was given, or that of a default file in this folder, if there is one. */
export const configOf = (
  given: string | undefined
): Effect.Effect<string | undefined, UsageError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (given !== undefined) {
      const exists = yield* Effect.mapError(
        fs.exists(given),
        ({ reason }) => new UsageError({ message: `can't read ${given}: ${whyOf(reason)}` })
      )
      return exists ? given : yield* Effect.fail(new UsageError({ message: `there is no file ${given}` }))
    }
    for (const name of defaultConfigs) {
      if (yield* Effect.orElseSucceed(fs.exists(name), () => false)) return name
    }
    return undefined
  })
