/** The way to run a script that the docs show tells of a stop, on each runtime. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { test } from "node:test"
import { projectFolder } from "./cli/support.ts"
import { root, runtimes } from "./support/command.ts"
import { makeIt } from "./support/it.ts"
import { someRuntimes } from "./support/runtimes.ts"

const it = makeIt(test)

const script = `import { Effect } from "effect"
import { Alerter, AlerterHooks, Pipeline, Step } from "effect-epilogue"
import { digest } from "effect-epilogue/delivery"
import { runMain } from "effect-epilogue/main"
const say = (text: string) => Effect.sync(() => console.log(text))
const bad = Step.make("bad", Effect.fail("boom"))
const long = Step.make("long", Effect.andThen(say("READY"), Effect.sleep("5 minutes"))).pipe(
  Step.onInterrupt(() => say("HOOK of the step"))
)
const nightly = Pipeline.make("nightly", Effect.andThen(Effect.exit(bad), long)).pipe(
  Pipeline.stepHooks(AlerterHooks.failure),
  Pipeline.onInterrupt(() => say("HOOK of the run"))
)
const alerter = Alerter.layer((alert) => say("ALERT " + alert.title)).pipe(digest({ window: "1 hour" }))
runMain(nightly.pipe(Effect.provide(alerter)))
`

for (const runtime of someRuntimes()) {
  it.live(`SIGTERM to a script that uses runMain runs its hooks, and posts what was held back, on ${runtime}`, () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* projectFolder
      writeFileSync(join(folder, "script.ts"), script)
      // on Deno without any permission: none is needed
      const [command, ...flags] = runtime === "deno" ? ["deno", "run", "--no-prompt"] as const : runtimes[runtime]
      const { code, lines } = yield* Effect.promise(() =>
        new Promise<{ readonly code: number | null; readonly lines: ReadonlyArray<string> }>((resolve) => {
          const child = spawn(command, [...flags, join(folder, "script.ts")], {
            cwd: root,
            stdio: ["ignore", "pipe", "inherit"]
          })
          let output = ""
          child.stdout.setEncoding("utf8").on("data", (text: string) => {
            if (!output.includes("READY") && (output + text).includes("READY")) {
              // not `child.kill`, since Deno then reports that signal as the end, whatever the end was
              process.kill(child.pid!, "SIGTERM")
            }
            output += text
          })
          child.once("close", (code) => resolve({ code, lines: output.trimEnd().split("\n") }))
        })
      )
      const own = lines.filter((line) => /^(HOOK|ALERT)/.test(line))
      assert.deepEqual(own.slice(0, 2), ["HOOK of the step", "HOOK of the run"])
      assert.match(own[2] ?? "", /^ALERT nightly › bad failed/)
      assert.equal(code, 143)
    })))
}
