/**
 * A script that runs a pipeline with a live tree on standard error and ends in the way that its first argument names.
 * Lines that it prints about itself start with `#`.
 */
// oxlint-disable no-console -- writes to the console, which progress has to capture
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { writeSync } from "node:fs"
import process from "node:process"
import { Pipeline, Step } from "../../src/index.ts"
import { Report } from "../../src/report/index.ts"

const [way = "end", count] = process.argv.slice(2)

// writes to the descriptor, as process.stdout.write is captured
const say = (text: string) => writeSync(1, `# ${text}\n`)

const before = { out: process.stdout.write, err: process.stderr.write, log: console.log, error: console.error }
const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "exit", "uncaughtExceptionMonitor"]
const listeners = () => signals.map((name) => process.listenerCount(name)).join(" ")
const listening = listeners()

const sayRestored = () => {
  const { stderr, stdout } = process
  const same = before.out === stdout.write && before.err === stderr.write && before.log === console.log &&
    before.error === console.error && listening === listeners()
  say(same ? "restored" : `not restored: ${listeners()}`)
}

const soon = (f: () => void) => Effect.andThen(Effect.sync(() => setTimeout(f, 300)), Effect.never)

const body: Effect.Effect<unknown, unknown> = ({
  end: Effect.sleep("300 millis"),
  fail: Effect.andThen(Effect.sleep("300 millis"), Effect.fail("no")),
  // these two wait for a signal from the test
  wait: Effect.sleep("1 hour"),
  listen: Effect.sleep("1 hour"),
  stuck: Effect.never,
  exit: soon(() => process.exit(3)),
  throw: soon(() => {
    throw new Error("not caught")
  }),
  reject: soon(() => void Promise.reject(new Error("not caught"))),
  unfinished: soon(() => {
    process.stderr.write("half a line")
    process.on("exit", () => {
      process.stderr.write("the last ")
      console.error("words")
    })
    process.exit(3)
  }),
  output: Effect.gen(function*() {
    yield* Effect.sleep("500 millis")
    process.stdout.write("written to stdout\n")
    process.stderr.write("written to stderr\n")
    console.log("logged", { a: 1 })
    console.error("logged as an error")
    yield* Effect.log("logged by effect")
    yield* Effect.sleep("1500 millis")
  })
} as Readonly<Record<string, Effect.Effect<unknown, unknown>>>)[way] ?? Effect.void

const steps = Array.from({ length: Number(count ?? 1) }, (_, i) => Step.make(`step ${i + 1}`, body))

const run = Pipeline.make("etl", Effect.all(steps, { concurrency: "unbounded" })).pipe(
  Effect.provide(Report.layerProgress({ mode: "tree", colors: "never" }))
)

const fiber = Effect.runFork(run)
if (way === "listen") process.once("SIGINT", () => fiber.interruptUnsafe())
// not awaited: while its main module waits, Bun does not exit on an unhandled rejection
void Effect.runPromise(Fiber.await(fiber)).then(sayRestored)
