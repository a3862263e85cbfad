/** The types of a config file's document. The public module `ConfigFile` re-exports them. */
import type * as DateTime from "effect/DateTime"
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
  /** Whether the step goes on without waiting for the hook. Not for hooks of the kind `rollback`. */
  readonly background?: boolean
  /** Whether the step fails if the hook fails. Not for hooks of the kinds `overdue` and `rollback`. */
  readonly required?: boolean
  /** The time after which the hook runs, in place of that of the step. For hooks of the kind `overdue` only. */
  readonly after?: Duration.Duration
  /** How often it runs again after that. Once by default. */
  readonly every?: Duration.Duration
}

/**
 * A hook, or a list of hooks in the order in which they run.
 *
 * @category models
 * @since 0.1.0
 */
export type HookList = string | HookEntry | ReadonlyArray<string | HookEntry>

/**
 * Hooks by their kind. Those of the run itself are of any kind but `retry` and `rollback`.
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
 * The time after which a step or a run is overdue, and how often that is told again. Once unless set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Overdue {
  readonly after: Duration.Duration
  readonly every?: Duration.Duration
}

/**
 * The time of day by which a run must have ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deadline {
  /** As in `"06:00"`. */
  readonly at: `${number}:${number}`
  /** The machine's unless set. */
  readonly timeZone?: DateTime.TimeZone
  /** How often it is told again. Once unless set. */
  readonly every?: Duration.Duration
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
  /** The time after which overdue hooks run. `false` removes the limit of the code. */
  readonly overdue?: Duration.Duration | Overdue | false
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
 * A language in which the library can say what it says in alerts.
 *
 * @category models
 * @since 0.1.0
 */
export type Language = "en" | "de"

/**
 * The alerter of a file: the name of a channel, a reference to a Layer, or an object with a base and policies. The JSON
 * Schema describes its keys.
 *
 * @category models
 * @since 0.1.0
 */
export type AlerterDocument = string | object

/**
 * A monitor of a file: an object with the key of one service. The JSON Schema describes its options.
 *
 * @category models
 * @since 0.1.0
 */
export type MonitorDocument = object

/**
 * The words of an alert, with `{title}`, `{body}`, `{severity}`, `{pipeline}`, `{run}`, `{runId}`, `{step}`,
 * `{attempt}` and `{field.NAME}` for those of the alert as it is without them.
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertTemplate {
  readonly title?: string
  readonly body?: string
}

/**
 * The words of the standard hooks' alerts, by the kind of alert.
 *
 * @category models
 * @since 0.1.0
 */
export interface AlertTemplates {
  readonly success?: AlertTemplate
  readonly failure?: AlertTemplate
  readonly interrupt?: AlertTemplate
  readonly skip?: AlertTemplate
  readonly overdue?: AlertTemplate
  readonly summary?: AlertTemplate
}

/**
 * The recorded runs to keep: those within both limits, or within the one that is set.
 *
 * @category models
 * @since 0.1.0
 */
export interface Keep {
  /** How many of the newest runs. */
  readonly runs: number | undefined
  /** How long ago a run may have begun. */
  readonly age: Duration.Duration | undefined
}

/**
 * The record of the run. Under the command only: in code, provide `Report.layerRecord`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RecordDocument {
  /** All records are kept unless set. */
  readonly keep: Keep | undefined
}

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
  /** The time after which overdue hooks of the run run. `false` removes the limit of the code. */
  readonly overdue?: Duration.Duration | Overdue | false
  /** The time of day by which the run must have ended. `false` removes the deadline of the code. */
  readonly deadline?: Deadline["at"] | Deadline | false
  /** The words of the standard hooks' alerts. */
  readonly alerts?: AlertTemplates
  /** How many of the last lines that a step has logged its alerts end with. `false` keeps nothing of the log. */
  readonly logs?: number | false
  /** The retry and the limits of every step without its own. */
  readonly defaults?: Defaults
  /** Settings of steps, by their names. */
  readonly steps?: { readonly [name: string]: StepDocument }
  readonly alerter?: AlerterDocument
  /** The language of what the library itself says in the alerts of the alerter. `"en"` by default. */
  readonly language?: Language
  /** Records the run, under the command, and says which records to keep. */
  readonly record?: RecordDocument
  /** The services that notice when the pipeline has not run. */
  readonly monitor?: MonitorDocument | ReadonlyArray<MonitorDocument>
}
