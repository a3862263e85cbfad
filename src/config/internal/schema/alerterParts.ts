/** Finds what the alerters of a config file name: the places that alerts go to, stores, and policies without one. */
import { channels } from "../../../alerters/internal/channels.ts"
import { type AlerterObject, type AlerterSpec, type ChannelName, isChannelName, partsOf, type Path } from "./alerter.ts"

/**
 * Returns the paths of the policies that count failures in a row in memory, unless `persist: false` says that this is
 * meant: of a job that is started again for each run, they tell nothing, ever.
 */
export const uncounted = (spec: AlerterSpec, path: Path, isStored = false): ReadonlyArray<Path> => {
  if (typeof spec === "string") return []
  const stored = isStored || spec.store !== undefined
  const { afterConsecutive } = spec
  const isUncounted = !stored && afterConsecutive !== undefined && afterConsecutive.n > 1 &&
    afterConsecutive.persist === undefined
  return [
    ...(isUncounted ? [[...path, "afterConsecutive"]] : []),
    ...partsOf(spec).flatMap(([at, part]) => uncounted(part, [...path, ...at], stored))
  ]
}

/** A place that alerts go to: a channel, with its options, or a Layer by its reference. */
export type Target =
  | { readonly path: Path; readonly channel: ChannelName; readonly options: AlerterObject[ChannelName] }
  | { readonly path: Path; readonly reference: string }

/** Returns the places that alerts go to, in the order of the file. */
export const targetsOf = (spec: AlerterSpec, path: Path = []): ReadonlyArray<Target> => {
  if (typeof spec === "string") {
    return [isChannelName(spec) ? { path, channel: spec, options: true } : { path, reference: spec }]
  }
  const channel = channelIn(spec)
  const own: ReadonlyArray<Target> = spec.use !== undefined
    ? targetsOf(spec.use, [...path, "use"])
    : channel !== undefined
    ? [{ path: [...path, channel], channel, options: spec[channel] }]
    : []
  return [...own, ...partsOf(spec).flatMap(([at, part]) => targetsOf(part, [...path, ...at]))]
}

/** Returns the channel that an alerter has options for. */
export const channelIn = (spec: AlerterObject): ChannelName | undefined =>
  Object.keys(channels).filter(isChannelName).find((name) => spec[name] !== undefined)

/** Returns the stores of an alerter and of those inside of it. */
export const storesOf = (
  spec: AlerterSpec,
  path: Path = []
): ReadonlyArray<{ readonly path: Path; readonly folder: string }> => {
  if (typeof spec === "string") return []
  const inner = partsOf(spec).flatMap(([at, part]) => storesOf(part, [...path, ...at]))
  return spec.store === undefined ? inner : [{ path: [...path, "store"], folder: spec.store }, ...inner]
}
