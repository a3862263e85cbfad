/** Steps and hooks that kill the process, with real processes and `kill -9`. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import { test } from "node:test"
import { makeIt } from "../../support/it.ts"
import type { Order } from "../fixtures/crashing.ts"
import { temporaryFolder, until } from "../support/engine.ts"

const script = path.join(import.meta.dirname, "../fixtures/crashing.ts")

interface Ended {
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** Returns what a process printed last: log entries come before that. */
const resultOf = ({ stdout }: Ended): string => stdout.trimEnd().split("\n").at(-1) ?? ""

/** Starts the process of an order. It is killed when the scope closes. */
const start = (order: Order) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [script], {
          env: { ...process.env, CRASH_ORDER: JSON.stringify(order) },
          stdio: ["ignore", "pipe", "pipe"]
        })
      ),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    ),
    (child) => {
      const output = { stdout: "", stderr: "" }
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => void (output.stdout += chunk))
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => void (output.stderr += chunk))
      const ended = new Promise<Ended>((resolve) => child.once("close", (_, signal) => resolve({ signal, ...output })))
      return { kill: () => void child.kill("SIGKILL"), ended: Effect.promise(() => ended) }
    }
  )

/** Registers the tests for an engine. `database` makes an empty database for a test. */
export const killSuite = (name: string, database: Effect.Effect<string, never, Scope.Scope>): void => {
  const { live } = makeIt((title, run) => test(`${name}: ${title}`, { timeout: 120_000 }, run))

  const journal = Effect.gen(function*() {
    const log = path.join(yield* temporaryFolder, "log")
    const order = { database: yield* database, log, interrupt: false }
    return { order, logged: () => fs.existsSync(log) ? fs.readFileSync(log, "utf8").trimEnd().split("\n") : [] }
  })

  live(
    "a step that kills its process fails after the crashes it may have, and a hook that does so fails alone",
    () =>
      Effect.gen(function*() {
        const { logged, order } = yield* journal
        let deaths = 0
        let last: Ended
        let printed = ""
        do {
          last = yield* Effect.flatMap(start({ ...order, pipeline: "deadly" }), ({ ended }) => ended)
          if (last.signal === "SIGKILL") deaths++
          printed += last.stdout
        } while (last.signal === "SIGKILL" && deaths < 10)
        assert.equal(last.signal, null, last.stderr)
        assert.equal(deaths, 5)
        const withoutRun = (text: string) => text.replaceAll(/run [0-9a-f]{32}/g, "run ID")
        const crashed =
          "CrashedTooOften: the process ended 2 times while step \"deadly\" was running, so it does not begin again (run ID)"
        const required = "HookError: required hook \"onSuccess\" (success) of \"pay\" failed"
        assert.deepEqual(JSON.parse(withoutRun(resultOf(last))), [crashed, "succeeded", required])
        assert.match(
          withoutRun(printed),
          /"deadly" begins again, since the process ended while it was running: crash 1 of 1 that it may have \(run ID\)/
        )
        assert.deepEqual(logged().map(withoutRun), [
          "deadly",
          "deadly",
          `deadly: failure hook: ${crashed}`,
          "deadly: exit hook",
          "greet",
          "greet: deadly hook",
          "greet: deadly hook",
          "greet: second hook",
          "pay",
          "pay: deadly required hook",
          `pay: failure hook: ${required}`,
          "run: success hook"
        ])
      })
  )

  live(
    "an interruption that was asked for after a crash comes before the step that was cut off begins again",
    () =>
      Effect.gen(function*() {
        const { logged, order } = yield* journal
        const waiting = { ...order, pipeline: "waiting" } as const
        const first = yield* start(waiting)
        yield* until("the step runs", () => logged().includes("wait"), 30_000)
        first.kill()
        yield* first.ended
        const asked = yield* Effect.flatMap(start({ ...waiting, interrupt: true }), ({ ended }) => ended)
        assert.equal(resultOf(asked), "\"asked\"", asked.stderr)
        const second = yield* Effect.flatMap(start(waiting), ({ ended }) => ended)
        assert.equal(resultOf(second), "\"interrupted\"", second.stderr)
        assert.deepEqual(logged(), ["wait", "wait: interrupt hook", "run: interrupt hook"])
      })
  )
}
