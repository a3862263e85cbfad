/** What the command says on Deno where a permission is missing. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { test } from "node:test"
import { root, runtimes } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures, pipelines } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

/** Runs the command with these permissions alone. */
const withFlags = (flags: ReadonlyArray<string>, args: ReadonlyArray<string>) =>
  Effect.callback<readonly [code: unknown, stdout: string, stderr: string]>((resume) => {
    const given = ["run", "--no-prompt", ...flags, join(root, "src/cli/main.ts"), ...args]
    execFile(
      runtimes.deno[0],
      given,
      { cwd: root },
      (error, stdout, stderr) => resume(Effect.succeed([error?.code ?? 0, stdout, stderr]))
    )
  })

const file = `${fixtures}/greeting.yaml`

it.live("a permission of Deno that is missing is named, with where its flag goes, and without a stack", () =>
  Effect.gen(function*() {
    const [read, env, sys] = ["--allow-read", "--allow-env", "--allow-sys"]
    const missing: ReadonlyArray<readonly [flags: ReadonlyArray<string>, args: ReadonlyArray<string>, flag: string]> = [
      [[], ["--version"], env],
      [[env], ["run", `${pipelines}#skipping`], read],
      [[env, sys, "--allow-read=src,node_modules"], ["check", file], read],
      [[read, env], ["check", file], sys],
      [[read], ["exec", "--", "true"], env],
      [[read, env, sys], ["init", "tmp/denied"], "--allow-write"],
      [[read, env, sys], ["ui"], "--allow-net"]
    ]
    yield* Effect.forEach(missing, ([flags, args, flag]) =>
      Effect.gen(function*() {
        const [code, stdout, stderr] = yield* withFlags(flags, args)
        assert.equal(code, args[0] === "ui" ? 1 : 2, stderr)
        assert.match(stderr, new RegExp(`Deno requires .*: add ${flag} after deno run, before the script\\)?\n$`))
        assert.deepEqual([stdout, stderr.split("\n").length], ["", 2])
      }), { concurrency: 2, discard: true })
  }))

it.live("what a command can do without a permission of Deno needs none", () =>
  Effect.gen(function*() {
    const run = yield* withFlags(["--allow-read"], ["run", `${pipelines}#skipping`])
    assert.equal(run[0], 0, run[2])
    const exec = yield* withFlags(["--allow-read", "--allow-env", "--allow-run"], ["exec", "--", "echo", "hi"])
    assert.deepEqual(exec.slice(0, 2), [0, "hi\n"], exec[2])
  }))

it.live("what was denied is not to be granted: the flag that denies it is to be left out", () =>
  Effect.gen(function*() {
    const exec = yield* withFlags(["-A", "--deny-run"], ["exec", "--", "echo", "hi"])
    assert.deepEqual(exec.slice(0, 2), [126, ""])
    assert.match(
      exec[2],
      /could not be started: Deno requires run access to "echo": leave out the --deny-run after deno run/
    )
    const run = yield* withFlags(["-A", "--deny-run"], ["run", "--supervise", `${pipelines}#skipping`])
    assert.equal(run[0], 2)
    assert.match(run[2], /start another one: leave out the --deny-run, or run without supervision/)
    const check = yield* withFlags(["-A", `--deny-read=${join(root, fixtures)}`], ["check", file])
    assert.match(check[2], /leave out the --deny-read after deno run|run again without --deny-read/)
    assert.ok(![exec, run, check].some(([, , stderr]) => stderr.includes("--allow-")), `${exec} ${run} ${check}`)
  }))
