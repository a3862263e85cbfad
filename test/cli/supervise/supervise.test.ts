/**
 * Supervised runs as processes on Bun, Deno and Node: how the child dies, and who posts what.
 * Parent and child are bundled, as the command is.
 */
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import * as assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { type ChannelServer, channelServer, type Received, type Reply } from "../../support/channelServer.ts"
import { root } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import { fixtures } from "../support.ts"

const it = makeIt(test)

const bin = (name: string) => join(root, "node_modules/.bin", name)

const runtimes = {
  bun: { command: bin("bun"), args: [], heap: [] },
  deno: { command: bin("deno"), args: ["run", "-A", "--no-config"], heap: ["--v8-flags=--max-old-space-size=64"] },
  node: { command: bin("node"), args: [], heap: ["--max-old-space-size=64"] }
} as const

type Name = keyof typeof runtimes

const folder = mkdtempSync(join(tmpdir(), "supervise-"))
after(() => rmSync(folder, { recursive: true }))

const built = build({
  entryPoints: ["superviseParent", "superviseChild"].map((name) => join(root, fixtures, `${name}.ts`)),
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  logLevel: "error"
})

/** As a webhook has it. */
interface Posted {
  readonly title: string
  readonly body: string
  readonly severity: string
  readonly detail: string
  readonly dedupeKey: string
  readonly fields: ReadonlyArray<{ readonly name: string; readonly value: string }>
  readonly tags: ReadonlyArray<string>
  readonly source: { readonly runId: string; readonly attempt: number }
}

interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
  /** What came from the child and what from its parent, each sorted by title. */
  readonly child: ReadonlyArray<Posted>
  readonly parent: ReadonlyArray<Posted>
}

interface Given {
  readonly on?: ReadonlyArray<Name>
  readonly heap?: boolean
  readonly env?: Readonly<Record<string, string>>
  /** Called when the parent (by its id) posts. */
  readonly onPost?: (pid: number) => Reply
  /** What must have come before the test goes on. */
  readonly until?: (server: ChannelServer) => boolean
}

const run = (name: Name, scenario: string, { env, heap, onPost, until }: Given): Effect.Effect<Outcome> =>
  Effect.scoped(Effect.gen(function*() {
    yield* Effect.promise(() => built)
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

/** The same on each runtime. */
const each = (
  name: string,
  scenario: string,
  check: (outcome: Outcome, runtime: Name) => void,
  given: Given = {}
): void =>
  it.live(name, () =>
    Effect.forEach(
      given.on ?? ["bun", "deno", "node"] as const,
      (runtime) =>
        Effect.map(run(runtime, scenario, given), (outcome) => {
          try {
            check(outcome, runtime)
          } catch (error) {
            throw new Error(`on ${runtime}: ${JSON.stringify(outcome, null, 1)}`, { cause: error })
          }
        }),
      { concurrency: "unbounded" }
    ))

const titles = (alerts: ReadonlyArray<Posted>) => alerts.map(({ title }) => title)

const ofRun = ({ parent }: Outcome) => titled(parent, "nightly crashed")

const ofLoad = ({ parent }: Outcome) => titled(parent, "nightly › load crashed")

const titled = (alerts: ReadonlyArray<Posted>, title: string): Posted =>
  alerts.find((alert) => alert.title === title) ?? assert.fail(`there is no "${title}"`)

const fieldsOf = ({ fields }: Posted): Record<string, string> =>
  Object.fromEntries(fields.map(({ name, value }) => [name, value]))

const parentSays = (...expected: ReadonlyArray<string>) => ({ code, parent }: Outcome) => {
  assert.deepEqual(titles(parent), expected)
  assert.equal(code, 1)
}

each("kill -9 in the middle of a step", "kill", (outcome) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
  assert.deepEqual(outcome.child, [])
  const run = ofRun(outcome)
  const step = ofLoad(outcome)
  const { "running for": elapsed, ...fields } = fieldsOf(step)
  assert.match(elapsed!, /^(\d+ ms|\d+(\.\d)? s)$/)
  assert.equal(step.body, `killed by SIGKILL after ${elapsed}`)
  assert.deepEqual(fields, { pipeline: "nightly", run: "nightly-7", step: "load", attempt: "1", signal: "SIGKILL" })
  assert.equal(fieldsOf(run)["running"], "load")
  assert.equal(step.detail, [...Array.from({ length: 19 }, (_, i) => `row ${i + 6}`), "last words"].join("\n"))
  assert.equal(run.detail, step.detail)
  const { runId, ...source } = step.source
  assert.deepEqual(source, { pipeline: "nightly", runName: "nightly-7", stepPath: ["load"], attempt: 1 })
  assert.deepEqual(run.source, { pipeline: "nightly", runId, runName: "nightly-7", stepPath: [] })
  assert.deepEqual([run, step].map(({ severity, tags }) => [severity, ...tags]), [
    ["critical", "crash", "SIGKILL"],
    ["critical", "crash", "SIGKILL"]
  ])
  assert.deepEqual([run.dedupeKey, step.dedupeKey], ["nightly", "nightly/load"])
  // all of stderr is passed on, colours included
  const { stderr } = outcome
  assert.ok(stderr.startsWith("row 0\nrow 1\n"))
  assert.ok(stderr.includes("\nrow 24\n\u001b[31mlast words\u001b[0m\nepilogue: nightly › load crashed: killed by"))
})

for (const code of [0, 3]) {
  each(`process.exit(${code}) in a step`, `exit${code}`, (outcome) => {
    parentSays("nightly crashed", "nightly › load crashed")(outcome)
    assert.equal(fieldsOf(ofLoad(outcome))["exit code"], String(code))
    assert.match(ofLoad(outcome).body, new RegExp(`^exit code ${code} after `))
  }, { on: code === 0 ? ["bun", "deno", "node"] : ["bun"] })
}

each("heap exhaustion", "heap", (outcome, runtime) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
  const { detail, tags } = ofLoad(outcome)
  assert.deepEqual(tags, ["crash", runtime === "deno" ? "SIGTRAP" : "SIGABRT"])
  if (runtime !== "bun") assert.match(detail, /heap|memory/i)
}, { heap: true })

each("crash in a hook, before the failure is alerted", "hook", (outcome) => {
  parentSays("nightly crashed", "nightly › load failed, then crashed")(outcome)
  assert.deepEqual(outcome.child, [])
  const { body, dedupeKey, detail } = titled(outcome.parent, "nightly › load failed, then crashed")
  assert.equal(body, "Error: no such bucket\nkilled by SIGKILL before an alert of that was delivered")
  assert.match(detail, /^Error: no such bucket\n {4}at /)
  assert.equal(dedupeKey, "nightly/load")
})

each("crash right after the failure was alerted: it is not repeated", "delivered", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["nightly › load failed"])
  parentSays("nightly crashed")(outcome)
  assert.equal(fieldsOf(ofRun(outcome))["last step"], "load failed")
})

each("crash in the hook that has alerted: it is not repeated", "custom", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["no bucket: page Ann"])
  parentSays("nightly crashed")(outcome)
}, { on: ["bun"] })

each("crash after an alert through another alerter: it is not repeated", "own", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["nightly › load failed"])
  parentSays("nightly crashed")(outcome)
}, { on: ["bun"] })

each("crash after the run's failure was alerted", "runAlerted", ({ child, code, parent, stderr }) => {
  assert.deepEqual(titles(child), ["nightly failed"])
  assert.deepEqual([code, parent], [1, []])
  assert.equal(stderr, "epilogue: killed by SIGKILL after the run's failure had been alerted\n")
}, { on: ["bun"] })

each("what a body posts is no alert of its crash", "posts", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["slow today"])
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
}, { on: ["bun"] })

each("a failure that was handled before is no part of a crash", "handled", (outcome) => {
  assert.deepEqual(titles(outcome.child), ["nightly › probe failed"])
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
}, { on: ["bun"] })

each("the attempt that crashed", "second", (outcome) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
  assert.equal(fieldsOf(ofLoad(outcome))["attempt"], "2")
  assert.equal(ofLoad(outcome).source.attempt, 2)
}, { on: ["bun"] })

each("a run that fails as it should: one alert, the child's", "fails", ({ child, code, parent }) => {
  assert.equal(code, 1)
  assert.deepEqual(titles(child), ["nightly › load failed"])
  assert.deepEqual(parent, [])
})

each("a run that succeeds", "succeeds", (outcome) => {
  assert.deepEqual(outcome, { code: 0, signal: null, stderr: "", child: [], parent: [] })
})

each("steps that run side by side, one alert of each name", "parallel", (outcome) => {
  parentSays("nightly crashed", "nightly › left crashed", "nightly › right crashed", "nightly › shard crashed")(outcome)
  assert.equal(fieldsOf(ofRun(outcome))["running"], "left, right, shard")
}, { on: ["bun"] })

each("very many steps flood no channel", "many", (outcome) => {
  assert.equal(outcome.parent.length, 11)
  assert.match(fieldsOf(ofRun(outcome))["running"]!, /^part 0, part 1, .*, part 9 and 5 more$/)
}, { on: ["bun"] })

each("of very much on stderr, the end", "flood", (outcome) => {
  const { detail } = ofLoad(outcome)
  assert.match(detail, /^x+ last words$/)
  assert.ok(detail.length > 10_000 && detail.length < 20_000, `${detail.length} characters`)
  assert.ok(outcome.stderr.startsWith(`${"x".repeat(5_000_000)} last words`))
}, { on: ["bun"] })

each("after very many events, none of them is lost", "busy", (outcome) => {
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
})

each("of nested steps, the innermost", "nested", (outcome) => {
  parentSays("nightly crashed", "nightly › outer › inner crashed")(outcome)
  assert.equal(titled(outcome.parent, "nightly › outer › inner crashed").dedupeKey, "nightly/outer/inner")
}, { on: ["bun"] })

each("between two steps", "between", (outcome) => {
  parentSays("nightly crashed")(outcome)
  assert.equal(fieldsOf(ofRun(outcome))["last step"], "extract succeeded")
}, { on: ["bun"] })

each("before the run", "early", (outcome) => {
  parentSays("nightly crashed")(outcome)
  assert.match(ofRun(outcome).body, /^exit code 7 after .*, before its run began$/)
}, { on: ["bun"] })

each("a wrong config is no crash", "usage", ({ code, parent }) => {
  assert.deepEqual([code, parent], [2, []])
}, { on: ["bun"] })

each("a process that the child has left holds nothing up", "grandchild", (outcome) => {
  process.kill(Number(/sleeper (\d+)/.exec(outcome.stderr)![1]))
  parentSays("nightly crashed", "nightly › load crashed")(outcome)
})

each("SIGTERM to the child interrupts it", "interrupted", ({ code, parent, stderr }) => {
  assert.deepEqual([code, parent, stderr], [130, [], ""])
})

each("SIGTERM to the parent is passed on, and the hooks run", "passedOn", ({ code, parent, stderr }) => {
  assert.deepEqual([code, parent, stderr], [
    130,
    [],
    "epilogue: interrupting; press Ctrl-C again to quit at once\ninterrupted, and the hook has run\n"
  ])
})

each("the second Ctrl-C kills, and says what it cut off", "twice", ({ code, parent, stderr }) => {
  assert.deepEqual([code, parent], [130, []])
  assert.match(stderr, /\nepilogue: quit at once; cut off: nightly › load \((\d+ ms|\d+(\.\d)? s)\)\n$/)
})

each("without its parent the child goes on", "orphaned", ({ child, parent, signal }) => {
  assert.equal(signal, "SIGKILL")
  assert.deepEqual(titles(child), ["nightly › load succeeded"])
  assert.deepEqual(parent, [])
}, { until: ({ requests }) => requests.length > 0 })

each("Ctrl-C ends the wait for a channel that hangs", "between", ({ code, parent }) => {
  assert.equal(code, 130)
  assert.deepEqual(titles(parent), ["nightly crashed"])
}, {
  onPost: (pid) => {
    process.kill(pid, "SIGINT")
    return "hang"
  }
})

each("a channel that refuses", "between", ({ code, stderr }) => {
  assert.equal(code, 1)
  assert.match(stderr, /\nepilogue: an alert could not be posted: webhook: the credentials were not accepted/)
}, { on: ["bun"], onPost: () => ({ status: 403 }) })

each("a runtime that is not there", "succeeds", ({ code, stderr }) => {
  assert.deepEqual([code, stderr], [2, "/no-such-runtime could not be started: ENOENT\n"])
}, { env: { MISSING: "/no-such-runtime" } })
