/** References to modules on the command line. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/** Whether a name is that of a config file, and not of a module; also in a format whose error names those that are read. */
export const isConfig = (name: string): boolean => /\.(ya?ml|json[c5]?|toml|ini)$/i.test(name)

/** Resolves the module of `MODULE#EXPORT` in the working directory. The name of a package stays as it is. */
export const absolute = (
  reference: string
): Effect.Effect<string, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const [module = "", ...rest] = reference.split("#")
    const isFile = path.isAbsolute(module) || module.startsWith(".") || /\.[cm]?[jt]sx?$/.test(module) ||
      (yield* Effect.orElseSucceed(fs.exists(module), () => false))
    return [isFile ? path.resolve(module) : module, ...rest].join("#")
  })
