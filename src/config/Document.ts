/**
 * The document of a config file, its Schema for YAML and JSON, and the JSON Schema for editors.
 *
 * @since 0.1.0
 */
import type * as JsonSchema from "effect/JsonSchema"
import type * as Schema from "effect/Schema"
import * as internal from "./internal/schema/document.ts"
import * as editors from "./internal/schema/jsonSchema.ts"
import type * as types from "./internal/schema/types.ts"

export type {
  AlerterDocument,
  Deadline,
  Defaults,
  HookEntry,
  HookList,
  HooksByKind,
  Inherit,
  Keep,
  Language,
  MonitorDocument,
  Overdue,
  ParamsByService,
  RecordDocument,
  Retry,
  StepDocument,
  Text,
  Timeout,
  When
} from "./internal/schema/types.ts"

/**
 * The decoded document of a config file.
 *
 * @category models
 * @since 0.1.0
 */
export type Document = types.Document

/**
 * The Schema of a config file. Its input is the parsed file with variables expanded: each text that contains one is a
 * `Redacted`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Document: Schema.Codec<Document, unknown> = internal.document

/**
 * Returns the JSON Schema (draft 2020-12) of a config file, for editors. It accepts variables such as `${NAME}` at
 * every key that may have one.
 *
 * @example
 * ```ts
 * import { ConfigFile } from "effect-epilogue/config"
 *
 * const text = JSON.stringify(ConfigFile.jsonSchema(), null, 2)
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const jsonSchema: () => JsonSchema.JsonSchema = editors.jsonSchema
