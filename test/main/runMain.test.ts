/** Tests the life of a process with a process of the test's own: signals, exit codes, and what is printed. */
import { describe, expect, test } from "bun:test"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import { Slack } from "../../src/alerters/index.ts"
import { fallback, onLost } from "../../src/delivery/index.ts"
import { Approval, Durable } from "../../src/durable/index.ts"
import {
  Alerter,
  AlerterError,
  AlerterErrorReason,
  AlerterHooks,
  Hook,
  Pipeline,
  Secrets,
  Step
} from "../../src/index.ts"
import { start, waiting } from "../support/mainProcess.ts"

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

test.each([
  ["alone", (channel: Layer.Layer<Alerter>) => channel],
  ["with onLost", onLost(() => Effect.void)],
  [
    "in a fallback with onLost",
    (channel: Layer.Layer<Alerter>) => onLost(fallback(channel, channel), () => Effect.void)
  ]
])("equal alerts that do not arrive are told with their number: %s", async (_, policies) => {
  let posts = 0
  const refused = new AlerterError({ channel: "slack", reason: AlerterErrorReason.Unreachable({}) })
  const channel = Alerter.layer(() => Effect.suspend(() => ++posts < 6 ? Effect.fail(refused) : Effect.void), {
    channel: "slack"
  })
  const post = (title: string) => Effect.flatMap(Alerter, ({ post }) => Effect.ignore(post(title)))
  const program = (title: string, times: number) =>
    Effect.asVoid(Effect.replicateEffect(post(title), times)).pipe(Effect.provide(policies(channel)))
  const { end, printed } = start(program("again", 2))
  expect(await end).toBe("by itself")
  expect(printed).toEqual([expect.stringMatching(/^alert not delivered: again \(2 times\): /)])
  // one that arrives after all is not told
  const { end: ended, printed: others } = start(program("late", 4))
  expect(await ended).toBe("by itself")
  expect(others).toEqual([])
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

  test("says which alerts are under way when it has failed, as their hooks no longer wait for them", async () => {
    const uninterruptible = Alerter.layer(() => Effect.uninterruptible(Effect.sleep("10 seconds")))
    const { end, printed } = start(
      Pipeline.make("job", Step.make("load", Effect.fail("disk full"))).pipe(
        Pipeline.stepHooks(Hook.timeout(AlerterHooks.failure, "20 millis")),
        Effect.provide(uninterruptible)
      )
    )
    expect(await end).toBe(1)
    expect(printed).toEqual([
      "error: disk full",
      "alert not delivered: job › load failed: alerter: the process ended before it was posted"
    ])
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

  test("says so of each run of a process, though the alerts of later ones, which read alike, have arrived", async () => {
    const posts = (down: number) => {
      let posted = 0
      const chat = Alerter.layer(() => Effect.suspend(() => posted++ < down ? Effect.fail("down") : Effect.void))
      const nightly = Pipeline.make("nightly", Effect.fail("disk full")).pipe(Pipeline.hooks(AlerterHooks.failure))
      return nightly.pipe(Effect.ignore, Effect.repeat({ times: 3 }), Effect.provide(chat))
    }
    const once = start(posts(1), { requireAlerts: true })
    expect(await once.end).toBe(3)
    expect(once.printed).toEqual(["alert not delivered: nightly failed: custom: the alert was rejected: down"])
    const often = start(posts(3), { requireAlerts: true })
    expect(await often.end).toBe(3)
    expect(often.printed).toEqual([
      "alert not delivered: nightly failed (3 times): custom: the alert was rejected: down"
    ])
  })
})
