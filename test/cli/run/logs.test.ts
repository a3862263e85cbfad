/** What `epilogue run` keeps of the log of steps: in alerts, in records, and for programs that read its output. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const module = `
import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { Console, Effect } from "effect"

const load = Step.make("load", Effect.gen(function*() {
  yield* Effect.log("412 rows", process.env["TOKEN"])
  yield* Console.log("printed")
  yield* Effect.logWarning("slow")
  return yield* Effect.fail("no such table")
}))

export const pipeline = Pipeline.make("nightly", load).pipe(Pipeline.stepHooks(AlerterHooks.failure))
`

const given = (more: string) =>
  Effect.map(projectFolder, (cwd) => {
    writeFileSync(join(cwd, "nightly.ts"), module)
    writeFileSync(
      join(cwd, "nightly.yaml"),
      `pipeline: ./nightly.ts#pipeline\nannotations: { t: "\${TOKEN}" }\n${more}`
    )
    return cwd
  })

const env = { TOKEN: "t0ken-0123456789", TZ: "UTC" }

it.live("alerts end with the lines that a step has logged, and the record has them, on each runtime", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const cwd = yield* given("")
      const ran = yield* epilogue(runtime, ["run", "nightly.yaml", "--record"], { cwd, env })
      assertExitCode(ran, 1)
      assert.match(ran.stdout, / {2}│ last lines logged:\n {2}│ {3}412 rows <redacted>\n {2}│ {3}WARN slow\n/)
      const shown = yield* epilogue(runtime, ["show", "--logs"], { cwd, env })
      assertExitCode(shown, 0)
      assert.match(
        shown.stdout,
        /✗ load .*\n {3}├─ \d\d:\d\d:\d\d 412 rows <redacted>\n {3}├─ \d\d:\d\d:\d\d WARN slow\n/
      )
      assert.doesNotMatch(ran.stdout + ran.stderr + shown.stdout, /t0ken/)
    }))
  ))

it.live("with logs: false neither alerts nor records have lines", () =>
  Effect.scoped(Effect.gen(function*() {
    const cwd = yield* given("logs: false\n")
    const ran = yield* epilogue("bun", ["run", "nightly.yaml", "--record"], { cwd, env })
    assertExitCode(ran, 1)
    assert.doesNotMatch(ran.stdout, /last lines logged/)
    const shown = yield* epilogue("bun", ["show", "--logs"], { cwd, env })
    assert.doesNotMatch(shown.stdout, /412 rows/)
    assert.match(shown.stderr, /nothing that was logged is recorded/)
  })))

it.live("--json prints what is logged as events, also of a supervised run", () =>
  Effect.scoped(Effect.gen(function*() {
    const cwd = yield* given("")
    for (const supervised of [[], ["--supervise"]]) {
      const ran = yield* epilogue("bun", ["run", "nightly.yaml", "--json", ...supervised], { cwd, env })
      const events = ran.stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
      const logged = events.filter(({ _tag }) => _tag === "StepLogged")
      assert.deepEqual(logged.map(({ logLevel, message, stepName }) => [stepName, logLevel, message]), [
        ["load", "Info", "412 rows <redacted>"],
        ["load", "Warn", "slow"]
      ])
    }
  })))

it.live("an object that is nested deeply is logged in linear time", () =>
  Effect.scoped(Effect.gen(function*() {
    const cwd = yield* projectFolder
    const growth = JSON.stringify(join(import.meta.dirname, "../../support/growth.ts"))
    writeFileSync(
      join(cwd, "deep.ts"),
      `import { Pipeline, Step } from "effect-epilogue"
import { Effect } from "effect"
import { effectIsLinear } from ${growth}

const nested = (depth: number) => {
  let object: unknown = 1
  for (let i = 0; i < depth; i++) object = { object }
  return object
}

const load = effectIsLinear("an object", 20_000, (depth) => Effect.log(nested(depth)))

export default Pipeline.make("deep", Step.make("load", load))
`
    )
    assertExitCode(yield* epilogue("bun", ["run", "deep.ts"], { cwd }), 0)
  })))
