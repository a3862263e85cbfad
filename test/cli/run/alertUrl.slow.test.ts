/** Alerts that go to the channel of a URL: of `--alert-url`, and of a config file. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { channelServer } from "../../support/channelServer.ts"
import { assertExitCode, type Ended, epilogue, onEachRuntime } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import type { Runtime } from "../../support/runtimes.ts"
import { projectFolder } from "../support.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const secret = "s3cr3t0123456789abcdef"

const module = `import { Effect } from "effect"
import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
const load = Step.make("load", Effect.sync(() => {
  if (process.env.HOW === "exit") process.exit(7)
}).pipe(Effect.andThen(Effect.fail(new Error("disk full, see " + process.env.ALERT_URL)))))
export const job = Pipeline.make("nightly", load).pipe(Pipeline.stepHooks(AlerterHooks.failure))
`

/** A folder with a pipeline that fails, and a server with the URL of a webhook there. */
const given = Effect.gen(function*() {
  const server = yield* channelServer({ status: 204 })
  const folder = yield* projectFolder
  writeFileSync(join(folder, "job.ts"), module)
  writeFileSync(join(folder, "job.yaml"), "pipeline: ./job.ts#job\nalerter: console\n")
  writeFileSync(join(folder, "url.yaml"), "pipeline: ./job.ts#job\nalerter: ${ALERT_URL}\n")
  const url = server.url.replace("http:", "webhook:") + `/${secret}`
  const run = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}, runtime: Runtime = "bun") =>
    Effect.tap(
      epilogue(runtime, args, { cwd: folder, env: { ALERT_URL: url, ...env } }),
      ({ stderr, stdout }: Ended) => Effect.sync(() => assert.doesNotMatch(stdout + stderr, /s3cr3t/))
    )
  const titles = () => server.requests.splice(0).map(({ json, path }) => [path, json.title])
  return { server, folder, url, run, titles }
})

it.live("epilogue alert posts to the channel of a URL, given as it is or by a variable, without any file", () =>
  Effect.scoped(Effect.gen(function*() {
    const { run, titles, url } = yield* given
    yield* onEachRuntime((runtime) =>
      Effect.gen(function*() {
        const args = ["alert", "--title", "disk full", "--body", "x", "--alert-url"]
        for (const given of [url, "${ALERT_URL}"]) {
          const ended = yield* run([...args, given], {}, runtime)
          assertExitCode(ended, 0)
          assert.equal(ended.stdout, "arrived  webhook  --alert-url webhook  disk full\n")
        }
      })
    )
    assert.deepEqual(new Set(titles().map(String)), new Set([`/${secret},disk full`]))
    const two = yield* run(["alert", "--title", "t", "--body", "x", "--alert-url", url, "--alert-url", "console://"])
    assertExitCode(two, 0)
    assert.match(two.stdout, /arrived {2}webhook {2}--alert-url fanOut\[0\]\.webhook/)
    assert.match(two.stdout, /arrived {2}console {2}--alert-url fanOut\[1\]\.console/)
    const tried = yield* run(["alert", "--test", "--alert-url", "${ALERT_URL}"])
    assertExitCode(tried, 0)
  })))

it.live("epilogue run alerts the channel of a URL in place of the file's alerter, and tells it of a crash", () =>
  Effect.scoped(Effect.gen(function*() {
    const { run, titles } = yield* given
    const title = [[`/${secret}`, "nightly › load failed"]]
    for (const args of [["job.yaml"], ["./job.ts#job"], ["./job.ts#job", "--no-supervise"]]) {
      const ended = yield* run(["run", ...args, "--alert-url", "${ALERT_URL}"])
      assertExitCode(ended, 1)
      assert.deepEqual(titles(), title, args.join(" "))
      assert.doesNotMatch(ended.stdout, /ERROR nightly/)
    }
    assertExitCode(yield* run(["run", "./job.ts#job", "--alert-url", "${ALERT_URL}"], { HOW: "exit" }), 1)
    assert.match(String(titles()), /nightly.*(?:crashed|ended|exit)/)
    assertExitCode(yield* run(["run", "url.yaml"]), 1)
    assert.deepEqual(titles(), title)
  })))

it.live("check and explain print nothing of a URL, and a wrong one is an error that says which form is expected", () =>
  Effect.scoped(Effect.gen(function*() {
    const { folder, run, url } = yield* given
    writeFileSync(join(folder, "literal.yaml"), `pipeline: ./job.ts#job\nalerter: { url: "${url}" }\n`)
    writeFileSync(join(folder, "wrong.yaml"), `pipeline: ./job.ts#job\nalerter: discord://${secret}\n`)
    for (const command of ["check", "explain"]) {
      for (const args of [["literal.yaml"], ["url.yaml"], ["job.yaml", "--alert-url", url]]) {
        assertExitCode(yield* run([command, ...args]), 0)
      }
      const wrong = yield* run([command, "./job.ts#job", "--alert-url", `discord://${secret}`])
      assertExitCode(wrong, 2)
      assert.equal(wrong.stderr, "error: --alert-url takes discord://WEBHOOK_ID/WEBHOOK_TOKEN\n")
    }
    const file = yield* run(["check", "wrong.yaml"])
    assertExitCode(file, 2)
    assert.equal(
      file.stderr,
      "wrong.yaml:2:10 alerter: expected discord://WEBHOOK_ID/WEBHOOK_TOKEN, found a text of 32 characters\n"
    )
    const ran = yield* run(["run", "./job.ts#job", "--alert-url", url, "--alert-url", "${NO_SUCH}"])
    assertExitCode(ran, 2)
    assert.match(ran.stderr, /^error: --alert-url takes number 2: the variable NO_SUCH to be set/)
    // the form that is expected may begin with what was given, which hides none of it
    for (const wrong of [`slack://${secret}`, "slack://xoxb"]) {
      const alerted = yield* run(["alert", "--title", "t", "--body", "x", "--alert-url", wrong])
      assertExitCode(alerted, 2)
      const [first] = alerted.stderr.split("\n")
      assert.ok(
        first?.includes("--alert-url: expected slack://TOKEN_A/TOKEN_B/TOKEN_C or slack://xoxb-TOKEN/#CHANNEL,")
      )
    }
  })))
