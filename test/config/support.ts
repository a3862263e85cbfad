/** Loads config files from texts, as if they were in the folder of the fixtures. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { join } from "node:path"
import { ConfigFile } from "../../src/config/index.ts"

export const folder: string = join(import.meta.dirname, "fixtures", "load")

const withFile = (file: string, text: string): Layer.Layer<FileSystem.FileSystem> =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      readFileString: (path, encoding) => path === file ? Effect.succeed(text) : fs.readFileString(path, encoding)
    }))
  ).pipe(Layer.provide(NodeFileSystem.layer))

/** Loads a file with this text. */
export const loadText = (text: string, options?: ConfigFile.LoadOptions, name = "test.yaml") => {
  const file = join(folder, name)
  return ConfigFile.load(file, options).pipe(Effect.provide([withFile(file, text), Path.layer]))
}

/** Loads a file with this text and runs its pipeline, with the services of Node. */
export const runText = (...file: Parameters<typeof loadText>) =>
  Effect.flatMap(
    loadText(...file),
    (loaded) => Effect.provide(Effect.exit(loaded.pipeline), [NodeFileSystem.layer, Path.layer])
  )
