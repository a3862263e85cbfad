/** Durable runs whose process dies in a step, or that are interrupted in one. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { assertExitCode, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures } from "../support.ts"
import { idIn, workspace } from "./workspace.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const module = join(root, fixtures, "crashing.ts")

const run = (name: string, ...flags: ReadonlyArray<string>) =>
  ["run", `${module}#${name}`, "--durable", "--payload", `{"id":"1"}`, ...flags] as const

/** Returns the alerts in a log. */
const alertsIn = (lines: ReadonlyArray<string>) =>
  lines.flatMap((line) => line.startsWith("alert ") ? [JSON.parse(line.slice("alert ".length))] : [])

/** Returns the number of the process that ran the step of `waiting`. */
const pidIn = (lines: ReadonlyArray<string>): number =>
  Number(lines.find((line) => line.startsWith("pid "))?.slice("pid ".length))

it.live("a step that kills its process begins four times, and then it fails and is alerted", () =>
  Effect.gen(function*() {
    const { epilogue, logged } = yield* workspace
    for (let nth = 1; nth <= 4; nth++) assert.equal((yield* epilogue("bun", ...run("deadly"))).signal, "SIGKILL")
    assert.deepEqual(logged(), ["die", "die", "die", "die"])
    const failed = yield* epilogue("bun", ...run("deadly"))
    assertExitCode(failed, 1)
    const message = "CrashedTooOften: the process ended 4 times while step \"die\" was running, so it does not begin " +
      `again (run ${idIn(failed.stdout)})`
    assert.equal(failed.stderr, `deadly failed: ${message}\n`)
    assert.equal(logged().length, 5)
    const [alert] = alertsIn(logged())
    assert.equal(alert.title, "deadly › die failed")
    assert.equal(alert.body, message)
  }))

it.live("durable interrupt --now interrupts the step that runs in another process, and its hooks run", () =>
  Effect.gen(function*() {
    const { epilogue, logged, start, stepBegun } = yield* workspace
    const running = yield* start("bun", ...run("waiting"))
    yield* stepBegun("wait")
    const id = idIn(running.output.stdout)
    const asked = yield* epilogue("bun", "durable", "interrupt", id, "--now")
    assertExitCode(asked, 0)
    assert.equal(asked.stdout, `interrupting waiting ${id}\n`)
    assertExitCode(yield* running.ended, 130)
    assert.deepEqual(logged().filter((line) => !line.startsWith("pid")), [
      "wait",
      "finalizer",
      "interrupt hook",
      "interrupt hook of the run"
    ])
  }))

it.live("a supervised worker that is killed is told in one alert, with the runs that were under way", () =>
  Effect.gen(function*() {
    const { logged, open, start, stepBegun } = yield* workspace
    const first = yield* start("bun", "worker", `${module}#waiting`, "--supervise")
    yield* first.wrote("worker ready")
    const follower = yield* start("bun", ...run("waiting"))
    yield* stepBegun("wait")
    const id = idIn(follower.output.stdout)
    const before = alertsIn(logged()).length
    process.kill(pidIn(logged()), "SIGKILL")
    const died = yield* first.ended
    assertExitCode(died, 1)
    const alerts = alertsIn(logged())
    assert.equal(before, 0)
    assert.equal(alerts.length, 1, JSON.stringify(alerts))
    const [{ body, fields, severity, tags, title }] = alerts
    assert.equal(title, "worker of waiting crashed")
    assert.equal(severity, "critical")
    assert.deepEqual(tags, ["crash", "SIGKILL"])
    assert.match(
      body,
      /^killed by SIGKILL after .*\n1 run under way: goes on when a process runs what is in the database$/
    )
    assert.equal(fields[0]?.name, "waiting")
    assert.match(fields[0]?.value ?? "", new RegExp(`^run ${id}, in outer › wait \\([\\d.]+ m?s\\)$`))
    open()
    // takes over, since no worker does
    const ended = yield* follower.ended
    assertExitCode(ended, 0)
    assert.match(
      ended.stderr,
      /"outer" begins again, since the process ended \(killed by SIGKILL\) while it was running/
    )
  }))

it.live("a supervised run that dies says at the end how it died, and a signal stops it without an alert", () =>
  Effect.gen(function*() {
    const { epilogue, logged, start, stepBegun } = yield* workspace
    assertExitCode(yield* epilogue("bun", ...run("deadlyOnce", "--supervise")), 1)
    const titles = () => alertsIn(logged()).map(({ title }) => title)
    assert.deepEqual(titles(), ["deadlyOnce crashed"])
    const failed = yield* epilogue("bun", ...run("deadlyOnce", "--supervise"))
    assertExitCode(failed, 1)
    assert.match(failed.stderr, /the process ended \(killed by SIGKILL\) while step "die" was running/)
    assert.deepEqual(titles(), ["deadlyOnce crashed", "deadlyOnce › die failed"])
    const waiting = yield* start("bun", ...run("waiting", "--supervise"))
    yield* stepBegun("wait")
    waiting.kill("SIGTERM")
    waiting.kill("SIGTERM")
    const stopped = yield* waiting.ended
    assertExitCode(stopped, 143)
    assert.match(
      stopped.stderr,
      /epilogue: SIGTERM: stopping waiting when the step under way has ended; run \w+ goes on at the next start; another/
    )
    assert.doesNotMatch(stopped.stderr, /interrupting/)
    assert.equal(titles().length, 2)
  }))
