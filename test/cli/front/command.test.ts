/** The command line: its help, and how it is parsed. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { existsSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import manifest from "../../../package.json" with { type: "json" }
import { assertExitCode, epilogue, onEachRuntime, root, runtimes } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import type { Runtime } from "../../support/runtimes.ts"
import { fixtures, pipelines, projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live("--version prints the version of the package", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const version = yield* epilogue(runtime, ["--version"])
      assertExitCode(version, 0)
      assert.equal(version.stdout, `epilogue v${manifest.version}\n`)
    })
  ))

it.live("--help and --completions name the flags and commands", () =>
  Effect.gen(function*() {
    const help = yield* epilogue("bun", ["run", "--help"])
    assertExitCode(help, 0)
    for (const text of ["--param", "Service.field=value", "--supervise", "epilogue run nightly.yaml"]) {
      assert.ok(help.stdout.includes(text), text)
    }
    for (const shell of ["bash", "zsh", "fish"]) {
      const { stdout } = yield* epilogue("bun", ["--completions", shell])
      for (const text of ["explain", "run-name"]) assert.ok(stdout.includes(text), `${shell}: ${text}`)
    }
  }))

it.live("an empty file is no database, and is not made one by a command that reads it", () =>
  Effect.scoped(Effect.gen(function*() {
    const database = join(yield* projectFolder, "runs.db")
    writeFileSync(database, "")
    const ended = yield* epilogue("bun", ["durable", "list", "--database", database])
    assertExitCode(ended, 2)
    assert.match(ended.stderr, /^error: \S+ is empty, and no database: name it with --database or /)
    assert.equal(statSync(database).size, 0)
  })))

it.live("mistakes on the command line exit with 2, and print nothing to stdout", () =>
  Effect.gen(function*() {
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
      [["run"], /^error: name a config file or a MODULE#EXPORT/],
      [["run", "gone.yaml"], /^error: there is no file gone\.yaml/],
      [
        ["run", "package.json/x.yaml"],
        /^error: can't read package\.json\/x\.yaml: a part of the path is a file, and a folder is needed \(ENOTDIR\)/
      ],
      [["run", "a.yaml", "--config", "b.yaml"], /^error: two config files are named: a\.yaml and --config b\.yaml/],
      [["run", "x", "--record", "a.jsonl"], /"a\.jsonl": to record to a file, write --record=FILE\nsee: /],
      [["check", `${fixtures}/greeting.yaml`, "--root", "gone"], /^error: --root: can't read gone: ENOENT\n$/],
      [
        ["exec", "--root", "package.json", "--", "true"],
        /^error: --root: expected a folder, found the file package\.json/
      ],
      [["worker", pipelines, "--config", "a.yaml", "--root", "package.json"], /^error: --root: expected a folder/],
      [["alert", "--config", ""], /^error: .*--config. Expected: a path, not an empty text\n/],
      // a value, not the flags -1 and -h
      [["runs", "--since", "-1h"], /^error: --since -1h: expected how long ago, such as /],
      [["runs", "--folder", ""], /^error: .*--folder. Expected: a path, not an empty text\n/],
      [["init", "package.json"], /^error: can't write package\.json\/.*: a part of the path is a file/],
      [["check", "--config", fixtures], /^test\/cli\/fixtures: expected a config file, found a folder\n$/],
      [["ack", "--store", fixtures], /^error: can't open the store test\/cli\/fixtures: it is a folder/],
      [["run", "x", "--nope"], /^error: .*--nope[^]*see: epilogue run --help/],
      [["frobnicate"], /^error: .*frobnicate/],
      [["run", "x", "--param", "secretless"], /^error: .*--param[^]*Service\.field=value/],
      [["run", "x", "--param", "times=hunter2"], /^error: (?![^]*hunter2)/],
      [["run", `${pipelines}#gone`], /no export "gone".*GreetParams/],
      [["run", `${pipelines}#notAPipeline`], /expected a Pipeline/],
      [["run", `${fixtures}/gone.ts#x`], /gone\.ts/],
      [["run", `${pipelines}#greeting`, "--param", "test.GreetParams.times=many"], /test\.GreetParams"\]\.times/],
      [["run", `${pipelines}#greeting`, "--param", "Other.times=1"], /Other/]
    ]
    yield* Effect.forEach(cases, ([args, says]) =>
      Effect.map(epilogue("bun", args), (ended) => {
        assertExitCode(ended, 2)
        assert.match(ended.stderr, says)
        assert.doesNotMatch(ended.stderr, /^ +at /m)
        assert.equal(ended.stdout, "")
      }), { concurrency: 4 })
  }))

if (existsSync("/dev/full")) {
  it.live("output that can't be written is an error of every command, and no success", () =>
    onEachRuntime((runtime) =>
      Effect.scoped(Effect.gen(function*() {
        const path = yield* projectFolder
        const database = join(path, "durable.db")
        const record = join(path, "runs.jsonl")
        if (runtime === "bun") {
          const failing = ["run", `${fixtures}/durable.ts#failing`, "--durable", "--database", database]
          assertExitCode(yield* epilogue(runtime, failing, { env: { LOG: "", GATE: "" } }), 1)
          assertExitCode(yield* epilogue(runtime, ["run", `${pipelines}#skipping`, `--record=${record}`]), 0)
        }
        // the runtimes differ in their streams, and not in what the commands are
        const cases = [
          ["run", "--help"],
          ["run", `${pipelines}#greeting`, "--json"],
          ...(runtime !== "bun" ? [] : [
            ["--version"],
            ["explain", `${pipelines}#greeting`],
            ["runs", "--json", "--folder", record],
            ["durable", "list", "--database", database],
            ["exec", "--tail", "both", "--", "echo", "hello"]
          ])
        ]
        yield* Effect.forEach(cases, (args) =>
          Effect.gen(function*() {
            const [code, stderr] = yield* toFull(runtime, args)
            assert.equal(code, 1, `${args.join(" ")}: ${stderr}`)
            assert.equal(stderr.split("\n").filter((line) => line === lost).length, 1, stderr)
            assert.doesNotMatch(stderr, /^ +at /m)
          }), { concurrency: 2, discard: true })
        // nothing is lost of a command that prints nothing
        assert.equal((yield* toFull(runtime, ["exec", "--", "true"]))[0], 0)
      }))
    ))
}

const lost = "error: can't write to standard output: ENOSPC"

/** Runs the command with a full disk as its standard output. */
const toFull = (runtime: Runtime, args: ReadonlyArray<string>) =>
  Effect.callback<readonly [code: unknown, stderr: string]>((resume) => {
    const command = [...runtimes[runtime], join(root, "src/cli/main.ts"), ...args]
    execFile(
      "sh",
      ["-c", "\"$@\" > /dev/full", "sh", ...command],
      { cwd: root },
      (error, _, stderr) => resume(Effect.succeed([error?.code ?? 0, stderr]))
    )
  })
