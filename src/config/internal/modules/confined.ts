/** Checks that an alerter writes to no file outside of the root, neither by its path nor through a symbolic link. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { type AlerterSpec, partsOf } from "../schema/alerter.ts"
import { isInside, realOr, type SourceOptions } from "./modules.ts"
import type { Refusal } from "./refusal.ts"

type Segments = ReadonlyArray<string | number>

type Services = FileSystem.FileSystem | Path.Path

/** Returns the files and folders that an alerter writes to, each with its path in the config file. */
const writtenBy = (
  spec: AlerterSpec,
  place: Segments = []
): ReadonlyArray<{ readonly place: Segments; readonly target: string }> => {
  if (typeof spec === "string") return []
  const { jsonLines, store } = spec
  return [
    ...(store === undefined ? [] : [{ place: [...place, "store"], target: store }]),
    ...(typeof jsonLines === "object" ? [{ place: [...place, "jsonLines", "path"], target: jsonLines.path }] : []),
    ...partsOf(spec).flatMap(([at, part]) => writtenBy(part, [...place, ...at]))
  ]
}

/**
 * Returns a problem for each target outside of the root. It does not show the target, which may come from a variable.
 */
export const escaping = (
  spec: AlerterSpec,
  { allowOutside, folder, root }: SourceOptions
): Effect.Effect<ReadonlyArray<{ readonly path: Segments; readonly problem: Refusal }>, never, Services> =>
  Effect.gen(function*() {
    if (allowOutside) return []
    const path = yield* Path.Path
    const realRoot = yield* realOr(root)
    const found: Array<{ readonly path: Segments; readonly problem: Refusal }> = []
    for (const { place, target } of writtenBy(spec)) {
      const real = yield* resolveLinks(path.resolve(folder, target))
      if (real !== undefined && isInside(path, realRoot, real)) continue
      found.push({
        path: place,
        problem: {
          found: real === undefined ? "a broken link" : "a path outside of it",
          expected: `a path in ${realRoot}`
        }
      })
    }
    return found
  })

/** Resolves the links in a path whose last parts need not exist yet. Returns `undefined` for a broken link. */
const resolveLinks = (target: string): Effect.Effect<string | undefined, never, Services> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const real = yield* Effect.option(fs.realPath(target))
    if (real._tag === "Some") return real.value
    const link = yield* Effect.option(fs.readLink(target))
    const parent = path.dirname(target)
    if (link._tag === "Some") return undefined
    if (parent === target) return target
    const above = yield* resolveLinks(parent)
    return above === undefined ? undefined : path.join(above, path.basename(target))
  })
