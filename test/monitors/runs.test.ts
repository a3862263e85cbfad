/** Which runs monitors are told of, what they are told, and when. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Pipeline, RunEvent, Secrets, Step, StepContext } from "../../src/index.ts"
import { BetterStack, layerAll, type MonitorOptions, Ping, UptimeKuma } from "../../src/monitors/index.ts"
import { channelServer } from "../support/channelServer.ts"
import { fakeApi } from "../support/fakeApi.ts"
import { makeIt } from "../support/it.ts"
import {
  endless,
  failing,
  HttpError,
  interrupted,
  losses,
  pass,
  recordingClient,
  succeeding
} from "../support/monitors.ts"

const it = makeIt(test)

/** A server that notes the kind of each ping and the first line of its body, and a monitor that posts to it. */
const posted = (options: Omit<MonitorOptions, "interrupt"> = {}) =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const at = (path: string) => Redacted.make(`${server.url}/${path}`)
    const layer = Ping.layer({
      start: at("start"),
      success: at("success"),
      failure: at("failure"),
      interrupt: at("interrupt"),
      heartbeat: at("heartbeat"),
      method: "POST",
      ...options
    })
    const lines = () => server.requests.map(({ body, path }) => `${path.slice(1)}: ${body.split("\n", 1)[0]}`)
    const bodies = () => server.requests.map(({ body }) => body)
    return { layer, lines, bodies, url: server.url }
  })

const noTimes = (line: string) => line.replace(/after \S+ \S+/, "after n")

const run = (name: string, body: Effect.Effect<unknown, unknown> = Effect.void) =>
  Effect.exit(Pipeline.make(name, body))

// -----------------------------------------------------------------------------
// which runs
// -----------------------------------------------------------------------------

it.live("pipelines inside of a run, or beside it, are part of the work; those after it are runs of their own", () =>
  Effect.gen(function*() {
    const { layer, lines } = yield* posted()
    const program = Effect.gen(function*() {
      yield* run("outer", run("inner", Effect.fail("x")))
      yield* run("next")
    })
    yield* Effect.provide(program, layer)
    assert.deepEqual(lines().map(noTimes), [
      "start: outer started",
      "success: outer succeeded after n",
      "start: next started",
      "success: next succeeded after n"
    ])
  }))

it.live("with pipeline or when, each run that they choose is told, overlapping ones too", () =>
  Effect.gen(function*() {
    const several = run("outer", Effect.all([run("a"), run("b"), run("a")], { concurrency: "unbounded" }))
    const { layer, lines } = yield* posted({ pipeline: ["a", "c"] })
    yield* Effect.provide(several, layer)
    assert.deepEqual(lines().map((line) => line.split(" ")[1]), ["a", "a", "a", "a"])
    assert.deepEqual(lines().map((line) => line.split(":")[0]).toSorted(), ["start", "start", "success", "success"])
    const chosen = yield* posted({ when: ({ pipelineName }) => pipelineName === "b" })
    yield* Effect.provide(several, chosen.layer)
    assert.deepEqual(chosen.lines().map(noTimes), ["start: b started", "success: b succeeded after n"])
    const both = yield* posted({ pipeline: "a", when: ({ annotations }) => annotations["day"] === 2 })
    yield* Effect.provide(
      Effect.all([
        Pipeline.make("a", Effect.void),
        Pipeline.make("a", Effect.void).pipe(Pipeline.annotate({ day: 2 }))
      ]),
      both.layer
    )
    assert.equal(both.lines().length, 2)
  }))

it.live("a when that throws chooses no run, and is told in the log once a run", () =>
  Effect.gen(function*() {
    const { layer, lines } = yield* posted({
      when: () => {
        throw new Error("no annotations")
      }
    })
    yield* Effect.provide(succeeding, layer)
    assert.deepEqual(lines(), [])
    const logged = (yield* TestConsole.logLines).map(String).filter((line) => line.includes("observer failed"))
    assert.equal(logged.length, 1, logged.join("\n"))
  }))

it.live("a name that no run has had is told in the log when the layer closes", () =>
  Effect.gen(function*() {
    const { layer, lines } = yield* posted({ pipeline: "nigthly" })
    yield* Effect.provide(succeeding, layer)
    assert.deepEqual(lines(), [])
    const logged = (yield* TestConsole.logLines).map(String).join("\n")
    assert.match(logged, /ping was told of no run, since it watches nigthly and this was nightly/)
  }))

it.live("monitors that layerAll combines are all told, and an observer beside them, too", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const url = Redacted.make(`${server.url}/heartbeat`)
    const events: Array<string> = []
    const monitors = layerAll(
      BetterStack.layer({ url }),
      UptimeKuma.layer({ url: Redacted.make(`${server.url}/push`) }),
      Ping.layerConfig({ success: Config.succeed(Redacted.make(`${server.url}/ping`)) })
    )
    yield* Effect.provide(succeeding, [monitors, RunEvent.layer((event) => events.push(event._tag))])
    assert.deepEqual(server.requests.map(({ path }) => path.split("?")[0]).toSorted(), ["/heartbeat", "/ping", "/push"])
    assert.equal(events.at(-1), "RunEnded")
  }))

it.effect("monitors whose services do not answer are given up at the same time", () =>
  Effect.gen(function*() {
    const { layer: ledger, lost } = losses()
    const silent = HttpClient.make(() => Effect.never)
    const monitor = Ping.layer({
      success: Redacted.make("http://127.0.0.1:1/"),
      timeout: "1 hour",
      drain: "10 seconds"
    })
    const fiber = yield* Effect.forkChild(succeeding.pipe(
      Effect.provide(layerAll(monitor, monitor, monitor)),
      Effect.provide([ledger, Layer.succeed(HttpClient.HttpClient, silent)])
    ))
    yield* TestClock.adjust("10 seconds")
    assert.equal(fiber.pollUnsafe()?._tag, "Success")
    assert.equal(lost.length, 3)
  }))

// -----------------------------------------------------------------------------
// what they are told
// -----------------------------------------------------------------------------

it.live("a failure names the steps that failed with errors of their own, and not those that passed them on", () =>
  Effect.gen(function*() {
    const { bodies, layer } = yield* posted()
    yield* Effect.exit(Effect.provide(failing, layer))
    const [head, ...lines] = bodies()[1]!.split("\n")
    assert.match(head!, /^nightly failed after .* \(2 of 3 steps failed\)$/)
    assert.deepEqual(lines.slice(0, 2), ["load[eu] › upload: HttpError: status 503", "run nightly-2026-11-29"])
    assert.match(bodies()[1]!, /\n\nHttpError: \n? *(?:status 503)?/)
  }))

it.live("a step that succeeded in the end is not named, and the run's own error comes first", () =>
  Effect.gen(function*() {
    const { bodies, layer } = yield* posted()
    let nights = 0
    const flaky = Step.make("flaky", Effect.suspend(() => nights++ === 0 ? Effect.fail("no rows") : Effect.void))
    const pipeline = Pipeline.make(
      "nightly",
      Effect.gen(function*() {
        yield* Effect.exit(flaky)
        yield* flaky
        yield* Effect.exit(Step.make("report", Effect.fail(new Error("no paper"))))
        return yield* Effect.fail(new Error("disk full"))
      })
    )
    yield* Effect.exit(Effect.provide(pipeline, layer))
    const lines = bodies()[1]!.split("\n")
    assert.match(lines[0]!, /^nightly failed after .* \(2 of 3 steps failed\)$/)
    assert.deepEqual(lines.slice(1, 3), ["Error: disk full", "report: Error: no paper"])
  }))

it.live("of thousands of failures, and of errors that can't be read, a ping stays small", () =>
  Effect.gen(function*() {
    const { bodies, layer } = yield* posted()
    const evil = Object.defineProperty(new Error("x"), "message", {
      get: () => {
        throw new Error("no")
      }
    })
    const pipeline = Pipeline.make(
      "nightly",
      Effect.gen(function*() {
        for (let i = 0; i < 3_000; i++) yield* Effect.exit(Step.make(`s${i}`, Effect.fail("x".repeat(10_000))))
        yield* Step.make("evil", Effect.fail(evil))
      })
    )
    yield* Effect.exit(Effect.provide(pipeline, layer))
    const body = bodies()[1]!
    assert.ok(Buffer.byteLength(body) <= 10_000)
    assert.match(body, /^nightly failed after .* \(3,001 of 3,001 steps failed\)\n/)
    assert.match(body, /\n… and 2981 more\nevil: /)
    assert.ok(body.includes("evil: Error: <unreadable: Error: no>"), body.slice(-2000))
  }))

it.live("an interruption is a failure, a success or nothing, as is set", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const url = Redacted.make(`${server.url}/hb`)
    for (const interrupt of [undefined, "failure", "success", "none"] as const) {
      yield* Effect.provide(interrupted(endless), BetterStack.layer({ url, interrupt }))
    }
    assert.deepEqual(server.requests.map(({ path }) => path), ["/hb/fail", "/hb/fail", "/hb"])
    assert.match(server.requests[0]!.body, /^nightly was interrupted after /)
  }))

it.live("secrets are kept out of the text: those of Secrets, Redacted values, and the monitor's own", () =>
  Effect.gen(function*() {
    const { bodies, layer, url } = yield* posted()
    const token = "t0ken-0123456789"
    const pipeline = Pipeline.make(
      "nightly",
      Step.make(
        "load",
        Effect.andThen(
          Effect.log(`logging in with ${token}`),
          Effect.fail(new Error(`401 for ${token} at ${url}/failure, password=${btoa(token)}`))
        )
      )
    )
    yield* Effect.exit(pipeline.pipe(Effect.provide(layer), Effect.provide(Secrets.layer(token))))
    const body = bodies()[1]!
    // of the step, and with the stack: the run failed with the same error, though each event has a copy
    assert.equal(body.match(/401 for/g)?.length, 2, body)
    assert.ok(!body.includes(token) && !body.includes(btoa(token)) && !body.includes(url), body)
    assert.match(body, /INFO logging in with <redacted>/)
    assert.match(body, /load: Error: 401 for <redacted> at <redacted>/)
  }))

it.live("the log of a run is its own, whichever loggers are there, and no more than its last lines", () =>
  Effect.gen(function*() {
    const { bodies, layer } = yield* posted({ pipeline: ["a", "b"] })
    const seen: Array<unknown> = []
    const own = Logger.layer([Logger.make(({ message }) => seen.push(message))])
    const chatty = (name: string) =>
      run(
        name,
        Step.make(
          "load",
          Effect.forEach([1, 2], (i) => Effect.andThen(Effect.yieldNow, Effect.logWarning(`${name} ${i}`, { i })))
        )
      )
    const program = Effect.andThen(
      Effect.log("before"),
      Effect.all([chatty("a"), chatty("b")], { concurrency: "unbounded" })
    )
    // beside each other, in any order
    yield* Effect.provide(program, [layer, own])
    yield* Effect.provide(program, [own, layer])
    const logs = bodies().filter((body) => body.includes("succeeded")).map((body) =>
      body.split("\n\n").at(-1)!.replaceAll(/\d\d:\d\d:\d\dZ /g, "")
    )
    const expected = (name: string) => `Last lines of the log:\nWARN ${name} 1 {"i":1}\nWARN ${name} 2 {"i":2}`
    assert.deepEqual(logs.toSorted(), ["a", "a", "b", "b"].map(expected))
    assert.equal(seen.length, 10)
  }))

// -----------------------------------------------------------------------------
// heartbeats
// -----------------------------------------------------------------------------

it.effect("heartbeats come while a run goes on, and end with it", () =>
  Effect.gen(function*() {
    const { layer: client, requests } = recordingClient()
    const at = (path: string) => Redacted.make(`http://127.0.0.1:1/${path}`)
    const layer = Ping.layer({
      start: at("start"),
      heartbeat: at("beat"),
      success: at("success"),
      every: "10 minutes",
      method: "POST"
    })
    const long = Pipeline.make(
      "nightly",
      Effect.andThen(Step.make("load", Effect.sleep("15 minutes")), Step.make("train", Effect.sleep("20 minutes")))
    )
    const after = Effect.andThen(long, Effect.sleep("1 hour"))
    const fiber = yield* Effect.forkChild(after.pipe(Effect.provide(layer), Effect.provide(client)))
    yield* pass(96)
    yield* Fiber.join(fiber)
    assert.deepEqual(requests.map(({ body }) => body.split("\n", 1)[0]), [
      "nightly started",
      "nightly running for 10 min, in load (10 min)",
      "nightly running for 20 min, in train (5 min)",
      "nightly running for 30 min, in train (15 min)",
      "nightly succeeded after 35 min (2 steps)"
    ])
  }))

/** Runs an effect for half an hour with a monitor, and returns the first lines of its heartbeats, one in ten minutes. */
const beatsOf = (effect: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function*() {
    const { layer: client, requests } = recordingClient()
    const layer = Ping.layer({
      heartbeat: Redacted.make("http://127.0.0.1:1/beat"),
      every: "10 minutes",
      pipeline: "nightly",
      method: "POST"
    })
    const fiber = yield* Effect.forkChild(Effect.exit(effect).pipe(Effect.provide(layer), Effect.provide(client)))
    yield* pass(30)
    yield* Fiber.interrupt(fiber)
    return requests.map(({ body }) => body.split("\n", 1)[0])
  })

it.effect("heartbeats name the steps of pipelines inside of the run, too, and no step that has ended or was skipped", () =>
  Effect.gen(function*() {
    const page = Step.make("page", Effect.sleep("15 minutes")).pipe(Step.key(7))
    const skipped = Effect.ignore(Step.make("old", Effect.andThen(Effect.sleep("5 minutes"), Step.skip("nothing"))))
    const inner = Pipeline.make("inner", Effect.all([page, Effect.sleep("15 minutes")], { concurrency: 2 }))
    const orders = Pipeline.make("orders", Effect.all([Step.make("load", inner), skipped], { concurrency: 2 }))
    const job = Pipeline.make("nightly", Effect.andThen(Step.make("all", orders), Effect.never))
    const beside = Pipeline.make("other", Step.make("beside", Effect.never))
    assert.deepEqual(yield* beatsOf(Effect.all([job, beside], { concurrency: 2 })), [
      "nightly running for 10 min, in all › orders › load › inner › page[7] (10 min)",
      "nightly running for 20 min, last step all",
      "nightly running for 30 min, last step all"
    ])
    assert.deepEqual(yield* beatsOf(Pipeline.make("nightly", Effect.andThen(skipped, Effect.never))), [
      "nightly running for 10 min, last step old",
      "nightly running for 20 min, last step old",
      "nightly running for 30 min, last step old"
    ])
    assert.deepEqual(yield* beatsOf(Pipeline.make("nightly", Pipeline.make("inner", Step.make("a", Effect.never)))), [
      "nightly running for 10 min, in inner › a (10 min)",
      "nightly running for 20 min, in inner › a (20 min)",
      "nightly running for 30 min, in inner › a (30 min)"
    ])
  }))

it.effect("heartbeats name steps without the secrets in their names", () =>
  Effect.gen(function*() {
    const inner = Pipeline.make("orders", Step.make("load hunter2hunter2", Effect.never))
    const nightly = Step.make("all hunter2hunter2", Step.make("each", inner))
    const secret = Effect.provide(nightly, Secrets.layer("hunter2hunter2"))
    const names = "all <redacted> › each › orders › load <redacted>"
    assert.deepEqual(yield* beatsOf(Pipeline.make("nightly", secret)), [
      `nightly running for 10 min, in ${names} (10 min)`,
      `nightly running for 20 min, in ${names} (20 min)`,
      `nightly running for 30 min, in ${names} (30 min)`
    ])
  }))

it.effect("while the service does not answer, one heartbeat waits and not one for each time", () =>
  Effect.gen(function*() {
    const api = yield* fakeApi(({ path }) => path, () => ({}))
    api.on("/beat", (n) => n === 1 ? "hang" : undefined)
    const at = (path: string) => Redacted.make(`${api.url}/${path}`)
    const layer = Ping.layer({
      heartbeat: at("beat"),
      success: at("success"),
      every: "1 minute",
      timeout: "10 minutes",
      retries: 0
    })
    const { layer: ledger, lost } = losses()
    const fiber = yield* Effect.forkChild(
      Pipeline.make("nightly", Effect.sleep("15 minutes")).pipe(Effect.provide(layer), Effect.provide(ledger))
    )
    yield* TestClock.adjust("1 minute")
    yield* api.called("/beat")
    yield* TestClock.adjust("9 minutes")
    yield* TestClock.adjust("2 minutes")
    yield* api.called("/beat", 2)
    yield* TestClock.adjust("3 minutes")
    yield* api.called("/success")
    yield* Fiber.join(fiber)
    assert.equal(lost.length, 1)
    // after 1 (lost), then 11 and on
    assert.ok(api.calls.length <= 7, `${api.calls.length}`)
  }))

// -----------------------------------------------------------------------------
// on their way
// -----------------------------------------------------------------------------

it.live("pings are sent in the order of the moves, and the end waits for the start", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status: 500 }, { status: 500 }, {})
    const at = (path: string) => Redacted.make(`${server.url}/${path}`)
    const layer = Ping.layer({ start: at("start"), success: at("success"), delay: "1 millis" })
    yield* Effect.provide(succeeding, layer)
    assert.deepEqual(server.requests.map(({ path }) => path), ["/start", "/start", "/start", "/success"])
  }))

it.live("of more runs than the pace allows, the ends are told when the layer closes, until the service refuses one", () =>
  Effect.gen(function*() {
    let taken = 0
    const server = yield* channelServer(() =>
      ++taken <= 3 ? { status: 200 } : { status: 429, headers: { "retry-after": "60" } }
    )
    const { layer: ledger, lost } = losses()
    const at = (path: string) => Redacted.make(`${server.url}/${path}`)
    const layer = Ping.layer({
      start: at("start"),
      success: at("success"),
      failure: at("failure"),
      pace: [{ count: 2, per: "1 hour" }],
      drain: "5 seconds",
      method: "POST"
    })
    yield* Effect.forEach(
      [1, 2, 3],
      (i) => run(`p${i}`, i === 2 ? Effect.fail(new HttpError({ status: 1 })) : Effect.void)
    ).pipe(
      Effect.provide(layer),
      Effect.provide(ledger)
    )
    assert.deepEqual(server.requests.map(({ path }) => path), ["/start", "/success", "/failure", "/success"])
    assert.match(server.requests[2]!.body, /^p2 failed after/)
    // nothing is lost in silence
    assert.deepEqual(lost.map((line) => line.split(" ").slice(0, 2).join(" ")).toSorted(), [
      "p3 started:",
      "p3 succeeded"
    ])
  }))

it.live("annotations that the body adds are there at the end", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({})
    const { Cronitor } = yield* Effect.promise(() => import("../../src/monitors/index.ts"))
    const layer = Cronitor.layer({
      apiKey: Redacted.make("8f14e45fceea167a"),
      monitor: "m",
      metrics: ["rows"],
      baseUrl: server.url
    })
    yield* Effect.provide(Pipeline.make("nightly", StepContext.annotate("rows", 12)), layer)
    assert.ok(server.requests.at(-1)!.path.includes("metric=rows%3A12"), server.requests.at(-1)!.path)
  }))

it.live("a monitor that can't be built fails with its error before the run begins", () =>
  Effect.gen(function*() {
    let ran = false
    const pipeline = Pipeline.make("nightly", Effect.sync(() => ran = true))
    const layer = Layer.mergeAll(BetterStack.layer({ url: Redacted.make("nowhere") }))
    const error = yield* Effect.flip(Effect.provide(pipeline, layer))
    assert.equal(error._tag, "MonitorError")
    assert.equal(error.message, "betterStack: url: expected an address that begins with https:// or http://")
    assert.equal(ran, false)
  }))
