/**
 * The Schema of an alerter in a config file: where alerts go, and the policies around it.
 *
 * An alerter has exactly one base: a channel, with options or `true` for options from the environment; `fanOut`,
 * `fallback` or `route`, with alerters of their own; or `use`, the name of a channel or a reference to a Layer. The
 * name or reference alone, without policies, may be a string.
 *
 * The policies beside the base see an alert in this order, whatever their order in the file:
 *
 * 1. `afterConsecutive` counts every failure, and every success that ends a row. 2. `minSeverity` drops alerts before
 * any other policy counts them. 3. `throttle` comes before `recovered` and `dedupe`, which would take alerts that it
 * drops for delivered. 4. `recovered` counts failures that `dedupe` holds back too. 5. `dedupe`. 6. `digest`. 7.
 * `quietHours` come last, so that no digest or summary is posted during quiet hours. Of several, the first in the list
 *    sees an alert first.
 *
 * For another order, nest alerters: a `fanOut` of one alerter with policies of its own.
 *
 * `store` is a folder that keeps the state of all policies of this alerter and of those inside of it. Each has a name
 * made of its place in the file, or its `persist`.
 */
import * as Schema from "effect/Schema"
import type { FileChannel } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import * as Leaf from "../../../alerters/internal/channel/schema/leaf.ts"
import {
  checked,
  either,
  isMap,
  list,
  type Mistake,
  object,
  oneOrMore,
  optional,
  required
} from "../../../alerters/internal/channel/schema/structure.ts"
import { channels } from "../../../alerters/internal/channels.ts"
import { severities } from "../../../internal/model/severity.ts"
import { policies, severity } from "./policies.ts"

/** A decoded alerter: the name of a channel, a reference to a Layer, or an object. */
export type AlerterSpec = string | AlerterObject

/** An alerter with a base and policies. */
export interface AlerterObject extends Plain {
  readonly fanOut?: ReadonlyArray<AlerterSpec>
  readonly fallback?: ReadonlyArray<AlerterSpec>
  readonly route?: ReadonlyArray<RouteSpec>
  readonly otherwise?: AlerterSpec
}

/** A route of an alerter. */
export interface RouteSpec {
  readonly when: typeof when.Type
  readonly to: AlerterSpec
}

/** The key of a channel. */
export type ChannelName = keyof typeof channels

/** Returns whether a text is the name of a channel. */
export const isChannelName = (text: string): text is ChannelName => Object.hasOwn(channels, text)

const names = Object.keys(channels)

// casts, since `Object.fromEntries` forgets the names of the keys
const channelKeys = Object.fromEntries(
  Object.entries<Pick<FileChannel<unknown>, "description" | "schema">>(channels).map((
    [name, { description, schema }]
  ) => [name, optional(schema, description)])
) as { readonly [K in ChannelName]: Schema.optionalKey<(typeof channels)[K]["schema"]> }

const isReference = (text: string): boolean => isChannelName(text) || /[#./]/.test(text)

const bases = [...names, "use", "fanOut", "fallback", "route"]

const use = Leaf.leaf<string>({
  expected: `one of ${names.join(", ")}, a Layer's path#export, or a map with a key such as use, fanOut or route`,
  json: Schema.String,
  // A variable is refused, since it could name any module.
  parse: (input, ofVariable) =>
    typeof input === "string" && !ofVariable && isReference(input.trim()) ? input.trim() : undefined
})

const when = object({
  severity: optional(oneOrMore(severity), "The severity of the alert, or a list that contains it."),
  atLeast: optional(severity, "The lowest severity of the alert."),
  tag: optional(oneOrMore(Leaf.text("a tag")), "A tag of the alert, or a list that contains one of its tags."),
  pipeline: optional(Leaf.text("the name of a pipeline"), "The pipeline that the alert comes from."),
  step: optional(Leaf.text("the name of a step"), "The step that the alert comes from, or a step around that.")
}, {
  keys: (input) =>
    Object.keys(input).length > 0
      ? []
      : [{
        path: [],
        expected: "at least one of severity, atLeast, tag, pipeline and step; otherwise gets the other alerts"
      }],
  check: (when) => {
    const least = when.atLeast === undefined ? 0 : severities.indexOf(when.atLeast)
    return when.severity?.every((one) => severities.indexOf(one) < least)
      ? [{ path: ["severity"], expected: "a severity that is at least atLeast" }]
      : []
  }
})

const plain = {
  ...channelKeys,
  use: optional(
    use,
    "The name of a channel, for options from the environment, or a reference to a Layer: `./alerter.ts#layer`."
  ),
  succeeds: optional(
    Leaf.oneOf(["all", "any"]),
    "Beside `fanOut`: whether all alerters must deliver an alert, or any of them. `all` by default."
  ),
  after: optional(
    Leaf.duration(),
    "Beside `fallback`: the time limit of each alerter but the last. 15 seconds by default."
  ),
  cooldown: optional(
    Leaf.duration({ zero: true }),
    "Beside `fallback`: for how long after a failure an alerter is skipped. Not at all by default."
  ),
  ...policies,
  store: optional(
    Leaf.text("the path of a folder"),
    "A folder, relative to that of this file, for the state of the policies of this alerter and of those inside of it."
  )
}

type Plain = Schema.Struct<typeof plain>["Type"]

const nested: Leaf.FromFile<AlerterSpec> = Schema.suspend(() => Spec)

/** The keys that need a certain base. */
const baseOf = { succeeds: "fanOut", after: "fallback", cooldown: "fallback", otherwise: "route" }

const baseMistakes = (input: Readonly<Record<string, unknown>>): ReadonlyArray<Mistake> => {
  const found = bases.filter((base) => base in input)
  const mistakes: Array<Mistake> = []
  if (found.length === 0) mistakes.push({ path: [], expected: `exactly one of ${bases.join(", ")}; there is none` })
  if (found.length > 1) {
    mistakes.push({ path: [], expected: `exactly one of ${bases.join(", ")}; there are ${found.join(" and ")}` })
  }
  for (const [key, base] of Object.entries(baseOf)) {
    if (key in input && !(base in input)) mistakes.push({ path: [key], expected: `${key} only beside ${base}` })
  }
  if ("route" in input && !("otherwise" in input)) {
    mistakes.push({ path: ["otherwise"], expected: "an alerter for alerts that match no route: none, to drop them" })
  }
  return mistakes
}

const objectSpec: Leaf.FromFile<AlerterObject> = object({
  ...plain,
  fanOut: optional(list(nested, 1, "a list of alerters"), "Alerters that all get every alert."),
  fallback: optional(
    list(nested, 2, "a list of two alerters or more"),
    "Alerters of which each gets the alerts that the one before it has not delivered."
  ),
  route: optional(
    list(
      object({
        when: required(when, "Conditions on an alert. All must hold."),
        to: required(nested, "The alerter of the route.")
      }),
      1,
      "a list of routes, each with when and to"
    ),
    "Routes to alerters. An alert takes the first route whose `when` holds."
  ),
  otherwise: optional(nested, "Beside `route`: the alerter for alerts that match no route.")
}, { identifier: "Alerter", keys: baseMistakes })

const Spec: Leaf.FromFile<AlerterSpec> = either(use, objectSpec, (text) => text, isMap, "AnyAlerter")

// -----------------------------------------------------------------------------
// alerters inside of others
// -----------------------------------------------------------------------------

type Path = ReadonlyArray<string | number>

/** Returns the alerters directly inside of one, each with its path. */
export const partsOf = (spec: AlerterObject): ReadonlyArray<readonly [path: Path, spec: AlerterSpec]> => [
  ...(spec.fanOut ?? []).map((spec, i) => [["fanOut", i], spec] as const),
  ...(spec.fallback ?? []).map((spec, i) => [["fallback", i], spec] as const),
  ...(spec.route ?? []).map(({ to }, i) => [["route", i, "to"], to] as const),
  ...(spec.otherwise === undefined ? [] : [[["otherwise"], spec.otherwise] as const])
]

/** Returns the `persist` of each policy with a state, with its path. */
const statefulPolicies = (spec: AlerterObject): ReadonlyArray<readonly [Path, string | false | undefined]> => {
  const found: Array<readonly [Path, string | false | undefined]> = []
  for (const policy of ["afterConsecutive", "throttle", "recovered", "dedupe", "digest", "quietHours"] as const) {
    const options = spec[policy]
    if (options === undefined) continue
    if (!("length" in options)) found.push([[policy], options.persist])
    else options.forEach(({ persist }, i) => found.push([[policy, i], persist]))
  }
  return found
}

/** The settings that an alerter has from those around it. */
interface Around {
  /** The folder of the store. */
  readonly store: string | undefined
  /** The rank of the lowest severity that passes. */
  readonly least: number
  /** The names of states with their paths, to find those that are used twice. */
  readonly names: Map<string, Path>
}

const mistakesIn = (spec: AlerterSpec, path: Path, around: Around): ReadonlyArray<Mistake> => {
  if (typeof spec === "string") return []
  const mistakes: Array<Mistake> = []
  const store = spec.store ?? around.store
  const least = Math.max(around.least, spec.minSeverity === undefined ? 0 : severities.indexOf(spec.minSeverity))
  for (const [at, persist] of statefulPolicies(spec)) {
    const place = [...path, ...at, "persist"]
    if (persist !== undefined && store === undefined) {
      mistakes.push({ path: place, expected: "a store, beside it or around it, where persist is set" })
    } else if (typeof persist === "string") {
      const name = JSON.stringify([store, at[0], persist])
      if (around.names.has(name)) mistakes.push({ path: place, expected: "a name that no other such policy has" })
      around.names.set(name, place)
    }
  }
  if (spec.store !== undefined && !usesStore(spec)) {
    mistakes.push({
      path: [...path, "store"],
      expected: "a policy with a state, here or below, where there is a store"
    })
  }
  if (spec.recovered !== undefined && least > severities.indexOf("success")) {
    mistakes.push({
      path: [...path, "recovered"],
      expected:
        "a minSeverity of success at most, since a recovery is a success; recovered: { successes: drop } drops the others"
    })
  }
  return partsOf(spec).reduce(
    (all, [at, part]) => [...all, ...mistakesIn(part, [...path, ...at], { ...around, store, least })],
    mistakes as ReadonlyArray<Mistake>
  )
}

/** Returns whether a policy uses the store of this alerter. Alerters inside of it may have stores of their own. */
const usesStore = (spec: AlerterObject): boolean =>
  statefulPolicies(spec).some(([, persist]) => persist !== false) ||
  partsOf(spec).some(([, part]) => typeof part !== "string" && part.store === undefined && usesStore(part))

/** The Schema of an alerter. Its issues are complete, and do not show the values that were found. */
export const AlerterSpec: Leaf.FromFile<AlerterSpec> = checked(
  Spec,
  (spec) => mistakesIn(spec, [], { store: undefined, least: 0, names: new Map() })
)

/** Returns the references to Layers in an alerter, each with its path. */
export const references = (
  spec: AlerterSpec
): ReadonlyArray<{ readonly path: Path; readonly reference: string }> => {
  if (typeof spec === "string") return isChannelName(spec) ? [] : [{ path: [], reference: spec }]
  const own = spec.use === undefined || isChannelName(spec.use) ? [] : [{ path: ["use"], reference: spec.use }]
  const inner = partsOf(spec).flatMap(([at, part]) =>
    references(part).map(({ path, reference }) => ({ path: [...at, ...path], reference }))
  )
  return [...own, ...inner]
}
