/** Checks for keys that have no effect, since another key is missing or takes it away. */
import type * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"

/** Makes a key an issue if other keys leave it without effect. `json` is the condition as JSON Schema. */
export const needless = <T extends object>(
  key: keyof T & string,
  isNeedless: (value: T) => boolean,
  expected: string,
  json: JsonSchema.JsonSchema
) =>
  Schema.makeFilter<T>(
    (value) => key in value && isNeedless(value) ? { path: [key], issue: expected } : undefined,
    { expected, toJsonSchema: () => ({ anyOf: [{ not: { required: [key] } }, json] }) }
  )

/** Makes a key an issue if another key, without which it has no effect, is missing. */
export const needs = <T extends object>(key: keyof T & string, other: keyof T & string) =>
  needless<T>(key, (value) => !(other in value), `${other} beside it, without which it has no effect`, {
    required: [other]
  })
