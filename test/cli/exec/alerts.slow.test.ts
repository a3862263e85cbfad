/** The config file of `epilogue exec`: its alerter, hooks, limits, retries and monitors. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { channelServer } from "../../support/channelServer.ts"
import { assertExitCode, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"
import { alerter, field, shell } from "./support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

it.live("an alert has the command, the host, the exit code and the last lines, without secrets", () =>
  Effect.gen(function*() {
    const { alerts, run } = yield* shell(
      "bun",
      `${alerter}annotations: { room: "\${ROOM}", key: "\${FROM_FILE}" }\n`
    )
    const secrets = ["hunter22-password", "pw-of-url", "k3y-of-file-77", "t0ken-of-env"]
    const { stderr } = yield* run(
      `epilogue exec -c alerts.yaml --progress plain --record=all.jsonl -- sh -c '
        echo "connect $2 with $TOKEN_OF_SHOP and $FROM_FILE"; echo "$1" >&2; exit 3
      ' sh --password=hunter22-password postgres://etl:pw-of-url@db/shop 2>&1 >&2 | cat >/dev/null; cat all.jsonl >&2`,
      { FROM_FILE: "k3y-of-file-77", TOKEN_OF_SHOP: "t0ken-of-env", ROOM: "r00m-42" }
    )
    const [alert, ...others] = alerts()
    assert.deepEqual(others, [])
    assert.equal(alert?.title, "sh failed")
    assert.equal(alert?.body, "CommandFailed: exit code 3")
    assert.equal(field(alert, "host"), hostname())
    assert.equal(field(alert, "exitCode"), "3")
    assert.match(field(alert, "command") ?? "", / sh --password=<redacted> postgres:\/\/etl:<redacted>@db\/shop$/)
    assert.match(alert?.detail ?? "", /^last lines logged:\n {2}.*<redacted>/)
    assert.ok(alert?.tags?.includes("CommandFailed"))
    for (const secret of secrets) {
      assert.ok(!JSON.stringify(alert).includes(secret), secret)
      // what the command itself writes passes through
      assert.ok(!stderr.split("\n").filter((line) => !line.startsWith("connect")).join("\n").includes(secret), secret)
    }
  }))

it.live("only the last of several attempts is told, and each is an event", () =>
  Effect.gen(function*() {
    const { alerts, folder, run } = yield* shell("bun")
    const failing = "epilogue exec -c alerts.yaml --record=runs.jsonl --retry 2 --retry-delay 0.1 -- sh -c"
    const { stdout } = yield* run(`
      ${failing} 'echo x >>tries; exit 3'; echo $?
      ${failing} 'echo x >>tries; test $(wc -l <tries) -gt 4'; echo $?`)
    assert.equal(stdout, "3\n0\n")
    assert.equal(alerts().length, 1)
    const events = readFileSync(join(folder, "runs.jsonl"), "utf8").trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    )
    const attempts = events.filter(({ _tag }) => _tag === "AttemptFailed").map(({ attempt }) => attempt)
    assert.deepEqual(attempts, [1, 2, 1])
    assert.deepEqual(
      events.filter(({ _tag }) => _tag === "StepEnded").map(({ attempts, outcome }) => [attempts, outcome]),
      [
        [3, "failure"],
        [2, "success"]
      ]
    )
  }))

it.live("a command that does not exist is not tried again, and a success prints nothing", () =>
  Effect.gen(function*() {
    const { alerts, run } = yield* shell("bun", `${alerter}defaults: { retry: { times: 5, delay: 1 hour } }\n`)
    const { stderr, stdout } = yield* run(`
      epilogue exec -c alerts.yaml -- no-such-command; echo $?
      epilogue exec -c alerts.yaml --retry 5 --retry-delay 1h -- ./alerts.yaml; echo $?
      epilogue exec -c alerts.yaml --record -- true; echo $?`)
    assert.equal(stdout, "127\n126\n0\n")
    assert.equal(stderr, "no-such-command failed: command not found\nalerts.yaml failed: not executable\n")
    assert.equal(alerts().length, 2)
  }))

it.live("a file sets retries and limits by the name of the command, for several commands, and flags win", () =>
  Effect.gen(function*() {
    const { alerts, run } = yield* shell(
      "bun",
      `${alerter}
timeout: 20 seconds
overdue: 900 millis
steps:
  flaky: { retry: { times: 3, delay: 10 millis } }
  flaki: { retry: 1 }
  slow: { timeout: { limit: 500 millis, grace: 100 millis } }
`
    )
    const { stderr, stdout } = yield* run(`
      epilogue exec -c alerts.yaml --name flaky -- sh -c 'echo x >>tries; test $(wc -l <tries) -gt 3'; echo $?
      rm tries; epilogue exec -c alerts.yaml --name flaky --retry 0 -- sh -c 'echo x >>tries; exit 3'; wc -l <tries
      epilogue exec -c alerts.yaml --name slow -- sleep 30; echo $?
      epilogue exec -c alerts.yaml --name slower --timeout 0.2 -- sleep 30; echo $?
      epilogue exec -c alerts.yaml --name late -- sleep 1.5; echo $?`)
    assert.equal(stdout, "0\n1\n124\n124\n0\n", stderr)
    assert.doesNotMatch(stderr, /never ran/)
    assert.deepEqual(alerts().map(({ title }) => title.replace(/\d.*/, "n")), [
      "flaky failed",
      "slow failed",
      "slower failed",
      "late is still running after n",
      "late ended after n"
    ])
  }))

it.live("hooks of the file get the error of the command, on each runtime", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const folder = yield* projectFolder
      writeFileSync(
        join(folder, "hooks.ts"),
        `import { Effect } from "effect"
import { Hook } from "effect-epilogue"
import { CommandFailed } from "effect-epilogue/config"
import { writeFileSync } from "node:fs"
export const failed = Hook.onFailureTag("CommandFailed", (error: CommandFailed) =>
  Effect.sync(() => {
    const { command, exitCode, message, signal, tail } = error
    const own = error instanceof CommandFailed
    writeFileSync("told.json", JSON.stringify({ own, command, exitCode, message, signal, tail }))
    console.log("printed")
  })
)
`
      )
      writeFileSync(join(folder, "job.yaml"), "hooks: { failure: ./hooks.ts#failed }\n")
      const ended = yield* epilogue(runtime, [
        ..."exec -c job.yaml -- sh -c".split(" "),
        "echo rows; echo one >&2; echo two >&2; kill -USR1 $$"
      ], { cwd: folder })
      assertExitCode(ended, 138)
      assert.equal(ended.stdout, "rows\n")
      assert.equal(ended.stderr, "one\ntwo\nprinted\nsh failed: killed by SIGUSR1\n")
      assert.deepEqual(JSON.parse(readFileSync(join(folder, "told.json"), "utf8")), {
        own: true,
        command: "sh -c 'echo rows; echo one >&2; echo two >&2; kill -USR1 $$'",
        exitCode: 138,
        message: "killed by SIGUSR1",
        signal: "SIGUSR1",
        tail: ["one", "two"]
      })
    }).pipe(Effect.scoped)
  ))

it.live("hooks of the file replace those that a file without hooks has where they have something to do", () =>
  Effect.gen(function*() {
    const { alerts, folder, run } = yield* shell(
      "bun",
      `${alerter}hooks: { failure: { use: "./own.ts#own", when: { tag: CommandFailed } } }\n`
    )
    writeFileSync(join(folder, "own.ts"), "export const own = () => {}\n")
    yield* run(`
      epilogue exec -c alerts.yaml -- false
      epilogue exec -c alerts.yaml --timeout 0.2 -- sleep 5
      epilogue exec -c alerts.yaml -- sh -c 'kill -TERM $PPID; sleep 5'`)
    assert.deepEqual(alerts().map(({ title }) => title), ["sleep failed", "sh was interrupted"])
  }))

it.live("a success is told where the alerter knows of a failure, and only there", () =>
  Effect.gen(function*() {
    const { alerts, run } = yield* shell(
      "bun",
      "alerter: { store: ./alerts.db, recovered: true, jsonLines: { path: ./alerts.jsonl } }\n"
    )
    const { stderr } = yield* run(`for i in 1 2 3 4; do
      epilogue exec -c alerts.yaml --name backup -- sh -c "test $i != 2"
    done`)
    assert.deepEqual(alerts().map(({ severity, title }) => [severity, title]), [
      ["error", "backup failed"],
      ["success", "backup recovered"]
    ], stderr)
  }))

it.live("the alerter, the hooks and the limits of the repository's epilogue.yaml apply, and the pipeline of a file does not", () =>
  Effect.gen(function*() {
    const { alerts, run } = yield* shell(
      "bun",
      `pipeline: ./no.ts#job\nparams: { No: { n: 1 } }\nannotations: { room: 4 }\n`
    )
    const { stderr, stdout } = yield* run(`
      mkdir -p .git jobs; mv alerts.yaml jobs; cd jobs
      printf '%s\\n' '${alerter.trim()}' 'timeout: 500 millis' >../epilogue.yaml
      epilogue exec -- false; echo $?
      epilogue exec -c alerts.yaml -- sleep 5; echo $?`)
    assert.equal(stdout, "1\n124\n", stderr)
    assert.deepEqual(alerts().map((alert) => [alert.title, field(alert, "room")]), [
      ["false failed", undefined],
      ["sleep failed", "4"]
    ])
  }))

it.live("a URL of a channel takes the place of a file's alerter", () =>
  Effect.gen(function*() {
    const { requests, url } = yield* channelServer({ body: "OK" })
    const { run } = yield* shell("bun", "timeout: 1 minute\n")
    const { stderr } = yield* run(
      "epilogue exec --alert-url '${HOOK}' -- sh -c 'exit 3'",
      { HOOK: url.replace("http://", "webhook://") + "/secret-path-0123456789" }
    )
    assert.equal(requests.length, 1, stderr)
    assert.equal(stderr, "sh failed: exit code 3\n")
  }))

it.live("what keeps the command from beginning is told, and the command does not run", () =>
  Effect.gen(function*() {
    const { alerts, folder, run } = yield* shell("bun", `${alerter}hooks: { failure: ./no.ts#hook }\ntimeout: never\n`)
    const { code, stderr } = yield* run("epilogue exec -c alerts.yaml --name backup -- touch ran")
    assert.equal(code, 2)
    assert.match(stderr, /^alerts\.yaml:2:19 hooks\.failure: expected a module in /m)
    assert.match(stderr, /^alerts\.yaml:3:10 timeout: expected /m)
    assert.ok(!existsSync(join(folder, "ran")))
    assert.deepEqual(alerts().map(({ title }) => title), ["backup could not begin"])
  }))

it.live("without a config file a line says that nobody will be told, unless there is a monitor", () =>
  Effect.gen(function*() {
    const { requests, url } = yield* channelServer({ body: "OK" })
    const { run } = yield* shell("bun", "timeout: 1 minute\n")
    const { stderr, stdout } = yield* run(`
      epilogue exec -- false; echo $?
      epilogue exec -c alerts.yaml -- true; echo $?
      epilogue exec --monitor ${url}/ping/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278 -- true; echo $?
      mv alerts.yaml epilogue.yaml; epilogue exec -- true`)
    assert.equal(stdout, "1\n0\n0\n")
    assert.equal(
      stderr,
      `epilogue: nobody will be told if false fails: there is no config file (see --config) and no --monitor
false failed: exit code 1
epilogue: nobody will be told if true fails: alerts.yaml has no alerter, no hooks and no monitor
epilogue: nobody will be told if true fails: epilogue.yaml has no alerter, no hooks and no monitor
`
    )
    assert.deepEqual(requests.map(({ path }) => path.replace(/.*\/5bf66975[^/?]*|\?.*/g, "")), ["/start", ""])
  }))

it.live("a monitor is told of the start, and of the end with the last lines", () =>
  Effect.gen(function*() {
    const { requests, url } = yield* channelServer({ body: "OK" })
    const { run } = yield* shell(
      "bun",
      `monitor: { healthchecks: { url: "${url}/ping/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278" } }\n`
    )
    yield* run("epilogue exec -c alerts.yaml -- sh -c 'echo disk full >&2; exit 9'")
    assert.deepEqual(requests.map(({ path }) => path.replace(/\?.*/, "").split("/").at(-1)), ["start", "fail"])
    assert.match(String(requests[1]?.body), /exit code 9[\s\S]*disk full/)
  }))

it.live("an alert that is lost is listed, and with --require-alerts a success ends with 3", () =>
  Effect.gen(function*() {
    const { run } = yield* shell(
      "bun",
      "alerter: { webhook: { url: \"http://127.0.0.1:9/hook\" } }\nhooks: { success: epilogue#alerterSuccess, failure: epilogue#alerterFailure }\n"
    )
    const { stderr, stdout } = yield* run(`
      epilogue exec -c alerts.yaml --require-alerts -- true; echo $?
      epilogue exec -c alerts.yaml --require-alerts -- sh -c 'exit 5'; echo $?`)
    assert.equal(stdout, "3\n5\n")
    assert.match(stderr, /^alert not delivered: true succeeded: webhook: /m)
    assert.match(stderr, /^alert not delivered: sh failed: webhook: /m)
  }))

it.live("a mistake on the command line is told with exit code 2", () =>
  Effect.gen(function*() {
    const { run } = yield* shell("bun")
    const mistakes: ReadonlyArray<readonly [args: string, message: string]> = [
      ["", "error: the command comes after --, as in epilogue exec -- pg_dump shop"],
      [
        "pg_dump shop",
        "error: the command comes after --, as in epilogue exec -- pg_dump shop: there is no -- on the command line"
      ],
      ["pg_dump -- shop", "error: there is an argument before --: the command comes after it"],
      ["--", "error: there is no command after --"],
      ["--retry -1 -- true", "error: --retry takes a number of attempts after the first, got -1"],
      ["--retry-delay 5 -- true", "error: --retry-delay has no effect without --retry"],
      [
        "--timeout never -- true",
        "error: --timeout takes a duration such as \"2 hours\" or 90m, or a number of seconds, got \"never\""
      ],
      ["--config no.yaml -- true", "error: there is no file no.yaml"],
      ["--name ' ' -- true", "error: --name takes a name, got an empty text"],
      ["--json -- true", "error: Unrecognized flag: --json in command epilogue exec"]
    ]
    const { stderr, stdout } = yield* run(mistakes.map(([args]) => `epilogue exec ${args}; echo $?`).join("\n"))
    assert.equal(stdout, "2\n".repeat(mistakes.length))
    assert.deepEqual(
      stderr.split("\n").filter((line) => line.startsWith("error: ")),
      mistakes.map(([, message]) => message)
    )
  }))
