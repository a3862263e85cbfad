/** Closes monitors at the same time: in sequence, a service that does not answer would delay what the others are told. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

/** Makes a scope for each of several parts of the scope around. They close in parallel. */
export const scopes: Effect.Effect<Effect.Effect<Scope.Scope>, never, Scope.Scope> = Effect.map(
  Effect.flatMap(Effect.scope, (scope) => Scope.fork(scope, "parallel")),
  (together) => Scope.fork(together, "sequential")
)

type AnyLayer = Layer.Layer<never, unknown, unknown>

/** Combines layers, each of which gets what those before it provide. */
export const layers = <Layers extends ReadonlyArray<AnyLayer>>(
  layers: Layers
): Layer.Layer<never, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>> =>
  // the cast: TypeScript does not carry the types of a list's elements through a loop
  Layer.fromBuildMemo((memoMap, scope) =>
    Effect.gen(function*() {
      const ownScope = yield* Effect.provideService(scopes, Scope.Scope, scope)
      let context = Context.empty()
      for (const layer of layers) {
        const built = Layer.buildWithMemoMap(layer, memoMap, yield* ownScope)
        context = Context.merge(context, yield* Effect.provideContext(built, context))
      }
      return context
    })
  ) as Layer.Layer<never, Layer.Error<Layers[number]>, Layer.Services<Layers[number]>>
