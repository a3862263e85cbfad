/** The files and the exit codes of docs/running.md. */
import { Effect } from "effect"
import * as assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { parse } from "yaml"
import { ExitCode } from "../src/cli/request.ts"
import { stopCodes } from "../src/main/internal/signals.ts"
import { documentOf } from "./support/configFile.ts"
import { makeIt } from "./support/it.ts"

const it = makeIt(test)

const page = readFileSync(join(import.meta.dirname, "../docs/running.md"), "utf8")

const files = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text!)

it.effect("the config file has no mistake", () =>
  Effect.gen(function*() {
    const env = { SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/a/b/c", HEALTHCHECKS_URL: "https://hc.test/1" }
    const { pipeline } = yield* documentOf(files[0]!, { env }) // dies of the mistakes
    assert.equal(pipeline, "./nightly.ts#nightly")
  }))

it.effect("the workflow and the CronJob are YAML and run the config file", () =>
  Effect.sync(() => {
    const [, workflow, cronJob] = files.map((text) => parse(text))
    const { steps } = workflow.jobs.nightly
    assert.ok(steps.some(({ run }: { readonly run?: string }) => run?.endsWith("epilogue run nightly.yaml") === true))
    const { containers } = cronJob.spec.jobTemplate.spec.template.spec
    assert.deepEqual(containers[0].args, ["run", "nightly.yaml"])
  }))

it.effect("the table of exit codes has each of them", () =>
  Effect.sync(() => {
    const [, section] = page.split(/^## Exit codes$/m)
    const cells = [...section!.split(/^## /m)[0]!.matchAll(/^\| (\d[\d, ]*) \|/gm)]
    const codes = cells.flatMap(([, cell]) => cell!.split(",").map(Number))
    assert.deepEqual(codes, [...new Set([...Object.values(ExitCode), ...stopCodes])])
  }))
