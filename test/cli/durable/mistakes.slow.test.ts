/** Mistakes in the commands for durable pipelines: exit codes, and what is told of them. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures } from "../support.ts"
import { module, run, workspace } from "./workspace.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live("mistakes exit with 2, and print nothing to stdout and no secrets", () =>
  Effect.gen(function*() {
    const { cwd, env } = yield* workspace
    const url = "postgres://ada:hunter2@127.0.0.1:1/etl"
    const token = "A".repeat(22)
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp, code?: number]> = [
      [["worker"], /^error: .*workflows[^]*see: epilogue worker --help/],
      [["worker", `${module}#gone`], /pipelines: expected [^\n]*, found no export "gone": .*nightly/],
      [["worker", `${module}#mixed`], /of which "other" is a value of type number\n$/],
      [["worker", `${module}#notDurable`], /an Effect that is not durable/],
      [["worker", join(root, fixtures, "hooks.ts")], /expected durable pipelines/],
      [["worker", module, "--layer", `${module}#nightly`], /layer: expected a Layer/],
      [["worker", module, "--port", "70000"], /^error: --port 70000 is not a port\n$/],
      [
        ["worker", module, "--host", "10.0.0.7"],
        /^error: the host "10\.0\.0\.7" is not this machine alone, .*--trusted-net/
      ],
      [["worker", module, "--host", "0.0.0.0", "--database", url], /^error: the host "0\.0\.0\.0" is not this machine/],
      [["worker", module, "--host", "127.0.0.1.example.com"], /no authentication/],
      [["worker", module, "--host", ""], /^error: the host "" is not this machine alone/],
      [["worker", module, "--host", "0.0.0.0", "--trusted-network", "--database", url], /ECONNREFUSED/, 1],
      [
        ["worker", module, "--database", "redis://ada:hunter2@db"],
        /^error: --database is neither a postgres:\/\/ URL nor/
      ],
      [
        ["worker", module, "--database", "postgres://[hunter2"],
        /^error: --database begins with postgres:\/\/ and is not a valid URL/
      ],
      [["worker", module, "--database", `"${url}"`], /^error: --database is neither .*: it has quotes or white space/],
      [["worker", module, "--database", url], /^error: .*ECONNREFUSED/, 1],
      [["worker", module, url], /^error: Unexpected positional argument: <redacted>\n/],
      [["worker", module, "--port", url], /^error: Invalid value for flag --port: <redacted>/],
      [["answer", token, "--approve", `password=hunter2`], /^error: Unexpected positional argument: <redacted>\n/],
      [[url], /^error: Unknown subcommand <redacted>/],
      [["show", url], /^error: the run is a URL: /],
      [[...run(`{"day":"x"}`), "--database", url], /^error: .*ECONNREFUSED/, 1],
      [["answer", token, "--deny", "--database", url], /^error: .*ECONNREFUSED/, 1],
      [["run", "--durable"], /^error: .*MODULE#EXPORT/],
      [["run", `${module}#notDurable`, "--durable"], /pipeline: expected a durable pipeline/],
      [["run", `${module}#nightly`, "--payload", "{}"], /^error: --payload is for durable pipelines/],
      [["run", `${module}#nightly`, "--durable", "--param", "A.b=1"], /^error: --durable does not go with --param\n$/],
      [["run", `${module}#nightly`, "--durable"], /payload\.day: expected a value, found no --payload\n$/],
      [run(`{"day":`), /payload: expected JSON/],
      [
        run(`{"day":["hunter2"],"rows":1.5}`),
        /payload\.day: expected string, .*\n.*payload\.rows: expected an integer/i
      ],
      [run(`{"day":"x","hunter":1}`), /payload\.hunter: .*found a field that the payload does not have\n$/],
      [["answer", token, "--approve"], /^error: there is no database \.epilogue\/durable\.db: name it with --database/],
      [["answer", "hunter", "--approve"], /^error: the text is not a token of a question\n$/],
      // the form of earlier tokens: what they named could be edited
      [["answer", "WyJuaWdodGx5IiwiMDAiLCJ4Il0", "--approve"], /^error: the text is not a token of a question\n$/],
      [["answer", token, "--approve", "--deny"], /^error: give either --approve or --deny\n$/]
    ]
    yield* Effect.forEach(cases, ([args, says, code]) =>
      Effect.map(epilogue("bun", args, { cwd, env }), (ended) => {
        assertExitCode(ended, code ?? 2)
        assert.match(ended.stderr, says)
        assert.doesNotMatch(ended.stderr, /^ +at |hunter2/m)
        assert.equal(ended.stdout, "")
      }), { concurrency: 4 })
    assert.ok(!existsSync(join(cwd, ".epilogue")))

    // the database is named by the environment; then the token is not of a question in it
    const inEnvironment = yield* epilogue("bun", ["worker", module], { cwd, env: { ...env, DATABASE_URL: url } })
    assertExitCode(inEnvironment, 1)
    assert.doesNotMatch(inEnvironment.stderr, /hunter2/)
    for (const variable of ["EPILOGUE_DATABASE", "DATABASE_URL"]) {
      const quoted = yield* epilogue("bun", ["worker", module], { cwd, env: { ...env, [variable]: `'${url}'` } })
      assertExitCode(quoted, 2)
      assert.match(quoted.stderr, new RegExp(`^error: ${variable} is neither [^\\n]*: it has quotes or white space`))
      assert.doesNotMatch(quoted.stderr, /hunter2|ada|127/)
    }
    assert.deepEqual(readdirSync(cwd), [])
    assertExitCode(yield* epilogue("bun", run(`{"day":"x"}`), { cwd, env: { ...env, EPILOGUE_DATABASE: "own.db" } }), 0)
    const elsewhere = yield* epilogue("bun", ["answer", token, "--approve", "--database", "own.db"], { cwd, env })
    assertExitCode(elsewhere, 2)
    assert.match(elsewhere.stderr, /^error: the database \(SQLite own\.db\) has no question with this token/)
  }))

it.live("a path that is no database exits with 2, whatever the command does with it, and stays as it is", () =>
  Effect.gen(function*() {
    const { cwd, env } = yield* workspace
    mkdirSync(join(cwd, "folder"))
    const text = "no database, but a text that is longer than the header of one: ".repeat(10)
    writeFileSync(join(cwd, "text"), text)
    writeFileSync(join(cwd, "empty"), "")
    const folder = /^error: can't open the database folder: it is a folder, and a file is needed \(EISDIR\)\n$/
    const other = /^error: can't open the database text: it is damaged, or no database\n$/
    const below = /^error: can't open the database text\/x: a part of the path is a file, and a folder is needed/
    const gone = /^error: there is no database text\/x: name it with --database or EPILOGUE_DATABASE or DATABASE_URL\n$/
    const empty = /^error: empty is empty, and no database: name it with --database/
    const reading = [
      ["durable", "list"],
      ["durable", "show", "a"],
      ["durable", "prune", "--keep", "1"],
      ["outbox", "list"],
      ["answer", "A".repeat(22), "--approve"],
      ["ui"]
    ]
    const running = [["worker", module], run(`{"day":"x"}`)]
    const cases = [
      ...[...reading, ...running].flatMap((args) => [[args, "folder", folder], [args, "text", other]] as const),
      ...reading.flatMap((args) => [[args, "text/x", gone], [args, "empty", empty]] as const),
      ...running.map((args) => [args, "text/x", below] as const)
    ]
    yield* Effect.forEach(
      cases,
      ([args, database, says]) =>
        Effect.map(epilogue("bun", [...args, "--database", database], { cwd, env }), (ended) => {
          assertExitCode(ended, 2)
          assert.match(ended.stderr, says)
          assert.equal(ended.stdout, "")
        }),
      { concurrency: 2 }
    )
    assert.equal(readFileSync(join(cwd, "text"), "utf8"), text)
    assert.deepEqual(readdirSync(cwd).toSorted(), ["empty", "folder", "text"])
    assert.deepEqual(readdirSync(join(cwd, "folder")), [])
  }))
