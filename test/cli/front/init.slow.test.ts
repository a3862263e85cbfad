/** `epilogue init`. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, onEachRuntime, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

it.live("init writes files that check, explain and run accept, and never overwrites a file", () =>
  Effect.forEach(["bun"] as const, (runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const at = yield* projectFolder
      const made = yield* epilogue(runtime, ["init", "jobs"], { cwd: at })
      assertExitCode(made, 0)
      assert.ok(
        made.stdout.includes("\n  bunx epilogue run jobs/epilogue.yaml\n  bun test ./jobs/hooks.test.ts\n"),
        made.stdout
      )
      assert.ok(existsSync(join(at, ".github/workflows/epilogue-jobs.yml")))
      const cwd = join(at, "jobs")
      const checked = yield* epilogue(runtime, ["check"], { cwd })
      assertExitCode(checked, 0)
      const explained = yield* epilogue(runtime, ["explain"], { cwd })
      assert.match(explained.stdout, /^ {4}success: celebrate \(epilogue\.yaml:\d+:\d+\): /m)
      const ran = yield* epilogue(runtime, ["run"], { cwd })
      assertExitCode(ran, 0)
      assert.match(ran.stdout, /^Hello, world!\nHello, world!\n/m)
      assert.match(ran.stderr, /print succeeded/)

      assertExitCode(yield* epilogue(runtime, ["init", "--editor"], { cwd: at }), 0)
      const written = JSON.parse(readFileSync(join(at, ".vscode/epilogue.code-snippets"), "utf8"))
      assert.equal(written.step.prefix, "ep-step")
      const again = yield* epilogue(runtime, ["init", "--editor"], { cwd: at })
      assertExitCode(again, 2)
      assert.match(
        again.stderr,
        /^error: nothing written, since these files exist: \.vscode\/epilogue\.code-snippets\n$/
      )

      rmSync(join(cwd, "epilogue.yaml"))
      writeFileSync(join(cwd, "hooks.ts"), "// mine")
      const refused = yield* epilogue(runtime, ["init"], { cwd })
      assertExitCode(refused, 2)
      assert.match(refused.stderr, /hooks\.ts/)
      assert.match(refused.stderr, /pipeline\.ts/)
      assert.doesNotMatch(refused.stderr, /epilogue\.yaml/)
      assert.equal(readFileSync(join(cwd, "hooks.ts"), "utf8"), "// mine")
      assert.throws(() => readFileSync(join(cwd, "epilogue.yaml")))
    }))))

it.live("init follows no link, to a folder or in the place of a file, and writes nothing then", () =>
  Effect.scoped(Effect.gen(function*() {
    const at = yield* projectFolder
    mkdirSync(join(at, "elsewhere"))
    symlinkSync("elsewhere", join(at, "linked"))
    for (const named of ["linked", "linked/"]) {
      const ended = yield* epilogue("bun", ["init", named], { cwd: at })
      assertExitCode(ended, 2)
      assert.match(ended.stderr, /^error: nothing written, since linked\/? is a symbolic link: name the folder/)
    }
    mkdirSync(join(at, "jobs"))
    symlinkSync("../elsewhere/planted.yaml", join(at, "jobs/epilogue.yaml"))
    const ended = yield* epilogue("bun", ["init", "jobs"], { cwd: at })
    assertExitCode(ended, 2)
    assert.match(ended.stderr, /^error: nothing written, since these files exist: jobs\/epilogue\.yaml\n$/)
    assert.deepEqual(readdirSync(join(at, "elsewhere")), [])
    assert.deepEqual(readdirSync(join(at, "jobs")), ["epilogue.yaml"])
    symlinkSync("elsewhere", join(at, ".github"))
    const elsewhere = yield* epilogue("bun", ["init", "others"], { cwd: at })
    assertExitCode(elsewhere, 2)
    assert.match(elsewhere.stderr, /^error: nothing written, since \.github is a symbolic link/)
    assert.deepEqual(readdirSync(join(at, "elsewhere")), [])
  })))

it.live("init waits for no pipe in the place of a file that it looks at", () =>
  Effect.scoped(Effect.gen(function*() {
    const at = yield* projectFolder
    mkdirSync(join(at, "jobs"))
    execFileSync("mkfifo", [join(at, "jobs/package.json")])
    assertExitCode(yield* epilogue("bun", ["init", "jobs"], { cwd: at }), 0)
  })))

it.live("init writes modules that run without a warning where package.json says commonjs", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const at = yield* projectFolder
      writeFileSync(join(at, "package.json"), JSON.stringify({ type: "commonjs" }))
      // with a package.json, the folder is a package, which does not see the library as itself
      mkdirSync(join(at, "node_modules"))
      symlinkSync(root, join(at, "node_modules/effect-epilogue"))
      assertExitCode(yield* epilogue(runtime, ["init"], { cwd: at }), 0)
      const ran = yield* epilogue(runtime, ["run"], { cwd: at })
      assertExitCode(ran, 0)
      assert.match(ran.stdout, /^Hello, world!$/m)
      assert.doesNotMatch(ran.stderr, /Warning/)
    }))
  ))
