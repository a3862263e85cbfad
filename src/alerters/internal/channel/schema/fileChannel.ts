/** Describes channels of the config file: the Schema of their options, and the layer that is made of these. */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type * as Schema from "effect/Schema"
import type { Alerter, AlerterError } from "../../../../Alerter.ts"
import type { UrlForm } from "./channelUrl.ts"
import { read as readVariables, type VariableMistake } from "./environment.ts"
import * as Leaf from "./leaf.ts"
import { either, type Mistake, object, oneOrMore, optional, required } from "./structure.ts"

/**
 * The layer of a channel in the config file. Building it may fail if a package is missing, and may need the file system,
 * which is there wherever a file was read.
 */
export type ChannelLayer = Layer.Layer<Alerter, AlerterError, FileSystem.FileSystem | Path.Path>

/**
 * A channel of the config file, or a monitor, of which `Made` is something else than a layer. `true` in place of its
 * options stands for those of the environment.
 */
export interface FileChannel<Options, Made = ChannelLayer> {
  /** The description in the JSON Schema. */
  readonly description: string
  readonly schema: Leaf.FromFile<Options | true>
  /** Reads the options that `true` stands for. Fails with every variable that is missing or wrong. */
  readonly environment: Effect.Effect<Options, ReadonlyArray<VariableMistake>>
  /** Makes the layer. Paths in the options are relative to `folder`. */
  readonly layer: (options: Options, folder: string) => Made
  /** The URLs that name the channel together with its options. */
  readonly urls?: ReadonlyArray<UrlForm> | undefined
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

interface Description<Options, Made> {
  /** A noun phrase, without a full stop. */
  readonly description: string
  /** The variables that `true` stands for, by their keys. */
  readonly variables: { readonly [K in keyof Options]?: string }
  /** The variables that need not be set. */
  readonly optionalVariables?: { readonly [K in keyof Options]?: string }
  readonly keys: KeysOf<Options>
  /** Finds mistakes in the combination of keys. */
  readonly check?: (input: Readonly<Record<string, unknown>>) => ReadonlyArray<Mistake>
  readonly layer: (options: Options, folder: string) => Made
  readonly urls?: ReadonlyArray<UrlForm>
}

/** Makes the description of a channel. `Options` are those of its layer in code. */
export const fileChannel = <Options, Made = ChannelLayer>(
  { check, description, keys, layer, optionalVariables = {}, urls, variables }: Description<Options, Made>
): FileChannel<Options, Made> => {
  const variable = (isOptional: boolean) => ([key, name]: [string, string]) => ({
    key,
    name,
    isOptional,
    schema: valueOf(keys[key as keyof Options]) // a cast, since `Object.entries` forgets the names of the keys
  })
  const read = [
    ...Object.entries<string>(variables as Record<string, string>).map(variable(false)), // casts, for the same reason
    ...Object.entries<string>(optionalVariables as Record<string, string>).map(variable(true))
  ]
  return {
    description: read.length === 0
      ? `${description}.`
      : `${description}. \`true\` reads ${Leaf.alternatives(read.map(({ name }) => `\`${name}\``), "and")}.`,
    schema: either(
      Leaf.yes("true, for options from the environment, or a map with options"),
      // a cast, since TypeScript does not see that a struct of these keys is a map of these options
      object(keys as Schema.Struct.Fields, check === undefined ? {} : { keys: check }) as Leaf.FromFile<Options>,
      () => true as const
    ),
    environment: readVariables(read) as Effect.Effect<Options, ReadonlyArray<VariableMistake>>, // a cast, for the same reason
    layer,
    urls
  }
}

/** Returns the Schema of the value of a key, which may be optional. */
const valueOf = (key: unknown): Leaf.FromFile<unknown> => {
  const schema = key as Leaf.FromFile<unknown> & { readonly schema?: Leaf.FromFile<unknown> } // a cast: see `KeysOf`
  return schema.schema ?? schema
}

/** The keys of all that sends over a network. `what` is sent, by `by`. */
export const attemptsOf = (what: string, by: string) => ({
  timeout: optional(Leaf.duration(), "How long one attempt may take. 10 seconds unless set."),
  retries: optional(Leaf.whole(0), "How many attempts may follow the first. 3 unless set."),
  delay: optional(Leaf.duration({ zero: true }), "The delay before the second attempt. 500 milliseconds unless set."),
  maxDelay: optional(
    Leaf.duration({ zero: true }),
    `The longest delay that the ${by} has not asked for. One minute unless set.`
  ),
  pace: optional(
    oneOrMore(
      object({
        count: required(Leaf.whole(1), `How many ${what} are sent in any time span as long as per.`),
        per: required(Leaf.duration(), "The length of the time span."),
        burst: optional(
          Leaf.whole(1),
          `How many ${what} may be sent at once after a pause, each of which count in per make up for.`
        )
      }),
      0
    ),
    `How many ${what} are sent in which time: one limit, or a list of limits that all hold. Unless set, as many as the ${by} takes, by its documentation.`
  ),
  drain: optional(
    Leaf.duration({ zero: true }),
    `How long the end of the run waits until all ${what} are sent. A minute unless set, and 30 seconds after an interruption.`
  ),
  capacity: optional(Leaf.whole(1), `How many ${what} may wait before some are folded into one. 1,000 unless set.`)
})

/** The keys of all channels that send over a network. */
export const attempts = attemptsOf("alerts", "channel")

/** The keys of {@link attempts}, and the time zone, for channels that show times. */
export const sending = { ...attempts, timeZone: optional(Leaf.timeZone, "The time zone of the times that it shows.") }
