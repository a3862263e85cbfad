/** Folders of modules, and what references to them find. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as assert from "node:assert/strict"
import { load, resolve, type SourceOptions } from "../../src/config/internal/modules/modules.ts"
import type { Refusal } from "../../src/config/internal/modules/refusal.ts"

export const services = Layer.mergeAll(NodeFileSystem.layer, Path.layer)

/** Makes a folder with these files for the scope of the test. A text that begins with `->` makes a link. */
export const tree = (files: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(folder, name)
      yield* fs.makeDirectory(path.dirname(file), { recursive: true })
      yield* text.startsWith("->") ? fs.symlink(path.join(folder, text.slice(2)), file) : fs.writeFileString(file, text)
    }
    return folder
  }).pipe(Effect.provide(services))

export const within = (folder: string, more: Partial<SourceOptions> = {}): SourceOptions => ({
  folder,
  root: folder,
  allowOutside: false,
  ...more
})

export const valueOf = (reference: string, options: SourceOptions) =>
  Effect.provide(Effect.flatMap(resolve(reference, options), load), services)

export const problemOf = (reference: string, options: SourceOptions) => Effect.flip(valueOf(reference, options))

export const inWords = ({ expected, found }: Refusal): string => `expected ${expected}, found ${found}`

export const says = (reference: string, options: SourceOptions, ...words: ReadonlyArray<string>) =>
  Effect.map(problemOf(reference, options), (problem) => {
    for (const word of words) assert.ok(inWords(problem).includes(word), `${reference}: ${inWords(problem)} (${word})`)
    assert.ok(!/\n|\bat .*:\d+:\d+\)/.test(inWords(problem)), inWords(problem))
  })
