/** The values of variables in config files: which are kept secret, and which may be shown. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { TestConsole } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { ConfigFile } from "../../src/config/index.ts"
import { canary, leaks, recorder } from "../support/canary.ts"
import { issueLines } from "../support/configFile.ts"
import { makeIt } from "../support/it.ts"
import { loadText, runText } from "./support.ts"

const it = makeIt(test)

const environment = (variables: Readonly<Record<string, string>>) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(variables)))

const training = (more: string) =>
  `pipeline: ./pipeline.ts#training
params: { TrainParams: { epochs: "\${EPOCHS}", name: "\${NAME}" } }
stepHooks: { success: epilogue#alerterSuccess }
${more}`

it.effect("public lists variables whose values are shown, wherever they stand", () =>
  Effect.gen(function*() {
    const text = training(`public: [EPOCHS, REGION]
runName: "train in \${REGION}"
annotations: { region: "\${REGION}", places: ["in \${REGION}", "\${SECRET}"] }
alerter: console`)
    yield* runText(text).pipe(environment({ EPOCHS: "5", NAME: canary, REGION: "eu-west-1", SECRET: `s-${canary}` }))
    const alert = (yield* TestConsole.logLines).join("\n")
    assert.match(alert, /run +train in eu-west-1/)
    assert.match(alert, /TrainParams +\{"epochs":5,"name":"<redacted>"\}/)
    assert.match(alert, /region +eu-west-1/)
    assert.match(alert, /places +\["in eu-west-1","<redacted>"\]/)
    assert.deepEqual(leaks([alert]), [])
  }))

it.effect("an issue shows the value of a public variable, and of no other", () =>
  Effect.gen(function*() {
    const text = "public: SHOWN\ndefaults: { timeout: \"${SHOWN}\", retry: \"${HIDDEN}\" }"
    const lines = yield* issueLines(text, { env: { SHOWN: "for ever", HIDDEN: canary } })
    assert.match(lines[0]!, /^2:\d+ defaults\.timeout: .* found "for ever"$/)
    assert.match(lines[1]!, /^2:\d+ defaults\.retry: .* found <redacted>$/)
    assert.deepEqual(
      yield* issueLines("public: [\"${NAME}\", \"a b\", 1]", { env: { NAME: "NAME" } }).pipe(
        Effect.map((issues) => issues.map((line) => line.replace(/^\S+ (\S+): expected (.*), found .*$/, "$1 $2")))
      ),
      [
        "public[0] the name of a variable, without ${}",
        "public[1] the name of a variable, without ${}",
        "public[2] the name of a variable, without ${}"
      ]
    )
  }))

it.effect("a value that is too short to be looked for is a warning with its place and its variable", () =>
  Effect.gen(function*() {
    const { warnings } = yield* loadText(training("alerter: console"))
    assert.deepEqual(warnings.map(({ found, path, position }) => [path.join("."), position?.line, found]), [[
      "params.TrainParams.epochs",
      2,
      "the variable EPOCHS with a value of 1 character, which may be shown in alerts and logs"
    ]])
    const public_ = yield* loadText(training("public: EPOCHS\nalerter: console"))
    assert.deepEqual(public_.warnings, [])
    const ofFile = yield* loadText(training("public: EPOCHS\nalerter: console\ntimeout: ${LIMIT:-5s}"))
    assert.deepEqual(ofFile.warnings, [])
  }).pipe(environment({ EPOCHS: "5", NAME: "long enough" })))

it.effect("dollar signs and templates that look like variables, and are none, are warnings that show no text", () =>
  Effect.gen(function*() {
    const warned = (title: string) =>
      Effect.map(
        loadText(`pipeline: ./pipeline.ts#pipeline\nrunName: ${title}\nannotations: { same: ${title} }`),
        ({ warnings }) => warnings.map(({ expected, found, path }) => [path.join("."), found, expected])
      )
    const doubled = [
      "$$ before a name, which stays as it is",
      "$NAME for that text, since only ${NAME} is a variable, or ${NAME} for the variable"
    ]
    const bare = ["$NAME, which stays as it is", "${NAME} for the variable that is set"]
    const both = (warning: ReadonlyArray<string>) => ["runName", "annotations.same"].map((path) => [path, ...warning])
    assert.deepEqual(yield* warned("of $$NAME"), both(doubled))
    assert.deepEqual(yield* warned("of $NAME"), both(bare))
    for (const [title, shown] of [["{{ ds }}", "{{ }}"], ["$(date)", "$( )"], ["<%= name %>", "<% %>"]] as const) {
      assert.deepEqual(
        yield* warned(`"of ${title}"`),
        both([`${shown}, which stays as it is`, "${NAME} for a variable"]),
        title
      )
    }
    for (const title of ["$$x", "$OTHER", "5 $", "US$", "${EPOCHS}", "$${NAME}", "$name"]) {
      assert.deepEqual((yield* warned(`of ${title}`)).filter(([, found]) => found?.includes("stays")), [], title)
    }
  }).pipe(environment({ EPOCHS: "5", NAME: "long enough" })))

it.effect("the topic and the server of ntfy may be shown, unless the topic is written as a secret", () =>
  Effect.gen(function*() {
    const shownIn = (topic: string) =>
      Effect.gen(function*() {
        const recorded = recorder()
        const text = training(`annotations: { about: "nightly-etl at ntfy.example.com" }
alerter: { fallback: [console, { ntfy: { topic: ${topic}, server: "\${NTFY_SERVER}" } }] }`)
        yield* runText(text).pipe(Effect.provide(recorded.layer))
        return (yield* TestConsole.logLines).join("\n").match(/about +(.*)/g)?.at(-1)?.replace(/^about +/, "")
      })
    assert.equal(yield* shownIn("\"${NTFY_TOPIC}\""), "nightly-etl at ntfy.example.com")
    assert.equal(yield* shownIn("{ secret: \"${NTFY_TOPIC}\" }"), "<redacted> at ntfy.example.com")
  }).pipe(environment({ EPOCHS: "5", NAME: "n", NTFY_TOPIC: "nightly-etl", NTFY_SERVER: "https://ntfy.example.com" })))

it.effect("an issue of a module or a parameter quotes no value of a variable", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(loadText(training("steps: { good: { timeout: \"${NAME}\" } }")))
    assert.ok(ConfigFile.isConfigFileError(error))
    assert.deepEqual(leaks([error, error.issues, error.message]), [])
  }).pipe(environment({ EPOCHS: canary, NAME: canary })))
