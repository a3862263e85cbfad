/**
 * The Schema of an alerter in a config file: where alerts go, and the policies around it.
 *
 * An alerter has exactly one base: a channel, with options or `true` for options from the environment; `url`, which names
 * a channel with its options; `fanOut`, `fallback` or `route`, with alerters of their own; or `use`, the name of a channel
 * or a reference to a Layer. The name, the reference or the URL alone, without policies, may be a string.
 *
 * The policies beside the base see an alert in this order, whatever their order in the file:
 *
 * 1. `runUrl` gives alerts their address.
 * 2. `afterConsecutive` counts every failure, and every success that ends a row.
 * 3. `minSeverity` drops alerts before any other policy counts them.
 * 4. `throttle` comes before `recovered` and `dedupe`, which would take alerts that it drops for delivered.
 * 5. `recovered` counts failures that `dedupe` holds back too.
 * 6. `dedupe`.
 * 7. `escalate`, whose second alerter none of the policies below holds up.
 * 8. `remind`, whose reminders are for this alerter alone. Those above neither count nor limit them.
 * 9. `digest`.
 * 10. `quietHours` come last, so that no digest, reminder or summary is posted during quiet hours. Of several, the first
 *     in the list sees an alert first.
 *
 * For another order, nest alerters: a `fanOut` of one alerter with policies of its own.
 *
 * `store` is a file that keeps the state of all policies of this alerter and of those inside of it. Each has a name
 * made of its place in the file, or its `persist`.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { isChannelUrl, optionsOf, parse as parseUrl } from "../../../alerters/internal/channel/schema/channelUrl.ts"
import type { FileChannel } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import * as Leaf from "../../../alerters/internal/channel/schema/leaf.ts"
import {
  checked,
  either,
  isMap,
  list,
  mapped,
  type Mistake,
  object,
  oneOrMore,
  optional,
  required
} from "../../../alerters/internal/channel/schema/structure.ts"
import { channels } from "../../../alerters/internal/channels.ts"
import { severities } from "../../../internal/model/severity.ts"
import { closest } from "../../../internal/text/closest.ts"
import { refusedPath } from "../../../internal/text/databaseAddress.ts"
import { escalate, policies, severity, type Shared } from "./policies.ts"

/** A decoded alerter: the name of a channel, a reference to a Layer, or an object. */
export type AlerterSpec = string | AlerterObject

/** An alerter with a base and policies. A channel that a URL names stands under its own key. */
export interface AlerterObject extends Omit<Plain, "url"> {
  readonly fanOut?: ReadonlyArray<AlerterSpec>
  readonly fallback?: ReadonlyArray<AlerterSpec>
  readonly route?: ReadonlyArray<RouteSpec>
  readonly otherwise?: AlerterSpec
  readonly escalate?: EscalateSpec
}

/** The options of `escalate`. */
interface EscalateSpec extends Shared {
  readonly after: Duration.Duration
  readonly to: AlerterSpec
  readonly announce?: boolean
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

const bases = [...names, "url", "use", "fanOut", "fallback", "route"]

const use = Leaf.leaf<string>({
  expected: `one of ${
    names.join(", ")
  }, a Layer's path#export, a channel's URL such as slack://…, or a map with a key such as use, fanOut or route`,
  json: Schema.String,
  // A variable is refused, since it could name any module.
  parse: (input, ofVariable) =>
    typeof input === "string" && !ofVariable && isReference(input.trim()) ? input.trim() : undefined
})

/** The forms of URLs of all channels. */
const urlForms = Object.entries<Pick<FileChannel<unknown>, "schema" | "urls">>(channels).flatMap((
  [name, { schema, urls = [] }]
) => urls.map((form) => ({ name, schema, form })))

/** Reads the URL of a channel, or says which forms are expected. No value of it is told: any part may be a secret. */
export const readUrl = (text: string): Result.Result<AlerterObject, string> => {
  const address = parseUrl(text)
  const candidates = urlForms.filter(({ form }) => address !== undefined && form.schemes.includes(address.scheme))
  for (const { form, name, schema } of candidates) {
    const options = address === undefined ? undefined : optionsOf(form, address)
    if (options === undefined) continue
    const decoded = Schema.decodeUnknownResult(schema)(options, { onExcessProperty: "error" })
    // a cast, since the name and the options are of one channel
    if (Result.isSuccess(decoded)) return Result.succeed({ [name]: decoded.success } as AlerterObject)
  }
  const schemes = [...new Set(urlForms.flatMap(({ form }) => form.schemes))].map((scheme) => `${scheme}://`)
  return Result.fail(
    candidates.length > 0
      ? Leaf.alternatives(candidates.map(({ form }) => form.form))
      : `the URL of a channel, which begins with ${Leaf.alternatives(schemes)}`
  )
}

const urlOf: Leaf.FromFile<AlerterObject> = Schema.declareConstructor<AlerterObject, unknown>()(
  [],
  () => (input) => {
    const text = Redacted.isRedacted(input) ? Redacted.value(input) : input
    const read = typeof text === "string" ? readUrl(text) : Result.fail("the URL of a channel, such as slack://…")
    return Result.isSuccess(read)
      ? Effect.succeed(read.success)
      : Effect.fail(new SchemaIssue.InvalidValue({ expected: read.failure }))
  },
  { expected: "the URL of a channel", toCodecJson: () => Leaf.shownAs<AlerterObject>(Schema.String) }
)

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

// An address with a password must not become the name of a file.
const storePath = Leaf.text(
  "the path of a file, which begins with ./ or / if it has any of : @ = ? # % & ; , in it",
  (text) => refusedPath(text) === undefined
)

const plain = {
  ...channelKeys,
  url: optional(
    urlOf,
    "The URL of a channel with its options, such as `slack://TOKEN_A/TOKEN_B/TOKEN_C`. It is a secret: write `${ALERT_URL}`."
  ),
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
    storePath,
    "A file of SQLite, relative to this file, for the state of the policies of this alerter and of those inside of it. Made where it is missing; processes may share it."
  )
}

type Plain = Schema.Struct<typeof plain>["Type"]

const nested: Leaf.FromFile<AlerterSpec> = Schema.suspend(() => Spec)

const known = [...Object.keys(plain), "otherwise", "escalate"]

/** The keys that need a certain base. */
const baseOf = { succeeds: "fanOut", after: "fallback", cooldown: "fallback", otherwise: "route" }

const baseMistakes = (input: Readonly<Record<string, unknown>>): ReadonlyArray<Mistake> => {
  const found = bases.filter((base) => base in input)
  const mistakes: Array<Mistake> = []
  // a misspelt one is an unexpected key already
  const meant = found.length > 0 ? [] : Object.keys(input).map((key) => closest(key, [...known, ...bases]))
  if (found.length === 0 && !bases.some((base) => meant.includes(base))) {
    mistakes.push({ path: [], expected: `exactly one of ${bases.join(", ")}; there is none` })
  }
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

const objectSpec: Leaf.FromFile<AlerterObject> = mapped(
  object({
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
    otherwise: optional(nested, "Beside `route`: the alerter for alerts that match no route."),
    escalate: escalate(nested)
  }, { identifier: "Alerter", keys: baseMistakes }),
  ({ url, ...spec }) => ({ ...spec, ...url })
)

/** A string that is the whole alerter. */
const named: Leaf.FromFile<AlerterSpec> = either(use, urlOf, (text) => text, isChannelUrl)

const Spec: Leaf.FromFile<AlerterSpec> = either(named, objectSpec, (spec) => spec, isMap, "AnyAlerter")

// -----------------------------------------------------------------------------
// alerters inside of others
// -----------------------------------------------------------------------------

/** The keys on the way to a part of an alerter. */
export type Path = ReadonlyArray<string | number>

/** Returns the alerters directly inside of one, each with its path. */
export const partsOf = (spec: AlerterObject): ReadonlyArray<readonly [path: Path, spec: AlerterSpec]> => [
  ...(spec.fanOut ?? []).map((spec, i) => [["fanOut", i], spec] as const),
  ...(spec.fallback ?? []).map((spec, i) => [["fallback", i], spec] as const),
  ...(spec.route ?? []).map(({ to }, i) => [["route", i, "to"], to] as const),
  ...(spec.otherwise === undefined ? [] : [[["otherwise"], spec.otherwise] as const]),
  ...(spec.escalate === undefined ? [] : [[["escalate", "to"], spec.escalate.to] as const])
]

const stateful = [
  "afterConsecutive",
  "throttle",
  "recovered",
  "dedupe",
  "escalate",
  "remind",
  "digest",
  "quietHours"
] as const

/** Returns the `persist` of each policy with a state, with its path. */
const statefulPolicies = (spec: AlerterObject): ReadonlyArray<readonly [Path, string | false | undefined]> => {
  const found: Array<readonly [Path, string | false | undefined]> = []
  for (const policy of stateful) {
    const options = spec[policy]
    if (options === undefined) continue
    if (!("length" in options)) found.push([[policy], options.persist])
    else options.forEach(({ persist }, i) => found.push([[policy, i], persist]))
  }
  return found
}

/** The settings that an alerter has from those around it. */
interface Around {
  /** The file of the store. */
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
    // of a count that is meant to end with the process: see `uncounted`
    const isMeant = persist === false && at[0] === "afterConsecutive"
    if (persist !== undefined && store === undefined && !isMeant) {
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
