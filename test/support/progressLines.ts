/** A script that prints more lines of progress to standard output than a pipe holds unread, and its outcome to standard error. */
import * as Effect from "effect/Effect"
import { writeSync } from "node:fs"
import process from "node:process"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"

const mode = process.argv[2] === "github" ? "github" : "plain"

const step = Step.make("a", Effect.sleep("1 millis"))

const run = Pipeline.make("p", Effect.forEach(Array.from({ length: 200 }), () => step, { discard: true })).pipe(
  Effect.provide(Report.layerProgress({ mode, stream: "stdout" }))
)

void Effect.runPromiseExit(run).then(({ _tag }) => writeSync(2, `# ${_tag.toLowerCase()}\n`))
