/** A channel of the config file: how its options are read, described and made a layer of. */
import type * as Config from "effect/Config"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type * as Schema from "effect/Schema"
import type { Alerter, AlerterError } from "../../../../Alerter.ts"
import * as Leaf from "./leaf.ts"
import { either, type Mistake, object, optional } from "./structure.ts"

/**
 * A layer as the config file builds it. It may fail for a variable that is missing, or a package; and it may need the
 * file system and paths, as the file's own reader does.
 */
export type FileLayer = Layer.Layer<Alerter, AlerterError | Config.ConfigError, FileSystem.FileSystem | Path.Path>

/** A channel of the config file. `true` in place of its options stands for those of the environment. */
export interface Channel<Options> {
  /** What the JSON Schema says of it. */
  readonly description: string
  readonly schema: Leaf.FromFile<Options | true>
  /** `folder` is the config file's, to which paths are relative. */
  readonly layer: (options: Options | true, folder: string) => FileLayer
}

/**
 * The keys of a channel in the config file. They are exactly those of the options in code, each with a Schema of its
 * value, or tsc says which is missing, of another type, or one too many.
 */
type KeysOf<Options> = {
  readonly [K in keyof Options]-?: {} extends Pick<Options, K>
    ? Schema.optionalKey<Leaf.FromFile<Exclude<Options[K], undefined>>>
    // an optional key is a Schema too, and has the Schema that it makes optional as `schema`
    : Leaf.FromFile<Options[K]> & { readonly schema?: never }
}

interface ChannelOptions<Options> {
  /** A noun phrase: completes "Posts to …". */
  readonly description: string
  /** The variables that `fromEnvironment` reads. */
  readonly variables: ReadonlyArray<string>
  readonly keys: KeysOf<Options>
  /** Finds mistakes in which keys are there beside each other. */
  readonly check?: (input: Readonly<Record<string, unknown>>) => ReadonlyArray<Mistake>
  readonly layer: (options: Options, folder: string) => FileLayer
  readonly fromEnvironment: () => FileLayer
}

/** Makes a channel of the config file of the options that its layer takes in code. */
export const channel = <Options>(
  { check, description, fromEnvironment, keys, layer, variables }: ChannelOptions<Options>
): Channel<Options> => ({
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

/** How a channel that speaks a protocol sends: the same keys for all. */
export const attempts = {
  timeout: optional(Leaf.duration(), "How long one attempt may take. 10 seconds unless set."),
  retries: optional(Leaf.whole(0), "How many attempts may follow the first. 3 unless set."),
  delay: optional(Leaf.duration({ zero: true }), "The delay before the second attempt. 500 milliseconds unless set."),
  maxDelay: optional(Leaf.duration({ zero: true }), "The longest delay. One minute unless set.")
}

/** {@link attempts}, for a channel that shows times. */
export const sending = { ...attempts, timeZone: optional(Leaf.timeZone, "The time zone of the times that it shows.") }
