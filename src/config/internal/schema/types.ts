/** The types of a config file's document. The public module `ConfigFile` re-exports them. */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { Kind } from "../../../Hook.ts"
import type { InheritMode } from "../../../Hooks.ts"

/**
 * A text. It is `Redacted` if it contains a variable that is not public.
 *
 * @category models
 * @since 0.1.0
 */
export type Text = string | Redacted.Redacted

/**
 * How often to run something again after a failure, and with which delays.
 *
 * @category models
 * @since 0.1.0
 */
export interface Retry {
  /** The largest number of attempts after the first. */
  readonly times: number
  /** The delay before the second attempt. None by default. */
  readonly delay?: Duration.Duration
  /** How the delay grows. Constant by default. */
  readonly backoff?: "constant" | "linear" | "exponential"
  /** The factor by which an exponential delay grows. 2 by default. */
  readonly factor?: number
  /** The longest delay. */
  readonly maxDelay?: Duration.Duration
  /** Whether delays vary at random. */
  readonly jitter?: boolean
}

/**
 * Limits a hook to some failures.
 *
 * @category models
 * @since 0.1.0
 */
export interface When {
  /** The `_tag` of the error, or a list that contains it. */
  readonly tag: Text | ReadonlyArray<Text>
}

/**
 * A reference to a hook, with policies.
 *
 * @category models
 * @since 0.1.0
 */
export interface HookEntry {
  /** A reference to the hook: `./hooks.ts#name`. */
  readonly use: string
  /** The name of the hook in logs, spans and events. */
  readonly name?: Text
  /** The time limit of the hook. */
  readonly timeout?: Duration.Duration
  /** The retry of the hook. A number is the largest number of attempts after the first. */
  readonly retry?: number | Retry
  /** The failures that the hook runs for. For hooks of the kinds `failure`, `retry` and `exit` only. */
  readonly when?: When
  /** Whether the step goes on without waiting for the hook. */
  readonly background?: boolean
  /** Whether the step fails if the hook fails. */
  readonly required?: boolean
}

/**
 * A hook, or a list of hooks in the order in which they run.
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
 * How hooks combine with those that they would replace: one mode for all kinds of hooks, or one for each.
 *
 * @example
 * ```yaml
 * stepHooks:
 *   failure: ./hooks.ts#page
 * steps:
 *   load:
 *     hooks:
 *       failure: ./hooks.ts#cleanUp
 *     # override (the default): cleanUp; append: page, then cleanUp; prepend: cleanUp, then page
 *     inherit: append
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type Inherit = InheritMode | { readonly [K in Kind]?: InheritMode }

/**
 * Parameters by the key of their `Params` service and the name of the field. A value that contains a variable is
 * `Redacted`, with the label `public` where the variable is.
 *
 * @category models
 * @since 0.1.0
 */
export type ParamsByService = { readonly [service: string]: { readonly [field: string]: unknown } }

/**
 * The time limit of a step or a run, and how long it may take to stop once it was interrupted. 5 seconds unless set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timeout {
  readonly limit: Duration.Duration
  readonly grace?: Duration.Duration
}

/**
 * How the bodies of steps run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Defaults {
  /** A number is the largest number of attempts after the first. `false` removes the retry of the code. */
  readonly retry?: number | false | Retry
  /** The time limit of the body. `false` removes that of the code. */
  readonly timeout?: Duration.Duration | Timeout | false
}

/**
 * The settings of the steps of one name.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepDocument extends Defaults {
  /** How the hooks of the step combine with `stepHooks`. */
  readonly inherit?: Inherit
  readonly hooks?: HooksByKind
  /** Parameters for this step. They win over those of the run. */
  readonly params?: ParamsByService
  readonly annotations?: { readonly [name: string]: unknown }
}

/**
 * The alerter of a file: the name of a channel, a reference to a Layer, or an object with a base and policies. The JSON
 * Schema describes its keys.
 *
 * @category models
 * @since 0.1.0
 */
export type AlerterDocument = string | object

/**
 * The document of a config file.
 *
 * @category models
 * @since 0.1.0
 */
export interface Document {
  /** The address of the JSON Schema, for editors. */
  readonly $schema?: string
  /** A reference to the pipeline: `./nightly-etl.ts#pipeline`. */
  readonly pipeline?: string
  /** The names of variables whose values may be shown. */
  readonly public?: ReadonlyArray<string>
  /** The name of the run. */
  readonly runName?: Text
  /** Annotations of the run. */
  readonly annotations?: { readonly [name: string]: unknown }
  readonly params?: ParamsByService
  /** Hooks of the run itself. */
  readonly hooks?: HooksByKind
  /** Hooks of every step. */
  readonly stepHooks?: HooksByKind
  /** How `stepHooks` combine with the hooks of the code. */
  readonly inherit?: Inherit
  /** The time limit of the run. `false` removes that of the code. */
  readonly timeout?: Duration.Duration | Timeout | false
  /** The retry and the time limit of every step without its own. */
  readonly defaults?: Defaults
  /** Settings of steps, by their names. */
  readonly steps?: { readonly [name: string]: StepDocument }
  readonly alerter?: AlerterDocument
}
