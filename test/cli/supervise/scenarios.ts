/** Runs supervised children as processes on Bun, Deno and Node. Parent and child are bundled, like the command. */
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ChannelServer, channelServer, type Received, type Reply } from "../../support/channelServer.ts"
import { root } from "../../support/command.ts"
import { makeIt, type RegisterTest } from "../../support/it.ts"
import { someRuntimes } from "../../support/runtimes.ts"
import { fixtures } from "../support.ts"

const bin = (name: string) => join(root, "node_modules/.bin", name)

const runtimes = {
  bun: { command: bin("bun"), args: [], heap: [] },
  deno: { command: bin("deno"), args: ["run", "-A", "--no-config"], heap: ["--v8-flags=--max-old-space-size=64"] },
  node: { command: bin("node"), args: [], heap: ["--max-old-space-size=64"] }
} as const

type Name = keyof typeof runtimes

/** Makes the files of parent and child in a folder. */
const bundle = (folder: string) =>
  build({
    entryPoints: ["superviseParent", "superviseChild"].map((name) => join(root, fixtures, `${name}.ts`)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error"
  })

/** The body of a posted alert. */
interface Posted {
  readonly title: string
  readonly body: string
  readonly severity: string
  readonly detail: string
  readonly dedupeKey: string
  readonly idempotencyKey?: string
  readonly fields: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly tags: ReadonlyArray<string>
  readonly source: { readonly runId: string; readonly attempt: number }
}

interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
  /** The alerts that the child and the parent have posted, sorted by title. */
  readonly child: ReadonlyArray<Posted>
  readonly parent: ReadonlyArray<Posted>
}

interface Given {
  readonly on?: ReadonlyArray<Name>
  readonly heap?: boolean
  readonly env?: Readonly<Record<string, string>>
  /** Called with the id of the parent process when that posts an alert. */
  readonly onPost?: (pid: number) => Reply
  /** The condition to wait for after the parent has ended. */
  readonly until?: (server: ChannelServer) => boolean
}

const run = (
  folder: string,
  name: Name,
  scenario: string,
  { env, heap, onPost, until }: Given
): Effect.Effect<Outcome> =>
  Effect.scoped(Effect.gen(function*() {
    let pid = 0
    const reply = ({ path }: Received): Reply => path === "/parent" && onPost !== undefined ? onPost(pid) : {}
    const server = yield* channelServer(reply as Reply)
    const runtime = runtimes[name]
    const childArgs = [...runtime.args, ...(heap === true ? runtime.heap : []), join(folder, "superviseChild.mjs")]
    const ended = yield* Effect.callback<Pick<Outcome, "code" | "signal" | "stderr">>((resume) => {
      const parent = spawn(runtime.command, [
        ...runtime.args,
        join(folder, "superviseParent.mjs"),
        ...childArgs,
        scenario
      ], {
        env: { ...process.env, ALERTS: server.url, ...env },
        stdio: ["ignore", "ignore", "pipe"]
      })
      pid = parent.pid!
      let stderr = ""
      parent.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text)
      parent.on("close", (code, signal) => resume(Effect.succeed({ code, signal, stderr })))
      return Effect.sync(() => parent.kill("SIGKILL"))
    })
    if (until !== undefined) yield* Effect.repeat(Effect.sleep("10 millis"), { until: () => until(server) })
    const posted = (path: string) =>
      server.requests.filter((request) => request.path === path).map(({ json }): Posted => json)
        .toSorted((a, b) => a.title < b.title ? -1 : 1)
    return { ...ended, child: posted("/child"), parent: posted("/parent") }
  }))

/** Returns a function that registers a test: it runs a scenario of the child and checks its outcome on each runtime. */
export const scenarios = (test: RegisterTest, after: (clean: () => void) => void) => {
  const it = makeIt(test)
  const folder = mkdtempSync(join(tmpdir(), "supervise-"))
  after(() => rmSync(folder, { recursive: true }))
  const built = bundle(folder)
  return (
    name: string,
    scenario: string,
    check: (outcome: Outcome, runtime: Name) => void,
    given: Given = {}
  ): void =>
    it.live(name, () =>
      Effect.andThen(
        Effect.promise(() => built),
        Effect.forEach(
          given.on ?? someRuntimes(name),
          (runtime) =>
            Effect.map(run(folder, runtime, scenario, given), (outcome) => {
              try {
                check(outcome, runtime)
              } catch (error) {
                throw new Error(`on ${runtime}: ${JSON.stringify(outcome, null, 1)}`, { cause: error })
              }
            }),
          { concurrency: "unbounded" }
        )
      ))
}

/** Returns the titles of alerts. */
export const titles = (alerts: ReadonlyArray<Posted>) => alerts.map(({ title }) => title)

/** Returns the alert about the run that crashed. */
export const ofRun = ({ parent }: Outcome) => titled(parent, "nightly crashed")

/** Returns the alert about the step that crashed. */
export const ofLoad = ({ parent }: Outcome) => titled(parent, "nightly › load crashed")

/** Returns the alert with a title. */
export const titled = (alerts: ReadonlyArray<Posted>, title: string): Posted =>
  alerts.find((alert) => alert.title === title) ?? assert.fail(`there is no "${title}"`)

/** Returns the fields of an alert by name. */
export const fieldsOf = ({ fields }: Posted): Record<string, string> =>
  Object.fromEntries(fields.map(({ name, value }) => [name, value]))

/** Asserts the titles of the alerts that the parent has posted. */
export const parentSays = (...expected: ReadonlyArray<string>) => ({ code, parent }: Outcome) => {
  assert.deepEqual(titles(parent), expected)
  assert.equal(code, 1)
}
