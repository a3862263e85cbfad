import { NodeServices } from "@effect/platform-node"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { ConfigFile } from "../../src/config/index.ts"
import { minSeverity } from "../../src/delivery/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { canary, leaks, recorder } from "../support/canary.ts"
import { makeIt } from "../support/it.ts"
import { temporaryFolder } from "../support/temporaryFolder.ts"
import { calls } from "./fixtures/load/pipeline.ts"
import { folder, loadText, runText } from "./support.ts"

const it = makeIt(test)

/** Returns the place of each issue, and the whole message. */
const issuesOf = (text: string, ...options: Parameters<typeof loadText> extends [string, ...infer O] ? O : never) =>
  Effect.map(Effect.flip(loadText(text, ...options)), (error) => {
    assert.ok(error instanceof ConfigFile.ConfigFileError)
    return {
      places: error.issues.map(({ path, position }) => `${position?.line}:${position?.column} ${path.join(".")}`),
      message: error.message
    }
  })

const environment = (variables: Readonly<Record<string, string>>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))

// -----------------------------------------------------------------------------
// issues
// -----------------------------------------------------------------------------

it.effect("all issues with modules and parameters are reported at once, with their places", () =>
  Effect.gen(function*() {
    calls.length = 0
    const { message, places } = yield* issuesOf(`pipeline: ./pipeline.ts#training
params:
  TrainParams: { epochs: many, name: x }
  Trainparams: { epochs: 1 }
stepHooks:
  failure: [./hooks.ts#failure, ./hooks.ts#nowhere]
  success: ./nowhere.ts#success
steps:
  trained:
    hooks: { failure: [./hooks.ts#otherSuccess] }
    params: { TrainParams: { epochs: 1.5 } }
`)
    assert.deepEqual(places.toSorted(), [
      "10:24 steps.trained.hooks.failure.0",
      "11:38 steps.trained.params.TrainParams.epochs",
      "3:26 params.TrainParams.epochs",
      "4:16 params.Trainparams",
      "6:33 stepHooks.failure.1",
      "7:12 stepHooks.success"
    ])
    assert.match(message, /test\.yaml:6:33 stepHooks\.failure\[1\]: .*nowhere/)
    assert.match(message, /the module exports failure, otherSuccess, retry and success|otherSuccess/)
    assert.deepEqual(calls, [])
  }))

it.effect("issues with keys and with the modules that they name are reported together", () =>
  Effect.gen(function*() {
    const { message, places } = yield* issuesOf(`pipeline: ./pipeline.ts#training
params: { TrainParams: { epochs: 3, name: x } }
stepHooks:
  failure: [./hooks.ts#nowhere, { use: ./hooks.ts#failure, timout: 5 seconds }, ./hooks.ts#neither]
steps:
  good: { retry: { time: 3 }, hooks: { success: ./hooks.ts#none } }
alerter: { slack: { webhookUrl: "\${NOPE}" } }
`)
    assert.deepEqual(places, [
      "4:13 stepHooks.failure.0",
      "4:60 stepHooks.failure.1.timout",
      "4:81 stepHooks.failure.2",
      "6:20 steps.good.retry.time",
      "6:49 steps.good.hooks.success",
      "7:33 alerter.slack.webhookUrl"
    ], message)
    // a syntax error is an issue of its own
    const wrong = yield* issuesOf("pipeline: ./nowhere.ts#x\nparams: { TrainParams: { epochs: 1, name: [}] } }")
    assert.ok(wrong.places.length > 0)
  }))

it.effect("a pipeline that is missing, or not a Pipeline, is an issue at its place", () =>
  Effect.gen(function*() {
    assert.match(
      (yield* issuesOf("pipeline: ./pipeline.ts#number")).message,
      /1:11 pipeline: expected a Pipeline, found \.\/pipeline\.ts#number: number, and no Effect/
    )
    assert.match(
      (yield* issuesOf("pipeline: ./pipeline.ts#promised")).message,
      /1:11 pipeline: expected a Pipeline, found \.\/pipeline\.ts#promised: a promise, and no Effect: wrap it/
    )
    assert.match((yield* issuesOf("pipeline: ./pipeline.ts#piepline")).message, /pipeline/)
    assert.match((yield* issuesOf("pipeline: ../../../../../../outside.ts#pipeline")).message, /1:11 pipeline/)
    assert.match((yield* issuesOf("runName: x")).message, /no pipeline/)
    // an issue with a flag has no position
    const flag = yield* issuesOf("runName: x", { pipeline: "./pipeline.ts#number" })
    assert.deepEqual(flag.places, ["undefined:undefined pipeline"])
    assert.match(flag.message, /the command line/)
    const params = { TrainParams: { epochs: "x", name: "x" } }
    const { places } = yield* issuesOf("pipeline: ./pipeline.ts#training", { params })
    assert.deepEqual(places, ["undefined:undefined params.TrainParams.epochs"])
  }))

it.effect("parameters: a misspelt field names those that exist, a wrong value what is expected, a missing one that", () =>
  Effect.gen(function*() {
    const told = (params: string) =>
      Effect.map(
        issuesOf(`pipeline: ./pipeline.ts#training\nparams: { TrainParams: ${params} }`),
        ({ message }) => message.split("\n").map((line) => line.replace(/^.*?test\.yaml:/, "")).toSorted()
      )
    // the field that was meant is not also missing
    assert.deepEqual(yield* told("{ epoch: 1, name: 7 }"), [
      "2:33 params.TrainParams.epoch: expected one of the fields epochs, name, found the field \"epoch\" (did you mean epochs?)",
      "2:42 params.TrainParams.name: expected text, found 7"
    ])
    assert.deepEqual(yield* told("{ epochs: 1, name: 01234 }"), [
      "2:43 params.TrainParams.name: expected text, found 01234"
    ])
    assert.deepEqual(yield* told("{ eras: 1, name: x }"), [
      "2:24 params.TrainParams.epochs: expected a value, found none",
      "2:32 params.TrainParams.eras: expected one of the fields epochs, name, found the field \"eras\""
    ])
    // nothing is said of the services of a module that does not load
    const { places } = yield* issuesOf("pipeline: ./nowhere.ts#x\nparams: { TrainParams: { epochs: 1 } }")
    assert.deepEqual(places, ["1:11 pipeline"])
  }))

it.effect("parameters: a text is no number, and what was found is told unless it is of a variable or may be a secret", () =>
  Effect.gen(function*() {
    const { message } = yield* issuesOf(
      `pipeline: ./pipeline.ts#training
public: [SHOWN]
params:
  Rates: { rate: "NaN", size: \${HIDDEN}, key: 7, tags: [a, 1] }
steps:
  train: { params: { Rates: { rate: \${SHOWN}, size: "10%", key: [s3cret], tags: no } } }`
    ).pipe(environment({ HIDDEN: "Infinity", SHOWN: "1:30" }))
    assert.deepEqual(message.split("\n").map((line) => line.replace(/^.*?test\.yaml:/, "")), [
      "4:18 params.Rates.rate: expected a number, found \"NaN\"",
      "4:31 params.Rates.size: expected a number, found <redacted>",
      "4:47 params.Rates.key: expected text, found an invalid value",
      "4:60 params.Rates.tags[1]: expected text, found 1",
      "6:37 steps.train.params.Rates.rate: expected a number, found \"1:30\"",
      "6:53 steps.train.params.Rates.size: expected a number, found \"10%\"",
      "6:65 steps.train.params.Rates.key: expected text, found a list of 1",
      "6:81 steps.train.params.Rates.tags: expected a list, found \"no\""
    ])
  }))

it.effect("the name of a run that a flag sets is not empty", () =>
  Effect.gen(function*() {
    for (const runName of ["", "  "]) {
      const { message } = yield* Effect.flip(loadText("pipeline: ./pipeline.ts#pipeline", { runName }))
      assert.equal(message, "the command line runName: expected a name, as text, found an empty text")
    }
  }))

it.effect("a flag for a field with the name of a property of all objects is one for an unknown field", () =>
  Effect.gen(function*() {
    for (const field of ["__proto__", "constructor"]) {
      const params = { TrainParams: Object.fromEntries([[field, 1]]) }
      const { issues } = yield* Effect.flip(loadText(
        "pipeline: ./pipeline.ts#training\nparams: { TrainParams: { epochs: 1, name: a } }",
        { params }
      ))
      assert.deepEqual(issues.map(({ path }) => path), [["params", "TrainParams", field]])
    }
  }))

it.effect("of a parameter that may be one of several values all are named, and of a part of one its fields", () =>
  Effect.gen(function*() {
    const choices = (values: string) =>
      Effect.map(
        Effect.flip(loadText(`pipeline: ./pipeline.ts#pipeline\nparams:\n  Choices: ${values}`)),
        ({ issues }) => issues.map(({ expected, found, path }) => [path.slice(2).join("."), expected, found])
      )
    assert.deepEqual(yield* choices("{ mode: fsat, limit: non, stores: [{ url: x, pol: 3 }] }"), [
      ["mode", "\"fast\" or \"slow\" (did you mean fast?)", "\"fsat\""],
      ["limit", "a number or \"none\" (did you mean none?)", "\"non\""],
      ["stores.0.pol", "one of the fields url, pool", "the field \"pol\" (did you mean pool?)"]
    ])
    assert.deepEqual(yield* choices("{ mode: fast, limit: 1, stores: [{ ulr: x, pool: 3 }, { pool: 4 }] }"), [
      ["stores.0.ulr", "one of the fields url, pool", "the field \"ulr\" (did you mean url?)"],
      ["stores.1.url", "a value", "none"]
    ])
    assert.deepEqual(yield* choices("{ mode: 5, limit: [1], stores: [{ url: x, pool: 0.5 }] }"), [
      ["mode", "\"fast\" or \"slow\"", "5"],
      ["limit", "a number or \"none\"", "a list of 1"],
      ["stores.0.pool", "a whole number", "0.5"]
    ])
  }))

it.effect("a missing file is an issue", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(ConfigFile.load("/nowhere/at/all.yaml"))
    assert.match(error.message, /no such file/)
  }).pipe(Effect.provide([NodeFileSystem.layer, Path.layer])))

// -----------------------------------------------------------------------------
// runs
// -----------------------------------------------------------------------------

it.live("a file of more than 1 MiB, a pipe and a device are refused without reading them", () =>
  Effect.gen(function*() {
    const at = yield* temporaryFolder("config")
    const load = (file: string) =>
      Effect.map(
        Effect.flip(Effect.provide(ConfigFile.load(file), NodeServices.layer)),
        ({ message }) => message.replace(`${file}: `, "")
      )
    const large = join(at, "large.yaml")
    writeFileSync(large, "")
    // takes no room on the disk, and no process has so much memory
    truncateSync(large, 2 ** 40)
    assert.equal(yield* load(large), "expected a file of at most 1048576 bytes, found a file of 1099511627776 bytes")
    assert.equal(yield* load("/dev/zero"), "expected a config file, found a device")
    const pipe = join(at, "pipe.yaml")
    // nobody writes to it
    execFileSync("mkfifo", [pipe])
    assert.equal(yield* load(pipe), "expected a config file, found a pipe")
    // what has no size is not read, since that may wait without end, as for /proc/kmsg
    if (!existsSync("/proc/version")) return
    const ofSystem = join(at, "system.yaml")
    symlinkSync("/proc/version", ofSystem)
    assert.equal(
      (yield* load(ofSystem)).replace(/^.*?: /, ""),
      "expected a map with keys such as pipeline, steps and alerter, found nothing"
    )
  }))

it.effect("a step whose name is close to that of an exported step is an issue", () =>
  Effect.gen(function*() {
    const { message, places } = yield* issuesOf(`pipeline: ./pipeline.ts#pipeline
steps:
  good: {}
  goood: { retry: 1 }
  counts: { retry: 1 }
  elsewhere: { retry: 1 }`)
    assert.deepEqual(places.map((place) => place.replace(/^\S+ /, "")), ["steps.goood", "steps.counts"])
    assert.match(message, /did you mean good\?/)
    // the name of a step that an exported function makes
    assert.match(message, /did you mean count\?/)
  }))

it.effect("unusedSteps returns the steps of the file that have not run", () =>
  Effect.gen(function*() {
    const { pipeline, unusedSteps } = yield* loadText(`pipeline: ./pipeline.ts#pipeline
steps:
  good: { retry: 1 }
  elsewhere: { retry: 1 }
  slow: { timeout: 1 second }`)
    assert.deepEqual(yield* unusedSteps, ["good", "elsewhere", "slow"])
    yield* pipeline
    assert.deepEqual(yield* unusedSteps, ["elsewhere", "slow"])
  }).pipe(Effect.provide([NodeFileSystem.layer, Path.layer])))

it.effect("alerts go to the file's alerter, even if the environment has another", () =>
  Effect.gen(function*() {
    yield* runText(`pipeline: ./pipeline.ts#pipeline
stepHooks: { failure: epilogue#alerterFailure }
annotations: { team: data }
steps: { bad: { annotations: { rows: 3 } } }
alerter: console`)
    const [line, ...more] = yield* TestConsole.logLines
    assert.deepEqual(more, [])
    assert.match(String(line), /ERROR both › bad failed/)
    assert.match(String(line), /team +data/)
    assert.match(String(line), /rows +3/)
    assert.deepEqual(yield* TestAlerter.sent, [])
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("without an alerter in the file, alerts go to that of the environment", () =>
  Effect.gen(function*() {
    yield* runText("pipeline: ./pipeline.ts#pipeline\nstepHooks: { failure: epilogue#alerterFailure }")
    assert.deepEqual((yield* TestAlerter.sent).map(({ title }) => title), ["both › bad failed"])
  }).pipe(Effect.provide(TestAlerter.layer)))

it.effect("the option `alerter` wraps the file's alerter in a policy", () =>
  Effect.gen(function*() {
    const text = "pipeline: ./pipeline.ts#pipeline\nstepHooks: { failure: epilogue#alerterFailure }\nalerter: console"
    yield* runText(text, { alerter: minSeverity("critical") })
    assert.deepEqual(yield* TestConsole.logLines, [])
  }))

it.effect("the value of a variable reaches the body of a step and no output", () =>
  Effect.gen(function*() {
    calls.length = 0
    const recorded = recorder()
    const text = `pipeline: ./pipeline.ts#training
params: { TrainParams: { epochs: "\${EPOCHS}", name: "\${NAME}" } }
stepHooks: { failure: epilogue#alerterFailure }
alerter: console`
    yield* runText(text).pipe(environment({ EPOCHS: "5", NAME: canary }), Effect.provide(recorded.layer))
    const [body, hook, ...more] = calls.splice(0)
    assert.equal(body, `epochs 5 (number), name ${canary}`)
    assert.equal(hook, `{"TrainParams":{"epochs":"<redacted>","name":"<redacted>"}}`)
    assert.deepEqual(more, [])
    const wrong = yield* Effect.flip(loadText(text).pipe(environment({ EPOCHS: canary, NAME: "x" })))
    recorded.keep("events", wrong)
    const missing = yield* Effect.flip(loadText(text).pipe(environment({ EPOCHS: canary })))
    assert.match(missing.message, /NAME/)
    recorded.keep("events", missing, yield* TestConsole.logLines)
    assert.ok(recorded.counts.events > 5)
    assert.deepEqual(leaks(recorded.outputs), [])
  }))

it.effect("a JSON file configures a run as a YAML file does", () =>
  Effect.gen(function*() {
    calls.length = 0
    const text = JSON.stringify({
      pipeline: "./pipeline.ts#pipeline",
      runName: "j",
      stepHooks: { success: "./hooks.ts#success" }
    })
    yield* runText(text, {}, "test.json")
    assert.deepEqual(calls.slice(-2), ["good: file success", "run j: code success"])
  }))

it.effect("loadPipeline runs a pipeline without a file, with parameters", () =>
  Effect.gen(function*() {
    calls.length = 0
    const { pipeline, pipelineName } = yield* ConfigFile.loadPipeline(`${folder}/pipeline.ts#training`, {
      allowOutside: true,
      params: { TrainParams: { epochs: 2, name: "flag" } }
    })
    assert.equal(pipelineName, "training")
    yield* pipeline
    assert.equal(calls[0], "epochs 2 (number), name flag")
  }).pipe(Effect.provide([NodeFileSystem.layer, Path.layer])))

// -----------------------------------------------------------------------------
// explain
// -----------------------------------------------------------------------------

it.effect("the explanation lists each hook with its origin and the reason", () =>
  Effect.gen(function*() {
    const { steps } = yield* loadText(`pipeline: ./pipeline.ts#pipeline
stepHooks:
  success: ./hooks.ts#success
inherit: { success: append }
steps:
  good: { hooks: { success: [./hooks.ts#otherSuccess] }, inherit: append }
  later: { hooks: { failure: ./hooks.ts#failure } }`)
    const of = (name: string) => steps.find(({ step }) => step === name)!
    const shown = (name: string) =>
      of(name).hooks.map(({ from, kind, name }) =>
        `${kind} ${name} ${from === "code" ? "code" : `${from.position?.line}:${from.position?.column}`}`
      )
    assert.deepEqual(shown("good"), [
      "success onSuccess code",
      "success success 3:12",
      "success otherSuccess 6:30",
      "failure onFailure code"
    ])
    assert.deepEqual(shown("bad"), ["success onSuccess code", "success success 3:12", "failure onFailure code"])
    assert.equal(of("later").inCode, false)
    // a function of the module makes it
    assert.equal(of("count").inCode, false)
    assert.deepEqual(shown("count"), shown("bad"))
    assert.ok(of("good").inCode)
    for (const { hooks } of steps) for (const { why } of hooks) assert.ok(why.length > 10)
  }))

it.effect("the explanation has the time limits of the run and of each step", () =>
  Effect.gen(function*() {
    const ofStep = ({ steps }: ConfigFile.Loaded, name: string) => steps.find(({ step }) => step === name)!.timeout
    const file = `pipeline: ./pipeline.ts#waiting
timeout: { limit: 2 hours, grace: 1 second }
steps: { good: { timeout: 5 minutes } }`
    const loaded = yield* loadText(file)
    assert.deepEqual(loaded.timeout, { limit: 7_200_000, grace: 1_000 })
    assert.deepEqual(ofStep(loaded, "good"), { limit: 300_000, grace: 5_000 })
    assert.deepEqual(ofStep(loaded, "slow"), { limit: 1_800_000, grace: 5_000 })
    assert.equal(ofStep(loaded, "bad"), undefined)
    const without = yield* loadText("pipeline: ./pipeline.ts#waiting\nsteps: { slow: { timeout: false } }")
    assert.deepEqual([without.timeout, ofStep(without, "slow")], [undefined, undefined])
  }))

it.effect("the explanation says which hooks run only where others have nothing to do", () =>
  Effect.gen(function*() {
    const { steps } = yield* loadText(`pipeline: ./pipeline.ts#pipeline
steps:
  bad: { hooks: { failure: { use: ./hooks.ts#failure, when: { tag: Other } } } }`)
    assert.deepEqual(
      steps.find(({ step }) => step === "bad")!.hooks.flatMap(({ kind, why }) => kind === "failure" ? [why] : []),
      [
        "the file's failure hooks of the step replace all others; where it has nothing to do, the hooks below run",
        "the pipeline's in code, which the file's hooks inherit; only where failure has nothing to do"
      ]
    )
  }))

it.effect("a count of failures in a row without a store is a warning, unless persist: false says that it is meant", () =>
  Effect.gen(function*() {
    const warned = (alerter: string) =>
      Effect.map(
        loadText(`pipeline: ./pipeline.ts#pipeline\nalerter:\n  ${alerter}\n`),
        ({ warnings }) => warnings.map(({ found, path, position }) => [path.join("."), position?.line, found])
      )
    const found =
      "a count that begins anew with each process, with which a job that is started for each run tells nothing"
    assert.deepEqual(yield* warned("{ console: true, afterConsecutive: 2 }"), [["alerter.afterConsecutive", 3, found]])
    assert.deepEqual(yield* warned("fanOut: [console, { console: true, afterConsecutive: { n: 3 } }]"), [
      ["alerter.fanOut.1.afterConsecutive", 3, found]
    ])
    for (
      const meant of [
        "{ console: true, afterConsecutive: 1 }",
        "{ console: true, afterConsecutive: { n: 2, persist: false } }",
        "{ console: true, afterConsecutive: 2, store: alerts.db }",
        "{ fanOut: [{ console: true, afterConsecutive: 2 }], store: alerts.db }"
      ]
    ) assert.deepEqual(yield* warned(meant), [], meant)
  }))

it.effect("steps of one name without keys among the exports, and functions that make them, are a warning for each name", () =>
  Effect.gen(function*() {
    const { warnings } = yield* loadText("runName: tonight\npipeline: ./sameNames.ts#pipeline\n")
    assert.deepEqual(warnings.map(({ found, path, position }) => [path.join("."), position?.line, found]), [
      ["pipeline", 2, "2 steps named \"page\" without keys: the exports fetchPage, readPage"],
      ["pipeline", 2, "2 steps named \"load\" without keys: the exports orders, prices"]
    ])
    assert.match(warnings[0]!.expected, /Step\.key/)
    const { warnings: none } = yield* loadText("pipeline: ./pipeline.ts#pipeline\n")
    assert.deepEqual(none, [])
  }))
