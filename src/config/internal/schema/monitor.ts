/**
 * The Schema of the monitors in a config file: one, or a list. Each has exactly one key, that of its service, with options
 * or `true` for options from the environment. The name of the service alone stands for `true`.
 */
import { identity } from "effect/Function"
import * as Schema from "effect/Schema"
import type { FileChannel } from "../../../alerters/internal/channel/schema/fileChannel.ts"
import * as Leaf from "../../../alerters/internal/channel/schema/leaf.ts"
import { either, isMap, list, object, optional } from "../../../alerters/internal/channel/schema/structure.ts"
import { closest } from "../../../internal/text/closest.ts"
import { monitors } from "../../../monitors/internal/schema/monitors.ts"

/** The key of a service. */
export type MonitorName = keyof typeof monitors

/** A monitor with the options of its service. */
export type MonitorSpec = Schema.Struct<typeof keys>["Type"]

const names = Object.keys(monitors)

const isName = (text: string): text is MonitorName => Object.hasOwn(monitors, text)

// casts, since `Object.fromEntries` forgets the names of the keys
const keys = Object.fromEntries(
  Object.entries<Pick<FileChannel<unknown, unknown>, "description" | "schema">>(monitors).map((
    [name, { description, schema }]
  ) => [name, optional(schema, description)])
) as { readonly [K in MonitorName]: Schema.optionalKey<(typeof monitors)[K]["schema"]> }

const name = Leaf.leaf<MonitorName>({
  expected: `one of ${names.join(", ")}, or a map with one of them as its key`,
  json: Schema.Literals(names),
  parse: (input, ofVariable) =>
    typeof input === "string" && !ofVariable && isName(input.trim()) ? input.trim() as MonitorName : undefined // the cast: it is one
})

const monitor = object(keys, {
  identifier: "Monitor",
  keys: (input) => {
    const found = names.filter((name) => name in input)
    // a misspelt one is an unexpected key already
    const misspelt = found.length === 0 && Object.keys(input).some((key) => closest(key, names) !== undefined)
    if (found.length === 1 || misspelt) return []
    const there = found.length === 0 ? "there is none" : `there are ${found.join(" and ")}, which make a list`
    return [{ path: [], expected: `exactly one of ${names.join(", ")}; ${there}` }]
  }
})

const any = either(name, monitor, (name): MonitorSpec => ({ [name]: true }), isMap, "AnyMonitor")

/** The Schema of monitors. */
export const Monitors: Leaf.FromFile<MonitorSpec | ReadonlyArray<MonitorSpec>> = either(
  any,
  list(any, 1),
  identity,
  Array.isArray
)

/** Returns the service of a monitor, which has one. */
export const serviceIn = (spec: MonitorSpec): MonitorName => Object.keys(spec).find(isName)!
