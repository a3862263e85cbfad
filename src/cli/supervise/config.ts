/**
 * What a supervisor needs of a config, which is less than its child does: no module of
 * the user's is imported for it, so what one does when it is imported is done once, and
 * can't take the supervisor down.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import type { FileAlerter } from "../../config/index.ts"
import * as alerters from "../../config/internal/apply/alerter.ts"
import { decode } from "../../config/internal/file/decode.ts"
import { layerSource } from "../../config/internal/modules/layers.ts"
import type * as Sources from "../../config/internal/modules/modules.ts"
import type { AlerterSpec } from "../../config/internal/schema/alerter.ts"
import { type LoadRequest, UsageError } from "../request.ts"

export interface Supervision {
  /** What the pipeline is called until the child tells its name. */
  readonly pipeline: string
  /** Imported, where it is a module's, only when it is built. */
  readonly alerter: FileAlerter | undefined
  /** What the config keeps to itself: values of variables, addresses of webhooks. */
  readonly secrets: ReadonlyArray<string>
}

/** `undefined` where the config can't be read, or is wrong: who loads the rest of it tells of that too. */
export const read = (
  { allowOutside, config, pipeline, root }: LoadRequest
): Effect.Effect<Supervision | undefined, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const path = yield* Path.Path
    if (config === undefined) return { pipeline: path.basename(pipeline ?? ""), alerter: undefined, secrets: [] }
    const fs = yield* FileSystem.FileSystem
    const { document } = yield* Effect.flatMap(fs.readFileString(config), (text) => decode(text, config))
    const folder = path.dirname(path.resolve(config))
    const sources = { folder, root: root ?? folder, allowOutside }
    // a cast, since the public type does not say what the Schema has made sure of
    const spec = document.alerter as AlerterSpec | undefined
    return {
      pipeline: path.basename(pipeline ?? config),
      alerter: spec === undefined ? undefined : alerterOf(spec, sources, path.basename(config)),
      secrets: secretsIn(document)
    }
  }).pipe(Effect.orElseSucceed(() => undefined))

const alerterOf = (spec: AlerterSpec, sources: Sources.SourceOptions, name: string): FileAlerter =>
  Layer.unwrap(Effect.mapError(
    alerters.build(spec, {
      folder: sources.folder,
      name,
      loadLayer: layerSource(sources)
    }),
    ([{ problem }]) => new UsageError({ message: `the alerter: expected ${problem.expected}, found ${problem.found}` })
  ))

/** What is shorter is no secret, and may well be a word of an alert. */
const minSecret = 6

const secretsIn = (value: unknown): ReadonlyArray<string> => {
  if (Redacted.isRedacted(value)) {
    const text = String(Redacted.value(value))
    return text.length < minSecret ? [] : [text]
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsIn) : []
}
