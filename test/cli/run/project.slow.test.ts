/** The command with a project file above the config: the page docs/defaults.md shows what it prints. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { projectFolder } from "../support.ts"

// each of them starts several processes
const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const page = readFileSync(join(root, "docs", "defaults.md"), "utf8")

const fenced = (language: string): ReadonlyArray<string> =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text]) => text!)

const [project = "", config = ""] = fenced("yaml")

const module = `import { Hook, Pipeline, Step } from "effect-epilogue"
import { Effect } from "effect"
const tellOwner = () => Effect.log("told")
export const fetch = Step.make("fetch", Effect.fail("no prices"))
export const load = Step.make("load", Effect.void).pipe(Step.onFailure(tellOwner))
export const nightly = Pipeline.make("nightly", Effect.andThen(fetch, load))
`

const repository = Effect.map(projectFolder, (folder) => {
  mkdirSync(join(folder, ".git"))
  mkdirSync(join(folder, "jobs"))
  writeFileSync(join(folder, "epilogue.yaml"), project)
  writeFileSync(join(folder, "jobs", "nightly.yaml"), config)
  writeFileSync(join(folder, "jobs", "nightly.ts"), module)
  return folder
})

it.live("check and explain print what the page shows", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* repository
    const [shown = ""] = fenced("console")
    const printed = yield* Effect.forEach([...shown.matchAll(/^\$ epilogue (.*)$/gm)], ([line, args]) =>
      Effect.map(epilogue("bun", args!.split(" "), { cwd: folder }), ({ stderr, stdout }) =>
        `${line}\n${stdout}${stderr}`))
    assert.equal(printed.join(""), shown)
  })))

it.live("run, supervised or not, and alert use the alerter of the project", () =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* repository
    writeFileSync(join(folder, "epilogue.yaml"), project.replace("console", "{ jsonLines: { path: ./alerts.jsonl } }"))
    const titles = () =>
      readFileSync(join(folder, "alerts.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line).title)
    const run = (...args: ReadonlyArray<string>) => epilogue("bun", args, { cwd: folder })
    assertExitCode(yield* run("run", "jobs/nightly.yaml"), 1)
    assertExitCode(yield* run("run", "jobs/nightly.yaml", "--no-supervise"), 1)
    assertExitCode(yield* run("run", "./jobs/nightly.ts#nightly"), 1)
    assert.deepEqual(
      titles(),
      Array.from({ length: 3 }, () => ["nightly › fetch failed", "nightly failed: 1 of 1 step failed"]).flat()
    )
    assertExitCode(yield* run("exec", "--name", "backup", "--", "false"), 1)
    assert.match(titles().at(-1), /^backup failed/)
    const told = titles().length
    assertExitCode(yield* run("run", "jobs/nightly.yaml", "--no-project"), 1)
    assert.equal(titles().length, told)
    assertExitCode(yield* run("alert", "--config", "jobs/nightly.yaml", "--title", "disk full"), 0)
    assert.equal(titles().at(-1), "disk full")
  })))
