/**
 * What a file says of an alerter: where alerts go, and which policies are around that.
 *
 * Where they go is exactly one of: a channel, with its options or `true` for what the environment says; `fanOut`,
 * `fallback` or `route` with alerters of their own; `use`, for a channel's name or a Layer of a module. An alerter
 * that is a channel's name or a Layer, without policies, may be a string alone.
 *
 * Policies that stand beside it are asked in this order, whatever the order in the file:
 *
 * 1. `afterConsecutive`, which must know of every failure, and of every success that ends a row,
 * 2. `minSeverity`, so that none below counts what is dropped,
 * 3. `throttle`, which would drop what `recovered` and `dedupe` take for delivered if it came after them,
 * 4. `recovered`, which counts what `dedupe` holds back too,
 * 5. `dedupe`,
 * 6. `digest`,
 * 7. `quietHours`, last, so that nothing of the others is posted while it is quiet; of several the first at first.
 *
 * Whoever needs another order nests: a `fanOut` of one alerter with policies of its own.
 *
 * `store` is a folder in which all policies here and below remember, each under a name made of its place in the
 * file, or under its `persist`.
 */
import * as Schema from "effect/Schema"
import type { Channel } from "../../../alerters/internal/channel/schema/channel.ts"
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

/** An alerter as it was read: a channel's name, a reference to a Layer, or more. */
export type AlerterSpec = string | AlerterObject

/** @internal */
export interface AlerterObject extends Plain {
  readonly fanOut?: ReadonlyArray<AlerterSpec>
  readonly fallback?: ReadonlyArray<AlerterSpec>
  readonly route?: ReadonlyArray<RouteSpec>
  readonly otherwise?: AlerterSpec
}

/** @internal */
export interface RouteSpec {
  readonly when: typeof when.Type
  readonly to: AlerterSpec
}

/** The key of a channel. */
export type ChannelName = keyof typeof channels

/** @internal */
export const isChannelName = (text: string): text is ChannelName => Object.hasOwn(channels, text)

const names = Object.keys(channels)

// casts, since `Object` knows of keys as strings alone
const channelKeys = Object.fromEntries(
  Object.entries<Pick<Channel<unknown>, "description" | "schema">>(channels).map((
    [name, { description, schema }]
  ) => [name, optional(schema, description)])
) as { readonly [K in ChannelName]: Schema.optionalKey<(typeof channels)[K]["schema"]> }

const isReference = (text: string): boolean => isChannelName(text) || /[#./]/.test(text)

const bases = [...names, "use", "fanOut", "fallback", "route"]

const use = Leaf.leaf<string>({
  expected: `one of ${names.join(", ")}, a Layer's path#export, or a map, with use, fanOut, fallback or route, say`,
  json: Schema.String,
  // not one from a variable, which might be anything
  parse: (input, ofVariable) =>
    typeof input === "string" && !ofVariable && isReference(input.trim()) ? input.trim() : undefined
})

const when = object({
  severity: optional(oneOrMore(severity), "Exactly this severe, or as one of these."),
  atLeast: optional(severity, "At least this severe."),
  tag: optional(oneOrMore(Leaf.text("a tag")), "With this tag, or with any of these."),
  pipeline: optional(Leaf.text("the name of a pipeline"), "From the pipeline of this name."),
  step: optional(Leaf.text("the name of a step"), "From the step of this name, or from one within it.")
}, {
  keys: (input) =>
    Object.keys(input).length > 0
      ? []
      : [{
        path: [],
        expected: "one of severity, atLeast, tag, pipeline, step at least; what is left is for otherwise"
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
    "A channel's name, for options from the environment, or a Layer of a module: `./alerter.ts#layer`."
  ),
  succeeds: optional(
    Leaf.oneOf(["all", "any"]),
    "Beside `fanOut`: how many channels an alert must have reached. `all` unless set."
  ),
  after: optional(
    Leaf.duration(),
    "Beside `fallback`: how long each but the last may take. 15 seconds unless set."
  ),
  cooldown: optional(
    Leaf.duration({ zero: true }),
    "Beside `fallback`: for how long one is not tried again after it has failed. Not at all unless set."
  ),
  ...policies,
  store: optional(
    Leaf.text("the path of a folder"),
    "A folder, relative to that of this file, in which all policies here and below remember."
  )
}

type Plain = Schema.Struct<typeof plain>["Type"]

const nested: Leaf.FromFile<AlerterSpec> = Schema.suspend(() => Spec)

/** Keys that say something of a base, which must be there. */
const ofBase = { succeeds: "fanOut", after: "fallback", cooldown: "fallback", otherwise: "route" }

const baseMistakes = (input: Readonly<Record<string, unknown>>): ReadonlyArray<Mistake> => {
  const found = bases.filter((base) => base in input)
  const mistakes: Array<Mistake> = []
  if (found.length === 0) mistakes.push({ path: [], expected: `exactly one of ${bases.join(", ")}; there is none` })
  if (found.length > 1) {
    mistakes.push({ path: [], expected: `exactly one of ${bases.join(", ")}; there are ${found.join(" and ")}` })
  }
  for (const [key, base] of Object.entries(ofBase)) {
    if (key in input && !(base in input)) mistakes.push({ path: [key], expected: `${key} only beside ${base}` })
  }
  if ("route" in input && !("otherwise" in input)) {
    mistakes.push({ path: ["otherwise"], expected: "an alerter for what no route is meant for: none, to drop it" })
  }
  return mistakes
}

const objectSpec: Leaf.FromFile<AlerterObject> = object({
  ...plain,
  fanOut: optional(list(nested, 1, "a list of alerters"), "Alerters that each get every alert."),
  fallback: optional(
    list(nested, 2, "a list of two alerters or more"),
    "Alerters of which each gets what the one before it has not delivered."
  ),
  route: optional(
    list(
      object({
        when: required(when, "What an alert must be: all that is set."),
        to: required(nested, "an alerter")
      }),
      1,
      "a list of routes, each with when and to"
    ),
    "Alerters for some alerts: the first counts of which `when` holds."
  ),
  otherwise: optional(nested, "Beside `route`: the alerter for what no route is meant for.")
}, { identifier: "Alerter", keys: baseMistakes })

const Spec: Leaf.FromFile<AlerterSpec> = either(use, objectSpec, (text) => text, isMap, "AnyAlerter")

// -----------------------------------------------------------------------------
// what one alerter does to another
// -----------------------------------------------------------------------------

type Path = ReadonlyArray<string | number>

/** The alerters in this one, each with its place. */
export const partsOf = (spec: AlerterObject): ReadonlyArray<readonly [path: Path, spec: AlerterSpec]> => [
  ...(spec.fanOut ?? []).map((spec, i) => [["fanOut", i], spec] as const),
  ...(spec.fallback ?? []).map((spec, i) => [["fallback", i], spec] as const),
  ...(spec.route ?? []).map(({ to }, i) => [["route", i, "to"], to] as const),
  ...(spec.otherwise === undefined ? [] : [[["otherwise"], spec.otherwise] as const])
]

/** The policies that remember something, each with its place. */
const remembering = (spec: AlerterObject): ReadonlyArray<readonly [Path, string | false | undefined]> => {
  const found: Array<readonly [Path, string | false | undefined]> = []
  for (const policy of ["afterConsecutive", "throttle", "recovered", "dedupe", "digest", "quietHours"] as const) {
    const options = spec[policy]
    if (options === undefined) continue
    if (!("length" in options)) found.push([[policy], options.persist])
    else options.forEach(({ persist }, i) => found.push([[policy, i], persist]))
  }
  return found
}

interface Around {
  /** The store's folder, if there is one. */
  readonly store: string | undefined
  /** The least severity that comes through. */
  readonly least: number
  /** Of names in stores, to find those that are used twice. */
  readonly names: Map<string, Path>
}

const mistakesIn = (spec: AlerterSpec, path: Path, around: Around): ReadonlyArray<Mistake> => {
  if (typeof spec === "string") return []
  const mistakes: Array<Mistake> = []
  const store = spec.store ?? around.store
  const least = Math.max(around.least, spec.minSeverity === undefined ? 0 : severities.indexOf(spec.minSeverity))
  for (const [at, persist] of remembering(spec)) {
    const place = [...path, ...at, "persist"]
    if (persist !== undefined && store === undefined) {
      mistakes.push({ path: place, expected: "a store, beside it or around it, where persist is set" })
    } else if (typeof persist === "string") {
      const name = JSON.stringify([store, at[0], persist])
      if (around.names.has(name)) mistakes.push({ path: place, expected: "a name that no other such policy has" })
      around.names.set(name, place)
    }
  }
  if (spec.store !== undefined && !remembers(spec)) {
    mistakes.push({
      path: [...path, "store"],
      expected: "a policy that remembers, here or below, where there is a store"
    })
  }
  if (spec.recovered !== undefined && least > severities.indexOf("success")) {
    mistakes.push({
      path: [...path, "recovered"],
      expected:
        "a minSeverity of success at most, since a recovery is one; recovered: { successes: drop } drops the others"
    })
  }
  return partsOf(spec).reduce(
    (all, [at, part]) => [...all, ...mistakesIn(part, [...path, ...at], { ...around, store, least })],
    mistakes as ReadonlyArray<Mistake>
  )
}

/** Whether a store here has a use: below, another may take its place. */
const remembers = (spec: AlerterObject): boolean =>
  remembering(spec).some(([, persist]) => persist !== false) ||
  partsOf(spec).some(([, part]) => typeof part !== "string" && part.store === undefined && remembers(part))

/** Decodes what a file says of an alerter. All that is wrong is told at once, and none of what was found. */
export const AlerterSpec: Leaf.FromFile<AlerterSpec> = checked(
  Spec,
  (spec) => mistakesIn(spec, [], { store: undefined, least: 0, names: new Map() })
)

/** The Layers of modules that it names, each with its place. */
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
