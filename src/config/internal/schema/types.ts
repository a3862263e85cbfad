/** What a config file can say, as types. `ConfigFile` hands them on. */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { Kind } from "../../../Hook.ts"
import type { InheritMode } from "../../../Hooks.ts"

/**
 * Text, which is secret where a variable stands in it.
 *
 * @category models
 * @since 0.1.0
 */
export type Text = string | Redacted.Redacted

/**
 * How often to try again, and when. Without a delay at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface Retry {
  /** How many attempts may follow the first. */
  readonly times: number
  readonly delay?: Duration.Duration
  /** How the delay grows. It stays unless set. */
  readonly backoff?: "constant" | "linear" | "exponential"
  /** By how much an exponential delay grows. It doubles unless set. */
  readonly factor?: number
  /** The longest delay. */
  readonly maxDelay?: Duration.Duration
  /** Whether delays vary by chance. */
  readonly jitter?: boolean
}

/**
 * Which failures a hook is for.
 *
 * @category models
 * @since 0.1.0
 */
export interface When {
  /** The tag of the error, or some tags. */
  readonly tag: Text | ReadonlyArray<Text>
}

/**
 * A hook by its source, with policies of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface HookEntry {
  /** Where it is: `./hooks.ts#name`. */
  readonly use: string
  readonly name?: Text
  /** How long it may take. */
  readonly timeout?: Duration.Duration
  /** A number is one of times. */
  readonly retry?: number | Retry
  /** Of hooks about failures only: `failure`, `retry`, `exit`. */
  readonly when?: When
  /** Whether nobody waits for it. */
  readonly background?: boolean
  /** Whether the step fails with it. */
  readonly required?: boolean
}

/**
 * One hook, or some in their order.
 *
 * @category models
 * @since 0.1.0
 */
export type HookList = string | HookEntry | ReadonlyArray<string | HookEntry>

/**
 * Hooks by their kind.
 *
 * @category models
 * @since 0.1.0
 */
export type HooksByKind = { readonly [K in Kind]?: HookList }

/**
 * How hooks stand to those they would take the place of: one mode for all kinds, or
 * one for each of some.
 *
 * @category models
 * @since 0.1.0
 */
export type Inherit = InheritMode | { readonly [K in Kind]?: InheritMode }

/**
 * Parameters by the service's key and the field's name. What comes from a variable
 * is `Redacted`.
 *
 * @category models
 * @since 0.1.0
 */
export type ParamsByService = { readonly [service: string]: { readonly [field: string]: unknown } }

/**
 * What holds for the bodies of steps.
 *
 * @category models
 * @since 0.1.0
 */
export interface Defaults {
  /** A number is one of times; `false` takes the code's away. */
  readonly retry?: number | false | Retry
  /** `false` takes the code's away. */
  readonly timeout?: Duration.Duration | false
}

/**
 * What a file says about one step.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepDocument extends Defaults {
  readonly inherit?: Inherit
  readonly hooks?: HooksByKind
  readonly params?: ParamsByService
  readonly annotations?: { readonly [name: string]: unknown }
}

/**
 * Where alerts go, and which policies are around that, once it has been read: a
 * channel's name, a Layer's source, or an object. What may stand in it is in the JSON
 * Schema.
 *
 * @category models
 * @since 0.1.0
 */
export type AlerterDocument = string | object

/**
 * What a file says.
 *
 * @category models
 * @since 0.1.0
 */
export interface Document {
  /** For editors: where the JSON Schema is. */
  readonly $schema?: string
  /** Where the pipeline is: `./nightly-etl.ts#pipeline`. */
  readonly pipeline?: string
  readonly runName?: Text
  /** Of the run. */
  readonly annotations?: { readonly [name: string]: unknown }
  readonly params?: ParamsByService
  /** Of the run itself. */
  readonly hooks?: HooksByKind
  /** Of every step. */
  readonly stepHooks?: HooksByKind
  /** How `stepHooks` stand to those of the code. */
  readonly inherit?: Inherit
  readonly defaults?: Defaults
  /** By their names. */
  readonly steps?: { readonly [name: string]: StepDocument }
  readonly alerter?: AlerterDocument
}
