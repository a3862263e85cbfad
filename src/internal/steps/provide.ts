/** Builds layers inside a run. */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { evaluationOf } from "../engine/evaluation.ts"
import { closeAfterRollback } from "../engine/rollingBack.ts"
import { currentView } from "../engine/view.ts"
import type { PipelineOwner } from "../model/owner.ts"
import { inside } from "./step.ts"

type AnyLayer = Layer.Layer<any, any, any>

/** Provides a layer inside the wraps of the body, so that a time limit holds for the layer, too. */
export const provide: any = dual(2, (self: PipelineOwner, layer: any): any => {
  // the cast: the types in `Pipeline.ts` say that there is a first layer
  const whole: AnyLayer = Array.isArray(layer) ? Layer.mergeAll(...layer as [AnyLayer]) : layer
  return inside(self, (body) =>
    Effect.suspend(() => {
      const scope = Scope.makeUnsafe()
      return Effect.onExit(
        Effect.flatMap(
          Layer.buildWithScope(whole, scope),
          // a background hook of a step may still use the services
          (services) => Effect.provideContext(Effect.onExit(body, () => awaitBackground), services)
        ),
        (exit) =>
          Effect.withFiber((fiber) => {
            const view = currentView(fiber)
            const close = Scope.close(scope, exit)
            // and so may the rollback
            return view !== undefined && closeAfterRollback(evaluationOf(view), exit, close) ? Effect.void : close
          })
      )
    }))
})

const awaitBackground: Effect.Effect<void> = Effect.withFiber((fiber) => {
  const view = currentView(fiber)
  return view === undefined ? Effect.void : evaluationOf(view).run.awaitBackground()
})
