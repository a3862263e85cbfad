/** Makes the JSON Schema of a config file, for editors. */
import type * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import { isMap } from "../../../alerters/internal/channel/schema/structure.ts"
import { document } from "./document.ts"

const isDescription = (value: unknown): boolean => isMap(value) && Object.keys(value).join() === "description"

/** Moves descriptions out of `allOf` to the schema that they describe, where editors look for them. */
const withDescriptions = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withDescriptions)
  if (!isMap(value)) return value
  const parts = Array.isArray(value["allOf"]) ? value["allOf"] : []
  if (!parts.some(isDescription)) {
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, withDescriptions(v)]))
  }
  const { allOf: _, ...others } = value
  const kept = parts.filter((part) => !isDescription(part))
  const [only] = kept
  return withDescriptions({
    ...others,
    ...(kept.length === 0
      ? {}
      : kept.length === 1 && isMap(only) && Object.keys(others).length === 0
      ? only
      : { allOf: kept }),
    ...parts.find(isDescription)
  })
}

/** Returns the JSON Schema of a config file, as text before variables are expanded. */
export const jsonSchema = (): JsonSchema.JsonSchema => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(document, { onExcessProperty: "error" })
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "urn:effect-epilogue:config",
    title: "effect-epilogue",
    description: "A pipeline, its hooks, parameters and alerts.",
    ...Object(withDescriptions(schema)),
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: withDescriptions(definitions) })
  }
}
