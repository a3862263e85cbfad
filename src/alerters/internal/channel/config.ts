/**
 * Options from variables of the environment, with the errors of `Config.String` and `Config.Redacted`. Those decode with
 * `Schema`, which is as large as the rest of a channel.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SchemaIssue from "effect/SchemaIssue"
import { isHttp } from "./isHttp.ts"

/** Describes a variable as effect's `SchemaError` does, and is told by its tag and its marker, as that is. */
class VariableError extends Data.TaggedError("SchemaError")<{ readonly issue: SchemaIssue.Issue }> {
  readonly "~effect/Schema/SchemaError" = "~effect/Schema/SchemaError" as const
  readonly #message: string
  constructor(name: string, message: string) {
    super({ issue: new SchemaIssue.Pointer([name], new SchemaIssue.InvalidValue({ message })) })
    this.#message = `${message}\n  at ["${name}"]`
    // the frames of the library say nothing of a variable
    this.stack = `SchemaError: ${this.#message}`
  }
  override get message() {
    return this.#message
  }
  override toJSON(): { readonly _tag: "SchemaError"; readonly message: string } {
    return { _tag: this._tag, message: this.message }
  }
  override [NodeInspectSymbol]() {
    return this.toJSON()
  }
  override toString() {
    return `SchemaError(${this.message})`
  }
}

/** Reads a variable. The provider of configuration is asked when the layer is built. */
const variable = <A>(
  name: string,
  decode: (value: string | undefined) => Effect.Effect<A, Config.ConfigError>
): Config.Config<A> =>
  Config.mapEffect(
    Config.succeed(undefined),
    () =>
      Effect.flatMap(ConfigProvider.ConfigProvider, (provider) =>
        provider.load([name]).pipe(
          Effect.mapError((error) => new Config.ConfigError(error)),
          Effect.flatMap((node) => decode(node?.value))
        ))
  )

const fail = (name: string, message: string): Effect.Effect<never, Config.ConfigError> =>
  Effect.fail(new Config.ConfigError(new VariableError(name, message)))

/** Reads a text that has to be set. */
export const text = (name: string): Config.Config<string> =>
  variable(name, (value) => value === undefined ? fail(name, "Expected string") : Effect.succeed(value))

/** Reads a secret that has to be set. */
export const secret = (name: string): Config.Config<Redacted.Redacted<string>> =>
  Config.map(text(name), (value) => Redacted.make(value))

/** Reads a text, and takes another one where it is not set. */
export const textOr = <A>(name: string, fallback: A): Config.Config<string | A> =>
  variable(name, (value) => Effect.succeed(value ?? fallback))

/** Reads a secret that need not be set. */
export const optionalSecret = (name: string): Config.Config<Redacted.Redacted<string> | undefined> =>
  Config.map(textOr(name, undefined), (value) => value === undefined ? undefined : Redacted.make(value))

/** Reads a secret. One that is wrong is an error when the layer is built, and not when the first alert is posted. */
export const checkedSecret = (
  name: string,
  isRight: (text: string) => boolean,
  expected: string
): Config.Config<Redacted.Redacted<string>> =>
  Config.mapEffect(
    secret(name),
    (secret) => isRight(Redacted.value(secret)) ? Effect.succeed(secret) : fail(name, `Expected ${expected}`)
  )

/** Reads an address. */
export const address = (name: string): Config.Config<Redacted.Redacted<string>> =>
  checkedSecret(name, isHttp, "an address that begins with https://")

/** Makes a layer of the options that a config holds. */
export const layerOf = <Options, A, E, R>(
  config: Config.Wrap<Options>,
  layer: (options: Options) => Layer.Layer<A, E, R>
): Layer.Layer<A, E | Config.ConfigError, R> => Layer.unwrap(Effect.map(Config.unwrap(config), layer))
