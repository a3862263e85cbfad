/** The alerts that did not arrive, at the end of `epilogue run`. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { channelServer } from "../../support/channelServer.ts"
import { assertExitCode, epilogue, onEachRuntime, start } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures, projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const pipelines = `${fixtures}/alerting.ts`

/** Starts a server that answers with a status, and writes a config file whose alerter posts there. */
const given = (status: number, policies: object = {}) =>
  Effect.gen(function*() {
    const server = yield* channelServer({ status })
    const config = join(yield* projectFolder, "nightly.json")
    writeFileSync(config, JSON.stringify({ alerter: { webhook: { url: server.url }, ...policies } }))
    return { config, server }
  })

const lost = (title: string) => `alert not delivered: ${title}: webhook: the credentials were not accepted\n`

it.live("alerts that did not arrive are listed at the end, and are exit code 3 where they are required", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { config } = yield* given(403)
      const run = (...args: ReadonlyArray<string>) =>
        epilogue(runtime, ["run", `${pipelines}#nightly`, "--config", config, ...args])
      const line = lost("news 1\\u{1b}[2J")
      const required = yield* run("--require-alerts")
      assertExitCode(required, 3)
      assert.equal(required.stderr, line)
      if (runtime !== "bun") return
      const supervised = yield* run()
      assertExitCode(supervised, 0)
      assert.equal(supervised.stderr, line)
      const alone = yield* run("--require-alerts", "--no-supervise")
      assertExitCode(alone, 3)
      assert.equal(alone.stderr, line)
    }))
  ))

it.live("nothing is listed where all alerts arrived", () =>
  Effect.scoped(Effect.gen(function*() {
    const { config, server } = yield* given(200, { digest: { window: "1 hour" } })
    const ended = yield* epilogue("bun", ["run", `${pipelines}#nightly`, "--config", config, "--require-alerts"])
    assertExitCode(ended, 0)
    assert.equal(ended.stderr, "")
    assert.equal(server.requests.length, 1)
  })))

it.live("a run that fails keeps its exit code", () =>
  Effect.scoped(Effect.gen(function*() {
    const { config } = yield* given(403)
    const ended = yield* epilogue("bun", ["run", `${pipelines}#failing`, "--config", config, "--require-alerts"])
    assertExitCode(ended, 1)
    assert.ok(ended.stderr.endsWith(lost("failing › load failed")), ended.stderr)
  })))

it.live("with --json each alert that did not arrive is an object of its own, and there are twenty at most", () =>
  Effect.scoped(Effect.gen(function*() {
    const { config } = yield* given(403)
    const args = ["run", `${pipelines}#nightly`, "--config", config]
    const json = yield* epilogue("bun", [...args, "--json"], { env: { ALERTS: "2" } })
    assertExitCode(json, 0)
    const objects = json.stdout.trimEnd().split("\n").map((text): { readonly _tag: string } => JSON.parse(text))
    assert.deepEqual(
      // the events of the run tell of them, too
      objects.filter(({ _tag }) => _tag.startsWith("Alert") && _tag !== "AlertPosted"),
      [1, 2].map((n) => ({
        _tag: "AlertLost",
        title: `news ${n}\u001b[2J`,
        message: "webhook: the credentials were not accepted",
        severity: "info",
        channel: "webhook",
        reason: "Unauthorized",
        count: 1
      }))
    )
    const many = yield* epilogue("bun", args, { env: { ALERTS: "25" } })
    const lines = many.stderr.trimEnd().split("\n")
    assert.deepEqual([lines.length, lines.at(-1)], [21, "… and 5 alerts more"])
  })))

it.live("alerts that a digest held are posted when a signal ends the run, and listed if that fails", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      for (const status of runtime === "bun" ? [200, 403] : [403]) {
        const { config, server } = yield* given(status, { digest: { window: "1 hour" } })
        const { ended, kill, wrote } = yield* start(runtime, [
          "run",
          `${pipelines}#waiting`,
          "--config",
          config,
          "--no-supervise"
        ])
        yield* wrote("posted\n")
        kill("SIGTERM")
        const end = yield* ended
        assertExitCode(end, 143)
        assert.equal(server.requests[0]?.json.title, "held")
        assert.equal(end.stderr.endsWith(lost("held")), status === 403, end.stderr)
      }
    }))
  ))

it.live("the second Ctrl-C lists what a digest still holds", () =>
  Effect.scoped(Effect.gen(function*() {
    const { config } = yield* given(200, { digest: { window: "1 hour" } })
    const server = yield* channelServer("hang")
    writeFileSync(config, JSON.stringify({ alerter: { webhook: { url: server.url }, digest: { window: "1 hour" } } }))
    for (const supervise of ["--supervise", "--no-supervise"]) {
      const args = ["run", `${pipelines}#waiting`, "--config", config, supervise]
      const { ended, kill, killAgain, wrote } = yield* start("bun", args)
      yield* wrote("posted\n")
      const before = server.requests.length
      kill("SIGINT")
      yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => server.requests.length > before })
      yield* killAgain("SIGINT")
      const end = yield* ended
      assertExitCode(end, 130)
      assert.match(
        end.stderr,
        /alert not delivered: held: digest: the process (was killed|ended) before it was posted\n$/
      )
    }
  })))
