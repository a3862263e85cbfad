/** The inputs and outputs of a command, on each runtime, byte by byte. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { field, onBun, shell } from "./support.ts"

const it = makeIt((name, run) => test(name, { timeout: 300_000 }, run))

it.live("binary input and output pass through unchanged, also where both outputs are one pipe", () =>
  onEachRuntime((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime)
      const { stderr, stdout } = yield* run(`
        head -c 5000000 /dev/urandom >given
        epilogue exec -c alerts.yaml -- cat <given | cmp - given && echo stdout
        epilogue exec -c alerts.yaml -- sh -c 'cat >&2' <given 2>&1 >/dev/null | cmp - given && echo stderr
        epilogue exec -c alerts.yaml -- sh -c 'cat >&2' <given 2>&1 | cmp - given && echo both
        epilogue exec -c alerts.yaml --tail both -- cat <given 2>/dev/null | cmp - given && echo kept
        epilogue exec -c alerts.yaml -- cat <given >file && cmp file given && echo file
        epilogue exec -c alerts.yaml -- sh -c 'cat >&2' <given 2>file && cmp file given && echo errors
      `)
      assert.equal(stderr, "", runtime)
      assert.equal(stdout, "stdout\nstderr\nboth\nkept\nfile\nerrors\n", runtime)
    }).pipe(Effect.scoped)
  ))

it.live("nothing but the command writes to standard output", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime, "alerter: console\n")
      const { stderr, stdout } = yield* run(
        "epilogue exec -c alerts.yaml --progress plain --record -- sh -c 'echo rows; echo broken >&2; exit 3'; echo $?"
      )
      assert.equal(stdout, "rows\n3\n", runtime)
      for (const part of ["broken\n", "▶ sh", "✗ ERROR sh failed", "sh failed: exit code 3", "recorded: "]) {
        assert.ok(stderr.includes(part), `${runtime} ${part}: ${stderr}`)
      }
    }).pipe(Effect.scoped)
  ))

it.live("the lines of two outputs that are one keep their order, and a script may open /dev/stderr", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime)
      const lines = [...Array(200).keys()].map((i) => `out ${i}\nerr ${i}\ndev ${i}\n`).join("")
      const { stdout } = yield* run(`epilogue exec -c alerts.yaml -- sh -c '
        i=0
        while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; echo dev $i >/dev/stderr; i=$((i + 1)); done
      ' 2>&1`)
      assert.equal(stdout, lines, runtime)
    }).pipe(Effect.scoped)
  ))

it.live("a reader that ends early ends the command, and one that is slow gets all", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime)
      const { stdout } = yield* run(`
        set -o pipefail
        epilogue exec -c alerts.yaml -- yes 2>/dev/null | head -1; echo $?
        epilogue exec -c alerts.yaml -- yes 2>&1 | head -1; echo $?
        epilogue exec -c alerts.yaml -- head -c 20000000 /dev/zero | (sleep 1; wc -c)
        epilogue exec -c alerts.yaml -- sh -c 'head -c 20000000 /dev/zero' 2>&1 | (sleep 1; wc -c)
      `)
      assert.deepEqual(stdout.split(/\s+/).slice(0, -1), ["y", "141", "y", "141", "20000000", "20000000"], runtime)
    }).pipe(Effect.scoped)
  ))

it.live("much output takes no more memory than little", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime)
      const peak = (bytes: number, what: string) =>
        Effect.map(
          run(`epilogue exec -c alerts.yaml --tail both -- sh -c '
            ${what} | head -c ${bytes} >&2; grep VmHWM /proc/$PPID/status' 2> >(wc -c >count); sleep 0.3; cat count`),
          ({ stdout }) => {
            const [, megabytes = "", count] = /VmHWM:\s+(\d+)\d{3} kB\n(\d+)/.exec(stdout) ?? []
            assert.equal(count, String(bytes), `${runtime}: ${stdout}`)
            return Number(megabytes)
          }
        )
      const little = yield* peak(1_000, "yes")
      const much = yield* peak(100_000_000, "yes")
      // a line without an end
      const long = yield* peak(100_000_000, "tr '\\0' x </dev/zero")
      assert.ok(much < little + 60 && long < little + 60, `${runtime}: ${little} MB, ${much} MB, ${long} MB`)
    }).pipe(Effect.scoped)
  ))

it.live("alerts end with the last lines of standard error, without those of a standard output that goes elsewhere", () =>
  Effect.gen(function*() {
    const { alerts, run } = yield* shell("bun")
    const command = `sh -c 'echo row; i=0; while [ $i -lt 300 ]; do echo line $i >&2; i=$((i+1)); done
      printf "\\033[31mred\\033[0m\\n 1%%\\r50%%\\r99%%\\n\\n" >&2; printf "no end" >&2; exit 1'`
    yield* run(`epilogue exec -c alerts.yaml -- ${command}`)
    yield* run(`epilogue exec -c alerts.yaml -- ${command} 2>&1`)
    yield* run("epilogue exec -c alerts.yaml --tail both -- sh -c 'echo row; exit 1'")
    yield* run("epilogue exec -c alerts.yaml --tail none -- sh -c 'echo broken >&2; exit 1'")
    yield* run("epilogue exec -c alerts.yaml -- sh -c 'head -c 100000 /dev/urandom >&2; exit 1'")
    const [apart, together, both, none, binary] = alerts().map(({ detail }) => detail)
    const last = [...Array(17).keys()].map((i) => `  line ${283 + i}`)
    assert.equal(apart, ["last lines logged:", ...last, "  red", "  99%", "  no end"].join("\n"))
    assert.equal(together, apart)
    assert.equal(both, "last lines logged:\n  row")
    assert.equal(none, undefined)
    assert.match(binary ?? "", /<binary output>/)
  }))

it.live("output that a command writes right before its end, or after it has closed the other output, is not lost", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { alerts, run } = yield* shell(runtime)
      const { stdout } = yield* run(`
        for i in 1 2 3 4 5; do
          epilogue exec -c alerts.yaml -- sh -c 'exec >&-; head -c 200000 /dev/zero >&2; echo end >&2; exit 4' 2>&1 >/dev/null | wc -c
        done`)
      // with "sh failed: exit code 4"
      assert.equal(stdout, "200027\n".repeat(5), runtime)
      assert.equal(field(alerts()[0], "exitCode"), "4")
    }).pipe(Effect.scoped)
  ))

it.live("a run ends though nobody reads its output any more", () =>
  onBun((runtime) =>
    Effect.gen(function*() {
      const { run } = yield* shell(runtime)
      const { stdout } = yield* run(`
        mkfifo full; sleep 30 <full >/dev/null 2>&1 & sleeper=$!
        epilogue exec -c alerts.yaml --timeout 1 --grace 0.5 -- sh -c 'trap "" TERM; yes' >full 2>&1
        echo $?; kill $sleeper`)
      assert.equal(stdout, "124\n", runtime)
    }).pipe(Effect.scoped)
  ))

it.live("without a program that makes FIFOs, outputs pass through and no lines are kept", () =>
  Effect.gen(function*() {
    const { alerts, run } = yield* shell("bun")
    const { stderr, stdout } = yield* run(`
      mkdir programs; for name in bun node sh; do ln -s "$(command -v $name)" programs; done
      PATH=$PWD/programs ./epilogue exec -c alerts.yaml -- sh -c 'echo out; echo err >&2; exit 3'; echo $?`)
    assert.equal(stdout, "out\n3\n", stderr)
    assert.equal(stderr, "err\nsh failed: exit code 3\n")
    assert.deepEqual(alerts().map(({ detail }) => detail), [undefined])
  }))
