/** Tries whether the parts of an alerter can be built. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import { Alerter } from "../../../Alerter.ts"
import { Store } from "../../../delivery/Store.ts"
import { withoutUrls } from "../../../internal/text/addresses.ts"
import { errorMessage } from "../../../internal/text/errors.ts"
import { fitEnd, oneLine } from "../../../internal/text/fit.ts"
import type { Refusal } from "../modules/refusal.ts"
import { variableProblems } from "../variables.ts"

type Files = FileSystem.FileSystem | Path.Path

/** A part of an alerter: a channel, a Layer of a module, or a store. */
export interface Part {
  readonly path: ReadonlyArray<string | number>
  readonly layer: Layer.Layer<Alerter, unknown, Files> | Layer.Layer<Store, unknown, Files>
}

/** How long building a part may take. */
const limit = "10 seconds"

/** Builds each part by itself and closes it at once. Returns those that can't be built. */
export const trial = (
  parts: ReadonlyArray<Part>
): Effect.Effect<ReadonlyArray<{ readonly path: Part["path"]; readonly problem: Refusal }>, never, Files> =>
  Effect.map(
    Effect.forEach(parts, ({ layer, path }) =>
      Effect.map(refusalsOf(layer), (problems) => problems.map((problem) => ({ path, problem })))),
    (all) =>
      all.flat()
  )

const refusalsOf = (layer: Part["layer"]): Effect.Effect<ReadonlyArray<Refusal>, never, Files> => {
  // the cast: what it provides is looked at below
  const built = Effect.scoped(Layer.build(Layer.fresh(layer as Layer.Layer<unknown, unknown, Files>)))
  return Effect.map(Effect.exit(Effect.timeout(built, limit)), (exit) => {
    if (exit._tag === "Failure") {
      const error = Cause.squash(exit.cause)
      const variables = variableProblems(error)
      if (variables.length > 0) return variables
      const message = fitEnd(oneLine(withoutUrls(errorMessage(error))), 500)
      return [{ found: `an error while it was built: ${message}`, expected: "an alerter that can be built" }]
    }
    // the cast: a context of unknown services
    const services = exit.value as Context.Context<never>
    return Context.getOrUndefined(services, Alerter) === undefined &&
        Context.getOrUndefined(services, Store) === undefined
      ? [{ found: "a Layer that provides no Alerter", expected: "a Layer of Alerter" }]
      : []
  })
}
