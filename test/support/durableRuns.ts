/** Durable runs of each status, for tests of the page that shows them. */
import { Effect, Layer, Schema } from "effect"
import { DurableClock } from "effect/workflow"
import { Approval, Durable } from "../../src/durable/index.ts"
import { type Alert, Alerter, Params, Step } from "../../src/index.ts"
import { until } from "../durable/support/engine.ts"

export class Full extends Schema.TaggedError<Full>()("Full", { message: Schema.String }) {}

/** The values that the question of {@link asks} needs. */
const values = Params.form({
  percent: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).annotate({ title: "Percent of hosts" }),
  ring: Schema.Literals(["canary", "all"]),
  ticket: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^OPS-/)))
})

const pipeline = <E extends Full | Durable.LibraryError, R>(
  name: string,
  body: (id: string) => Effect.Effect<unknown, E, R>
) =>
  Durable.pipeline(name, {
    payload: { id: Schema.String },
    error: Full,
    idempotencyKey: ({ id }) => id
  }, ({ id }) => Effect.asVoid(body(id)))

/** Makes the pipelines, and says what has run. */
export const makePipelines = () => {
  const seen: Array<string> = []
  const state = { broken: true }
  const note = (text: string) => Effect.sync(() => void seen.push(text))
  const alerts: Array<Alert> = []
  const loads = pipeline("loads", () =>
    Effect.gen(function*() {
      yield* Step.make("extract", note("extract")).pipe(Durable.step())
      yield* Step.make(
        "load",
        Effect.suspend(() => state.broken ? Effect.fail(new Full({ message: "the disk is full" })) : note("load"))
      ).pipe(Durable.step({ error: Full }))
    }))
  const asks = pipeline("asks", (id) =>
    Step.approved(
      "roll-out",
      {
        title: id === "hostile" ? "<img src=x onerror=alert(1)> \u202Egnihton" : "Roll out?",
        timeout: "1 day",
        values,
        ...(id === "restricted" ? { approvers: ["grace"] } : {})
      },
      ({ percent, ring, ticket }) => note(`${id}: ${percent} ${ring} ${ticket}`)
    ).pipe(Durable.step()))
  const sleeps = pipeline("sleeps", () => DurableClock.sleep({ name: "nap", duration: "2 days", inMemoryThreshold: 0 }))
  const layer = Layer.mergeAll(loads.layer, asks.layer, sleeps.layer).pipe(
    Layer.provide(Approval.layer()),
    Layer.provide(Alerter.layer((alert) => Effect.sync(() => void alerts.push(alert))))
  )
  return { alerts, asks, layer, loads, seen, sleeps, state }
}

/** Waits until a run has a status, and returns it. */
export const awaitStatus = (pipelineName: string, status: Durable.RunStatus) =>
  Effect.gen(function*() {
    let found: Durable.StoredRun | undefined
    const look = Effect.map(Durable.list({ pipelines: [pipelineName], statuses: [status] }), ([run]) => {
      found = run
      return run !== undefined
    })
    yield* Effect.repeat(Effect.delay(look, "20 millis"), { until: (isThere) => isThere })
    return found!
  })

export { until }
