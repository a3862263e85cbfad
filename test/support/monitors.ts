/** Runs pipelines under monitors whose services are servers on 127.0.0.1, and registers the tests that hold for every monitor. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import * as assert from "node:assert/strict"
import { Pipeline, Step } from "../../src/index.ts"
import { CurrentLedger } from "../../src/internal/alerts/ledger.ts"
import type { MonitorError, MonitorOptions } from "../../src/monitors/index.ts"
import { canary, leaks, recorder } from "./canary.ts"
import { type Answer, channelServer, type Received, type Reply } from "./channelServer.ts"
import { nextTurn } from "./eventLoop.ts"
import { makeIt, type RegisterTest } from "./it.ts"

export class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number }> {}

/** A pipeline that logs, and of whose steps one fails and passes its error on. */
export const failing: Effect.Effect<void, HttpError> = Pipeline.make(
  "nightly",
  Effect.andThen(
    Step.make("extract", Effect.log("1461 rows")),
    Step.make("load", Step.make("upload", Effect.fail(new HttpError({ status: 503 })))).pipe(Step.key("eu"))
  )
).pipe(Pipeline.runName("nightly-2026-11-29"))

/** A pipeline whose steps succeed. */
export const succeeding: Effect.Effect<void> = Pipeline.make(
  "nightly",
  Effect.andThen(Step.make("extract", Effect.log("1461 rows")), Step.make("load", Effect.void))
).pipe(Pipeline.runName("nightly-2026-11-29"), Pipeline.annotate({ rows: 1461, region: "eu-1" }))

/** A pipeline that never ends by itself. */
export const endless: Effect.Effect<void> = Pipeline.make("nightly", Step.make("wait", Effect.never))

/** Interrupts an effect once it runs. */
export const interrupted = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Exit.Exit<A, E>> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
    return yield* Fiber.await(fiber)
  })

/** The pings that were lost: the title and the error of each. */
export const losses = (): { readonly lost: Array<string>; readonly layer: Layer.Layer<never> } => {
  const lost: Array<string> = []
  return {
    lost,
    layer: Layer.succeed(CurrentLedger, {
      accepted: () => ({ delivered: () => {}, lost: () => {}, kept: () => {} }),
      lost: ({ title }, { message }) => void lost.push(`${title}: ${message}`)
    })
  }
}

/** A request of a monitor. */
export type Sent = Pick<Received, "method" | "path" | "body">

/**
 * Makes a client that records requests and answers each at once, for tests on the test clock: a server's answer takes time
 * of the machine's clock, while the test clock moves.
 */
export const recordingClient = (): {
  readonly requests: Array<Sent>
  readonly layer: Layer.Layer<HttpClient.HttpClient>
} => {
  const requests: Array<Sent> = []
  const client = HttpClient.make((request, { pathname, search }) =>
    Effect.sync(() => {
      const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
      requests.push({ method: request.method, path: `${pathname}${search}`, body })
      return HttpClientResponse.fromWeb(request, new Response("OK"))
    })
  )
  return { requests, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

/** Moves the test clock by some minutes, one by one, and lets what is due happen. */
export const pass = (minutes: number): Effect.Effect<void> =>
  Effect.forEach(Array.from({ length: minutes }), () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 minute")
      // the stream of an answer is read on the machine's event loop
      for (let i = 0; i < 5; i++) yield* nextTurn
    }), { discard: true })

export interface MonitorContract {
  /** The monitor's name in errors, as in `"healthchecks"`. */
  readonly monitor: string
  /** Makes the layer for a server at `url`. Every secret given to it contains the canary. */
  readonly layer: (url: string, options: Partial<MonitorOptions>) => Layer.Layer<never, MonitorError>
  /** The server's answer to a ping. */
  readonly accepted: Answer
  /** How many pings a run makes. */
  readonly pings: 1 | 2
  /** What the request of each end contains. */
  readonly success: (request: Received) => boolean
  readonly failure: (request: Received) => boolean
}

export const monitorContract = (test: RegisterTest, contract: MonitorContract): void => {
  const it = makeIt(test)
  const { accepted, monitor, pings } = contract
  const fast: MonitorOptions = { timeout: "2 seconds", delay: "1 millis", pace: [] }

  /** Evaluates a run under the monitor. */
  const run = <A, E>(url: string, effect: Effect.Effect<A, E>, options: Partial<MonitorOptions> = fast) =>
    Effect.exit(Effect.provide(effect, contract.layer(url, options)))

  /** Evaluates a run against a server with these replies, and returns what was lost. */
  const against = (replies: ReadonlyArray<Reply>, options: Partial<MonitorOptions> = fast) =>
    Effect.gen(function*() {
      const server = yield* channelServer(...replies)
      const { layer, lost } = losses()
      const exit = yield* Effect.provide(run(server.url, succeeding, options), layer)
      assert.equal(exit._tag, "Success")
      return { lost, requests: server.requests }
    })

  it.live(`${monitor}: is told of a success, of a failure, and of an interruption as a failure`, () =>
    Effect.gen(function*() {
      const server = yield* channelServer(accepted)
      const { lost, layer } = losses()
      const end = (effect: Effect.Effect<unknown, unknown>, options: Partial<MonitorOptions> = fast) =>
        Effect.gen(function*() {
          const before = server.requests.length
          yield* Effect.provide(run(server.url, effect, options), layer)
          return server.requests.slice(before)
        })
      const succeeded = yield* end(succeeding)
      assert.equal(succeeded.length, pings)
      assert.ok(contract.success(succeeded.at(-1)!), succeeded.at(-1)!.path)
      const failed = yield* end(failing)
      assert.equal(failed.length, pings)
      assert.ok(contract.failure(failed.at(-1)!), failed.at(-1)!.path)
      const stopped = yield* end(interrupted(endless))
      assert.equal(stopped.length, pings)
      assert.ok(contract.failure(stopped.at(-1)!), stopped.at(-1)!.path)
      assert.deepEqual(lost, [])
    }))

  it.live(`${monitor}: tries again after 500, 429 and a connection reset, and never fails the run`, () =>
    Effect.gen(function*() {
      const failures: ReadonlyArray<Reply> = [
        { status: 500 },
        { status: 429, headers: { "retry-after": "0" } },
        "reset"
      ]
      const { lost, requests } = yield* against([...failures, accepted])
      assert.deepEqual(lost, [])
      assert.equal(requests.length, failures.length + pings)
    }))

  it.live(`${monitor}: a ping that is refused is lost, and told once in the log`, () =>
    Effect.gen(function*() {
      const { lost } = yield* against([{ status: 404, body: "not found" }])
      assert.equal(lost.length, pings)
      assert.match(lost.at(-1)!, new RegExp(`^nightly succeeded after .*: ${monitor}: the ping was rejected \\(404\\)`))
      const logged = (yield* TestConsole.logLines).map(String).filter((line) => line.includes("did not arrive"))
      assert.equal(logged.length, 1, logged.join("\n"))
      assert.match(logged[0]!, new RegExp(`a ping did not arrive: ${monitor}: the ping was rejected`))
    }))

  it.live(`${monitor}: a server that does not listen, and one that hangs, do not delay the run`, () =>
    Effect.gen(function*() {
      const { url } = yield* Effect.scoped(channelServer())
      const { layer, lost } = losses()
      yield* Effect.provide(run(url, succeeding, { ...fast, retries: 1 }), layer)
      assert.equal(lost.length, pings)
      assert.match(lost[0]!, new RegExp(`: ${monitor}: could not be reached`))

      const server = yield* channelServer("hang")
      const hanging = losses()
      const timed = Effect.map(Effect.timed(succeeding), ([ofRun]) => ofRun)
      const [elapsed, exit] = yield* Effect.timed(
        Effect.provide(run(server.url, timed, { ...fast, timeout: "1 minute", drain: "1 second" }), hanging.layer)
      )
      assert.ok(exit._tag === "Success" && Duration.toMillis(exit.value) < 900)
      assert.ok(Duration.toMillis(elapsed) >= 990 && Duration.toMillis(elapsed) < 10_000, Duration.format(elapsed))
      assert.equal(hanging.lost.length, pings)
      assert.match(hanging.lost.at(-1)!, new RegExp(`: ${monitor}: no answer within 1 s`))
    }))

  it.live(`${monitor}: errors, logs and spans contain no secret, even if the server quotes it`, () =>
    Effect.gen(function*() {
      const recorded = recorder()
      const echo: Reply = ({ body, headers, path }) => ({
        status: 404,
        body: `Cannot find ${path} ${JSON.stringify(headers)} ${body}`
      })
      for (const reply of [echo, { status: 401 }, "reset", accepted] as const) {
        const server = yield* channelServer(reply)
        const { layer, lost } = losses()
        yield* run(server.url, failing, { ...fast, retries: 1 }).pipe(
          Effect.withSpan("test"),
          Effect.provide([recorded.layer, layer])
        )
        recorded.keep("events", ...lost)
        const [{ body, headers, path } = assert.fail()] = server.requests
        assert.ok(`${path} ${JSON.stringify(headers)} ${body}`.includes(canary), "no secret was sent")
      }
      assert.ok(recorded.counts.logs > 0)
      assert.deepEqual(leaks(recorded.outputs), [])
    }))

  it.effect(`${monitor}: wrong options are a typed error that lists them and shows no value`, () =>
    Effect.gen(function*() {
      const wrong = contract.layer(`ftp://${canary}.example.com`, {
        every: -1,
        drain: -1,
        capacity: 0,
        pipeline: "",
        pace: [{ count: 0, per: "1 second" }]
      })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(wrong)))
      assert.equal(error._tag, "MonitorError")
      assert.equal(error.monitor, monitor)
      const options = error.mistakes.map(({ option }) => option)
      for (const option of ["every", "drain", "capacity", "pipeline", "pace"]) {
        assert.ok(options.includes(option), option)
      }
      assert.ok(error.mistakes.length > 5, error.message)
      assert.deepEqual(leaks([error]), [])
    }))
}
