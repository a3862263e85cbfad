/**
 * Parameters as services: a Schema says what they are, a Layer where they come
 * from, and a body or hook that needs them asks for them.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { ParamsIssue } from "./internal/steps/params.ts"
import * as internal from "./internal/steps/params.ts"

export type { ParamsIssue } from "./internal/steps/params.ts"

/**
 * The fields of a {@link ParamsError}.
 *
 * @category errors
 * @since 0.1.0
 */
export interface ParamsErrorFields {
  /** The key of the parameter service. */
  readonly service: string
  readonly issues: ReadonlyArray<ParamsIssue>
}

const ParamsErrorBase: new(
  fields: ParamsErrorFields
) => Cause.YieldableError & { readonly _tag: "ParamsError" } & ParamsErrorFields = Schema.TaggedError<ParamsError>()(
  "ParamsError",
  {
    service: Schema.String,
    issues: Schema.Array(
      Schema.Struct({ path: Schema.Array(Schema.Union([Schema.String, Schema.Number])), message: Schema.String })
    )
  }
)

/**
 * Parameters that are not what their Schema says: every issue at once, each with
 * its path.
 *
 * @category errors
 * @since 0.1.0
 */
export class ParamsError extends ParamsErrorBase {
  override get message(): string {
    const issues = this.issues.map(({ message, path }) => `  ${[this.service, ...path].join(".")}: ${message}`)
    return [`parameters ${this.service} are invalid`, ...issues].join("\n")
  }
}

/**
 * A parameter service: extend it with a class of your own.
 *
 * @category models
 * @since 0.1.0
 */
export interface ParamsClass<in out Self, in out Key extends string, F extends Schema.Struct.Fields>
  extends Context.ServiceClass<Self, Key, Schema.Struct.Type<F>>
{
  /** The Schema of the whole. */
  readonly schema: Schema.Struct<F>
  /** A value as it may be shown: encoded as JSON, each `Redacted` as `"<redacted>"`. */
  describe(value: Schema.Struct.Type<F>): Readonly<Record<string, unknown>>
  /** From a value of the right type. It is checked all the same: a type does not say that a number is positive. */
  layer(value: Schema.Struct.MakeIn<F>): Layer.Layer<Self, ParamsError>
  /** From JSON of unknown origin. Keys that the Schema does not know are errors. */
  layerUnknown(input: unknown): Layer.Layer<Self, ParamsError>
  /**
   * From the `ConfigProvider`, so from environment variables unless another is
   * provided, each named as its field; below `path`, if given. For names such as
   * `BATCH_SIZE` provide `ConfigProvider.constantCase(ConfigProvider.fromEnv())`.
   */
  layerConfig(path?: string | ReadonlyArray<string>): Layer.Layer<Self, ParamsError>
}

/**
 * Makes the class of a parameter service.
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
 * @category constructors
 * @since 0.1.0
 */
export const Service: <Self>() => <const Key extends string, F extends Schema.Struct.Fields>(
  key: Key,
  fields: F & Readable<F>
) => ParamsClass<Self, Key, F> = () => (key, fields) =>
  internal.make(key, fields, (issues) => new ParamsError({ service: key, issues }))

/**
 * Fields that need no services to be decoded or encoded.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Readable<F extends Schema.Struct.Fields> = [
  Schema.Struct.DecodingServices<F> | Schema.Struct.EncodingServices<F>
] extends [never] ? unknown
  : { readonly "a field needs services to be decoded or encoded": never }
