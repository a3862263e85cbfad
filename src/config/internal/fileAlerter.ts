/** The alerter of a config file, which can be loaded by itself, too. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { Alerter } from "../../Alerter.ts"
import { around } from "../../delivery/internal/policy.ts"
import type * as Guard from "../../internal/model/guard.ts"
import { CurrentGuard } from "../../internal/model/secrets.ts"
import type { FileAlerter } from "../Loaded.ts"
import * as alerters from "./apply/alerter.ts"
import { inLanguage } from "./apply/language.ts"
import type { Path as Place } from "./file/positions.ts"
import { escaping } from "./modules/confined.ts"
import { layerSource } from "./modules/layers.ts"
import type * as Sources from "./modules/modules.ts"
import type { Refusal } from "./modules/refusal.ts"
import type { AlerterSpec } from "./schema/alerter.ts"
import type { Document } from "./schema/types.ts"

/** A mistake in the alerter of a file, with its path in the file. */
export interface AlerterMistake {
  readonly path: Place
  readonly problem: Refusal
}

/**
 * Returns the alerter of a decoded file, or `undefined` if it has none. Fails with all that is missing or wrong; with
 * `tries`, this includes what can't be built.
 */
export const fileAlerter = (
  { document, file }: {
    readonly document: { readonly [K in "alerter" | "language"]?: Document[K] | undefined }
    readonly file: string
  },
  sources: Sources.SourceOptions,
  { tries, wraps }: Pick<alerters.BuildOptions<never, never, never>, "tries" | "wraps"> = {}
): Effect.Effect<FileAlerter | undefined, ReadonlyArray<AlerterMistake>, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    if (document.alerter === undefined) return undefined
    const name = (yield* Path.Path).basename(file)
    // a cast, since the public type is wider than the Schema that has decoded the value
    const spec = document.alerter as AlerterSpec
    const escapes = yield* escaping(spec, sources)
    const built = yield* Effect.result(
      alerters.build(spec, { folder: sources.folder, name, loadLayer: layerSource(sources), tries, wraps })
    )
    const mistakes = [...escapes, ...(built._tag === "Failure" ? built.failure : [])]
    if (mistakes.length > 0 || built._tag === "Failure") {
      return yield* Effect.fail(mistakes.map(({ path, problem }) => ({ path: ["alerter", ...path], problem })))
    }
    const guard = yield* CurrentGuard
    const alerter = inLanguage(built.success, document.language)
    return guard === undefined ? alerter : withGuard(alerter, guard)
  })

/** Removes secrets before any policy stores an alert. */
const withGuard = <E, R>(alerter: Layer.Layer<Alerter, E, R>, guard: Guard.Guard): Layer.Layer<Alerter, E, R> =>
  alerter.pipe(
    around((inner) => Effect.succeed((alert) => inner(guard.alert(alert))), "takes"),
    Layer.provide(Layer.succeed(CurrentGuard, guard))
  )
