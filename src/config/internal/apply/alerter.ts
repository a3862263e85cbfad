/** Builds the alerter of a config file. */
import * as Arr from "effect/Array"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as PlatformError from "effect/PlatformError"
import { Alerter, type AlerterError } from "../../../Alerter.ts"
import type { ChannelLayer, FileChannel } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import { channels } from "../../../alerters/internal/channels.ts"
import { afterConsecutive } from "../../../delivery/afterConsecutive.ts"
import { dedupe } from "../../../delivery/dedupe.ts"
import { digest } from "../../../delivery/digest.ts"
import { fallback } from "../../../delivery/fallback.ts"
import { fanOut } from "../../../delivery/fanOut.ts"
import { minSeverity } from "../../../delivery/minSeverity.ts"
import { quietHours } from "../../../delivery/quietHours.ts"
import { recovered } from "../../../delivery/recovered.ts"
import { route } from "../../../delivery/route.ts"
import { throttle } from "../../../delivery/throttle.ts"
import { codeOf, fileMode, folderMode, makeOwnFolderOf } from "../../../internal/files/private.ts"
import { type AlerterObject, type AlerterSpec, type ChannelName, isChannelName, references } from "../schema/alerter.ts"

/** The errors of building an alerter: a missing variable or package, or a store that can't be created. */
export type BuildError = AlerterError | Config.ConfigError | PlatformError.PlatformError

/** Options of {@link build}. */
export interface BuildOptions<E, LE, R> {
  /** The folder of the file, which its paths are relative to. */
  readonly folder: string
  /** The name of the file, which keeps the states of its policies apart from those of other files in the same store. */
  readonly name?: string | undefined
  /** Loads the Layer of a reference. */
  readonly loadLayer: (reference: string) => Effect.Effect<Layer.Layer<Alerter, LE, Files>, E, R>
}

/** A reference whose Layer could not be loaded. */
export interface Unloaded<E> {
  readonly path: Segments
  readonly problem: E
}

type Files = FileSystem.FileSystem | Path.Path

/** An alerter whose policies may keep their state in a store. */
type Stored<E> = Layer.Layer<Alerter, BuildError | E, Files | KeyValueStore.KeyValueStore>

/** The option `persist` of a policy: a name in the store, or `false` for memory. */
type Persist = string | false | undefined

type Segments = ReadonlyArray<string | number>

/** The position of an alerter in the file, and what it shares with those around it. */
interface Place<E> {
  readonly folder: string
  readonly name: string | undefined
  readonly layers: ReadonlyMap<string, Layer.Layer<Alerter, E, Files>>
  /** The path of the alerter in the file. */
  readonly path: Segments
  /** Whether this alerter or one around it has a store. */
  readonly stored: boolean
}

/**
 * Returns the Layer of an alerter. Loads the Layers that it references first, and fails with all that can't be loaded.
 *
 * The Layer reads variables of the environment only for channels without options of their own.
 */
export const build = <E, LE, R>(
  spec: AlerterSpec,
  { folder, loadLayer, name }: BuildOptions<E, LE, R>
): Effect.Effect<Layer.Layer<Alerter, BuildError | LE, Files>, Arr.NonEmptyReadonlyArray<Unloaded<E>>, R> =>
  Effect.gen(function*() {
    const layers = new Map<string, Layer.Layer<Alerter, LE, Files>>()
    const unloaded: Array<Unloaded<E>> = []
    for (const { path, reference } of references(spec)) {
      if (layers.has(reference)) continue
      const loaded = yield* Effect.result(loadLayer(reference))
      if (loaded._tag === "Success") layers.set(reference, loaded.success)
      else unloaded.push({ path, problem: loaded.failure })
    }
    if (Arr.isReadonlyArrayNonEmpty(unloaded)) return yield* Effect.fail(unloaded)
    // Satisfies the type. It is never used: without a store in the file, no policy has a name to persist under.
    return Layer.provide(alerterOf(spec, { folder, name, layers, path: [], stored: false }), KeyValueStore.layerMemory)
  })

const alerterOf = <E>(spec: AlerterSpec, place: Place<E>): Stored<E> => {
  if (typeof spec === "string") return named(spec, place)
  const here = spec.store === undefined ? place : { ...place, stored: true }
  const alerter = withPolicies(baseOf(spec, here), spec, here)
  return spec.store === undefined ? alerter : Layer.provide(alerter, storeIn(place.folder, spec.store))
}

/** Makes a store in a folder, with files, that only the user may read, since they contain alerts. */
const storeIn = (
  folder: string,
  path: string
): Layer.Layer<KeyValueStore.KeyValueStore, PlatformError.PlatformError, Files> =>
  Layer.unwrap(Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const store = paths.resolve(folder, path)
    yield* Effect.try({
      try: () => makeOwnFolderOf(paths.join(store, "store")),
      catch: (cause) =>
        PlatformError.badArgument({
          module: "FileSystem",
          method: "makeDirectory",
          description: `can't make the folder of the store: ${codeOf(cause)}`
        })
    })
    yield* files.makeDirectory(store, { recursive: true, mode: folderMode })
    const mode = { mode: fileMode }
    const privately: FileSystem.FileSystem = {
      ...files,
      writeFile: (file, data, options) => files.writeFile(file, data, { ...options, ...mode }),
      writeFileString: (file, data, options) => files.writeFileString(file, data, { ...options, ...mode })
    }
    return Layer.provide(KeyValueStore.layerFileSystem(store), Layer.succeed(FileSystem.FileSystem, privately))
  }))

// -----------------------------------------------------------------------------
// bases
// -----------------------------------------------------------------------------

const named = <E>(name: string, { folder, layers }: Place<E>): Stored<E> =>
  isChannelName(name) ? channelOf(name, true, folder) : layers.get(name) ?? Alerter.layerNone

const baseOf = <E>(spec: AlerterObject, place: Place<E>): Stored<E> => {
  const inner = (part: AlerterSpec, ...path: Segments) => alerterOf(part, { ...place, path: [...place.path, ...path] })
  if (spec.use !== undefined) return named(spec.use, place)
  if (spec.fanOut !== undefined) {
    const layers = spec.fanOut.map((part, i) => inner(part, "fanOut", i))
    return Arr.isReadonlyArrayNonEmpty(layers) ? fanOut(layers, { succeeds: spec.succeeds }) : Alerter.layerNone
  }
  if (spec.fallback !== undefined) {
    const { after, cooldown } = spec
    const layers = spec.fallback.map((part, i) => inner(part, "fallback", i))
    // Nested from the last on. Otherwise the time limit of each alerter would include those of all before it.
    return layers.reduceRight((next, layer) => fallback(layer, next, { after, cooldown }))
  }
  if (spec.route !== undefined) {
    const routes = spec.route.map(({ to, when }, i) => ({ when, to: inner(to, "route", i, "to") }))
    return route(routes, { otherwise: inner(spec.otherwise ?? "none", "otherwise") })
  }
  const name = Object.keys(channels).filter(isChannelName).find((name) => spec[name] !== undefined)
  return name === undefined ? Alerter.layerNone : channelOf(name, spec[name] ?? true, place.folder)
}

type OptionsByChannel = {
  readonly [K in ChannelName]: (typeof channels)[K] extends FileChannel<infer Options> ? Options | true : never
}

const byName: { readonly [K in ChannelName]: Pick<FileChannel<OptionsByChannel[K]>, "layer"> } = channels

const channelOf = <K extends ChannelName>(name: K, options: OptionsByChannel[K] | true, folder: string): ChannelLayer =>
  byName[name].layer(options, folder)

// -----------------------------------------------------------------------------
// policies
// -----------------------------------------------------------------------------

/** Wraps a base in its policies, in the reverse of the order in which they see an alert. */
const withPolicies = <E>(base: Stored<E>, spec: AlerterObject, place: Place<E>): Stored<E> => {
  const persist = (persist: Persist, ...path: Segments) => stateName(place, persist, path)
  let alerter = base
  const quiet = spec.quietHours === undefined ? [] : "length" in spec.quietHours ? spec.quietHours : [spec.quietHours]
  for (const [i, hours] of [...quiet.entries()].toReversed()) {
    alerter = quietHours(alerter, { ...hours, persist: persist(hours.persist, ...(i === 0 ? [] : [i])) })
  }
  if (spec.digest !== undefined) {
    alerter = digest(alerter, { ...spec.digest, persist: persist(spec.digest.persist) })
  }
  if (spec.dedupe !== undefined) {
    alerter = dedupe(alerter, { ...spec.dedupe, persist: persist(spec.dedupe.persist) })
  }
  if (spec.recovered !== undefined) {
    alerter = recovered(alerter, { ...spec.recovered, persist: persist(spec.recovered.persist) })
  }
  if (spec.throttle !== undefined) {
    alerter = throttle(alerter, { ...spec.throttle, persist: persist(spec.throttle.persist) })
  }
  if (spec.minSeverity !== undefined) alerter = minSeverity(alerter, spec.minSeverity)
  if (spec.afterConsecutive !== undefined) {
    const { n, persist: own } = spec.afterConsecutive
    alerter = afterConsecutive(alerter, n, { persist: persist(own) })
  }
  return alerter
}

/** Returns the name of a policy's state, or `undefined` for memory. The `@` keeps it apart from names in the file. */
const stateName = <E>({ name, path, stored }: Place<E>, persist: Persist, more: Segments): string | undefined => {
  if (!stored || persist === false) return undefined
  return persist ?? `@${[...(name === undefined ? [] : [name]), "alerter", ...path, ...more].join(".")}`
}
