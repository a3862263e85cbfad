/** Alerts about workers and durable runs that can't begin. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const module = `import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { JsonLines } from "effect-epilogue/alerters"
import { Durable } from "effect-epilogue/durable"
import { Context, Effect, Layer, Schema } from "effect"
const how = process.env.HOW ?? ""
if (how === "exit") process.exit(2)
if (how === "throw") throw new Error("no database, but the token " + process.env.TOKEN)
class Db extends Context.Service<Db, number>()("Db") {}
export const nightly = Durable.pipeline("nightly", {
  payload: { day: Schema.String },
  idempotencyKey: ({ day }) => day
}, () =>
  Pipeline.make("nightly", Step.make("load", Effect.fail("no such row")).pipe(Durable.step({ error: Schema.String }), Effect.orDie)).pipe(
    Pipeline.hooks(AlerterHooks.failure)
  ))
const services = Layer.effect(Db, how === "layer" ? Effect.fail("connection refused") : Effect.succeed(1))
export const layer = how === "own" ? Layer.merge(services, JsonLines.layer({ path: "own.jsonl" })) : services
`

interface Told {
  readonly title: string
  readonly body: string
  readonly tags: ReadonlyArray<string>
}

const alertsIn = (file: string): ReadonlyArray<Told> =>
  existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)) : []

const alerter = "alerter: { jsonLines: { path: ./alerts.jsonl } }\n"

/** The same, with a variable whose value must not be shown. */
const secretive = `alerter:
  route: [{ when: { tag: nobody }, to: { webhook: { url: "http://127.0.0.1:9/\${TOKEN}" } } }]
  otherwise: { jsonLines: { path: ./alerts.jsonl } }
`

const worker = ["worker", "./job.ts"]
const run = ["run", "./job.ts#nightly", "--durable"]
const withFile = ["--config", "alerts.yaml"]

/** Runs a command and returns what was told through the file's alerter, and through the one of the services. */
const told = (
  args: ReadonlyArray<string>,
  { config = alerter, how = "" }: { readonly how?: string; readonly config?: string } = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const cwd = yield* projectFolder
    writeFileSync(join(cwd, "job.ts"), module)
    writeFileSync(join(cwd, "alerts.yaml"), config)
    const env = { HOW: how, TOKEN: "c4n4ry0123", EPILOGUE_DATABASE: "", DATABASE_URL: "" }
    const ended = yield* epilogue("bun", args, { cwd, env })
    return { ...ended, file: alertsIn(join(cwd, "alerts.jsonl")), own: alertsIn(join(cwd, "own.jsonl")) }
  }))

const titles = (alerts: ReadonlyArray<Told>) => alerts.map(({ title }) => title.replace(/\S*job\.ts/, "job.ts"))

for (const supervise of [[], ["--supervise"]]) {
  const how = supervise.length === 0 ? "alone" : "supervised"

  it.live(`a module that throws is alerted once, ${how}, without secrets, and the exit code is 2`, () =>
    Effect.gen(function*() {
      for (
        const [args, title] of [[worker, "worker of job.ts could not begin"], [
          run,
          "job.ts#nightly could not begin"
        ]] as const
      ) {
        const ended = yield* told([...args, ...withFile, ...supervise], {
          how: "throw",
          config: secretive
        })
        assertExitCode(ended, 2)
        assert.deepEqual(titles(ended.file), [title])
        assert.match(ended.file[0]?.body ?? "", /expected a module that loads, .*no database/)
        assert.ok(ended.file[0]?.tags.includes("not-begun"))
        assert.doesNotMatch(JSON.stringify(ended), /c4n4ry/)
      }
    }))

  it.live(`a layer that fails is alerted once, ${how}, and the exit code is 1`, () =>
    Effect.gen(function*() {
      for (
        const [args, title] of [[worker, "worker of nightly"], [
          [...run, "--payload", `{"day":"monday"}`],
          "nightly"
        ]] as const
      ) {
        const ended = yield* told([...args, ...withFile, ...supervise], { how: "layer" })
        assertExitCode(ended, 1)
        assert.deepEqual(ended.file.map(({ body, title }) => `${title}: ${body}`), [
          `${title} could not begin: connection refused`
        ])
      }
    }))
}

it.live("a payload that is missing is alerted by the name of the pipeline", () =>
  Effect.gen(function*() {
    const ended = yield* told([...run, ...withFile])
    assertExitCode(ended, 2)
    assert.deepEqual(titles(ended.file), ["nightly could not begin"])
    assert.match(ended.file[0]?.body ?? "", /payload\.day: expected a value, found no --payload/)
  }))

it.live("without a file the alerter of the services tells of it", () =>
  Effect.gen(function*() {
    const ended = yield* told(run, { how: "own" })
    assertExitCode(ended, 2)
    assert.deepEqual([titles(ended.file), titles(ended.own)], [[], ["nightly could not begin"]])
  }))

it.live("the alerter of the services tells of a database that can't be opened, too", () =>
  Effect.gen(function*() {
    for (const args of [worker, [...run, "--payload", `{"day":"monday"}`]]) {
      const ended = yield* told([...args, "--database", "job.ts"], { how: "own" })
      assertExitCode(ended, 2)
      assert.match(ended.own[0]?.title ?? "", /nightly could not begin/)
      assert.match(ended.own[0]?.body ?? "", /can't open the database job\.ts: it is damaged, or no database/)
      assert.equal(ended.own.length, 1)
    }
  }))

it.live("other keys of the file are mistakes with their place, and alerted", () =>
  Effect.gen(function*() {
    const ended = yield* told([...worker, ...withFile], {
      config: `${alerter}steps: { load: { timeout: 5 } }\nrunName: a\nwrong: 1\n`
    })
    assertExitCode(ended, 2)
    assert.deepEqual(ended.stderr.trimEnd().split("\n").map((line) => line.split(" expected")[0]), [
      "alerts.yaml:2:8 steps:",
      "alerts.yaml:3:10 runName:",
      "alerts.yaml:4:1 wrong:"
    ])
    assert.deepEqual(titles(ended.file), ["worker of job.ts could not begin"])
  }))

it.live("a file whose alerter is wrong, or that is missing, alerts nobody, and the exit code is 2", () =>
  Effect.gen(function*() {
    const wrong = yield* told([...worker, ...withFile], {
      config: "alerter: { jsonLines: { path: ./alerts.jsonl, x: 1 } }\n"
    })
    assertExitCode(wrong, 2)
    assert.match(wrong.stderr, /^alerts\.yaml:1:47 alerter\.jsonLines\.x: /)
    const missing = yield* told([...run, "--config", "nowhere.yaml"])
    assertExitCode(missing, 2)
    assert.equal(missing.stderr, "nowhere.yaml: expected a config file, found no such file\n")
    const unused = yield* told([...run, "--root", "."])
    assert.equal(unused.stderr, "error: --root is for the paths in a config file: add --config\n")
    assert.deepEqual([wrong.file, missing.file, unused.file], [[], [], []])
  }))

it.live("a run that fails is told by its hooks alone, through the file's alerter where the services have none", () =>
  Effect.gen(function*() {
    const args = [...run, "--payload", `{"day":"monday"}`, ...withFile]
    const ended = yield* told(args)
    assertExitCode(ended, 1)
    assert.deepEqual([titles(ended.file), titles(ended.own)], [["nightly failed"], []])
    const own = yield* told(args, { how: "own" })
    assert.deepEqual([titles(own.file), titles(own.own)], [[], ["nightly failed"]])
  }))

it.live("a module that ends the process while it is imported is a crash, which a supervisor tells of by the file's alerter", () =>
  Effect.gen(function*() {
    const ended = yield* told([...worker, ...withFile, "--supervise"], { how: "exit" })
    assertExitCode(ended, 1)
    assert.deepEqual(titles(ended.file), ["worker of job.ts crashed"])
  }))

it.live("a worker that a signal stops is told of by nobody, since its runs go on at the next start", () =>
  Effect.scoped(Effect.gen(function*() {
    const cwd = yield* projectFolder
    writeFileSync(join(cwd, "job.ts"), module)
    writeFileSync(join(cwd, "alerts.yaml"), alerter)
    const running = yield* start("bun", [...worker, ...withFile], {
      cwd,
      env: { EPILOGUE_DATABASE: "", DATABASE_URL: "" }
    })
    yield* running.wrote("worker ready")
    running.kill("SIGTERM")
    assertExitCode(yield* running.ended, 143)
    assert.deepEqual(alertsIn(join(cwd, "alerts.jsonl")), [])
  })))

it.live("a URL of the command line stands in for the alerter of a file, and for a file", () =>
  Effect.gen(function*() {
    const url = ["--alert-url", "jsonlines://alerts.jsonl"]
    for (const args of [[...run, ...url], [...worker, ...url], [...run, ...withFile, ...url]]) {
      const ended = yield* told(args, { how: "throw", config: "language: en\n" })
      assertExitCode(ended, 2)
      assert.match(titles(ended.file).join(), /could not begin/, args.join(" "))
    }
  }))
