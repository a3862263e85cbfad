/** Evaluates programs whose spans are steps, for tests. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { type RunEvent, Spans } from "../../src/index.ts"
import { brief, events } from "./observe.ts"

export type Ended = Extract<RunEvent.RunEvent, { readonly _tag: "StepEnded" }>

/** Evaluates an effect under a layer of spans, and returns its exit with the events. */
export const observed = <A, E>(effect: Effect.Effect<A, E>, layer: Layer.Layer<never>) =>
  Effect.gen(function*() {
    const seen = events()
    const exit = yield* Effect.exit(Effect.provide(effect, layer)).pipe(Effect.provide(seen.layer))
    return {
      exit,
      events: seen.list,
      told: seen.list.map(brief),
      ended: seen.list.filter((event): event is Ended => event._tag === "StepEnded")
    }
  })

/** All spans are steps. */
export const all = Spans.layer({ steps: "*" })

export const pathsOf = (list: ReadonlyArray<Ended>) => list.map(({ stepLabels }) => stepLabels.join("/"))

/** Makes a tracer that keeps its spans. */
export const memoryTracer = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const provide = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, Tracer.Tracer, tracer)
  return { spans, layer: Layer.succeed(Tracer.Tracer, tracer), provide }
}
