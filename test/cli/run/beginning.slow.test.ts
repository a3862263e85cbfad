/** Alerts about runs that can't begin, or that fail outside of their pipelines. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { channelServer } from "../../support/channelServer.ts"
import { assertExitCode, epilogue, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt(test)

const module = `import { Context, Effect, Layer, Schema } from "effect"
import { Params, Pipeline, Step } from "effect-epilogue"
const how = process.env.HOW
if (how === "exit") process.exit(2)
if (how === "throw") throw new Error("DATABASE_URL is not set, but TOKEN is " + process.env.TOKEN)
if (how === "slow") await new Promise((resolve) => { console.error("loading"); setTimeout(resolve, 60_000) })
export class P extends Params.Service<P>()("P", { n: Schema.Int }) {}
class Db extends Context.Service<Db, number>()("Db") {}
export const job = Pipeline.make("nightly", Step.make("count", Effect.succeed(1)))
export const layered = Effect.provide(Pipeline.make("nightly", Db), Layer.effect(Db, Effect.fail("connection refused")))
export const after = Effect.andThen(job, Effect.fail("after the run"))
export const plain = Effect.fail("boom")
`

interface Told {
  readonly title: string
  readonly body: string
  readonly severity: string
  readonly tags: ReadonlyArray<string>
}

/** Runs a config file whose alerter writes to a file, with and without supervision. Calls \`look\` with what was told. */
const run = (
  config: string,
  look: (told: ReadonlyArray<Told>, ended: { readonly code: number | null; readonly stderr: string }) => void,
  { env = {}, file = "job.yaml", flags = ["--supervise", "--no-supervise"] }: {
    readonly file?: string
    readonly env?: Readonly<Record<string, string>>
    readonly flags?: ReadonlyArray<string>
  } = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* projectFolder
    writeFileSync(join(folder, "job.ts"), module)
    writeFileSync(join(folder, file), config)
    for (const flag of flags) {
      const ended = yield* epilogue("bun", ["run", file, flag], { cwd: folder, env })
      look(alertsIn(folder), ended)
      rmSync(join(folder, "alerts.jsonl"), { force: true })
    }
  }))

const alertsIn = (folder: string): ReadonlyArray<Told> => {
  const file = join(folder, "alerts.jsonl")
  if (!existsSync(file)) return []
  return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))
}

const alerter = "alerter: { jsonLines: { path: ./alerts.jsonl } }\n"

it.live("a module that throws while it is imported is alerted once, without secrets, and the exit code is 2", () =>
  run(
    `${alerter}pipeline: ./job.ts#job\nannotations: { token: "\${TOKEN}" }\n`,
    (told, ended) => {
      assert.deepEqual(told.map(({ title }) => title), ["job.yaml could not begin"])
      assert.match(
        told[0]?.body ?? "",
        /^job\.yaml:2:11 pipeline: expected a module that loads, .*DATABASE_URL is not set/
      )
      assert.deepEqual([told[0]?.severity, told[0]?.tags.includes("not-begun")], ["error", true])
      assert.doesNotMatch(JSON.stringify(told) + ended.stderr, /c4n4ry0123/)
      assert.equal(ended.code, 2, ended.stderr)
    },
    { env: { HOW: "throw", TOKEN: "c4n4ry0123" } }
  ))

it.live("parameters, variables and hooks that are wrong are alerted together, by the name of the pipeline", () =>
  run(
    `pipeline: ./job.ts#job
params: { P: { n: 1.5 } }
runName: "\${NOBODY_SETS_THIS}"
steps: { conut: {} }
hooks: { failure: ./nowhere.ts#hook }
${alerter}`,
    (told, ended) => {
      assert.deepEqual(told.map(({ title }) => title), ["nightly could not begin"])
      const lines = told[0]?.body.split("\n") ?? []
      assert.deepEqual(lines.map((line) => line.split(": ")[0]?.split(" ").at(-1)), [
        "params.P.n",
        "runName",
        "hooks.failure"
      ])
      assert.equal(ended.code, 2, ended.stderr)
    },
    { flags: ["--supervise"] }
  ))

it.live("a layer around the pipeline that fails is alerted once, and the exit code is 1", () =>
  run(`pipeline: ./job.ts#layered\n${alerter}`, (told, ended) => {
    assert.deepEqual(told.map(({ body, title }) => `${title}: ${body}`), [
      "job.yaml could not begin: connection refused"
    ])
    assert.equal(ended.code, 1, ended.stderr)
  }))

it.live("an Effect that fails after its pipeline is alerted, where the file has no hook of the run", () =>
  run(`pipeline: ./job.ts#after\n${alerter}`, (told, ended) => {
    assert.deepEqual(told.map(({ body, title }) => `${title}: ${body}`), [
      "job.yaml failed outside of its runs: after the run"
    ])
    assert.equal(ended.code, 1, ended.stderr)
  }))

it.live("the hooks of a file see what an Effect fails with outside of its pipeline, and alert it once", () =>
  run(
    `pipeline: ./job.ts#plain\nhooks: { failure: epilogue#alerterFailure }\n${alerter}`,
    (told) => assert.deepEqual(told.map(({ body, title }) => `${title}: ${body}`), ["plain failed: boom"]),
    { flags: ["--supervise"] }
  ))

it.live("a module that exits with the code of a mistake while it is imported is a crash, and alerted once", () =>
  run(
    `pipeline: ./job.ts#job\n${alerter}`,
    (told, ended) => {
      assert.deepEqual(told.map(({ title }) => title), ["job.yaml crashed"])
      assert.equal(ended.code, 1, ended.stderr)
    },
    { env: { HOW: "exit" }, flags: ["--supervise"] }
  ))

it.live("a mistake in the syntax below the alerter is alerted, and one within the alerter is not", () =>
  Effect.all([
    run(`${alerter}pipeline: ./job.ts#job\nsteps: { load: {\n`, (told, ended) => {
      assert.deepEqual(told.map(({ title }) => title), ["job.yaml could not begin"])
      assert.equal(ended.code, 2, ended.stderr)
    }, { flags: ["--supervise"] }),
    run(`{"alerter": {"jsonLines": {"path": "./alerts.jsonl"}},\n"pipeline": "./job.ts#job", "steps": {"load": {\n`, (
      told,
      ended
    ) => {
      assert.deepEqual(told.map(({ title }) => title), ["job.json could not begin"])
      assert.equal(ended.code, 2, ended.stderr)
    }, { file: "job.json", flags: ["--supervise"] }),
    run(`{"pipeline": "./job.ts#job", "alerter": {"jsonLines": {"path": "./alerts.jsonl",}}}\n`, (told, ended) => {
      assert.deepEqual(told, [])
      assert.equal(ended.code, 2, ended.stderr)
    }, { file: "job.json", flags: ["--supervise"] }),
    run(`pipeline: ./job.ts#job\nalerter: { jsonLines: { path: ./alerts.jsonl, wrong: 1 } }\n`, (told, ended) => {
      assert.deepEqual(told, [])
      assert.equal(ended.code, 2, ended.stderr)
    }, { flags: ["--no-supervise"] })
  ]))

it.live("a run that SIGTERM stops while its module is loaded stops at once, and is alerted once", () =>
  Effect.scoped(Effect.gen(function*() {
    for (const flag of ["--supervise", "--no-supervise"]) {
      const folder = yield* projectFolder
      writeFileSync(join(folder, "job.ts"), module)
      writeFileSync(join(folder, "job.yaml"), `pipeline: ./job.ts#job\n${alerter}`)
      const running = yield* start("bun", ["run", "job.yaml", flag], { cwd: folder, env: { HOW: "slow" } })
      yield* running.wrote("loading")
      running.kill("SIGTERM")
      const ended = yield* running.ended
      assertExitCode(ended, 143)
      const told = alertsIn(folder)
      assert.deepEqual(told.map(({ title }) => title), ["job.yaml was interrupted"])
      assert.match(told[0]?.body ?? "", /^stopped by SIGTERM after /)
    }
  })))

it.live("an alert from before the run that does not arrive is among the closing lines, also as JSON", () =>
  Effect.scoped(Effect.gen(function*() {
    const server = yield* channelServer({ status: 403 })
    const folder = yield* projectFolder
    writeFileSync(join(folder, "job.ts"), module)
    writeFileSync(join(folder, "job.yaml"), `pipeline: ./job.ts#none\nalerter: { webhook: { url: "\${HOOK}" } }\n`)
    const env = { HOOK: `${server.url}/s3cr3t-0123456789` }
    for (const flag of ["--supervise", "--no-supervise"]) {
      const { code, stderr } = yield* epilogue("bun", ["run", "job.yaml", flag], { cwd: folder, env })
      assert.equal(stderr.match(/alert not delivered: job\.yaml could not begin: webhook: the credentials/g)?.length, 1)
      assert.equal(code, 2)
    }
    const { stdout } = yield* epilogue("bun", ["run", "job.yaml", "--json"], { cwd: folder, env })
    assert.equal(JSON.parse(stdout).title, "job.yaml could not begin")
    assert.equal(server.requests.length, 3)
  })))
