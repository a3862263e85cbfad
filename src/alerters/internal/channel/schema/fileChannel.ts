/** Describes channels of the config file: the Schema of their options, and the layer that is made of these. */
import type * as Config from "effect/Config"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type * as Schema from "effect/Schema"
import type { Alerter, AlerterError } from "../../../../Alerter.ts"
import * as Leaf from "./leaf.ts"
import { either, type Mistake, object, optional } from "./structure.ts"

/**
 * The layer of a channel in the config file. Building it may fail if a variable or a package is missing, and may need the
 * file system, which is there wherever a file was read.
 */
export type ChannelLayer = Layer.Layer<Alerter, AlerterError | Config.ConfigError, FileSystem.FileSystem | Path.Path>

/** A channel of the config file. `true` in place of its options stands for those of the environment. */
export interface FileChannel<Options> {
  /** The description in the JSON Schema. */
  readonly description: string
  readonly schema: Leaf.FromFile<Options | true>
  /** Makes the layer. Paths in the options are relative to `folder`, that of the config file. */
  readonly layer: (options: Options | true, folder: string) => ChannelLayer
}

/**
 * The keys of a channel in the config file, each with the Schema of its value. The type makes tsc compare them with the
 * options in code: a key that is missing, unknown, or of another type is an error.
 */
type KeysOf<Options> = {
  readonly [K in keyof Options]-?: {} extends Pick<Options, K>
    ? Schema.optionalKey<Leaf.FromFile<Exclude<Options[K], undefined>>>
    // an optional key is a Schema too, and has the Schema that it makes optional as `schema`
    : Leaf.FromFile<Options[K]> & { readonly schema?: never }
}

interface Description<Options> {
  /** A noun phrase, without a full stop. */
  readonly description: string
  /** The variables that `fromEnvironment` reads. */
  readonly variables: ReadonlyArray<string>
  readonly keys: KeysOf<Options>
  /** Finds mistakes in the combination of keys. */
  readonly check?: (input: Readonly<Record<string, unknown>>) => ReadonlyArray<Mistake>
  readonly layer: (options: Options, folder: string) => ChannelLayer
  readonly fromEnvironment: () => ChannelLayer
}

/** Makes the description of a channel. `Options` are those of its layer in code. */
export const fileChannel = <Options>(
  { check, description, fromEnvironment, keys, layer, variables }: Description<Options>
): FileChannel<Options> => ({
  description: variables.length === 0
    ? `${description}.`
    : `${description}. \`true\` reads ${Leaf.alternatives(variables.map((name) => `\`${name}\``), "and")}.`,
  schema: either(
    Leaf.yes("true, for options from the environment, or a map with options"),
    // a cast, since TypeScript does not see that a struct of these keys is a map of these options
    object(keys as Schema.Struct.Fields, check === undefined ? {} : { keys: check }) as Leaf.FromFile<Options>,
    () => true as const
  ),
  layer: (options, folder) => options === true ? fromEnvironment() : layer(options, folder)
})

/** The keys of all channels that send over a network. */
export const attempts = {
  timeout: optional(Leaf.duration(), "How long one attempt may take. 10 seconds unless set."),
  retries: optional(Leaf.whole(0), "How many attempts may follow the first. 3 unless set."),
  delay: optional(Leaf.duration({ zero: true }), "The delay before the second attempt. 500 milliseconds unless set."),
  maxDelay: optional(Leaf.duration({ zero: true }), "The longest delay. One minute unless set.")
}

/** The keys of {@link attempts}, and the time zone, for channels that show times. */
export const sending = { ...attempts, timeZone: optional(Leaf.timeZone, "The time zone of the times that it shows.") }
