/** Bodies of one pipeline, with which its run is left and resumed. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Durable } from "../../../src/durable/index.ts"
import { AlerterHooks, Pipeline, Step } from "../../../src/index.ts"
import { type Bad, inProcess, job, type Recorder, recorder, run, type Storage, until } from "./engine.ts"

export const step = (seen: Recorder, name: string) => {
  const [, base = name, key] = /^(.*)\[(.*)\]$/.exec(name) ?? []
  const made = Step.make(base, seen.note(name))
  return Durable.step(key === undefined ? made : Step.key(made, key))
}

export const steps = (...names: ReadonlyArray<string>) => (seen: Recorder) =>
  Effect.forEach(names, (name) => step(seen, name), { discard: true })

/** Makes a pipeline of a body, which alerts of its failure. */
export const alerting = <E extends Bad | Durable.LibraryError, R>(body: Effect.Effect<unknown, E, R>) =>
  job(() => Pipeline.make("job", body).pipe(Pipeline.hooks(AlerterHooks.failure)))

/** Evaluates a body in a process that ends once the body has, or once it is `ready`: no end of the run is recorded. */
export const leave = <E extends Bad | Durable.LibraryError, R>(
  storage: Storage,
  seen: Recorder,
  body: Effect.Effect<unknown, E, R>,
  ready = () => seen.list.includes("all")
) => {
  const { layer, workflow } = alerting(Effect.andThen(body, Effect.andThen(seen.note("all"), Effect.never)))
  return inProcess(
    storage,
    Layer.provide(layer, seen.layer),
    Effect.andThen(workflow.execute({ id: "1" }, { discard: true }), until("the body has come so far", ready))
  )
}

/** Resumes a run with another body than it was left with, and returns what that called and alerted of. */
export const resumeWith = <E extends Bad | Durable.LibraryError, R, E2 extends Bad | Durable.LibraryError, R2>(
  storage: Storage,
  before: (seen: Recorder) => Effect.Effect<unknown, E, R>,
  after: (seen: Recorder) => Effect.Effect<unknown, E2, R2>,
  ready?: (seen: Recorder) => boolean
) =>
  Effect.gen(function*() {
    const seen = recorder()
    yield* leave(storage, seen, before(seen), ready && (() => ready(seen)))
    const later = recorder()
    const exit = yield* run(storage, later, alerting(after(later)))
    return { alerts: later.alerts, calls: later.list, exit }
  })
