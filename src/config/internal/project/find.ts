/** Finds the project file of a config: the nearest `epilogue.yaml` above it in its repository that is no config itself. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { ConfigFileError } from "../../ConfigFileError.ts"
import { errorOf } from "../file/errorOf.ts"
import { parse } from "../file/parse.ts"
import { isMap } from "../file/positions.ts"
import { readText } from "../file/readText.ts"
import { isInside, realOr } from "../modules/modules.ts"

type Services = FileSystem.FileSystem | Path.Path

/** The names of project files, the first of a folder counts. They are those that the command looks for, too. */
const names = ["epilogue.yaml", "epilogue.yml", "epilogue.json"]

/** A project file, and its text. */
export interface Found {
  /** As it is shown: relative to the working directory. */
  readonly file: string
  readonly folder: string
  readonly text: string
}

/** The owner of a file and who else may write it. */
interface Rights {
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly mode: number
}

const rightsOf = ({ gid, mode, uid }: FileSystem.File.Info): Rights => ({
  uid: Option.getOrUndefined(uid),
  gid: Option.getOrUndefined(gid),
  mode
})

/**
 * Says who else than those who may write `base`, the user and root may write a file; `undefined` where nobody may. Modes
 * and owners mean nothing on Windows.
 */
export const othersWho = (
  file: Rights,
  base: Rights,
  user: () => number | undefined = () => process.getuid?.()
): string | undefined => {
  if (process.platform === "win32" || file.uid === undefined) return undefined
  // the user is asked for last, since Deno wants a permission for that
  if (file.uid !== 0 && file.uid !== base.uid && file.uid !== user()) return `the user ${file.uid}, who owns it`
  if ((file.mode & 0o002) !== 0) return "all users"
  const shared = file.gid === base.gid && (base.mode & 0o020) !== 0
  return (file.mode & 0o020) !== 0 && !shared ? `the group ${file.gid}` : undefined
}

/**
 * Finds the project file of a config, or of what runs in a folder without one. Looks into the folder and those above, up
 * to the one with `.git`; outside of a repository into the folder alone. A file that others may write is refused: it names
 * modules to run, and where alerts go. `bound` is a folder that it must be in, where there is one.
 */
export const find = (
  folder: string,
  config: string | undefined,
  bound: string | undefined
): Effect.Effect<Found | undefined, ConfigFileError, Services> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    const start = yield* realOr(folder)
    const own = config === undefined ? undefined : yield* realOr(config)
    const base = (yield* statOf(own ?? start)) ?? (yield* statOf(start))
    // a file system in memory, which nobody else can write
    if (base === undefined) return undefined
    const root = (yield* rootOf(start, base)) ?? start
    const within = bound === undefined ? root : yield* realOr(bound)
    for (let at = start; isInside(path, root, at) && isInside(path, within, at); at = path.dirname(at)) {
      const found = yield* inFolder(at, root, own, base)
      if (found !== undefined) return found
      if (at === root) break
    }
    return undefined
  })

/** Whether a path can be read without asking the user: Deno would ask for each folder above a config. */
const isReadable = (at: string): boolean => {
  // a cast, since other runtimes have no `Deno`
  const { Deno: deno } = globalThis as {
    readonly Deno?: {
      readonly permissions: { readonly querySync: (of: { name: "read"; path: string }) => { readonly state: string } }
    }
  }
  return deno === undefined || deno.permissions.querySync({ name: "read", path: at }).state === "granted"
}

const statOf = (at: string): Effect.Effect<Rights | undefined, never, FileSystem.FileSystem> =>
  !isReadable(at) ? Effect.undefined : Effect.flatMap(
    FileSystem.FileSystem,
    (fs) => Effect.map(Effect.option(fs.stat(at)), (stat) => Option.getOrUndefined(Option.map(stat, rightsOf)))
  )

/** Returns the nearest folder above with `.git`. One that somebody else has put there is none. */
const rootOf = (start: string, base: Rights): Effect.Effect<string | undefined, never, Services> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    for (let at = start;; at = path.dirname(at)) {
      const git = yield* statOf(path.join(at, ".git"))
      // of a folder it counts who owns it: its mode says who may write what is in it
      if (git !== undefined && othersWho({ ...git, mode: 0 }, base) === undefined) return at
      if (path.dirname(at) === at) return undefined
    }
  })

const inFolder = (
  folder: string,
  root: string,
  own: string | undefined,
  base: Rights
): Effect.Effect<Found | undefined, ConfigFileError, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    for (const name of names) {
      const at = path.join(folder, name)
      const real = isReadable(at) ? Option.getOrUndefined(yield* Effect.option(fs.realPath(at))) : undefined
      if (real === undefined || real === own) continue
      const shown = path.relative(path.resolve("."), at)
      const rights = yield* statOf(real)
      const others = rights === undefined ? undefined : othersWho(rights, base)
      if (!isInside(path, root, real)) return yield* refuse(shown, "a link to outside of it", `a file in ${root}`)
      if (others !== undefined) {
        return yield* refuse(shown, `a file that ${others} may write`, "a project file that only its owner may write")
      }
      const text = yield* Effect.mapError(readText(real), ({ issues }) =>
        errorOf(shown, issues.map((issue) => ({ ...issue, file: shown }))))
      const { root: tree } = yield* parse(text, name)
      // what has a pipeline is the config of that one, and says nothing about others
      if (tree !== undefined && isMap(tree.value) && tree.value.has("pipeline")) {
        return undefined
      }
      return { file: shown, folder, text }
    }
    return undefined
  })

const refuse = (file: string, found: string, expected: string): Effect.Effect<never, ConfigFileError> =>
  Effect.fail(errorOf(file, [{ path: [], file, position: undefined, found, expected }]))
