/** The ends of a command: its exit codes, the signals that it gets, its time limit, and what it leaves behind. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { onEachRuntime, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { field, onBun, shell, waitFor } from "./support.ts"

const it = makeIt((name, run) => test(name, { timeout: 300_000 }, run))

it.live("the exit code is the command's, as a shell has it", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const { alerts, folder, run } = yield* shell(runtime)
      writeFileSync(join(folder, "script"), "exit 5\n", { mode: 0o755 })
      const ends: ReadonlyArray<readonly [command: string, code: number, message: string]> = [
        ["true", 0, ""],
        ["sh -c 'exit 3'", 3, "sh failed: exit code 3"],
        ["sh -c 'exit 255'", 255, "sh failed: exit code 255"],
        ["sh -c 'kill -KILL $$'", 137, "sh failed: killed by SIGKILL"],
        ["sh -c 'kill -TERM $$'", 143, "sh failed: killed by SIGTERM"],
        ["sh -c 'kill -INT $$'", 130, "sh failed: killed by SIGINT"],
        ["no-such-command", 127, "no-such-command failed: command not found"],
        ["./alerts.yaml", 126, "alerts.yaml failed: not executable"],
        ["./script", 5, "script failed: exit code 5"],
        ["printf '%s|' --help 'a b' '*' '$HOME' ''", 0, ""]
      ]
      const { stderr, stdout } = yield* run(
        ends.map(([command]) => `epilogue exec -c alerts.yaml -- ${command}; echo $?`).join("\n")
      )
      const codes = ends.map(([command, code]) =>
        `${command.startsWith("printf") ? "--help|a b|*|$HOME||" : ""}${code}`
      )
      assert.deepEqual(stdout.trimEnd().split("\n"), codes, `${runtime} ${stderr}`)
      assert.deepEqual(stderr.trimEnd().split("\n"), ends.flatMap(([, , message]) => message || []), runtime)
      const failed = ends.filter(([, code]) => code !== 0)
      assert.deepEqual(alerts().map((alert) => Number(field(alert, "exitCode"))), failed.map(([, code]) => code))
      assert.deepEqual(alerts().map((alert) => field(alert, "signal")).filter((one) => one !== undefined), [
        "SIGKILL",
        "SIGTERM",
        "SIGINT"
      ])
    }).pipe(Effect.scoped)
  ))

it.live("a signal is passed on, the interruption is told, and the exit code is the command's", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const { alerts, run } = yield* shell(runtime)
      const { stdout } = yield* run(`
        for signal in INT TERM HUP QUIT; do
          epilogue exec -c alerts.yaml -- sh -c '
            trap "echo got INT; exit 5" INT; trap "echo got TERM; exit 6" TERM; trap "echo got HUP; exit 0" HUP
            echo ready; while :; do sleep 0.05; done
          ' >$signal.out 2>/dev/null & pid=$!
          ${waitFor("ready", "$signal.out")}
          kill -$signal $pid; wait $pid; echo $?; tail -1 $signal.out
        done`)
      assert.equal(stdout, "5\ngot INT\n6\ngot TERM\n0\ngot HUP\n131\nready\n", runtime)
      assert.deepEqual(alerts().map((alert) => [alert.title, alert.severity, field(alert, "signal")]), [
        ["sh was interrupted", "warning", "SIGINT"],
        ["sh was interrupted", "warning", "SIGTERM"],
        ["sh was interrupted", "warning", "SIGHUP"],
        ["sh was interrupted", "warning", "SIGQUIT"]
      ])
    }).pipe(Effect.scoped)
  ))

it.live("the second signal ends the command, and what it has started, at once", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime)
      const { stderr, stdout } = yield* run(`
        epilogue exec -c alerts.yaml -- sh -c '
          trap "" INT; sleep 60 & echo $! >grandchild; echo $$ >child; wait; sleep 60
        ' & pid=$!
        ${waitFor("[0-9]", "child")}
        kill -INT $pid; sleep 0.5; kill -INT $pid; wait $pid; echo $?; sleep 0.2
        gone child; gone grandchild`)
      assert.equal(stdout, "130\nended\nended\n", runtime)
      assert.match(
        stderr,
        /interrupting sh; press Ctrl-C again to quit at once\nquit, and cut off:\n {2}step sh, after /
      )
    }).pipe(Effect.scoped)
  ))

it.live("at its time limit a command gets SIGTERM, and SIGKILL with all that it has started where that is ignored", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { alerts, run } = yield* shell(runtime)
      const { stderr, stdout } = yield* run(`
        epilogue exec -c alerts.yaml --timeout 2 --grace 1 -- sh -c '
          trap "echo TERM" TERM; sleep 60 & echo $! >grandchild; while :; do sleep 0.05; done
        '; echo $?
        gone grandchild
        epilogue exec -c alerts.yaml --timeout 2 -- sh -c 'trap "echo closed; exit 0" TERM; while :; do sleep 0.05; done'
        echo $?`)
      assert.equal(stdout, "TERM\n124\nended\nclosed\n124\n", `${runtime} ${stderr}`)
      // the hooks run when the command has ended
      assert.doesNotMatch(stderr, /left behind/)
      assert.deepEqual(alerts().map(({ body, title }) => [title, body]), [
        ["sh failed", "TimeoutError: pipeline \"sh\" exceeded its time limit of 2 s"],
        ["sh failed", "TimeoutError: pipeline \"sh\" exceeded its time limit of 2 s"]
      ])
    }).pipe(Effect.scoped)
  ))

it.live("a command may take as long as it likes after a signal, unless there is a grace", () =>
  Effect.gen(function*() {
    const { run } = yield* shell("bun")
    const { stdout } = yield* run(`
      for grace in "" "--grace 0.3"; do
        rm -f out
        epilogue exec -c alerts.yaml $grace -- sh -c '
          trap "sleep 1; echo closed; exit 7" TERM; echo ready; while :; do sleep 0.05; done' >out 2>/dev/null & pid=$!
        ${waitFor("ready", "out")}
        kill -TERM $pid; wait $pid; echo $?; tail -1 out
      done`)
    assert.equal(stdout, "7\nclosed\n137\nready\n")
  }))

it.live("processes that the command leaves behind are ended with it", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime)
      const { stdout } = yield* run(`
        epilogue exec -c alerts.yaml -- sh -c 'sleep 60 & echo $! >left; echo done'; echo $?
        gone left
        epilogue exec -c alerts.yaml -- sh -c '(trap "echo closed >&2; exit" TERM; echo >ready; while :; do sleep 0.05; done) &
          ${waitFor("'^'", "ready")}; echo done' 2>&1 | grep -v Terminated`)
      assert.equal(stdout, "done\n0\nended\ndone\nclosed\n", runtime)
    }).pipe(Effect.scoped)
  ))

it.live("a signal between two attempts ends with the code of the signal", () =>
  Effect.gen(function*() {
    const { run } = yield* shell("bun")
    const { stdout } = yield* run(`
      epilogue exec -c alerts.yaml --retry 2 --retry-delay 1m -- sh -c 'echo tried; exit 3' >out 2>/dev/null & pid=$!
      ${waitFor("tried", "out")}; sleep 0.3
      kill -TERM $pid; wait $pid; echo $?`)
    assert.equal(stdout, "143\n")
  }))

it.live("what stops the hooks of a command that has failed, a signal or an error, leaves its exit code", () =>
  Effect.gen(function*() {
    const { folder, run } = yield* shell("bun")
    writeFileSync(
      join(folder, "slow.ts"),
      `import * as Effect from "${root}/node_modules/effect/dist/Effect.js"
import { Alerter } from "${root}/src/index.ts"
import { writeFileSync } from "node:fs"
export const slow = Alerter.layer(() => Effect.andThen(
  Effect.sync(() => {
    writeFileSync("posting", "yes")
    if (process.env.THROWS) setTimeout(() => { throw new Error("a bug") })
  }),
  Effect.sleep(500)
))
`
    )
    writeFileSync(join(folder, "slow.yaml"), "alerter: ./slow.ts#slow\n")
    const { stdout } = yield* run(`
      epilogue exec -c slow.yaml -- sh -c 'exit 7' 2>/dev/null & pid=$!
      ${waitFor("yes", "posting")}; kill -TERM $pid; wait $pid; echo $?
      THROWS=yes epilogue exec -c slow.yaml -- sh -c 'exit 7' 2>/dev/null; echo $?`)
    assert.equal(stdout, "7\n7\n")
  }))

it.live("on a terminal the command has it, with Ctrl-C once, and the second Ctrl-C ends it", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { folder, run } = yield* shell(runtime)
      writeFileSync(
        join(folder, "terminal.py"),
        `import os, pty, sys, time, select
def talk(args, words):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("epilogue", ["epilogue", "exec", "-c", "alerts.yaml", "--", *args])
    out, end = b"", time.time() + 30
    while time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try: more = os.read(fd, 4096)
            except OSError: break
            if not more: break
            out += more
        if words and words[0][0] in out:
            time.sleep(0.5)
            os.write(fd, words.pop(0)[1])
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.count(b"TERMINAL"), out.count(b"caught"), out.count(b"got abc"))
talk(["bash", "-c", "test -t 0 && test -t 1 && test -t 2 && echo TERMINAL; trap 'echo caught' INT; echo ready; sleep 2; read -r x </dev/tty; echo got $x"], [(b"ready", b"\\x03"), (b"caught", b"abc\\n")])
talk(["sh", "-c", "echo ready; exec sleep 50"], [(b"ready", b"\\x03")])
talk(["sh", "-c", "trap '' INT; echo ready; sleep 50; echo caught"], [(b"ready", b"\\x03"), (b"interrupting", b"\\x03")])
`
      )
      const { stderr, stdout } = yield* run("python3 terminal.py")
      assert.equal(stdout, "0 1 1 1\n130 0 0 0\n130 0 0 0\n", `${runtime} ${stderr}`)
      assert.doesNotMatch(readFileSync(join(folder, "alerts.jsonl"), "utf8"), /failed/)
    }).pipe(Effect.scoped)
  ))
