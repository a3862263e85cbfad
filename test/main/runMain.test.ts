/** Tests the life of a process with a process of the test's own: signals, exit codes, and what is printed. */
import { describe, expect, test } from "bun:test"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import { EventEmitter } from "node:events"
import { Slack } from "../../src/alerters/index.ts"
import { Approval, Durable } from "../../src/durable/index.ts"
import { Alerter, AlerterError, AlerterErrorReason, AlerterHooks, Pipeline, Secrets, Step } from "../../src/index.ts"
import type { MainOptions } from "../../src/main/index.ts"
import { type Host, run } from "../../src/main/internal/main.ts"

/** Runs an effect as a process of its own, which ends once `exit` is called or, by itself, with what the effect does. */
const start = <A, E>(
  effect: Effect.Effect<A, E>,
  options: MainOptions = {},
  changes: Partial<Pick<Host, "exit" | "flushed">> = {}
) => {
  const host = new EventEmitter()
  const printed: Array<string> = []
  const end = Promise.withResolvers<number | "by itself">()
  run(
    // an effect that succeeds leaves the process to end by itself, after the observers of its fiber
    Effect.onExit(effect, () => Effect.sync(() => setImmediate(() => end.resolve("by itself")))).pipe(
      Effect.provideService(Logger.CurrentLoggers, new Set())
    ),
    options,
    {
      on: host.on.bind(host),
      off: host.off.bind(host),
      listenerCount: host.listenerCount.bind(host),
      exit: end.resolve,
      onUnload: (listener) => {
        host.on("unload", listener)
        return () => host.off("unload", listener)
      },
      print: (text) => printed.push(text),
      flushed: (then) => then(),
      ...changes
    }
  )
  return { emit: host.emit.bind(host), listening: () => host.eventNames(), end: end.promise, printed }
}

/** Waits until it is interrupted, and says that hooks have run. */
const waiting = (then: Effect.Effect<unknown> = Effect.void) => {
  const ran: Array<string> = []
  const began = Promise.withResolvers<void>()
  const pipeline = Pipeline.make(
    "job",
    Step.make("wait", Effect.andThen(Effect.sync(began.resolve), Effect.never)).pipe(
      Step.onInterrupt(() => Effect.andThen(then, Effect.sync(() => ran.push("interrupt"))))
    )
  )
  return { pipeline, ran, began: began.promise }
}

const signals = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129], ["SIGQUIT", 131]] as const

test.each(signals)("%s interrupts the run, whose hooks run, and the exit code is %d", async (signal, code) => {
  const { began, pipeline, ran } = waiting(Effect.sleep("1 millis"))
  const { emit, end, listening, printed } = start(pipeline)
  await began
  emit(signal, signal)
  expect(await end).toBe(code)
  expect(ran).toEqual(["interrupt"])
  expect(printed).toEqual([
    `${signal}: interrupting the run, whose hooks run before the process ends; a second signal ends it at once`
  ])
  expect(listening()).toEqual([])
})

describe("a signal that comes when the run has ended, and its layers are being closed", () => {
  /** A layer that is being closed until `release` is called, as a mailbox may be, and then evaluates a step. */
  const closing = () => {
    const began = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    const close = Effect.andThen(
      Effect.promise(() => {
        began.resolve()
        return closed.promise
      }),
      Step.make("close", Effect.sleep("20 millis"))
    )
    const layer = Layer.effectDiscard(Effect.addFinalizer(() => close))
    return { layer, began: began.promise, release: () => closed.resolve() }
  }
  const line =
    "SIGTERM: the run has ended, and what it has used is being closed; a second signal ends the process at once"

  test.each(
    [
      ["success", Effect.void, 0, [line]],
      ["failure", Effect.fail("no"), 1, [line, "error: no"]]
    ] as const
  )("keeps the exit code of a %s", async (_, body, code, lines) => {
    const { began, layer, release } = closing()
    const { emit, end, listening, printed } = start(
      Effect.provide(Pipeline.make("job", Step.make<void, string, never>("load", body)), layer)
    )
    await began
    emit("SIGTERM", "SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    expect(await end).toBe(code)
    expect(printed).toEqual([...lines])
    expect(listening()).toEqual([])
  })

  type Around = (effect: Effect.Effect<void>) => Effect.Effect<void, unknown>
  const arounds: ReadonlyArray<readonly [what: string, around: Around]> = [
    ["a time limit", (effect) => Effect.timeout(effect, "1 minute")],
    ["a fiber that is joined", (effect) => Effect.flatMap(Effect.forkChild(effect), Fiber.join)]
  ]
  test.each([...arounds])("keeps it where %s is around both", async (_, around) => {
    const { began, layer, release } = closing()
    const { emit, end, printed } = start(around(Effect.provide(Pipeline.make("job", Effect.void), layer)))
    await began
    emit("SIGTERM", "SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    expect(await end).toBe(0)
    expect(printed).toEqual([line])
  })

  test("interrupts what the program does after a time limit around both", async () => {
    const { began, layer, release } = closing()
    const both = Effect.timeout(Effect.provide(Pipeline.make("job", Effect.void), layer), "1 minute")
    const { emit, end } = start(Effect.andThen(both, Effect.never), { keepAlive: true })
    await began
    emit("SIGTERM", "SIGTERM")
    release()
    expect(await end).toBe(143)
  })

  test("is followed by a second one, which ends the process at once", async () => {
    const { began, layer } = closing()
    const { emit, end } = start(Effect.provide(Pipeline.make("job", Effect.void), layer))
    await began
    emit("SIGTERM", "SIGTERM")
    emit("SIGINT", "SIGINT")
    expect(await end).toBe(130)
  })

  test("keeps it while the output is being written, until a second one comes", async () => {
    for (const [received, code] of [[["SIGTERM"], 1], [["SIGTERM", "SIGINT"], 130]] as const) {
      const ends: Array<number> = []
      const flushing = Promise.withResolvers<() => void>()
      const { emit } = start(Pipeline.make("job", Effect.fail("no")), {}, {
        exit: (code) => ends.push(code),
        flushed: flushing.resolve
      })
      const written = await flushing.promise
      for (const signal of received) emit(signal, signal)
      written()
      expect(ends[0]).toBe(code)
    }
  })

  test("interrupts what the program would do after that, before a step begins", async () => {
    const { began, layer, release } = closing()
    let isBegun = false
    const next = Step.make(
      "next",
      Effect.sync(() => {
        isBegun = true
      })
    )
    const { emit, end } = start(Effect.andThen(Effect.provide(Pipeline.make("job", Effect.void), layer), next))
    await began
    emit("SIGTERM", "SIGTERM")
    release()
    expect([await end, isBegun]).toEqual([143, false])
  })

  test("interrupts the wait that follows it", async () => {
    const { began, layer, release } = closing()
    const { emit, end } = start(
      Effect.andThen(Effect.provide(Pipeline.make("job", Effect.void), layer), Effect.never),
      { keepAlive: true }
    )
    await began
    emit("SIGTERM", "SIGTERM")
    release()
    expect(await end).toBe(143)
  })
})

test("an effect that interrupts itself ends with 130, and says so", async () => {
  const { end, printed } = start(Pipeline.make("job", Step.make("load", Effect.interrupt)))
  expect(await end).toBe(130)
  expect(printed).toEqual(["error: it interrupted itself: no signal did"])
})

test("the alert of an interruption, and a summary, name the signal", async () => {
  const { began, pipeline } = waiting()
  const told: Array<unknown> = []
  const alerter = Alerter.layer(({ fields, title }) =>
    Effect.sync(() => told.push([title.split(":")[0], fields.find(({ name }) => name === "signal")?.value]))
  )
  const { emit, end } = start(
    pipeline.pipe(Pipeline.hooks(AlerterHooks.all), Pipeline.hooks(AlerterHooks.summary), Effect.provide(alerter))
  )
  await began
  emit("SIGTERM", "SIGTERM")
  expect(await end).toBe(143)
  expect(told).toEqual([["job was interrupted", "SIGTERM"], ["job was interrupted", "SIGTERM"]])
})

describe.each(
  [
    ["running", "a step is running", Step.make("load", Effect.never)],
    [
      "waiting",
      "an answer is awaited",
      Step.make("load", Effect.void).pipe(Step.requireApproval({ title: "ok?", timeout: "1 day" }))
    ]
  ] as const
)("a durable run, %s", (status, _, step) => {
  test("goes on at the next start, and a signal says so", async () => {
    const begun = Promise.withResolvers<void>()
    const told: Array<unknown> = []
    const alerter = Alerter.layer(({ body, title }) =>
      Effect.sync(() => told.push(body === undefined ? title : `${title}: ${body}`))
    )
    const { layer, workflow } = Durable.pipeline(
      "nightly",
      { payload: {}, idempotencyKey: () => "tonight" },
      () =>
        Pipeline.make("nightly", Durable.step(step)).pipe(
          Pipeline.hooks(AlerterHooks.all)
        )
    )
    const runs = Layer.provide(layer, Approval.layer()).pipe(
      Layer.provideMerge(Durable.layerSqlite({ filename: ":memory:", drain: 0 }))
    )
    const watch = Durable.list().pipe(
      Effect.flatMap(([run]) => run?.status === status ? Effect.sync(begun.resolve) : Effect.fail("not yet")),
      Effect.retry({ schedule: Schedule.spaced("5 millis") })
    )
    const outer = Pipeline.make("outer", Effect.all([workflow.execute({}), watch], { concurrency: 2 })).pipe(
      Pipeline.hooks(AlerterHooks.all)
    )
    const id = await Effect.runPromise(workflow.executionId({}))
    const { emit, end, printed } = start(outer.pipe(Effect.provide(runs), Effect.provide(alerter)))
    await begun.promise
    emit("SIGTERM", "SIGTERM")
    expect(await end).toBe(143)
    expect(printed).toEqual([
      "SIGTERM: stopping once the steps under way have ended, or their time is up: the durable run " +
      `nightly (${id}) goes on at the next start. Other runs are interrupted, and their hooks run; ` +
      "a second signal ends the process at once"
    ])
    expect(told).toContain(
      "outer was interrupted: 1 run under way: goes on when a process runs what is in the database"
    )
  })
})

test("a second signal ends the process at once", async () => {
  const { began, pipeline, ran } = waiting(Effect.never)
  const { emit, end, printed } = start(pipeline)
  await began
  emit("SIGINT", "SIGINT")
  emit("SIGTERM", "SIGTERM")
  expect(await end).toBe(143)
  expect(ran).toEqual([])
  expect(printed.slice(1)).toEqual(["quit on SIGTERM"])
})

test("a signal that comes again at once is the same one, and its hooks run", async () => {
  const { began, pipeline, ran } = waiting(Effect.sleep("1 millis"))
  const { emit, end } = start(pipeline)
  await began
  emit("SIGINT", "SIGINT")
  emit("SIGINT", "SIGINT")
  expect(await end).toBe(130)
  expect(ran).toEqual(["interrupt"])
})

test("a run that does not end within the grace is ended, and its alert is said to be lost", async () => {
  const { began, pipeline } = waiting()
  const hanging = Alerter.layer(() => Effect.never)
  const { emit, end, printed } = start(
    pipeline.pipe(Pipeline.hooks(AlerterHooks.all), Effect.provide(hanging)),
    { grace: "50 millis" }
  )
  await began
  emit("SIGTERM", "SIGTERM")
  expect(await end).toBe(143)
  expect(printed.slice(1)).toEqual([
    "quit, since the run has not ended within 50 ms",
    "alert not delivered: job was interrupted: alerter: the process ended before it was posted"
  ])
})

describe("a signal while the channel does not answer", () => {
  /** Posts to a channel that never answers, and says when it is asked. */
  const hanging = () => {
    const asked = Promise.withResolvers<void>()
    const client = HttpClient.make(() => Effect.andThen(Effect.sync(asked.resolve), Effect.never))
    const slack = Slack.layer({
      webhookUrl: Redacted.make("https://hooks.slack.com/services/T0/B0/x"),
      drain: "50 millis"
    })
    return { asked: asked.promise, alerter: Layer.provide(slack, Layer.succeed(HttpClient.HttpClient, client)) }
  }

  // each would wait 30 seconds for its alert, before the mailbox is emptied
  test("leaves alerts that hooks wait for to the mailbox, which tells that they did not arrive", async () => {
    const { alerter, asked } = hanging()
    const job = Pipeline.make("job", Step.make("load", Effect.fail("disk full"))).pipe(
      Pipeline.stepHooks(AlerterHooks.failure),
      Pipeline.hooks(AlerterHooks.failure),
      Pipeline.hooks(AlerterHooks.summary)
    )
    const { emit, end, printed } = start(Effect.provide(job, alerter))
    await asked
    emit("SIGTERM", "SIGTERM")
    expect(await end).toBe(1)
    expect(printed.slice(1)).toEqual([
      "error: disk full",
      "alert not delivered: job failed: 1 of 1 step failed: slack: no answer within 50 ms",
      "alert not delivered: job › load failed: slack: no answer within 50 ms"
    ])
  })

  test("leaves alerts of hooks that begin after it to the mailbox", async () => {
    const { alerter } = hanging()
    const { began, pipeline } = waiting()
    const { emit, end, printed } = start(
      pipeline.pipe(Pipeline.hooks(AlerterHooks.all), Effect.provide(alerter))
    )
    await began
    emit("SIGTERM", "SIGTERM")
    expect(await end).toBe(143)
    expect(printed.slice(1)).toEqual([
      "alert not delivered: job was interrupted: slack: no answer within 50 ms"
    ])
  })
})

test("a run that nothing can end any more is interrupted, and the exit code is 13", async () => {
  const { began, pipeline, ran } = waiting()
  const { emit, end, printed } = start(pipeline)
  await began
  emit("beforeExit")
  expect(await end).toBe(13)
  expect(ran).toEqual(["interrupt"])
  expect(printed).toEqual([
    "error: the run has not ended, and nothing is left that could end it: it waits for a promise, a deferred, a queue or " +
    "a fiber that nothing completes. It is interrupted"
  ])
})

test("a finalizer that nothing can end does not keep the process of an interrupted run", async () => {
  const script = `
    import * as Effect from "effect/Effect"
    import { Pipeline } from "./src/index.ts"
    import { runMain } from "./src/main/index.ts"
    runMain(Pipeline.make("job", Effect.ensuring(Effect.never, Effect.never)))
  `
  const { exited, stderr } = Bun.spawn([process.execPath, "-e", script], {
    cwd: new URL("../..", import.meta.url).pathname,
    stderr: "pipe"
  })
  expect(await exited).toBe(13)
  expect(await new Response(stderr).text()).toContain("\nquit: the run has not ended, and nothing is left")
})

test("with keepAlive, a run may wait for what the runtime does not know of", async () => {
  const { began, pipeline } = waiting()
  const { emit, end, listening } = start(pipeline, { keepAlive: true })
  await began
  expect(listening()).not.toContain("beforeExit")
  emit("SIGTERM", "SIGTERM")
  expect(await end).toBe(143)
})

test("an error that nothing catches is printed without its escape sequences, and interrupts the run", async () => {
  const { began, pipeline, ran } = waiting()
  const { emit, end, printed } = start(pipeline)
  await began
  emit("uncaughtException", new Error("socket \u001b[2Jclosed"))
  expect(await end).toBe(1)
  expect(ran).toEqual(["interrupt"])
  expect(printed).toHaveLength(1)
  expect(printed[0]).toStartWith("uncaught Error: socket \\u{1b}[2Jclosed\n")
})

test("the alert of a run that an uncaught error has interrupted says so, as an error", async () => {
  const { began, pipeline } = waiting()
  const told: Array<unknown> = []
  const alerter = Alerter.layer(({ body, severity, title }) => Effect.sync(() => told.push([severity, title, body])))
  const { emit, end } = start(pipeline.pipe(Pipeline.hooks(AlerterHooks.all), Effect.provide(alerter)))
  await began
  emit("uncaughtException", new RangeError("socket closed"))
  expect(await end).toBe(1)
  expect(told).toEqual([["error", "job was interrupted", "uncaught RangeError: socket closed"]])
})

test("an error that can't be read makes exit code 1, and is printed as far as it can be", async () => {
  const fail = () => {
    throw new Error("trap")
  }
  const { end, printed } = start(Effect.fail(new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail })))
  expect(await end).toBe(1)
  expect(printed).toEqual(["error: <unreadable: Error: trap>"])
})

test("a process that is ended in a run says so, and has not succeeded", async () => {
  const { began, pipeline, ran } = waiting()
  const { emit, end, listening, printed } = start(pipeline)
  await began
  emit("exit", 0)
  expect(await end).toBe(1)
  expect(ran).toEqual([])
  expect(printed).toEqual([
    "error: the process was ended, as by process.exit, before the run had ended: no more hooks run"
  ])
  expect(listening()).toEqual([])
})

test("a step that ends its process at once has not succeeded", async () => {
  const script = `
    import * as Effect from "effect/Effect"
    import { Step } from "./src/index.ts"
    import { runMain } from "./src/main/index.ts"
    runMain(Step.make("load", Effect.sync(() => process.exit(0))))
  `
  const { exited, stderr } = Bun.spawn([process.execPath, "-e", script], {
    cwd: new URL("../..", import.meta.url).pathname,
    stderr: "pipe"
  })
  expect(await exited).toBe(1)
  expect(await new Response(stderr).text()).toBe(
    "error: the process was ended, as by process.exit, before the run had ended: no more hooks run\n"
  )
})

test("a process that is ended after its runs, by itself, tells of alerts alone, and keeps its exit code", async () => {
  const { end: quiet, emit, printed } = start(Effect.andThen(Pipeline.make("job", Effect.void), Effect.never))
  emit("exit", 0)
  expect(await quiet).toBe(0)
  expect(printed).toEqual([])

  const alerted = Promise.withResolvers<void>()
  const hanging = Alerter.layer(() => Effect.andThen(Effect.sync(alerted.resolve), Effect.never))
  const late = start(
    Pipeline.make("job", Effect.void).pipe(Pipeline.hooks(AlerterHooks.success), Effect.provide(hanging))
  )
  await alerted.promise
  late.emit("exit", 0)
  expect(await late.end).toBe(0)
  expect(late.printed).toEqual(["alert not delivered: job succeeded: alerter: the process ended before it was posted"])
})

test("a success that comes before the interruption does not hide an error that nothing catches", async () => {
  const { emit, end } = start(Effect.uninterruptible(Effect.sleep("20 millis")))
  emit("unhandledRejection", "no reason")
  expect(await end).toBe(1)
})

describe("an effect that ends by itself", () => {
  test("leaves the process to end by itself after a success", async () => {
    const { end, listening, printed } = start(Effect.succeed(1))
    expect(await end).toBe("by itself")
    expect(printed).toEqual([])
    expect(listening()).toEqual([])
  })

  test("makes exit code 1 of a failure, which is printed once, without secrets", async () => {
    const failing = Effect.andThen(Secrets.add(Redacted.make("pa55w0rd")), Effect.fail("no login with pa55w0rd"))
    const { end, printed } = start(failing)
    expect(await end).toBe(1)
    expect(printed).toEqual(["error: no login with <redacted>"])
  })

  test("makes exit code 1 of a defect, which is printed with its stack", async () => {
    const { end, printed } = start(Pipeline.make("job", Effect.die(new Error("bug"))))
    expect(await end).toBe(1)
    expect(printed).toHaveLength(1)
    expect(printed[0]).toMatch(/^error: Error: bug\n {6}at /)
  })

  test("prints no failure with disableErrorReporting, and none of an error that says so", async () => {
    const quiet = start(Effect.fail("told"), { disableErrorReporting: true })
    expect([await quiet.end, quiet.printed]).toEqual([1, []])
    const own = start(Effect.fail({ [Runtime.errorReported]: false, [Runtime.errorExitCode]: 7 }))
    expect([await own.end, own.printed]).toEqual([7, []])
  })

  test("has had nothing to do where it was skipped", async () => {
    const { end, printed } = start(Pipeline.make("job", Step.skip("no new files")))
    expect(await end).toBe("by itself")
    expect(printed).toEqual([])
  })

  test("says which alerts did not arrive, which makes exit code 3 where they are required", async () => {
    const down = Alerter.layer(() =>
      Effect.fail(new AlerterError({ channel: "pager", reason: AlerterErrorReason.TimedOut({}) }))
    )
    const alerted = Pipeline.make("job", Effect.void).pipe(Pipeline.hooks(AlerterHooks.all), Effect.provide(down))
    const said = ["alert not delivered: job succeeded: pager: no answer in time"]
    const usual = start(alerted)
    expect([await usual.end, usual.printed]).toEqual(["by itself", said])
    const required = start(alerted, { requireAlerts: true })
    expect([await required.end, required.printed]).toEqual([3, said])
  })
})
