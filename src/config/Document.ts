/**
 * What a config file can say, as a Schema: one for YAML and JSON. The JSON Schema
 * that editors take is made of it.
 *
 * @since 0.1.0
 */
import type * as JsonSchema from "effect/JsonSchema"
import type * as Schema from "effect/Schema"
import * as internal from "./internal/schema/document.ts"
import type * as types from "./internal/schema/types.ts"

export type {
  AlerterDocument,
  Defaults,
  HookEntry,
  HookList,
  HooksByKind,
  Inherit,
  ParamsByService,
  Retry,
  StepDocument,
  Text,
  When
} from "./internal/schema/types.ts"

/**
 * What a file says.
 *
 * @category models
 * @since 0.1.0
 */
export type Document = types.Document

/**
 * The Schema of a file. It takes what the file holds once its variables are
 * expanded, each as a `Redacted`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Document: Schema.Codec<Document, unknown> = internal.document

/**
 * The JSON Schema (draft 2020-12) of a file as it is written, for editors.
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
export const jsonSchema: () => JsonSchema.JsonSchema = internal.jsonSchema
