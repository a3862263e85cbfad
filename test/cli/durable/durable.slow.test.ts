/** The commands for durable pipelines: each worker, run and answer is a process. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, root, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { postgres, required } from "../../support/postgres.ts"
import { timelessLines } from "../support.ts"
import { idIn, module, run, workspace } from "./workspace.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const tokenIn = (text: string): string => /epilogue answer (\S+) --approve/.exec(text)?.[1] ?? ""

it.live("run --durable executes a run with progress, and prints its result again when repeated", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { cwd, epilogue, logged } = yield* workspace
      const ran = yield* epilogue(runtime, ...run(`{"day":"monday"}`))
      assertExitCode(ran, 0)
      assert.deepEqual(timelessLines(ran.stdout), [
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
      if (runtime !== "bun") return
      const again = yield* epilogue(runtime, ...run(`{"day":"monday"}`))
      assertExitCode(again, 0)
      assert.equal(again.stdout, `nightly: run ${idIn(ran.stdout)}\nnightly succeeded: {"rows":6}\n`)
      assert.match(again.stderr, /has run with this payload before/)
      assert.deepEqual(logged(), ["extract monday", "load monday"])
    }))
  ))

it.live("run --durable --json prints the events of a failed run, and exits with 1", () =>
  Effect.gen(function*() {
    const { epilogue } = yield* workspace
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

it.live("durable lists, shows, retries and prunes stored runs", () =>
  Effect.gen(function*() {
    const { epilogue, logged } = yield* workspace
    const none = yield* epilogue("bun", "durable", "list")
    assertExitCode(none, 2)
    assert.match(none.stderr, /there is no database \.epilogue\/durable\.db/)
    const id = idIn((yield* epilogue("bun", ...run(`{"day":"monday"}`))).stdout)
    const failedId = idIn((yield* epilogue("bun", "run", `${module}#failing`, "--durable")).stdout)
    const listed = yield* epilogue("bun", "durable", "list")
    assertExitCode(listed, 0)
    const [head, failed, fine] = listed.stdout.trimEnd().split("\n")
    assert.match(head!, /^RUN +STATUS +PIPELINE +SUBMITTED +TOOK +WHY$/)
    assert.match(failed!, new RegExp(`^${failedId}  failure  failing .*  no such row$`))
    assert.match(fine!, new RegExp(`^${id}  success  nightly `))
    const json = yield* epilogue("bun", "durable", "list", "--json", "--status", "success", "--pipeline", "nightly")
    const { pipelineName, runId, status } = JSON.parse(json.stdout)
    assert.deepEqual({ pipelineName, runId, status }, { pipelineName: "nightly", runId: id, status: "success" })

    for (const flags of [["--limit", "1"], ["--limit", "1", "--json"]]) {
      const cut = yield* epilogue("bun", "durable", "list", ...flags)
      assert.equal(cut.stderr, "there are more: --limit 0 lists all of them\n")
    }

    const shown = yield* epilogue("bun", "durable", "show", id.slice(0, 10))
    assertExitCode(shown, 0)
    const [title, , payload, ...steps] = timelessLines(shown.stdout)
    assert.equal(title, `nightly ${id}: success after n ms`)
    assert.equal(payload, "  payload {\"day\":\"monday\"}")
    assert.deepEqual(steps.map((line) => line.trim().split(/\s+/)[0]), ["extract", "load"])

    const refused = yield* epilogue("bun", "durable", "retry", id)
    assertExitCode(refused, 1)
    assert.equal(refused.stderr, `error: run ${id} has succeeded: name the step from which it runs again\n`)
    const unknown = yield* epilogue("bun", "durable", "show", "nothing")
    assertExitCode(unknown, 2)
    assert.match(unknown.stderr, /there is no run nothing \(SQLite \.epilogue\/durable\.db\)/)
    const retried = yield* epilogue("bun", "durable", "retry", id, "--from", "load")
    assertExitCode(retried, 0)
    assert.match(retried.stdout, new RegExp(`^nightly: run ${id}~2, a retry of ${id};`))
    // whoever opens the database next runs it
    assertExitCode(yield* epilogue("bun", ...run(`{"day":"tuesday"}`)), 0)
    assert.deepEqual(logged().filter((line) => line.endsWith("monday")), [
      "extract monday",
      "load monday",
      "load monday"
    ])

    const wrong = yield* epilogue("bun", "durable", "prune")
    assertExitCode(wrong, 2)
    assert.match(wrong.stderr, /say what to keep: --older TIME, --keep N, or both/)
    const pruned = yield* epilogue("bun", "durable", "prune", "--keep", "1")
    assertExitCode(pruned, 0)
    assert.equal(pruned.stdout, "removed 2 runs\n")
    assert.equal((yield* epilogue("bun", "durable", "prune", "--older", "30d")).stdout, "removed 0 runs\n")
  }))

it.live("a worker executes the runs that other processes submit, and no second worker can open its database", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { epilogue, start, logged } = yield* workspace
      const worker = yield* start(runtime, "worker", module)
      yield* worker.wrote("worker ready: asking, failing, nightly, rolling (SQLite .epilogue/durable.db)\n")
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
      assertExitCode(ended, 143)
      const id = idIn(ran.stdout).slice(0, 8)
      assert.deepEqual(timelessLines(ended.stdout).slice(1), [
        `${id} ▶ nightly (run)`,
        `${id}   ▶ extract`,
        `${id}   ✓ extract (n ms)`,
        `${id}   ▶ load`,
        `${id}   ✓ load (n ms)`,
        `${id} ✓ nightly (n ms, 2 steps)`
      ])
      assert.match(ended.stderr, /^SIGTERM: stopping when .*; another signal quits at once\n$/)
      assert.deepEqual(logged(), ["extract monday", "load monday"])
    }))
  ))

it.live("after kill -9 the next worker continues the run without repeating finished steps", () =>
  Effect.gen(function*() {
    const { open, start, logged, stepBegun } = yield* workspace
    const first = yield* start("bun", "worker", module)
    yield* first.wrote("worker ready")
    const follower = yield* start("bun", ...run(`{"day":"monday","rows":1}`))
    yield* stepBegun("wait")
    first.kill("SIGKILL")
    yield* first.ended
    const second = yield* start("bun", "worker", module)
    yield* second.wrote("▶ wait")
    open()
    const ended = yield* follower.ended
    assertExitCode(ended, 0)
    assert.match(ended.stdout, /^nightly: run \w+\nnightly succeeded: \{"rows":6\}\n$/)
    assert.deepEqual(logged(), ["extract monday", "wait", "wait", "load monday"])
    second.kill("SIGINT")
    assertExitCode(yield* second.ended, 130)
  }))

it.live("a run that Ctrl-C has stopped continues when the command is started again", () =>
  Effect.gen(function*() {
    const { epilogue, open, start, logged, stepBegun } = yield* workspace
    const running = yield* start("bun", ...run(`{"day":"monday","rows":1}`))
    yield* stepBegun("wait")
    running.kill("SIGINT")
    yield* running.wrote("press Ctrl-C again to quit at once")
    yield* running.killAgain("SIGINT")
    const stopped = yield* running.ended
    assertExitCode(stopped, 130)
    assert.match(
      stopped.stderr,
      /^stopping nightly .*; run [0-9a-f]+ goes on at the next start; [^\n]*\nquit, and cut off:\n {2}step wait/
    )
    open()
    const ended = yield* epilogue("bun", ...run(`{"day":"monday","rows":1}`))
    assertExitCode(ended, 0)
    assert.deepEqual(logged(), ["extract monday", "wait", "wait", "load monday"])
  }))

it.live("durable interrupt of a run that waits for an answer names no step that would end first", () =>
  Effect.gen(function*() {
    const { epilogue, start } = yield* workspace
    const asked = yield* start("bun", ...run("{}", "asking"))
    yield* asked.wrote("epilogue answer")
    const id = idIn(asked.output.stdout)
    const interrupted = yield* epilogue("bun", "durable", "interrupt", id)
    assert.equal(interrupted.stdout, `interrupting asking ${id}\n`)
    assertExitCode(yield* asked.ended, 130)
  }))

it.live("Ctrl-C on run --durable leaves the run to its worker, and epilogue durable interrupt ends it", () =>
  Effect.gen(function*() {
    const { epilogue, open, start } = yield* workspace
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
    const asked = yield* epilogue("bun", "durable", "interrupt", id.slice(0, 12), "--json")
    assertExitCode(asked, 0)
    const { pipelineName, runId, status } = JSON.parse(asked.stdout)
    assert.deepEqual([pipelineName, runId, status], ["nightly", id, "running"])
    // the worker polls for the interruption
    yield* Effect.sleep("1 second")
    open()
    const ended = yield* again.ended
    assertExitCode(ended, 130)
    assert.equal(ended.stderr, "nightly was interrupted\n")
    const late = yield* epilogue("bun", "durable", "interrupt", id)
    assertExitCode(late, 1)
    assert.equal(late.stderr, `error: run ${id} has ended already\n`)
    const unknown = yield* epilogue("bun", "durable", "interrupt", "0f0f")
    assertExitCode(unknown, 2)
    assert.match(unknown.stderr, /^error: there is no run 0f0f \(SQLite /)
  }))

it.live("a run of a pipeline that the worker lacks waits, and is executed by run --durable once the worker has ended", () =>
  Effect.gen(function*() {
    const { start } = yield* workspace
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

it.live("an answer is stored while no process runs, and counts once the run continues", () =>
  Effect.gen(function*() {
    const { epilogue, start } = yield* workspace
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

it.live("an answer brings the values that the question asks for, and one that does not fit is told", () =>
  Effect.gen(function*() {
    const { epilogue, start } = yield* workspace
    const asked = yield* start("bun", ...run("{}", "rolling"))
    yield* asked.wrote("--deny")
    asked.kill("SIGINT")
    const stopped = yield* asked.ended
    const said = stopped.stdout + stopped.stderr
    assert.match(said, /--approve --with percent=… --with tags=…/)
    const answer = (...args: ReadonlyArray<string>) => epilogue("bun", "answer", tokenIn(said), ...args)
    for (
      const [args, expected] of [
        [["--approve"], "error: percent: expected a whole number from 1 to 100\n"],
        [["--approve", "--with", "percent=1", "--with", "tags=a"], "error: tags: expected JSON\n"],
        [["--approve", "--with", "percent"], "error: --with takes NAME=VALUE\n"],
        [["--deny", "--with", "percent=1"], "error: --with goes with --approve\n"]
      ] as const
    ) {
      const refused = yield* answer(...args)
      assertExitCode(refused, 2)
      assert.equal(refused.stderr, expected)
    }
    const page = readFileSync(join(root, "docs", "durable.md"), "utf8")
    const [, shown = ""] = /^```console\n(\$ epilogue answer [\s\S]*?)^```/m.exec(page) ?? []
    const printed = yield* Effect.forEach(
      [...shown.matchAll(/^\$ epilogue answer \S+ (.*)$/gm)],
      ([line, args]) =>
        Effect.map(
          answer(...args!.split(" ").map((arg) => arg.replaceAll("'", ""))),
          ({ stderr, stdout }) => `${line}\n${stdout}${stderr}`
        )
    )
    assert.equal(printed.join(""), shown)
    const ended = yield* epilogue("bun", ...run("{}", "rolling"))
    assertExitCode(ended, 0)
    assert.match(ended.stdout, /\nrolling succeeded: "10 % beta"\n$/)
  }))

// on the other runtimes, `test/runtime/durable.test.ts` answers from a second process
it.live("an answer of an approver continues the run in the worker, and that of another person is refused", () =>
  Effect.gen(function*() {
    const { epilogue, start } = yield* workspace
    const worker = yield* start("bun", "worker", module)
    yield* worker.wrote("worker ready")
    const follower = yield* start("bun", ...run(`{"approvers":["Ada"]}`, "asking"))
    yield* worker.wrote("--deny")
    worker.kill("SIGINT")
    const stopped = yield* worker.ended
    const token = tokenIn(stopped.stdout + stopped.stderr)
    const other = yield* start("bun", "worker", module)
    yield* other.wrote("worker ready")
    const refused = yield* epilogue("bun", "answer", token, "--approve", "--by", "Bob")
    assertExitCode(refused, 2)
    assert.match(refused.stderr, /^error: Bob is not one of the question's approvers\n$/)
    assertExitCode(yield* epilogue("bun", "answer", token, "--approve", "--by", "Ada"), 0)
    const ended = yield* follower.ended
    assertExitCode(ended, 0)
    assert.match(ended.stdout, /\nasking succeeded: \{"by":"Ada"\}\n$/)
    other.kill("SIGINT")
    yield* other.ended
  }))

if (required("epilogue worker on Postgres")) {
  it.live("workers on one Postgres database share the runs, and receive answers", () =>
    Effect.gen(function*() {
      const { cwd, env: files } = yield* workspace
      const url = yield* Effect.flatMap(postgres, ({ database }) => database)
      const env = { ...files, DATABASE_URL: url }
      const waiting = yield* start("bun", run("{}", "asking"), { cwd, env })
      yield* waiting.wrote("waiting for a worker that runs asking\n")
      const workers = yield* Effect.forEach(
        ["bun", "node"] as const,
        (runtime) => start(runtime, ["worker", module], { cwd, env })
      )
      for (const worker of workers) yield* worker.wrote("worker ready: asking, failing, nightly, rolling (Postgres)\n")
      const ran = yield* epilogue("bun", run(`{"day":"monday"}`), { cwd, env })
      assertExitCode(ran, 0)
      assert.match(ran.stdout, /\nnightly succeeded: \{"rows":6\}\n$/)
      const listed = yield* epilogue("bun", ["durable", "list", "--status", "success"], { cwd, env })
      const id = idIn(ran.stdout)
      assert.match(listed.stdout, new RegExp(`\n${id}  success  nightly .*\n$`))
      const retried = yield* epilogue("bun", ["durable", "retry", id, "--from", "load"], { cwd, env })
      assert.match(retried.stdout, new RegExp(`^nightly: run ${id}~2, a retry of ${id};`))
      const repeated = Effect.map(
        epilogue("node", ["durable", "show", `${id}~2`], { cwd, env }),
        ({ stdout }) => timelessLines(stdout)
      )
      const again = yield* Effect.repeat(repeated, {
        until: ([title]) => title?.includes("success") === true,
        times: 20
      })
      assert.ok(again.includes(`  retry of ${id}`), again.join("\n"))
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
