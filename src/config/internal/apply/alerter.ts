/** Builds the alerter of a config file. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { Alerter, type AlerterError } from "../../../Alerter.ts"
import type { ChannelLayer, FileChannel } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import { channels } from "../../../alerters/internal/channels.ts"
import { afterConsecutive } from "../../../delivery/afterConsecutive.ts"
import { dedupe } from "../../../delivery/dedupe.ts"
import { digest } from "../../../delivery/digest.ts"
import { escalate } from "../../../delivery/escalate.ts"
import { fallback } from "../../../delivery/fallback.ts"
import { fanOut } from "../../../delivery/fanOut.ts"
import { inMemory } from "../../../delivery/internal/state/state.ts"
import { minSeverity } from "../../../delivery/minSeverity.ts"
import { quietHours } from "../../../delivery/quietHours.ts"
import { recovered } from "../../../delivery/recovered.ts"
import { remind } from "../../../delivery/remind.ts"
import { route } from "../../../delivery/route.ts"
import { runUrl } from "../../../delivery/runUrl.ts"
import { Store, type StoreError } from "../../../delivery/Store.ts"
import { throttle } from "../../../delivery/throttle.ts"
import type { Refusal } from "../modules/refusal.ts"
import { type AlerterObject, type AlerterSpec, type ChannelName, isChannelName } from "../schema/alerter.ts"
import { channelIn, storesOf, type Target, targetsOf } from "../schema/alerterParts.ts"
import { type Part, trial } from "./trial.ts"

/** The errors of building an alerter: a missing package, or a store that can't be opened. */
export type BuildError = AlerterError | StoreError

/** Options of {@link build}. */
export interface BuildOptions<E, LE, R> {
  /** The folder of the file, which its paths are relative to. */
  readonly folder: string
  /** The name of the file, which keeps the states of its policies apart from those of other files in the same store. */
  readonly name?: string | undefined
  /** Loads the Layer of a reference. */
  readonly loadLayer: (reference: string) => Effect.Effect<Layer.Layer<Alerter, LE, Files>, E, R>
  /**
   * Whether to build the channels, the Layers and the stores, each by itself and only for a moment, to find those that
   * can't be built. No policy is built: one with a store would post what it has kept.
   */
  readonly tries?: boolean | undefined
  readonly wraps?: Wraps | undefined
}

/** A place that alerts go to. */
export interface Leaf {
  /** The path in the alerter. */
  readonly path: Segments
  /** The name of the channel, or the reference to a Layer. */
  readonly name: string
}

/** Wraps parts of an alerter, to watch what becomes of alerts. */
export interface Wraps {
  /** A Layer that several places name is the same for all of them. */
  readonly leaf?: <E>(layer: Layer.Layer<Alerter, E, Files>, leaf: Leaf) => Layer.Layer<Alerter, E, Files>
  readonly store?: <E, R>(layer: Layer.Layer<Store, E, R>) => Layer.Layer<Store, E, R>
}

/** A part of an alerter that could not be loaded, with its path. */
export interface Unloaded<E> {
  readonly path: Segments
  readonly problem: E
}

type Files = FileSystem.FileSystem | Path.Path

/** An alerter whose policies may keep their state in a store. */
type Stored<E> = Layer.Layer<Alerter, BuildError | E, Files | Store>

/** The option `persist` of a policy: a name in the store, or `false` for memory. */
type Persist = string | false | undefined

type Segments = ReadonlyArray<string | number>

/** The position of an alerter in the file, and what it shares with those around it. */
interface Place<E> {
  readonly folder: string
  readonly name: string | undefined
  /** The layers of references, and of channels with options from the environment, by their names. */
  readonly layers: ReadonlyMap<string, Layer.Layer<Alerter, E, Files>>
  /** The path of the alerter in the file. */
  readonly path: Segments
  /** Whether this alerter or one around it has a store. */
  readonly stored: boolean
  readonly wraps: Wraps
}

/**
 * Returns the Layer of an alerter. Loads the Layers that it references first, and the variables of channels without options
 * of their own, and fails with all that is missing or wrong.
 */
export const build = <E, LE, R>(
  spec: AlerterSpec,
  { folder, loadLayer, name, tries = false, wraps = {} }: BuildOptions<E, LE, R>
): Effect.Effect<
  Layer.Layer<Alerter, BuildError | LE, Files>,
  Arr.NonEmptyReadonlyArray<Unloaded<E | Refusal>>,
  R | Files
> =>
  Effect.gen(function*() {
    const layers = new Map<string, Layer.Layer<Alerter, BuildError | LE, Files>>()
    const unloaded: Array<Unloaded<E | Refusal>> = []
    const targets = targetsOf(spec)
    for (const target of targets) {
      const name = nameOf(target)
      if (name === undefined || layers.has(name)) continue
      const loaded = yield* Effect.result<Layer.Layer<Alerter, BuildError | LE, Files>, ReadonlyArray<E | Refusal>, R>(
        isChannelName(name) ? fromEnvironment(name) : Effect.mapError(loadLayer(name), (problem) => [problem])
      )
      if (loaded._tag === "Success") layers.set(name, loaded.success)
      else unloaded.push(...loaded.failure.map((problem) => ({ path: target.path, problem })))
    }
    const place: Place<BuildError | LE> = { folder, name, layers, path: [], stored: false, wraps }
    if (tries) {
      const stores = storesOf(spec).map(({ folder: store, path }) => ({ path, layer: storeAt(folder, store) }))
      unloaded.push(...yield* trial([...targetLayers(targets, place), ...stores]))
    }
    if (Arr.isReadonlyArrayNonEmpty(unloaded)) return yield* Effect.fail(unloaded)
    return Layer.provide(alerterOf(spec, place), storeNone)
  })

/** Returns the name of a Layer to load: of a reference, or of a channel with options from the environment. */
const nameOf = (target: Target): string | undefined =>
  "reference" in target ? target.reference : target.options === true ? target.channel : undefined

/** Returns the layer of each place that alerts go to, of those that are named several times only once. */
const targetLayers = <E>(targets: ReadonlyArray<Target>, place: Place<E>): ReadonlyArray<Part> => {
  const names = targets.map(nameOf)
  return targets.flatMap((target, i) => {
    const name = names[i]
    if (name !== undefined) {
      return names.indexOf(name) === i
        ? [{ path: target.path, layer: named(name, place) }]
        : []
    }
    return "reference" in target || target.options === true || target.options === undefined
      ? []
      : [{ path: target.path, layer: channelOf(target.channel, target.options, place.folder) }]
  })
}

const fromEnvironment = (name: ChannelName): Effect.Effect<ChannelLayer, ReadonlyArray<Refusal>> =>
  // a path from the environment is relative to the working directory
  environmentOf(name, ".")

const environmentOf = <K extends ChannelName>(name: K, folder: string) => {
  const channel = byName[name]
  return Effect.map(channel.environment, (options) => channel.layer(options, folder))
}

// -----------------------------------------------------------------------------
// layers
// -----------------------------------------------------------------------------

const alerterOf = <E>(spec: AlerterSpec, place: Place<E>): Stored<E> => {
  if (typeof spec === "string") return leafOf(named(spec, place), spec, place)
  const here = spec.store === undefined ? place : { ...place, stored: true }
  const alerter = withPolicies(baseOf(spec, here), spec, here)
  if (spec.store === undefined) return alerter
  const store = storeAt(place.folder, spec.store)
  return Layer.provide(alerter, place.wraps.store?.(store) ?? store)
}

/** Opens the store in a file whose path is relative to that of the config file. */
const storeAt = (folder: string, path: string): Layer.Layer<Store, StoreError, Path.Path> =>
  Layer.unwrap(Effect.map(Path.Path, ({ resolve }) => Store.layerSqlite({ filename: resolve(folder, path) })))

/** Satisfies the type. It is never used: without a store in the file, no policy has a name to persist under. */
const storeNone: Layer.Layer<Store> = Layer.succeed(Store, { state: inMemory })

// -----------------------------------------------------------------------------
// bases
// -----------------------------------------------------------------------------

type LeafLayer<E> = Layer.Layer<Alerter, BuildError | E, Files>

const named = <E>(name: string, { layers }: Place<E>): LeafLayer<E> => layers.get(name) ?? Alerter.layerNone

const leafOf = <E>(layer: LeafLayer<E>, name: string, { path, wraps }: Place<E>, ...more: Segments): Stored<E> =>
  wraps.leaf?.(layer, { path: [...path, ...more], name }) ?? layer

const baseOf = <E>(spec: AlerterObject, place: Place<E>): Stored<E> => {
  const inner = (part: AlerterSpec, ...path: Segments) => alerterOf(part, { ...place, path: [...place.path, ...path] })
  if (spec.use !== undefined) return leafOf(named(spec.use, place), spec.use, place, "use")
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
  const name = channelIn(spec)
  const options = name === undefined ? undefined : spec[name]
  if (name === undefined || options === undefined) return Alerter.layerNone
  const channel = options === true ? named(name, place) : channelOf(name, options, place.folder)
  return leafOf(channel, name, place, name)
}

type OptionsByChannel = {
  readonly [K in ChannelName]: (typeof channels)[K] extends FileChannel<infer Options> ? Options : never
}

const byName: { readonly [K in ChannelName]: Pick<FileChannel<OptionsByChannel[K]>, "layer" | "environment"> } =
  channels

const channelOf = <K extends ChannelName>(name: K, options: OptionsByChannel[K], folder: string): ChannelLayer =>
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
  if (spec.remind !== undefined) {
    alerter = remind(alerter, { ...spec.remind, persist: persist(spec.remind.persist) })
  }
  if (spec.escalate !== undefined) {
    const { to, ...options } = spec.escalate
    const second = alerterOf(to, { ...place, path: [...place.path, "escalate", "to"] })
    alerter = escalate(alerter, { ...options, to: second, persist: persist(options.persist) })
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
    const { n, persist: own, timeZone } = spec.afterConsecutive
    alerter = afterConsecutive(alerter, n, { persist: persist(own), timeZone })
  }
  return spec.runUrl === undefined ? alerter : runUrl(alerter, spec.runUrl)
}

/** Returns the name of a policy's state, or `undefined` for memory. The `@` keeps it apart from names in the file. */
const stateName = <E>({ name, path, stored }: Place<E>, persist: Persist, more: Segments): string | undefined => {
  if (!stored || persist === false) return undefined
  return persist ?? `@${[...(name === undefined ? [] : [name]), "alerter", ...path, ...more].join(".")}`
}
