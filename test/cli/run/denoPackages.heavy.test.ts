/** Config files that name hooks of packages, on Deno, which has no folder `node_modules` for them. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { pathToFileURL } from "node:url"
import { assertExitCode, epilogue } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const pipeline = `import { Effect } from "effect"
import { Pipeline } from "effect-epilogue"
export const job = Pipeline.make("nightly", Effect.void)
`

it.live("on Deno a file names hooks of packages that deno.json imports, and check says which are missing", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* projectFolder
    // the sources, since the package itself need not have been built
    const library = pathToFileURL(join(import.meta.dirname, "../../../mod.ts")).href
    writeFileSync(
      join(folder, "imports.json"),
      JSON.stringify({ imports: { "@acme/hooks": "./acme.ts", "effect-epilogue": library } })
    )
    writeFileSync(
      join(folder, "acme.ts"),
      `import { Hook } from "effect-epilogue"
import { Console } from "effect"
export const celebrate = Hook.onSuccess(() => Console.log("well done"))
`
    )
    writeFileSync(join(folder, "job.ts"), pipeline)
    const hooks = (name: string) => `pipeline: ./job.ts#job\nhooks: { success: "${name}" }\n`
    writeFileSync(join(folder, "job.yaml"), hooks("@acme/hooks#celebrate"))
    writeFileSync(join(folder, "gone.yaml"), hooks("@acme/gone#celebrate"))
    const ran = yield* epilogue("deno", ["run", "job.yaml"], { cwd: folder, flags: ["--import-map", "imports.json"] })
    assertExitCode(ran, 0)
    assert.match(ran.stdout, /well done/)
    const checked = yield* epilogue("deno", ["check", "gone.yaml"], {
      cwd: folder,
      flags: ["--import-map", "imports.json"]
    })
    assertExitCode(checked, 2)
    assert.equal(
      checked.stderr.trimEnd(),
      "gone.yaml:2:19 hooks.success: expected an installed package (deno add npm:@acme/gone), or a path that begins " +
        "with ./, found no package @acme/gone in a node_modules or among the imports of deno.json"
    )
  })))
