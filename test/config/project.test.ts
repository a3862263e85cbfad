/** The project file: `epilogue.yaml` above a config, for what neither the config nor the code sets. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Path from "effect/Path"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { test } from "node:test"
import { ConfigFile } from "../../src/config/index.ts"
import { othersWho } from "../../src/config/internal/project/find.ts"
import { Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"

const it = makeIt(test)

const scratch = join(import.meta.dirname, "..", "..", "tmp")

const modules = {
  "hooks.ts": `import { Effect } from "effect"
import { Hook, StepContext } from "effect-epilogue"
const say = (what: string) => Effect.flatMap(StepContext, ({ stepName }) => Effect.log(stepName + ": " + what))
export const failure = Hook.onFailure(() => say("project failure"))
export const success = Hook.onSuccess(() => say("project success"))
export const late = Hook.onOverdue(() => say("late"))
`,
  "jobs/hooks.ts": `import { Effect } from "effect"
import { Hook } from "effect-epilogue"
export const failure = Hook.onFailure(() => Effect.log("config failure"))
`,
  "jobs/etl.ts": `import { Effect } from "effect"
import { Pipeline, Step } from "effect-epilogue"
export const load = Step.make("load", Effect.fail("no rows"))
export const own = Step.make("own", Effect.fail("no")).pipe(Step.onFailure(() => Effect.log("own failure")))
export const slow = Step.make("slow", Effect.sleep("1 hour"))
export const limited = Step.make("limited", Effect.sleep("1 hour")).pipe(Step.timeout("2 hours"))
export const etl = Pipeline.make("etl", Effect.all([Effect.ignore(load), Effect.ignore(own)]))
export const sleepy = Pipeline.make("sleepy", Effect.all([Effect.ignore(slow), limited]))
`
}

/** Makes a repository with files, for the test. */
const repository = (files: Readonly<Record<string, string>>, git = true) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      fs.mkdirSync(scratch, { recursive: true })
      const root = fs.mkdtempSync(join(scratch, "project-"))
      if (git) fs.mkdirSync(join(root, ".git"))
      for (const [name, text] of Object.entries({ ...modules, ...files })) {
        fs.mkdirSync(dirname(join(root, name)), { recursive: true })
        fs.writeFileSync(join(root, name), text)
      }
      return root
    }),
    (root) => Effect.sync(() => fs.rmSync(root, { recursive: true, force: true }))
  )

const load = (file: string, options?: ConfigFile.LoadOptions) =>
  ConfigFile.load(file, options).pipe(Effect.provide([NodeFileSystem.layer, Path.layer]))

const messages = (written: ReturnType<typeof logs>) =>
  written.list.map(({ message }) => message).filter((message) => /project|config|own|late/.test(message))

/** Runs a config, and returns what its hooks log. */
const run = (file: string, options?: ConfigFile.LoadOptions) => Effect.flatMap(load(file, options), called)

const called = ({ pipeline }: ConfigFile.Loaded) =>
  Effect.gen(function*() {
    const written = logs()
    yield* Effect.exit(pipeline).pipe(
      Effect.provide([NodeFileSystem.layer, Path.layer, written.layer, Alerter.layerNone])
    )
    return messages(written)
  })

const issuesOf = (file: string, options?: ConfigFile.LoadOptions) =>
  Effect.map(
    Effect.flip(load(file, options)),
    ({ message }) => message.replaceAll(/\S*tmp\/project-\w+\//g, "").split("\n")
  )

const etl = "pipeline: ./etl.ts#etl\n"

const hooks = "stepHooks: { failure: ./hooks.ts#failure }\nhooks: { success: ./hooks.ts#success }\n"

it.effect("hooks of the project file run where neither the config nor the code has one, by paths of its own folder", () =>
  Effect.gen(function*() {
    const root = yield* repository({
      "epilogue.yaml": hooks,
      "jobs/nightly.yaml": etl,
      "jobs/other.yaml": `${etl}stepHooks: { failure: ./hooks.ts#failure }\n`
    })
    assert.deepEqual(yield* run(join(root, "jobs/nightly.yaml")), [
      "load: project failure",
      "own failure",
      "etl: project success"
    ])
    assert.deepEqual(yield* run(join(root, "jobs/other.yaml")), [
      "config failure",
      "config failure",
      "etl: project success"
    ])
    assert.deepEqual(yield* run(join(root, "jobs/nightly.yaml"), { project: false }), ["own failure"])
  }))

it.effect("limits of the project file hold for steps that have none, in the config and in the code", () =>
  Effect.gen(function*() {
    const root = yield* repository({
      "epilogue.yaml": `stepHooks: { overdue: ./hooks.ts#late }
defaults: { timeout: 30 minutes, overdue: 10 minutes }
`,
      "jobs/nightly.yaml": "pipeline: ./etl.ts#sleepy\n",
      "jobs/patient.yaml": "pipeline: ./etl.ts#sleepy\nsteps: { slow: { timeout: false, overdue: 50 minutes } }\n"
    })
    for (const [name, expected] of [["nightly", 30], ["patient", 60]] as const) {
      const loaded = yield* load(join(root, `jobs/${name}.yaml`))
      assert.deepEqual(
        loaded.steps.filter(({ step }) => step === "slow" || step === "limited").map((
          { step, timeout }
        ) => [step, timeout?.limit]),
        [["limited", 7_200_000], ["slow", expected === 30 ? 1_800_000 : undefined]]
      )
      const fiber = yield* Effect.forkChild(called(loaded))
      yield* TestClock.adjust(`${expected + 60} minutes`)
      assert.deepEqual(yield* Fiber.join(fiber), ["slow: late", "limited: late"])
    }
  }))

it.effect("the alerter, its language, the words and the log of the project file are for configs without their own", () =>
  Effect.gen(function*() {
    const root = yield* repository({
      "epilogue.yaml": `alerter: { jsonLines: { path: ./alerts.jsonl } }
language: de
logs: 3
alerts: { failure: { title: "{step} of the project", body: "see the wiki" } }
stepHooks: { failure: epilogue#alerterFailure }
annotations: { team: data }
`,
      "jobs/nightly.yaml": etl,
      "jobs/own.yaml": `${etl}alerter: { jsonLines: { path: ./own.jsonl } }
alerts: { failure: { title: "{step} of the config" } }
annotations: { team: ops }
`,
      "jobs/english.yaml": `${etl}language: en\n`
    })
    const alerts = (file: string) =>
      fs.readFileSync(join(root, file), "utf8").trim().split("\n").map((line) => JSON.parse(line))
    yield* run(join(root, "jobs/nightly.yaml"))
    const [first] = alerts("alerts.jsonl")
    assert.deepEqual([first.title, first.body], ["load of the project", "see the wiki"])
    assert.match(JSON.stringify(first.fields), /"team"[^}]*"data"/)
    yield* run(join(root, "jobs/own.yaml"))
    assert.deepEqual(alerts("jobs/own.jsonl").map(({ body, title }) => [title, body]), [
      ["load of the config", "see the wiki"]
    ])
    assert.match(JSON.stringify(alerts("jobs/own.jsonl")), /"team"[^}]*"ops"/)
    const { language, logs, project } = yield* load(join(root, "jobs/english.yaml"))
    assert.deepEqual([language, logs], ["en", 3])
    assert.deepEqual(project?.values.map(({ applies, key, position }) => [key, position?.line, applies]), [
      ["alerter", 1, true],
      ["language", 2, false],
      ["logs", 3, true]
    ])
  }))

it.effect("the nearest project file counts, and none above the repository, nor the config of a pipeline", () =>
  Effect.gen(function*() {
    const outer = yield* repository({ "epilogue.yaml": hooks })
    const repo = (name: string, files: Readonly<Record<string, string>>, git = true) => {
      if (git) fs.mkdirSync(join(outer, name, ".git"), { recursive: true })
      for (const [file, text] of Object.entries({ ...modules, ...files })) {
        fs.mkdirSync(dirname(join(outer, name, file)), { recursive: true })
        fs.writeFileSync(join(outer, name, file), text)
      }
      return join(outer, name)
    }
    const inner = repo("inner", { "jobs/nightly.yaml": etl })
    assert.deepEqual(yield* run(join(inner, "jobs/nightly.yaml")), ["own failure"])
    const nearest = repo("nearest", { "epilogue.yaml": "{}", "jobs/epilogue.yaml": hooks, "jobs/nightly.yaml": etl })
    fs.writeFileSync(join(nearest, "jobs/hooks.ts"), modules["hooks.ts"])
    assert.equal((yield* run(join(nearest, "jobs/nightly.yaml"))).length, 3)
    const config = repo("config", { "jobs/epilogue.yaml": etl, "jobs/nightly.yaml": etl }, false)
    assert.equal((yield* run(join(config, "jobs/nightly.yaml"))).length, 3)
    assert.equal((yield* run(join(config, "jobs/epilogue.yaml"))).length, 3)
    assert.deepEqual(yield* run(join(config, "jobs/nightly.yaml"), { root: join(config, "jobs") }), ["own failure"])
  }))

it.effect("outside of a repository the folder of the config alone is looked into", () =>
  Effect.gen(function*() {
    // the scratch folder is in the repository of this library, which has no project file
    const { find } = yield* Effect.promise(() => import("../../src/config/internal/project/find.ts"))
    const folder = fs.mkdtempSync("/tmp/epilogue-no-repository-")
    try {
      fs.mkdirSync(join(folder, "jobs"))
      fs.writeFileSync(join(folder, "epilogue.yaml"), "{}")
      const found = (at: string) =>
        find(at, undefined, undefined).pipe(Effect.provide([NodeFileSystem.layer, Path.layer]))
      assert.equal(yield* found(join(folder, "jobs")), undefined)
      assert.equal((yield* found(folder))?.folder, fs.realpathSync(folder))
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  }))

it.effect("all issues of both files are reported at once, each with its file and place", () =>
  Effect.gen(function*() {
    const root = yield* repository({
      "epilogue.yaml":
        "steps: {}\nstepHooks: { failure: ./hooks.ts#missing }\ntimeout: soon\nalerter: { jsonLines: { path: \"${NOWHERE}\" } }\n",
      "jobs/nightly.yaml": `${etl}runname: x\nstepHooks: { failure: ./hooks.ts#absent }\n`
    })
    const issues = yield* issuesOf(join(root, "jobs/nightly.yaml")).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: {} }))
    )
    const starts = issues.map((issue) => issue.replace(/ expected.*/, ""))
    assert.deepEqual(starts, [
      "jobs/nightly.yaml:2:1 runname:",
      "jobs/nightly.yaml:3:23 stepHooks.failure:",
      "epilogue.yaml:1:8 steps:",
      "epilogue.yaml:2:23 stepHooks.failure:",
      "epilogue.yaml:3:10 timeout:",
      "epilogue.yaml:4:31 alerter.jsonLines.path:"
    ])
  }))

it.effect("a language without an alerter in either file is a mistake", () =>
  Effect.gen(function*() {
    const root = yield* repository({ "epilogue.yaml": "logs: 2\n", "jobs/nightly.yaml": `${etl}language: de\n` })
    assert.deepEqual(yield* issuesOf(join(root, "jobs/nightly.yaml")), [
      "jobs/nightly.yaml:2:11 language: expected alerter beside it, without which it has no effect, found \"de\""
    ])
  }))

// -----------------------------------------------------------------------------
// trust
// -----------------------------------------------------------------------------

it.effect("a project file that others may write, and one that is a link out of the repository, are refused", () =>
  Effect.gen(function*() {
    const root = yield* repository({ "epilogue.yaml": hooks, "jobs/nightly.yaml": etl })
    const elsewhere = yield* repository({ "epilogue.yaml": hooks })
    const project = join(root, "epilogue.yaml")
    fs.chmodSync(project, 0o646)
    assert.deepEqual(yield* issuesOf(join(root, "jobs/nightly.yaml")), [
      "epilogue.yaml: expected a project file that only its owner may write, found a file that all users may write"
    ])
    assert.equal((yield* run(join(root, "jobs/nightly.yaml"), { project: false })).length, 1)
    fs.rmSync(project)
    fs.symlinkSync(join(elsewhere, "epilogue.yaml"), project)
    assert.match(
      (yield* issuesOf(join(root, "jobs/nightly.yaml")))[0]!,
      /expected a file in .*, found a link to outside of it/
    )
  }))

test("a file may be written by the user, root, the owner of the config, and the group that may write that", () => {
  const config = { uid: 1000, gid: 100, mode: 0o100644 }
  const user = () => 7
  const who = (file: Partial<typeof config>, base = config) => othersWho({ ...config, ...file }, base, user)
  assert.equal(who({}), undefined)
  assert.equal(who({ uid: 0 }), undefined)
  assert.equal(who({ uid: 7 }), undefined)
  assert.equal(who({ uid: 8 }), "the user 8, who owns it")
  assert.equal(who({ mode: 0o100666 }), "all users")
  assert.equal(who({ mode: 0o100664 }), "the group 100")
  assert.equal(who({ mode: 0o100664 }, { ...config, mode: 0o100664 }), undefined)
  assert.equal(who({ gid: 101, mode: 0o100664 }, { ...config, mode: 0o100664 }), "the group 101")
})
