/** The command for alerts that were not delivered. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { temporaryFolder } from "../../support/temporaryFolder.ts"
import { fixtures } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live("alerts that are set aside are told at the end of the run, listed, tried again and dropped", () =>
  Effect.gen(function*() {
    const cwd = yield* temporaryFolder("epilogue-outbox")
    const env = { EPILOGUE_DATABASE: "", DATABASE_URL: "", FIXED: "" }
    const command = (args: ReadonlyArray<string>, FIXED = "") => epilogue("bun", args, { cwd, env: { ...env, FIXED } })
    const run = (day: string, fixed?: string) =>
      command([
        "run",
        `${join(root, fixtures, "outbox.ts")}#nightly`,
        "--durable",
        "--payload",
        JSON.stringify({ day })
      ], fixed)
    for (const day of ["monday", "tuesday"]) {
      const { stderr } = yield* run(day)
      assert.match(stderr, /alert not delivered: .*nightly failed.*: test: the alert was rejected \(400\): too long/)
      assert.match(stderr, /set aside in the outbox: "epilogue outbox list" shows/)
    }
    const listed = yield* command(["outbox", "list"])
    assertExitCode(listed, 0)
    const [head, first, second, ...more] = listed.stdout.trimEnd().split("\n")
    assert.deepEqual(more, [])
    assert.match(head!, /^ALERT +STATE +TRIED +STORED +TITLE +WHY$/)
    for (const line of [first, second]) {
      assert.match(line!, /^[0-9a-f]{20}  set aside  2 .*nightly failed.*  test: the alert was/)
    }
    const entries = (yield* command(["outbox", "list", "--json"])).stdout.trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    )
    assert.deepEqual(entries.map(({ alert, attempts, state }) => [state, attempts, alert.severity]), [
      ["aside", 2, "error"],
      ["aside", 2, "error"]
    ])

    const unknown = yield* command(["outbox", "retry", "ffffffffffffffffffff0"])
    assertExitCode(unknown, 2)
    assert.match(
      unknown.stderr,
      /there is no alert ffffffffffffffffffff0 that was not delivered \(SQLite \.epilogue\/durable\.db\)/
    )
    const dropped = yield* command(["outbox", "drop", entries[0].id.slice(0, 12)])
    assertExitCode(dropped, 0)
    assert.match(dropped.stdout, new RegExp(`^dropped ${entries[0].id}: .*nightly failed`))
    const retried = yield* command(["outbox", "retry"])
    assertExitCode(retried, 0)
    assert.match(retried.stdout, new RegExp(`^${entries[1].id}: .*nightly failed.*\n$`))
    // the next start delivers it, though its run has ended
    const { stderr } = yield* run("monday", "1")
    assert.match(stderr, /delivered: .*nightly failed/)
    const empty = yield* command(["outbox", "list"])
    assert.deepEqual([empty.stdout, empty.stderr], ["", "all alerts were delivered\n"])
  }))
