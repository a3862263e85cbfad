/** `epilogue init`: writes a small pipeline, its hooks with a test, a config file and a workflow that checks them. */
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as Terminal from "effect/Terminal"
import { createRequire } from "node:module"
import process from "node:process"
import { UsageError } from "../request.ts"
import { canAsk, out, whyOf } from "../terminal.ts"
import { snippets, snippetsPath, snippetsText } from "./editorFiles.ts"
import {
  allowsExtensions,
  type Channel,
  channelNames,
  type Choices,
  filesOf,
  nextOf,
  noteOf,
  type Runtime,
  runtimes,
  workflowOf
} from "./initFiles.ts"

/** Whether config files may be YAML: the library resolves the package `yaml` from the same place as this module. */
const hasYaml = (): boolean => {
  try {
    createRequire(import.meta.url).resolve("yaml")
    return true
  } catch {
    return false
  }
}

/**
 * Returns the extension for modules in a folder: `.mts` where the nearest `package.json` lacks `"type": "module"`, since
 * Node then takes `.ts` files for CommonJS modules. `npm init` sets `"type": "commonjs"`.
 */
const extensionIn = (folder: string) =>
  Effect.map(
    nearest(folder, "package.json"),
    (found) => found === undefined || /"type"\s*:\s*"module"/.test(found.text) ? ".ts" : ".mts"
  )

/** Returns the file of this name in a folder, or else in the nearest folder above it. */
const nearest = (folder: string, name: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    for (let at = path.resolve(folder);; at = path.dirname(at)) {
      const file = path.join(at, name)
      const isFile = Effect.filterOrFail(fs.stat(file), ({ type }) => type === "File")
      // a pipe would be waited for
      const text = yield* Effect.option(Effect.andThen(isFile, fs.readFileString(file)))
      if (text._tag === "Some") return { path: path.relative(".", file), text: text.value }
      if (at === path.dirname(at)) return undefined
    }
  })

const refuse = (message: string) => new UsageError({ message })

/** The runtime that the command runs on. */
const current = (): Runtime =>
  runtimes.find((name) => name !== "node" && process.versions[name] !== undefined) ?? "node"

/** Returns what a flag says, else the answer of a person at a terminal, else the first choice. */
const chosen = <A extends string>(
  given: Option.Option<A>,
  message: string,
  all: ReadonlyArray<A>
): Effect.Effect<A, UsageError, Terminal.Terminal | FileSystem.FileSystem | Path.Path> =>
  Option.isSome(given)
    ? Effect.succeed(given.value)
    : canAsk()
    ? Effect.catchTag(
      Prompt.run(Prompt.Select({ message, choices: all.map((value) => ({ title: value, value })) })),
      "QuitError",
      () => Effect.fail(refuse("nothing written, since the question was not answered"))
    )
    : Effect.succeed(all[0]!)

/** The flags of the command. */
export interface Asked {
  readonly folder: string
  readonly runtime: Option.Option<Runtime>
  readonly channel: Option.Option<Channel>
  /** Whether to write what an editor reads, and nothing else. */
  readonly editor: boolean
}

// `fs.exists` follows links, and does not see one that leads nowhere
const isLink = (name: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.map(Effect.option(fs.readLink(name)), Option.isSome))

const refuseLink = (name: string, shown: string) =>
  Effect.flatMap(isLink(name), (yes) =>
    yes
      ? Effect.fail(refuse(`nothing written, since ${shown} is a symbolic link: name the folder that it points to`))
      : Effect.void)

/** Writes all files, or none if one of them exists. */
const writeAll = (files: ReadonlyArray<readonly [path: string, text: string]>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const there = yield* Effect.filter(
      files,
      ([name]) => Effect.filterOrElse(fs.exists(name), identity, () => isLink(name))
    )
    if (there.length > 0) {
      return yield* refuse(`nothing written, since these files exist: ${there.map(([name]) => name).join(", ")}`)
    }
    for (const [name, text] of files) {
      yield* fs.makeDirectory(path.dirname(name), { recursive: true })
      // "wx" follows no link, and fails if another process has created the file since the check
      yield* fs.writeFileString(name, text, { flag: "wx" })
    }
    for (const [name] of files) out(`wrote ${name}`)
  })

/** Writes the snippets of the editor, to the folder that it has open. */
const writeEditor = (folder: string) =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const file = path.join(folder, snippetsPath)
    yield* refuseLink(path.dirname(file), path.dirname(file))
    yield* writeAll([[file, snippetsText()]])
    out(`type ep- in a file: ${Object.values(snippets).map(({ prefix }) => prefix).join(", ")}`)
  })

/** Writes the files of a small pipeline, or those for an editor. */
export const write = (
  asked: Asked
): Effect.Effect<void, UsageError, FileSystem.FileSystem | Path.Path | Terminal.Terminal> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const { folder } = asked
    const slashes = (text: string) => text.replaceAll(path.sep, "/")
    yield* refuseLink(path.resolve(folder), folder)
    if (asked.editor) return yield* writeEditor(folder)
    const own = current()
    const place = path.relative(".", folder)
    const isOutside = path.isAbsolute(place) || /^\.\.($|[\\/])/.test(place)
    const schema = path.relative(folder, "node_modules/effect-epilogue/dist/epilogue.schema.json")
    const tsconfig = yield* nearest(folder, "tsconfig.json")
    const choices: Choices = {
      runtime: yield* chosen(asked.runtime, "Which runtime?", [own, ...runtimes.filter((name) => name !== own)]),
      channel: yield* chosen(asked.channel, "Where do alerts go?", channelNames),
      isYaml: hasYaml(),
      extension: yield* extensionIn(folder),
      folder: isOutside ? path.join(path.dirname(folder), path.basename(folder)) : place === "" ? "." : slashes(place),
      schema: slashes(schema.startsWith("..") ? schema : `./${schema}`),
      isOutside,
      tsconfig: tsconfig && { path: slashes(tsconfig.path), allows: allowsExtensions(tsconfig.text) }
    }
    const workflows = path.dirname(workflowOf(choices))
    for (const name of [path.dirname(workflows), workflows]) yield* refuseLink(name, name)
    yield* writeAll(filesOf(choices))
    for (
      const line of [
        ...[noteOf(choices)].filter((note) => note !== undefined),
        "",
        "next:",
        ...nextOf(choices).map((line) => `  ${line}`)
      ]
    ) {
      out(line)
    }
  }).pipe(Effect.catchTag("PlatformError", ({ message, reason }) =>
    refuse("pathOrDescriptor" in reason ? `can't write ${reason.pathOrDescriptor}: ${whyOf(reason)}` : message)))
