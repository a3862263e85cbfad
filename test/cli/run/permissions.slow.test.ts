/** A supervised run has the permissions of the command, or is not supervised. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { realpathSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { type Deno, permissionFlags, type Status } from "../../../src/cli/run/denoPermissions.ts"
import { root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const names = ["read", "write", "net", "env", "sys", "run", "ffi", "import"]

/** A Deno of which all permissions but these are granted. */
const fake = (
  others: Record<string, Status>,
  line?: ReadonlyArray<string>,
  args: ReadonlyArray<string> = []
): Deno => ({
  query: ({ command, name }) =>
    Promise.resolve((command === undefined ? undefined : others["this"]) ?? others[name] ?? { state: "granted" }),
  execPath: "/bin/deno",
  commandLine: () => line,
  args
})

const flags = (...parameters: Parameters<typeof fake>) => Effect.promise(() => permissionFlags(fake(...parameters)))

const denied: Status = { state: "denied" }
const prompt: Status = { state: "prompt" }

it.live("permissions that are granted or denied as a whole are passed as flags", () =>
  Effect.gen(function*() {
    assert.deepEqual(yield* flags({}), ["--allow-all"])
    assert.deepEqual(
      yield* flags({ net: denied, ffi: denied }),
      names.map((name) => `--${name === "net" || name === "ffi" ? "deny" : "allow"}-${name}`)
    )
  }))

it.live("permissions that are granted in part are taken from the command line, but not from the script's arguments", () =>
  Effect.gen(function*() {
    const script = ["epilogue", "run", "-A", "--allow-net"]
    const args = script.slice(1)
    const cases: ReadonlyArray<readonly [given: ReadonlyArray<string>, passed?: ReadonlyArray<string>]> = [
      [["--allow-read=/a b,/c", "--deny-net", "--no-prompt"]],
      [["-R=/etc", "-WE", "-N=example.com:80", "-S", "--ignore-env=HOME", "--allow-import"]],
      [["-P", "--config", "deno.json"]],
      [["--permission-set=job", "-c=deno.json"]],
      [["--watch", "-A", "--unstable-kv", "--cert", "ca.pem", "--deny-env=SECRET"], ["-A", "--deny-env=SECRET"]],
      [[]]
    ]
    for (const [given, passed = given] of cases) {
      for (const others of [{ net: prompt }, { net: { state: "granted", partial: true } as const }]) {
        assert.deepEqual(yield* flags(others, ["deno", "run", ...given, ...script], args), passed)
        assert.deepEqual(yield* flags(others, ["deno", ...given, ...script], args), passed)
      }
    }
  }))

it.live("permissions that can't be known are not guessed: the reason says what to do", () =>
  Effect.gen(function*() {
    const unknown = yield* flags({ net: prompt, read: { state: "granted", partial: true }, ffi: denied })
    assert.match(JSON.stringify(unknown), /grant or deny the whole of read, net, or run .*--no-supervise/)
    // not the command line of this process
    const other = yield* flags({ net: prompt }, ["deno", "run", "-A", "epilogue", "check"], ["run"])
    assert.match(JSON.stringify(other), /grant or deny the whole of net/)
    const alone = yield* flags({ this: prompt })
    assert.match(JSON.stringify(alone), /add --allow-run=\/bin\/deno, or run .*--no-supervise/)
    const refused = yield* flags({ this: denied })
    assert.match(JSON.stringify(refused), /leave out the --deny-run, or run .*--no-supervise/)
  }))

const statesOnDeno = `Effect.promise(async () => {
  const all = [${names.map((name) => `{ name: "${name}" }`).join(", ")}, { name: "net", host: "a.example" }]
  console.log((await Promise.all(all.map((one) => Deno.permissions.query(one)))).map(({ state }) => state).join(" "))
})`

/** Makes a folder with a pipeline of one step, and a config file whose alerter makes the command supervise it. */
const job = (body: string) =>
  Effect.tap(projectFolder, (cwd) =>
    Effect.sync(() => {
      writeFileSync(
        join(cwd, "job.ts"),
        `import { Effect } from "effect"
         import { Pipeline, Step } from "effect-epilogue"
         export const pipeline = Pipeline.make("p", Step.make("s", ${body}))`
      )
      writeFileSync(
        join(cwd, "job.yaml"),
        "pipeline: ./job.ts#pipeline\nalerter: { jsonLines: { path: ./alerts.jsonl } }\n"
      )
    }))

const deno = realpathSync(join(root, "node_modules/deno/deno"))

/** Runs the pipeline on a runtime, and returns its exit code, the states of the permissions, and what went to stderr. */
const runOn = (
  [command, ...flags]: readonly [string, ...ReadonlyArray<string>],
  cwd: string,
  ...args: ReadonlyArray<string>
) =>
  Effect.callback<{ readonly code: number | null; readonly states: string | undefined; readonly stderr: string }>(
    (resume) => {
      const child = spawn(command, [
        ...flags,
        join(root, "src/cli/main.ts"),
        "run",
        "job.yaml",
        ...args
      ], { cwd, stdio: ["ignore", "pipe", "pipe"] })
      const output = { stdout: "", stderr: "" }
      for (const name of ["stdout", "stderr"] as const) {
        child[name].on("data", (chunk) => {
          output[name] += String(chunk)
        })
      }
      child.on("close", (code) => {
        const states = output.stdout.split("\n").find((line) => /^(?:granted|denied|prompt) /.test(line))
        resume(Effect.succeed({ code, states, stderr: output.stderr }))
      })
      return Effect.sync(() => void child.kill("SIGKILL"))
    }
  )

const runWith = (cwd: string, flags: ReadonlyArray<string>, ...args: ReadonlyArray<string>) =>
  runOn([deno, "run", "--no-prompt", ...flags], cwd, ...args)

const most = ["--allow-read", "--allow-env", "--allow-sys", "--allow-write", "--allow-import"]

it.live("a supervised run on Deno has exactly the permissions that the command has", () =>
  Effect.gen(function*() {
    const cwd = yield* job(statesOnDeno)
    const finer = ["-A", "--deny-net=a.example"]
    const cases = process.platform === "linux"
      ? [finer, [...most, `--allow-run=${deno}`, "-N=a.example"]]
      : [["-A", "--deny-net"]]
    yield* Effect.forEach(cases, (flags) =>
      Effect.gen(function*() {
        const alone = yield* runWith(cwd, flags, "--no-supervise")
        const supervised = yield* runWith(cwd, flags, "--supervise")
        assert.deepEqual(supervised, alone)
        assert.equal(alone.code, 0, alone.stderr)
        assert.equal(alone.states?.split(" ").length, names.length + 1)
      }), { concurrency: 2 })
  }))

it.live("a config file that Deno does not let the command read is not said to be missing", () =>
  Effect.gen(function*() {
    const cwd = yield* job(statesOnDeno)
    const { code, stderr } = yield* runWith(cwd, [...most, `--deny-read=${cwd}`])
    assert.deepEqual([code, stderr], [
      2,
      "error: can't read job.yaml: Deno requires read access to \"job.yaml\": leave out the --deny-read after deno run\n"
    ])
  }))

it.live("without the permission to start Deno, --supervise is refused, and a run goes on unsupervised and says so", () =>
  Effect.gen(function*() {
    const cwd = yield* job(statesOnDeno)
    const reason = new RegExp(`Deno does not let this process start another one: add --allow-run=${deno}, or run`)
    const refused = yield* runWith(cwd, most, "--supervise")
    assert.deepEqual([refused.code, refused.states], [2, undefined])
    assert.match(refused.stderr, reason)
    const alone = yield* runWith(cwd, most)
    assert.equal(alone.code, 0, alone.stderr)
    assert.match(alone.stderr, reason)
    assert.equal(alone.states, "granted granted prompt granted granted prompt prompt granted prompt")
  }))

it.live("without the permission of Node to start processes, --supervise is refused, too", () =>
  Effect.gen(function*() {
    const cwd = yield* job("Effect.sync(() => console.log('granted here'))")
    const node = realpathSync(join(root, "node_modules/node/bin/node"))
    const run = (...args: ReadonlyArray<string>) =>
      runOn([node, "--permission", "--allow-fs-read=*", "--conditions=@effect-epilogue/source"], cwd, ...args)
    const reason = /Node does not let this process start another one: add --allow-child-process, or run/
    const refused = yield* run("--supervise")
    assert.deepEqual([refused.code, refused.states], [2, undefined])
    assert.match(refused.stderr, reason)
    const alone = yield* run()
    assert.deepEqual([alone.code, alone.states], [0, "granted here"], alone.stderr)
    assert.match(alone.stderr, reason)
  }))
