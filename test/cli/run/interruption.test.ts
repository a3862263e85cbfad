/** Ctrl-C, once and twice, with and without supervision, on Bun, Deno and Node. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { until } from "../../durable/support/engine.ts"
import { all } from "../../support/all.ts"
import { assertExitCode, epilogue, onEachRuntime, root, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import type { Runtime } from "../../support/runtimes.ts"
import { fixtures, pipelines, projectFolder, withoutDurations } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

/** Returns the first of some variants of a run for Deno and Node, whose processes take the longest, and all for Bun. */
const variants = <A>(runtime: Runtime, of: ReadonlyArray<A>): ReadonlyArray<A> =>
  all || runtime === "bun" ? of : of.slice(0, 1)

const supervisions = ["--supervise", "--no-supervise"]

/** The signals, and the exit codes of runs that they interrupt: 128 and the number of the signal. */
const signals = [["SIGINT", 130], ["SIGQUIT", 131], ["SIGTERM", 143], ["SIGHUP", 129]] as const

it.live("the first signal interrupts the run, and its hooks run", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      for (const [signal, code] of variants(runtime, signals)) {
        const { ended, kill, wrote } = yield* start(runtime, ["run", `${pipelines}#slow`])
        yield* wrote("waiting\n")
        kill(signal)
        const end = yield* ended
        assertExitCode(end, code)
        assert.deepEqual(withoutDurations(end.stdout).split("\n").slice(2), [
          "waiting",
          "  ■ wait (n ms): interrupted",
          "cleaned up",
          "■ slow (n ms, 1 step)",
          ""
        ])
        assert.equal(
          end.stderr,
          signal === "SIGINT"
            ? "interrupting slow; press Ctrl-C again to quit at once\n"
            : `${signal}: interrupting slow; another signal quits at once\n`
        )
      }
    }))
  ))

it.live("a signal that comes twice at once, as from timeout to a process and its group, is one signal", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      for (const supervision of variants(runtime, supervisions)) {
        const { ended, kill, wrote } = yield* start(runtime, ["run", `${pipelines}#slow`, supervision])
        yield* wrote("waiting\n")
        // at once: a signal that comes when the run has ended already may end the process
        kill("SIGTERM")
        kill("SIGTERM")
        const end = yield* ended
        assertExitCode(end, 143)
        assert.match(end.stdout, /\ncleaned up\n■ slow/)
      }
    }))
  ))

it.live("a run that interrupts itself says so, supervised or not, and ends with 130", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* projectFolder
    writeFileSync(
      join(folder, "job.ts"),
      `import { Effect } from "effect"
import { Pipeline, Step } from "effect-epilogue"
export const job = Pipeline.make("job", Step.make("load", Effect.interrupt))
`
    )
    for (const flags of [["--no-supervise"], ["--supervise"]]) {
      const ended = yield* epilogue("bun", ["run", "./job.ts#job", "--progress=none", ...flags], { cwd: folder })
      assertExitCode(ended, 130)
      assert.equal(ended.stderr, "job failed: it interrupted itself: no signal did\n")
    }
  })))

it.live("the second signal quits at once, and names the hooks and steps that it cuts off", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const inHook = yield* start(runtime, ["run", `${pipelines}#stuck`])
      yield* inHook.wrote("waiting\n")
      inHook.kill("SIGINT")
      yield* inHook.wrote("cleaning up\n")
      yield* inHook.killAgain("SIGINT")
      const hook = yield* inHook.ended
      assertExitCode(hook, 130)
      assert.match(hook.stderr, /\nquit, and cut off:\n {2}hook "onInterrupt" \(interrupt\) of wait, after [^\n]+\n$/)

      const inStep = yield* start(runtime, ["run", `${pipelines}#stubborn`])
      yield* inStep.wrote("waiting\n")
      inStep.kill("SIGINT")
      yield* inStep.wrote("interrupting stubborn")
      inStep.kill("SIGTERM")
      const step = yield* inStep.ended
      // the code is that of the signal which ended the process
      assertExitCode(step, 143)
      assert.match(step.stderr, /\nquit, and cut off:\n {2}step hold, after [^\n]+\n$/)
    }))
  ))

it.live("a run whose config has an alerter is supervised by default, and a crash is alerted", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      const config = join(folder, "killed.json")
      writeFileSync(config, JSON.stringify({ alerter: { jsonLines: { path: "./alerts.jsonl" } } }))
      const ended = yield* epilogue(runtime, ["run", `${pipelines}#killed`, "--config", config])
      assertExitCode(ended, 1)
      assert.match(ended.stderr, /SIGKILL/)
      const alerts = readFileSync(join(folder, "alerts.jsonl"), "utf8").trimEnd().split("\n")
      const titles = alerts.map((line): unknown => JSON.parse(line).title).toSorted()
      assert.deepEqual(titles, ["killed crashed", "killed › load crashed"])
    }))
  ))

it.live("Ctrl-C interrupts a supervised run, and its hooks run", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { ended, kill, wrote } = yield* start(runtime, ["run", `${pipelines}#slow`, "--supervise"])
      yield* wrote("waiting\n")
      kill("SIGINT")
      const end = yield* ended
      assertExitCode(end, 130)
      assert.match(end.stdout, /\ncleaned up\n■ slow/)
    }))
  ))

it.live("a run that has ended keeps its exit code where a signal comes while its alerter is being closed", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      const config = join(folder, "closing.json")
      const alerting = join(root, fixtures, "alerting.ts")
      writeFileSync(config, JSON.stringify({ alerter: `${alerting}#closing` }))
      for (const supervision of variants(runtime, supervisions)) {
        for (const [pipeline, code] of variants(runtime, [["nightly", 0], ["failing", 1]] as const)) {
          const args = ["run", `${alerting}#${pipeline}`, "--config", config, "--allow-outside", supervision]
          const { ended, kill, wrote } = yield* start(runtime, args)
          yield* wrote("closing\n")
          // a supervisor hears by another pipe that the run has ended
          yield* Effect.sleep("200 millis")
          kill("SIGTERM")
          const end = yield* ended
          assertExitCode(end, code)
          assert.match(
            end.stderr,
            /SIGTERM: the run has ended: what follows it is interrupted, and what it has used is closed; another signal quits at once\n/
          )
        }
        const args = ["run", `${alerting}#nightly`, "--config", config, "--allow-outside", supervision]
        const { ended, kill, killAgain, wrote } = yield* start(runtime, args)
        yield* wrote("closing\n")
        kill("SIGINT")
        yield* killAgain("SIGTERM")
        assertExitCode(yield* ended, 143)
      }
    }))
  ))

it.live("a run whose supervisor is killed interrupts itself, and its hooks tell why", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      const config = join(folder, "orphaned.json")
      const alerts = join(folder, "alerts.jsonl")
      const hooks = { interrupt: ["epilogue#alerterInterrupt"] }
      writeFileSync(config, JSON.stringify({ alerter: { jsonLines: { path: "./alerts.jsonl" } }, hooks }))
      writeFileSync(alerts, "")
      const { kill, wrote } = yield* start(runtime, ["run", `${pipelines}#slow`, "--config", config])
      yield* wrote("waiting\n")
      kill("SIGKILL")
      const told = "\"title\":\"slow was interrupted\",\"body\":\"the process that supervised the run was killed\""
      yield* until("the run is alerted", () => readFileSync(alerts, "utf8").includes(told), 10_000)
    }))
  ))

it.live("a signal says of a durable run that the module executes by itself that it goes on", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const path = yield* projectFolder
      writeFileSync(join(path, "outer.ts"), executing)
      for (const supervision of variants(runtime, supervisions)) {
        const { ended, kill, wrote } = yield* start(runtime, ["run", "./outer.ts#outer", supervision], { cwd: path })
        yield* wrote("waiting\n")
        kill("SIGTERM")
        const end = yield* ended
        assertExitCode(end, 143)
        const durable =
          /outer once the steps under way have ended, or their time is up: the durable run nightly \([0-9a-f]+\) goes on at the next start, and other runs are interrupted/
        assert.match(end.stderr, durable)
        assert.doesNotMatch(end.stderr, /interrupting/)
        assert.equal(end.stderr.split("\n").filter((line) => /SIGTERM|under way/.test(line)).length, 1)
      }
    }))
  ))

const executing = `
import { Pipeline, Step } from "effect-epilogue"
import { Durable } from "effect-epilogue/durable"
import { Console, Effect, Layer } from "effect"

const wait = Step.make("wait", Effect.andThen(Console.log("waiting"), Effect.sleep("1 hour"))).pipe(Durable.step())
const { layer, workflow } = Durable.pipeline(
  "nightly",
  { payload: {}, idempotencyKey: () => "tonight" },
  () => Pipeline.make("nightly", wait)
)
const runs = Layer.provideMerge(layer, Durable.layerSqlite({ filename: ":memory:", drain: 0 }))
export const outer = Pipeline.make("outer", workflow.execute({})).pipe(Pipeline.provide(runs))
`
