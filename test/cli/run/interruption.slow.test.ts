/** Signals that stop supervised runs, or come before a run begins, on Bun, Deno and Node. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, onEachRuntime, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures, pipelines, projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live(
  "the second Ctrl-C in a supervised run names the hook that it cuts off",
  () =>
    onEachRuntime((runtime) =>
      Effect.scoped(Effect.gen(function*() {
        const { ended, kill, killAgain, wrote } = yield* start(runtime, ["run", `${pipelines}#stuck`, "--supervise"])
        yield* wrote("waiting\n")
        kill("SIGINT")
        yield* wrote("cleaning up\n")
        yield* killAgain("SIGINT")
        const end = yield* ended
        assertExitCode(end, 130)
        assert.match(end.stderr, /^epilogue: interrupting stuck; press Ctrl-C again to quit at once\n/)
        assert.match(
          end.stderr,
          /\nepilogue: quit at once; cut off: hook "onInterrupt" \(interrupt\) of wait \([^\n]+\n$/
        )
      }))
    )
)

it.live(
  "Ctrl-C while a module is imported ends the command with exit code 130, supervised or not",
  () =>
    onEachRuntime((runtime) =>
      Effect.scoped(
        Effect.forEach(runtime === "bun" ? ["--no-supervise", "--supervise"] : ["--no-supervise"], (supervise) =>
          Effect.gen(function*() {
            const { ended, kill, wrote } = yield* start(runtime, [
              "run",
              `${fixtures}/importing.ts#pipeline`,
              supervise
            ])
            yield* wrote("importing\n")
            kill("SIGINT")
            const end = yield* ended
            assertExitCode(end, 130)
            assert.match(end.stderr, /^(?:epilogue: )?interrupting; press Ctrl-C again to quit at once\n$/)
          }))
      )
    )
)

it.live(
  "a signal that stops a supervised run is alerted, by the run's hook or else by the supervisor",
  () =>
    onEachRuntime((runtime) =>
      Effect.scoped(Effect.gen(function*() {
        const folder = yield* projectFolder
        const config = join(folder, "stopped.json")
        const alerts = join(folder, "alerts.jsonl")
        for (
          const hooks of runtime === "bun"
            ? [undefined, { interrupt: ["epilogue#alerterInterrupt"] }]
            : [undefined]
        ) {
          writeFileSync(config, JSON.stringify({ alerter: { jsonLines: { path: "./alerts.jsonl" } }, hooks }))
          for (const signal of hooks === undefined ? ["SIGTERM", "SIGHUP"] as const : ["SIGTERM"] as const) {
            writeFileSync(alerts, "")
            const { ended, kill, wrote } = yield* start(runtime, ["run", `${pipelines}#slow`, "--config", config])
            yield* wrote("waiting\n")
            kill(signal)
            assertExitCode(yield* ended, signal === "SIGTERM" ? 143 : 129)
            const [alert, ...more] = readFileSync(alerts, "utf8").trimEnd().split("\n").map((line): unknown =>
              JSON.parse(line)
            )
            assert.deepEqual(more, [])
            const { severity, tags, title } = alert as Record<string, unknown>
            assert.deepEqual([title, severity], ["slow was interrupted", "warning"])
            assert.deepEqual(tags, hooks === undefined ? ["interrupted", signal] : ["interrupted"])
          }
        }
      }))
    )
)
