/** The classes that `Params.Service` makes. */
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { CurrentGuard } from "../model/secrets.ts"
import { errorMessage } from "../text/errors.ts"
import { display, holdsSecret } from "../text/redact.ts"

/**
 * A mistake in parameters, with its path below the service. The message never quotes a value, as values may be
 * secret.
 *
 * @see `Params.ParamsError` for the error that lists issues
 *
 * @category errors
 * @since 0.1.0
 */
export interface ParamsIssue {
  /** The names and positions that lead to the value, from the outermost. */
  readonly path: ReadonlyArray<string | number>
  /** The value that is expected there, in words, without the value that was found. */
  readonly message: string
}

const options = { errors: "all", onExcessProperty: "error" } as const

/** Decodes and shows the values of fields. */
const codecOf = (fields: Schema.Struct.Fields, toError: (issues: ReadonlyArray<ParamsIssue>) => any) => {
  // `any`: the types of the fields were checked where the class was made
  const schema: any = Schema.Struct(fields)
  const json: any = Schema.toCodecJson(schema)
  const shown = new Map(Object.keys(fields).map((name) => [name, fieldCodec(name, fields[name])]))

  const decode = (input: unknown): Effect.Effect<any, any> =>
    Effect.catch(
      Schema.decodeUnknownEffect(json, options)(input),
      (error: any) => Effect.fail(toError(issuesOf(error)))
    ) as Effect.Effect<any, any>

  const describe = (value: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(value).map(([name, field]) => [
        name,
        // encoding would turn a `Redacted` into what it hides
        holdsSecret(field) ? display(field) : shown.get(name)?.(field)
      ])
    )

  return { schema, decode, describe }
}

/** @internal */
export const form = (fields: Schema.Struct.Fields, toError: (issues: ReadonlyArray<ParamsIssue>) => any): any =>
  codecOf(fields, toError)

/** @internal */
export const make = (
  key: string,
  fields: Schema.Struct.Fields,
  toError: (issues: ReadonlyArray<ParamsIssue>) => any
): any => {
  const service = Context.Service<any, any>()(key)
  const { decode, describe, schema } = codecOf(fields, toError)

  const fromConfig = (path: ReadonlyArray<string>): Effect.Effect<any, any> =>
    // field by field, since a `Config` of all fields would stop at the first issue
    Effect.flatMap(
      Effect.forEach(Object.keys(fields), (name) =>
        Effect.exit(Config.schema(Schema.Struct({ [name]: fields[name]! }) as any, path) as any as Effect.Effect<any>)),
      (exits) => {
        const issues = exits.flatMap((exit) =>
          exit._tag === "Failure" ? configIssues(exit.cause, path.length) : []
        )
        return issues.length > 0
          ? Effect.fail(toError(issues))
          : Effect.succeed(Object.assign({}, ...exits.map((exit) => exit._tag === "Success" ? exit.value : {})))
      }
    )

  return class extends (service as any) {
    static readonly schema = schema
    static readonly decode = decode
    static readonly describe = describe
    static layer(this: any, value: any) {
      return layerOf(
        this,
        Effect.catch(
          schema.makeEffect(value, { parseOptions: { errors: "all" } }) as Effect.Effect<any, any>,
          (error: any) => Effect.fail(toError(issuesOf(error)))
        )
      )
    }
    static layerUnknown(this: any, input: unknown) {
      return layerOf(this, decode(input))
    }
    static layerConfig(this: any, path: string | ReadonlyArray<string> = []) {
      return layerOf(this, fromConfig(typeof path === "string" ? [path] : path))
    }
  }
}

/** Provides parameters. The guard that is there, if any, learns which of their values must not be shown. */
const layerOf = (service: any, params: Effect.Effect<any, any>): Layer.Layer<any, any> =>
  Layer.effect(
    service,
    Effect.tap(params, (value) => Effect.map(CurrentGuard, (guard) => guard?.addRedacted(value)))
  )

/** Encodes one field to be shown. A value that can't be encoded is shown as it is. */
const fieldCodec = (name: string, field: any): (value: unknown) => unknown => {
  const encode: any = Schema.encodeUnknownResult(Schema.toCodecJson(Schema.Struct({ [name]: field })) as any)
  return (value) => {
    const result = encode({ [name]: value })
    return display(result._tag === "Success" ? result.success[name] : value)
  }
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/** Returns the paths and messages of an error, without the values, which may be secrets. */
const issuesOf = (error: any): ReadonlyArray<ParamsIssue> =>
  formatIssue(SchemaIssue.isIssue(error) ? error : error.issue).issues.map(({ message, path }) => ({
    path: (path ?? []).map((segment) => {
      const key = typeof segment === "object" ? segment.key : segment
      return typeof key === "number" ? key : String(key)
    }),
    message
  }))

const configIssues = (cause: Cause.Cause<any>, depth: number): ReadonlyArray<ParamsIssue> => {
  const error: any = Cause.squash(cause)
  return Schema.isSchemaError(error?.cause)
    ? issuesOf(error.cause).map((issue) => ({ ...issue, path: issue.path.slice(depth) }))
    // not a mistake in a value: the provider failed
    : [{ path: [], message: errorMessage(error) }]
}
