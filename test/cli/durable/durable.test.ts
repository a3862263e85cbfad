/** Durable pipelines by the command: workers, runs and answers, each a process of its own. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, root, type Runtime, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { postgres, required } from "../../support/postgres.ts"
import { fixtures } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const module = join(root, fixtures, "durable.ts")

/** A folder to run in, with a database of its own, which others at once may be in. */
const place = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "epilogue-durable-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  ),
  (cwd) => {
    const log = join(cwd, "log")
    const gate = join(cwd, "gate")
    const env = { LOG: log, GATE: gate, EPILOGUE_DATABASE: "", DATABASE_URL: "" }
    const told = () => existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []
    return {
      cwd,
      env,
      /** What steps have told, in the order in which they ran. */
      told,
      /** That the body of a step has begun: it is said that it starts before that. */
      within: (step: string) =>
        Effect.repeat(Effect.delay(Effect.sync(() => told().includes(step)), 20), { until: (begun) => begun }),
      open: () => writeFileSync(gate, ""),
      start: (runtime: Runtime, ...args: ReadonlyArray<string>) => start(runtime, args, { cwd, env }),
      epilogue: (runtime: Runtime, ...args: ReadonlyArray<string>) => epilogue(runtime, args, { cwd, env })
    }
  }
)

const timeless = (text: string): ReadonlyArray<string> =>
  text.trimEnd().replace(/\d+ ms|\d+\.\d s/g, "n ms").replace(/\(run [^)]*\)/g, "(run)").split("\n")

const idIn = (text: string): string => /: run ([0-9a-f]+)\n/.exec(text)?.[1] ?? ""

const tokenIn = (text: string): string => /epilogue answer (\S+) --approve/.exec(text)?.[1] ?? ""

const run = (payload: string, name = "nightly") =>
  ["run", `${module}#${name}`, "--durable", "--payload", payload] as const

it.live("run --durable: alone, with progress; a second time it is the same run", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, epilogue, told } = yield* place
      const ran = yield* epilogue(runtime, ...run(`{"day":"monday"}`))
      assertExitCode(ran, 0)
      assert.deepEqual(timeless(ran.stdout), [
        `nightly: run ${idIn(ran.stdout)}`,
        "▶ nightly (run)",
        "  ▶ extract",
        "  ✓ extract (n ms)",
        "  ▶ load",
        "  ✓ load (n ms)",
        "✓ nightly (n ms, 2 steps)",
        "nightly succeeded: {\"rows\":6}"
      ])
      assert.equal(ran.stderr, "")
      assert.ok(existsSync(join(cwd, ".epilogue/durable.db")))
      const again = yield* epilogue(runtime, ...run(`{"day":"monday"}`))
      assertExitCode(again, 0)
      assert.equal(again.stdout, `nightly: run ${idIn(ran.stdout)}\nnightly succeeded: {"rows":6}\n`)
      assert.match(again.stderr, /has run with this payload before/)
      assert.deepEqual(told(), ["extract monday", "load monday"])
    }))
  ))

it.live("run --durable: a failure, and its events as JSON", () =>
  Effect.gen(function*() {
    const { epilogue } = yield* place
    const failed = yield* epilogue("bun", "run", `${module}#failing`, "--durable", "--json")
    assertExitCode(failed, 1)
    const lines = failed.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
    assert.deepEqual(lines.map(({ _tag }) => _tag), [
      "Submitted",
      "RunStarted",
      "StepStarted",
      "StepEnded",
      "RunEnded",
      "Ended"
    ])
    assert.deepEqual(lines.at(-1), { ...lines[0], _tag: "Ended", outcome: "failure", cause: "no such row" })
    assert.equal(failed.stderr, "failing failed: no such row\n")
  }))

it.live("worker: it runs what others submit, and the database is its alone", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { epilogue, start, told } = yield* place
      const worker = yield* start(runtime, "worker", module)
      yield* worker.wrote("worker ready: asking, failing, nightly (SQLite .epilogue/durable.db)\n")
      const ran = yield* epilogue(runtime, ...run(`{"day":"monday"}`))
      assertExitCode(ran, 0)
      assert.equal(ran.stdout, `nightly: run ${idIn(ran.stdout)}\nnightly succeeded: {"rows":6}\n`)
      assert.equal(ran.stderr, "")
      if (runtime === "bun") {
        const second = yield* epilogue(runtime, "worker", `${module}#some`)
        assertExitCode(second, 1)
        assert.match(second.stderr, /^error: another process has the database \.epilogue\/durable\.db open/)
      }
      worker.kill("SIGTERM")
      const ended = yield* worker.ended
      assertExitCode(ended, 130)
      const id = idIn(ran.stdout).slice(0, 8)
      assert.deepEqual(timeless(ended.stdout).slice(1), [
        `${id} ▶ nightly (run)`,
        `${id}   ▶ extract`,
        `${id}   ✓ extract (n ms)`,
        `${id}   ▶ load`,
        `${id}   ✓ load (n ms)`,
        `${id} ✓ nightly (n ms, 2 steps)`
      ])
      assert.match(ended.stderr, /^stopping when .*; press Ctrl-C again to quit at once\n$/)
      assert.deepEqual(told(), ["extract monday", "load monday"])
    }))
  ))

it.live("kill -9 in the middle: the next worker goes on, and what was done is not done again", () =>
  Effect.gen(function*() {
    const { open, start, told, within } = yield* place
    const first = yield* start("bun", "worker", module)
    yield* first.wrote("worker ready")
    const follower = yield* start("bun", ...run(`{"day":"monday","rows":1}`))
    yield* within("wait")
    first.kill("SIGKILL")
    yield* first.ended
    const second = yield* start("bun", "worker", module)
    yield* second.wrote("▶ wait")
    open()
    const ended = yield* follower.ended
    assertExitCode(ended, 0)
    assert.match(ended.stdout, /^nightly: run \w+\nnightly succeeded: \{"rows":6\}\n$/)
    assert.deepEqual(told(), ["extract monday", "wait", "wait", "load monday"])
    second.kill("SIGINT")
    assertExitCode(yield* second.ended, 130)
  }))

it.live("Ctrl-C: what runs here goes on at the next start", () =>
  Effect.gen(function*() {
    const { epilogue, open, start, told, within } = yield* place
    const running = yield* start("bun", ...run(`{"day":"monday","rows":1}`))
    yield* within("wait")
    running.kill("SIGINT")
    yield* running.wrote("press Ctrl-C again to quit at once")
    running.kill("SIGINT")
    const stopped = yield* running.ended
    assertExitCode(stopped, 130)
    assert.match(
      stopped.stderr,
      /^stopping nightly .*; run [0-9a-f]+ goes on at the next start; [^\n]*\nquit, and cut off:\n {2}step wait/
    )
    open()
    const ended = yield* epilogue("bun", ...run(`{"day":"monday","rows":1}`))
    assertExitCode(ended, 0)
    assert.deepEqual(told(), ["extract monday", "wait", "wait", "load monday"])
  }))

it.live("Ctrl-C: a run that a worker has goes on without who follows it, until it is interrupted", () =>
  Effect.gen(function*() {
    const { epilogue, open, start } = yield* place
    const worker = yield* start("bun", "worker", `${module}#some`)
    yield* worker.wrote("worker ready: nightly, asking")
    const follower = yield* start("bun", ...run(`{"day":"monday","rows":1}`))
    yield* worker.wrote("▶ wait")
    follower.kill("SIGINT")
    const left = yield* follower.ended
    assertExitCode(left, 130)
    const id = idIn(left.stdout)
    assert.match(left.stderr, new RegExp(`^leaving nightly; run ${id} goes on without this;`))
    const again = yield* start("bun", ...run(`{"day":"monday","rows":1}`))
    yield* again.wrote(`nightly: run ${id}\n`)
    assertExitCode(yield* epilogue("bun", "interrupt", `${module}#nightly`, id), 0)
    // the worker looks for it at intervals
    yield* Effect.sleep("1 second")
    open()
    const ended = yield* again.ended
    assertExitCode(ended, 130)
    assert.equal(ended.stderr, "nightly was interrupted\n")
    const late = yield* epilogue("bun", "interrupt", `${module}#nightly`, id)
    assertExitCode(late, 1)
    const unknown = yield* epilogue("bun", "interrupt", `${module}#nightly`, "0f0f")
    assertExitCode(unknown, 2)
    assert.match(unknown.stderr, /^error: there is no run 0f0f of nightly/)
  }))

it.live("a pipeline that the worker does not have waits, and runs where it can once that is gone", () =>
  Effect.gen(function*() {
    const { start } = yield* place
    const worker = yield* start("bun", "worker", `${module}#some`)
    yield* worker.wrote("worker ready")
    const follower = yield* start("bun", "run", `${module}#failing`, "--durable")
    yield* follower.wrote("waiting for a worker that runs failing\n")
    worker.kill("SIGINT")
    const stopped = yield* worker.ended
    assert.equal(
      stopped.stderr.split("\n")[0],
      `runs of "failing" wait for a worker that has this pipeline: it is not among the pipelines here`
    )
    const ended = yield* follower.ended
    assertExitCode(ended, 1)
    assert.match(
      ended.stderr,
      /no other process has the database [^\n]* open any more: failing goes on in this one\nfailing failed: no such row\n$/
    )
  }))

it.live("answer: with a worker, and where no process runs", () =>
  Effect.gen(function*() {
    const { epilogue, start } = yield* place
    const asked = yield* start("bun", ...run("{}", "asking"))
    yield* asked.wrote("--deny")
    asked.kill("SIGINT")
    const stopped = yield* asked.ended
    assertExitCode(stopped, 130)
    const token = tokenIn(stopped.stdout + stopped.stderr)
    assertExitCode(yield* epilogue("bun", "answer", token, "--approve", "--by", "Ada", "--comment", "go ahead"), 0)
    const late = yield* epilogue("bun", "answer", token, "--deny")
    assertExitCode(late, 1)
    assert.match(late.stderr, /answered before/)
    const ended = yield* epilogue("bun", ...run("{}", "asking"))
    assertExitCode(ended, 0)
    assert.match(ended.stdout, /\nasking succeeded: \{"by":"Ada","comment":"go ahead"\}\n$/)
  }))

it.live("answer: a worker that has the database goes on", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { epilogue, start } = yield* place
      const worker = yield* start(runtime, "worker", module)
      yield* worker.wrote("worker ready")
      const follower = yield* start(runtime, ...run(`{"approvers":["Ada"]}`, "asking"))
      yield* worker.wrote("--deny")
      worker.kill("SIGINT")
      const stopped = yield* worker.ended
      const token = tokenIn(stopped.stdout + stopped.stderr)
      const other = yield* start(runtime, "worker", module)
      yield* other.wrote("worker ready")
      const refused = yield* epilogue(runtime, "answer", token, "--approve", "--by", "Bob")
      assertExitCode(refused, 2)
      assert.match(refused.stderr, /^error: Bob is not one of the question's approvers\n$/)
      assertExitCode(yield* epilogue(runtime, "answer", token, "--approve", "--by", "Ada"), 0)
      const ended = yield* follower.ended
      assertExitCode(ended, 0)
      assert.match(ended.stdout, /\nasking succeeded: \{"by":"Ada"\}\n$/)
      other.kill("SIGINT")
      yield* other.ended
    }))
  ))

it.live("mistakes: exit code 2, nothing on stdout, and nothing secret", () =>
  Effect.gen(function*() {
    const { cwd, env } = yield* place
    const url = "postgres://ada:hunter2@127.0.0.1:1/etl"
    const token = "WyJuaWdodGx5IiwiMDAiLCJ4Il0"
    const cases: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp, code?: number]> = [
      [["worker"], /^error: .*workflows[^]*see: epilogue worker --help/],
      [["worker", `${module}#gone`], /pipelines: expected [^\n]*, found no export "gone": .*nightly/],
      [["worker", `${module}#mixed`], /of which "other" is a value of type number\n$/],
      [["worker", `${module}#notDurable`], /an Effect that is not durable/],
      [["worker", join(root, fixtures, "hooks.ts")], /expected durable pipelines/],
      [["worker", module, "--layer", `${module}#nightly`], /layer: expected a Layer/],
      [["worker", module, "--port", "70000"], /^error: --port 70000 is not a port\n$/],
      [
        ["worker", module, "--database", "redis://ada:hunter2@db"],
        /^error: --database is neither a postgres:\/\/ URL nor/
      ],
      [
        ["worker", module, "--database", "postgres://[hunter2"],
        /^error: --database begins with postgres:\/\/ and is not a valid URL/
      ],
      [["worker", module, "--database", url], /^error: .*ECONNREFUSED/, 1],
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

    // by the environment, and to a database that has not heard of the run
    const inEnvironment = yield* epilogue("bun", ["worker", module], { cwd, env: { ...env, DATABASE_URL: url } })
    assertExitCode(inEnvironment, 1)
    assert.doesNotMatch(inEnvironment.stderr, /hunter2/)
    assertExitCode(yield* epilogue("bun", run(`{"day":"x"}`), { cwd, env: { ...env, EPILOGUE_DATABASE: "own.db" } }), 0)
    const elsewhere = yield* epilogue("bun", ["answer", token, "--approve", "--database", "own.db"], { cwd, env })
    assertExitCode(elsewhere, 2)
    assert.match(elsewhere.stderr, /^error: the run of that question is not in the database \(SQLite own\.db\)/)
  }))

if (required("epilogue worker on Postgres")) {
  it.live("Postgres: workers share the work, on ports of their own, and answers reach them", () =>
    Effect.gen(function*() {
      const { cwd, env: files } = yield* place
      const url = yield* Effect.flatMap(postgres, ({ database }) => database)
      const env = { ...files, DATABASE_URL: url }
      const waiting = yield* start("bun", run("{}", "asking"), { cwd, env })
      yield* waiting.wrote("waiting for a worker that runs asking\n")
      const workers = yield* Effect.forEach(
        ["bun", "node"] as const,
        (runtime) => start(runtime, ["worker", module], { cwd, env })
      )
      for (const worker of workers) yield* worker.wrote("worker ready: asking, failing, nightly (Postgres)\n")
      const ran = yield* epilogue("bun", run(`{"day":"monday"}`), { cwd, env })
      assertExitCode(ran, 0)
      assert.match(ran.stdout, /\nnightly succeeded: \{"rows":6\}\n$/)
      yield* Effect.raceAllFirst(workers.map(({ wrote }) => wrote("--deny")))
      for (const worker of workers) worker.kill("SIGINT")
      const stopped = yield* Effect.forEach(workers, ({ ended }) => ended)
      const said = stopped.map(({ stderr, stdout }) => stdout + stderr).join("")
      assertExitCode(yield* epilogue("bun", ["answer", tokenIn(said), "--approve", "--by", "Ada"], { cwd, env }), 0)
      const last = yield* start("deno", ["worker", `${module}#asking`], { cwd, env })
      const ended = yield* waiting.ended
      assertExitCode(ended, 0)
      assert.match(ended.stdout, /^asking: run \w+\nasking succeeded: \{"by":"Ada"\}\n$/)
      last.kill("SIGINT")
      const everything = said + (yield* last.ended).stderr + ended.stderr + ran.stderr
      assert.ok(!everything.includes(new URL(url).password), everything)
    }))
}
