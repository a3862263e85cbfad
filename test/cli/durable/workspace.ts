/** A folder and a database for processes of the command. */
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { epilogue, root, start } from "../../support/command.ts"
import type { Runtime } from "../../support/runtimes.ts"
import { fixtures } from "../support.ts"

/** The module of the durable pipelines that these tests run. */
export const module = join(root, fixtures, "durable.ts")

/** Returns the arguments that execute a run of one of them. */
export const run = (payload: string, name = "nightly") =>
  ["run", `${module}#${name}`, "--durable", "--payload", payload] as const

/** Creates a folder to run the command in, with a database that several processes may use at once. */
export const workspace = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "epilogue-durable-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  ),
  (cwd) => {
    const log = join(cwd, "log")
    const gate = join(cwd, "gate")
    const env = { LOG: log, GATE: gate, EPILOGUE_DATABASE: "", DATABASE_URL: "" }
    const logged = () => existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []
    return {
      cwd,
      env,
      /** Returns the lines that the steps have written, in the order in which they ran. */
      logged,
      /** Waits until the body of a step has begun: progress shows a step before its body runs. */
      stepBegun: (step: string) =>
        Effect.repeat(Effect.delay(Effect.sync(() => logged().includes(step)), 20), { until: (begun) => begun }),
      open: () => writeFileSync(gate, ""),
      start: (runtime: Runtime, ...args: ReadonlyArray<string>) => start(runtime, args, { cwd, env }),
      epilogue: (runtime: Runtime, ...args: ReadonlyArray<string>) => epilogue(runtime, args, { cwd, env })
    }
  }
)

/** Returns the id of the run that `run --durable` prints. */
export const idIn = (text: string): string => /: run ([0-9a-f]+)\n/.exec(text)?.[1] ?? ""
