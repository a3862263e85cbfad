/**
 * Defines parameters as services: a Schema describes them, a Layer provides them from values, JSON or
 * environment variables, and bodies and hooks use them as any service.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Form } from "./internal/model/approval.ts"
import type { ParamsIssue } from "./internal/steps/params.ts"
import * as internal from "./internal/steps/params.ts"

export type { Form, FormError } from "./internal/model/approval.ts"
export type { ParamsIssue } from "./internal/steps/params.ts"
import { selfExplained } from "./internal/text/selfExplained.ts"

/**
 * The fields of a {@link ParamsError}.
 *
 * @see {@link ParamsIssue} for one issue
 *
 * @category errors
 * @since 0.1.0
 */
export interface ParamsErrorFields {
  /** The key of the parameter service. */
  readonly service: string
  /** All issues, each with its path below the service. */
  readonly issues: ReadonlyArray<ParamsIssue>
}

const ParamsErrorBase: new(
  fields: ParamsErrorFields
) => Cause.YieldableError & { readonly _tag: "ParamsError" } & ParamsErrorFields = selfExplained(
  Schema.TaggedError<ParamsError>()(
    "ParamsError",
    {
      service: Schema.String,
      issues: Schema.Array(
        Schema.Struct({ path: Schema.Array(Schema.Union([Schema.String, Schema.Number])), message: Schema.String })
      )
    }
  )
)

/**
 * The error of parameters that do not match their Schema. It lists every issue at once, each with its path, and
 * quotes no value, as values may be secret.
 *
 * @see {@link Service} for the layers that fail with it
 *
 * @category errors
 * @since 0.1.0
 */
export class ParamsError extends ParamsErrorBase {
  /** Names the service, and each value that is wrong with its path. Values are not shown: they may be secret. */
  override get message(): string {
    const issues = this.issues.map(({ message, path }) => `  ${[this.service, ...path].join(".")}: ${message}`)
    return [`parameters ${this.service} are invalid`, ...issues].join("\n")
  }
}

/**
 * The class of a parameter service, to be extended by a class of your own.
 *
 * @see {@link Service} for the constructor
 *
 * @category models
 * @since 0.1.0
 */
export interface ParamsClass<in out Self, in out Key extends string, F extends Schema.Struct.Fields>
  extends Context.ServiceClass<Self, Key, Schema.Struct.Type<F>>
{
  /** The Schema of all fields. */
  readonly schema: Schema.Struct<F>
  /** Decodes JSON of unknown origin. Keys that the Schema does not know are errors. */
  decode(input: unknown): Effect.Effect<Schema.Struct.Type<F>, ParamsError>
  /** Encodes a value as JSON for people, with each `Redacted` as `"<redacted>"`. */
  describe(value: Schema.Struct.Type<F>): Readonly<Record<string, unknown>>
  /**
   * Provides a value of the decoded types. The Schema's checks apply all the same: a type does not say that a
   * number is positive.
   */
  layer(value: Schema.Struct.MakeIn<F>): Layer.Layer<Self, ParamsError>
  /** Decodes and provides JSON of unknown origin. Keys that the Schema does not know are errors. */
  layerUnknown(input: unknown): Layer.Layer<Self, ParamsError>
  /**
   * Decodes and provides values of the `ConfigProvider`, which by default reads environment variables. Each
   * value has the name of its field, below `path` if one is given.
   *
   * **Gotchas**
   *
   * The default provider looks up `batchSize`, not `BATCH_SIZE`. For the latter provide
   * `ConfigProvider.constantCase(ConfigProvider.fromEnv())`.
   */
  layerConfig(path?: string | ReadonlyArray<string>): Layer.Layer<Self, ParamsError>
}

/**
 * Makes the class of a parameter service from a key and the fields of a Schema.
 *
 * **Details**
 *
 * The class is a service that yields the decoded value, and has three layers that provide it: `layer` takes a
 * value, `layerUnknown` decodes JSON, and `layerConfig` decodes environment variables. Fields whose Schema is
 * `Schema.Redacted` or `Schema.RedactedFromValue` are shown as `<redacted>` wherever the parameters are shown.
 *
 * @example
 * ```ts
 * import { Params, Step } from "effect-epilogue"
 * import { Effect, Schema } from "effect"
 *
 * class TrainParams extends Params.Service<TrainParams>()("TrainParams", {
 *   epochs: Schema.Int,
 *   lr: Schema.Number,
 *   apiKey: Schema.Redacted(Schema.String)
 * }) {}
 *
 * const train = Step.make("train", Effect.gen(function*() {
 *   const { epochs, lr } = yield* TrainParams
 *   return epochs * lr
 * })).pipe(Step.params(TrainParams))
 *
 * const program = train.pipe(
 *   Effect.provide(TrainParams.layerUnknown({ epochs: 3, lr: 0.1, apiKey: "s3cret" }))
 * )
 * ```
 *
 * @see `Step.params` for showing the parameters in alerts and records
 *
 * @category constructors
 * @since 0.1.0
 */
export const Service = <Self>(): <const Key extends string, F extends Schema.Struct.Fields>(
  key: Key,
  fields: F & Readable<F>
) => ParamsClass<Self, Key, F> =>
(key, fields) => internal.make(key, fields, (issues) => new ParamsError({ service: key, issues }))

/**
 * Makes the form of an approval from the fields of a Schema: the values that whoever approves has to fill in.
 *
 * **Details**
 *
 * The annotations `title` and `description` of a field are shown to people. A field with `Schema.optionalKey` may be left
 * empty. Booleans, numbers, and literals to choose from have inputs of their own; what has none, as a list, is filled in as
 * JSON.
 *
 * @example
 * ```ts
 * import { Params, Step } from "effect-epilogue"
 * import { Effect, Schema } from "effect"
 *
 * const percent = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).annotate({ title: "Percent of users" })
 *
 * const rollOut = Step.approved("roll-out", {
 *   title: "Roll out version 7?",
 *   timeout: "1 hour",
 *   values: Params.form({ percent })
 * }, ({ percent }) => Effect.log(`rolling out to ${percent} %`))
 * ```
 *
 * @see `Step.approved` for a step that gets the values
 * @see {@link Service} for parameters, whose classes are forms, too
 *
 * @category constructors
 * @since 0.1.0
 */
export const form = <F extends Schema.Struct.Fields>(fields: F & Readable<F>): Form<Schema.Struct.Type<F>> =>
  internal.form(fields, (issues) => new ParamsError({ service: "form", issues }))

/**
 * Constrains fields to those that require no services to be decoded or encoded. Its property is what a compile
 * error shows for others.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Readable<F extends Schema.Struct.Fields> = [
  Schema.Struct.DecodingServices<F> | Schema.Struct.EncodingServices<F>
] extends [never] ? unknown
  : { readonly "a field needs services to be decoded or encoded": never }
