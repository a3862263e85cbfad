/** Side effects of the user's modules and steps on the command: prints, uncaught errors, exits, closed files. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures, pipelines, projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const talkative = `${fixtures}/talkative.ts`

const count = (text: string, part: string): number => text.split(part).length - 1

const alertsIn = (folder: string): ReadonlyArray<Record<string, unknown>> =>
  readFileSync(join(folder, "alerts.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))

/** Writes a file whose alerter appends to `alerts.jsonl` beside it. */
const alerting = (folder: string, more: object = {}): string => {
  const config = join(folder, "job.json")
  writeFileSync(config, JSON.stringify({ alerter: { jsonLines: { path: "./alerts.jsonl" } }, ...more }))
  writeFileSync(join(folder, "alerts.jsonl"), "")
  return config
}

it.live("an uncaught error interrupts a supervised run, and is alerted by the supervisor where no hook does", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      for (
        const [name, error] of [
          ["throws", "Error: thrown in a timer"],
          ["rejects", "Error: rejected nowhere"],
          ["unreadable", "<unreadable: Error: trap>"]
        ] as const
      ) {
        const ended = yield* epilogue(runtime, ["run", `${talkative}#${name}`, "--config", alerting(folder)])
        assertExitCode(ended, 1)
        assert.match(ended.stderr, new RegExp(`^uncaught ${error}$`, "m"))
        const [alert, ...more] = alertsIn(folder)
        assert.deepEqual(more, [])
        const { body, detail, fields, severity, title } = alert!
        assert.deepEqual([title, body, severity], [`${name} was interrupted`, `uncaught ${error}`, "error"])
        assert.match(String(detail), name === "unreadable" ? /unreadable/ : /talkative\.ts/)
        assert.match(JSON.stringify(fields), /\{"name":"step","value":"load \(/)
      }
    }))
  ))

it.live("an uncaught error interrupts the run: its steps are undone, and its hooks alone tell of it", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      for (const supervision of ["--supervise", "--no-supervise"]) {
        const config = alerting(folder)
        const ended = yield* epilogue(runtime, ["run", `${talkative}#undone`, "--config", config, supervision])
        assertExitCode(ended, 1)
        assert.match(ended.stderr, /^uncaught Error: thrown in a timer$/m)
        assert.deepEqual(alertsIn(folder).map(({ body, severity, title }) => [title, body, severity]), [
          ["undone › load was interrupted", "uncaught Error: thrown in a timer", "error"]
        ])
        assert.match(ended.stdout, /prepare undone by hook/)
        assert.match(ended.stdout, /^finalizer$/m)
      }
    }))
  ))

it.live("an uncaught error while a module or a layer is loaded is alerted once, supervised or not", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      writeFileSync(
        join(folder, "early.ts"),
        `import { Pipeline } from "effect-epilogue"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
const fail = () => void setTimeout(() => { throw new Error("too early") })
if (process.env.HOW === "module") await new Promise((resolve) => { fail(); setTimeout(resolve, 9_000) })
const broken = Layer.effectDiscard(Effect.andThen(Effect.sync(fail), Effect.sleep("1 hour")))
export const job = Pipeline.make("job", Effect.void).pipe(Effect.provide(broken))
`
      )
      const config = alerting(folder, { pipeline: "./early.ts#job" })
      for (const supervision of ["--supervise", "--no-supervise"]) {
        for (const how of runtime === "bun" ? ["module", "layer"] : ["layer"]) {
          writeFileSync(join(folder, "alerts.jsonl"), "")
          assertExitCode(yield* epilogue(runtime, ["run", config, supervision], { env: { HOW: how } }), 1)
          const [alert, ...more] = alertsIn(folder)
          assert.deepEqual(more, [])
          assert.deepEqual([alert!["title"], alert!["body"]], [
            `job.json could not begin`,
            "uncaught Error: too early"
          ])
        }
      }
    }))
  ))

it.live("an uncaught error of an alerter does not end the supervisor, which posts its alerts", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      writeFileSync(
        join(folder, "alerter.ts"),
        `import { Alerter } from "effect-epilogue"
import * as Effect from "effect/Effect"
import { appendFileSync } from "node:fs"
export const layer = Alerter.layer(({ title }) => Effect.gen(function*() {
  setTimeout(() => { throw new Error("broken " + process.env.TOKEN) })
  yield* Effect.sleep("100 millis")
  appendFileSync(new URL("alerts.txt", import.meta.url), title + "\\n")
}))
`
      )
      const config = join(folder, "job.json")
      writeFileSync(config, JSON.stringify({ alerter: "./alerter.ts#layer", annotations: { token: "${TOKEN}" } }))
      const args = ["run", `${pipelines}#killed`, "--config", config]
      const ended = yield* epilogue(runtime, args, { env: { TOKEN: "hunter-22" } })
      assertExitCode(ended, 1)
      assert.match(ended.stderr, /^epilogue: uncaught Error: broken <redacted>$/m)
      assert.deepEqual(readFileSync(join(folder, "alerts.txt"), "utf8").trimEnd().split("\n").toSorted(), [
        "killed crashed",
        "killed › load crashed"
      ])
    }))
  ))

const stuck =
  "the run has not ended, and nothing is left that could end it: it waits for a promise, a deferred, a queue or a fiber " +
  "that nothing completes"

it.live("a run that nothing can complete is interrupted, alerted, and ends with 13, supervised or not", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      const hooks = { interrupt: ["epilogue#alerterInterrupt"] }
      for (const supervision of ["--supervise", "--no-supervise"]) {
        // the supervisor alerts where no hook does
        const config = alerting(folder, supervision === "--supervise" ? {} : { hooks })
        const ended = yield* epilogue(runtime, ["run", `${talkative}#waits`, "--config", config, supervision])
        assertExitCode(ended, 13)
        assert.equal(ended.stderr, `error: ${stuck}. It is interrupted\n`)
        assert.match(ended.stdout, /^finalizer$/m)
        assert.deepEqual(alertsIn(folder).map(({ body, severity, title }) => [title, body, severity]), [
          ["waits was interrupted", stuck, "error"]
        ])
      }
    }))
  ))

it.live("a finalizer that nothing can complete does not keep a run that was stopped from ending", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      for (const supervision of ["--supervise", "--no-supervise"]) {
        const { ended, kill, wrote } = yield* start(runtime, ["run", `${talkative}#leaves`, supervision])
        yield* wrote("waiting\n")
        kill("SIGTERM")
        const end = yield* ended
        assertExitCode(end, 143)
        assert.match(end.stderr, /\nquit: the run has not ended, and nothing is left that could end it: /)
      }
    }))
  ))

it.live("with --json, what a module prints while it is imported goes to stderr", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const ended = yield* epilogue(runtime, ["run", `${talkative}#succeeds`, "--json"])
      assertExitCode(ended, 0)
      const events = ended.stdout.trimEnd().split("\n").map((line): unknown => JSON.parse(line)._tag)
      assert.deepEqual(events, ["RunStarted", "StepStarted", "StepEnded", "RunEnded"])
      for (const text of ["imported", "as a table", "written"]) assert.equal(count(ended.stderr, text), 1, text)
    })
  ))

it.live("a supervised run imports modules once, survives the loss of its pipe, and redacts secrets in alerts", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const at = yield* projectFolder
      const config = join(at, "job.json")
      const alerts = { jsonLines: { path: "./alerts.jsonl" } }
      const annotations = { token: "${TOKEN}" }
      const slack = { webhookUrl: "${WEBHOOK}" }
      writeFileSync(
        config,
        JSON.stringify({ annotations, alerter: { fallback: [alerts, { slack }] } })
      )
      const env = {
        WEBHOOK: "https://hooks.slack.com/services/T0123/B0123/hunter2hunter2",
        TOKEN: "hunter-2",
        VICTIM: join(at, "victim")
      }
      const closed = yield* epilogue(runtime, ["run", `${talkative}#closes`, "--config", config], { env })
      assertExitCode(closed, 0)
      assert.equal(count(closed.stdout, "imported"), 1, closed.stdout)
      assert.equal(readFileSync(env.VICTIM, "utf8"), "")
      assert.equal(closed.stderr, "")
      if (runtime !== "bun") return

      const crashed = yield* epilogue(runtime, ["run", `${talkative}#logsSecrets`, "--config", config], { env })
      assertExitCode(crashed, 1)
      const posted = readFileSync(join(at, "alerts.jsonl"), "utf8")
      const titles = posted.trimEnd().split("\n").map((line): unknown => JSON.parse(line).title).toSorted()
      assert.deepEqual(titles, ["logsSecrets crashed", "logsSecrets › load crashed"])
      assert.match(posted, /posting to <redacted>, as <redacted>/)
      assert.doesNotMatch(posted, /hunter/)
    }))
  ))

it.live("with --json, the supervisor's alert on the console goes to stderr", () =>
  Effect.scoped(Effect.gen(function*() {
    const config = join(yield* projectFolder, "job.json")
    writeFileSync(config, JSON.stringify({ alerter: { console: {} } }))
    const ended = yield* epilogue("bun", ["run", `${talkative}#logsSecrets`, "--config", config, "--json"])
    assertExitCode(ended, 1)
    const events = ended.stdout.trimEnd().split("\n").map((line): unknown => JSON.parse(line)._tag)
    assert.deepEqual(events, ["RunStarted", "StepStarted"])
    assert.match(ended.stderr, /logsSecrets › load crashed/)
  })))

it.live("a module that ends the process while it is imported is reported as a crash", () =>
  Effect.scoped(Effect.gen(function*() {
    const at = yield* projectFolder
    writeFileSync(join(at, "quits.ts"), "process.exit(0)\nexport const pipeline = 1\n")
    const ended = yield* epilogue("bun", ["run", join(at, "quits.ts#pipeline"), "--supervise"])
    assertExitCode(ended, 1)
    assert.match(ended.stderr, /^epilogue: quits\.ts#pipeline crashed: exit code 0 after .*, before its run began\n$/)
  })))

it.live("mistakes are reported alike with and without supervision", () =>
  Effect.forEach([`${fixtures}/wrong.yaml`, `${fixtures}/gone.yaml`], (config) =>
    Effect.gen(function*() {
      const plain = yield* epilogue("bun", ["run", config, "--no-supervise"])
      const supervised = yield* epilogue("bun", ["run", config, "--supervise"])
      assert.deepEqual(supervised, plain)
      assertExitCode(supervised, 2)
    })))

it.live("a missing variable of the config's alerter exits with 2 before anything runs", () =>
  Effect.scoped(Effect.gen(function*() {
    const at = yield* projectFolder
    const layer = `import { Slack } from "effect-epilogue/alerters"\nexport const alerter = Slack.layerConfig()\n`
    writeFileSync(join(at, "alerter.ts"), layer)
    const config = join(at, "job.json")
    writeFileSync(config, JSON.stringify({ alerter: "./alerter.ts#alerter", steps: { load: { timeout: "1 minute" } } }))
    const args = ["run", `${talkative}#succeeds`, "--config", config, "--no-supervise", "--json"]
    const ended = yield* epilogue("bun", args, { env: { SLACK_WEBHOOK_URL: "" } })
    assertExitCode(ended, 2)
    assert.equal(ended.stdout, "")
    assert.match(ended.stderr, /\n[^\n]*job.json:1:12 alerter: [^\n]*SLACK_WEBHOOK_URL[^\n]*\n$/)
  })))
