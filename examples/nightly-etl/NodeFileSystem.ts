/**
 * As much of effect's `FileSystem` as the job needs, on `node:fs/promises`, which Bun,
 * Deno and Node all have. `effect` brings the service but no implementation. An
 * application takes `NodeFileSystem.layer` of `@effect/platform-node` in place of
 * this file; it is here so that the example depends on nothing but `effect`.
 */
import { Effect, FileSystem, type Layer, PlatformError } from "effect"
import * as fs from "node:fs/promises"

const attempt = <A>(
  method: string,
  path: string,
  run: () => Promise<A>
): Effect.Effect<A, PlatformError.PlatformError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      PlatformError.systemError({
        _tag: (cause as NodeJS.ErrnoException).code === "ENOENT" ? "NotFound" : "Unknown",
        module: "FileSystem",
        method,
        pathOrDescriptor: path,
        description: (cause as Error).message
      })
  })

export const layer: Layer.Layer<FileSystem.FileSystem> = FileSystem.layerNoop({
  makeDirectory: (path, options) =>
    attempt("makeDirectory", path, async () => {
      await fs.mkdir(path, { recursive: options?.recursive ?? false })
    }),
  readFileString: (path) => attempt("readFileString", path, () => fs.readFile(path, "utf8")),
  remove: (path, options) => attempt("remove", path, () => fs.rm(path, { force: options?.force ?? false })),
  rename: (from, to) => attempt("rename", to, () => fs.rename(from, to)),
  writeFileString: (path, text) => attempt("writeFileString", path, () => fs.writeFile(path, text))
})
