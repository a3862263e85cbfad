/** Runs of files, and scripts, behind a proxy and an authority that no runtime knows, on Bun, Deno and Node. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { type AddressInfo, connect, type Socket } from "node:net"
import { join } from "node:path"
import { test } from "node:test"
import { privatelySigned } from "../../support/certificate.ts"
import { assertExitCode, epilogue, onEachRuntime, root, runtimes } from "../../support/command.ts"
import { makeIt } from "../../support/it.ts"
import type { Runtime } from "../../support/runtimes.ts"
import { titleInSlack } from "../../support/slackReceivers.ts"
import { projectFolder } from "../support.ts"

const it = makeIt(test)

/** A name that no resolver knows: what arrives there has come through the proxy. */
const host = "hooks.example.test"

interface Network {
  readonly proxy: string
  readonly ca: string
  /** The addresses that the proxy was asked to connect to. */
  readonly asked: Array<string>
  /** The titles of the alerts that arrived. */
  readonly titles: Array<string>
}

const listening = (server: Server, sockets: Set<Socket>): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      server.on("connection", (socket: Socket) => sockets.add(socket))
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      return (server.address() as AddressInfo).port
    }),
    () => Effect.sync(() => server.close())
  )

/** Starts a server with a certificate of a private authority, and a proxy that leads every address to it. */
const network = (folder: string): Effect.Effect<Network, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { ca, cert, key } = privatelySigned(host)
    const file = join(folder, "ca.pem")
    writeFileSync(file, ca)
    const asked: Array<string> = []
    const titles: Array<string> = []
    const sockets = new Set<Socket>()
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      })
    )
    const server = createTlsServer({ cert, key }, (request, response) => {
      let body = ""
      request.on("data", (chunk) => {
        body += chunk
      }).on("end", () => {
        titles.push(titleInSlack(JSON.parse(body)))
        response.end("ok")
      })
    })
    const port = yield* listening(server, sockets)
    const through = createServer((_, response) => response.writeHead(405).end())
    through.on("connect", (request, socket: Socket) => {
      asked.push(request.url ?? "")
      const ahead = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
        ahead.pipe(socket).pipe(ahead)
      })
      sockets.add(ahead)
      for (const end of [ahead, socket]) end.on("error", () => socket.destroy())
    })
    return { proxy: `http://127.0.0.1:${yield* listening(through, sockets)}`, ca: file, asked, titles }
  })

const job = `
import { Effect } from "effect"
import { AlerterHooks, Pipeline, Step } from "effect-epilogue"
const fetch = Step.make("fetch", Effect.fail("no rows"))
const load = Step.make("load", Effect.suspend(() => {
  process.kill(process.pid, "SIGKILL")
  return Effect.never
}))
export const nightly = Pipeline.make("nightly", fetch).pipe(Pipeline.stepHooks(AlerterHooks.failure))
export const killed = Pipeline.make("nightly", Effect.andThen(Effect.ignore(fetch), load)).pipe(
  Pipeline.stepHooks(AlerterHooks.failure)
)
`

const file = `pipeline: ./job.ts#killed
alerter: { slack: { webhookUrl: "\${SLACK_WEBHOOK_URL}", retries: 0 } }
`

const script = `
import { Effect } from "effect"
import { Slack } from "effect-epilogue/alerters"
import { nightly } from "./job.ts"
await Effect.runPromise(Effect.exit(Effect.provide(nightly, Slack.layerConfig())))
process.exit(0)
`

const prepared = Effect.gen(function*() {
  const folder = yield* projectFolder
  writeFileSync(join(folder, "job.ts"), job)
  writeFileSync(join(folder, "job.yaml"), file)
  writeFileSync(join(folder, "script.ts"), script)
  const net = yield* network(folder)
  const env = {
    SLACK_WEBHOOK_URL: `https://${host}/services/T0/B0/x0123456789`,
    HTTPS_PROXY: net.proxy,
    NODE_EXTRA_CA_CERTS: net.ca
  }
  return { folder, ...net, env }
})

const flags: Readonly<Record<Runtime, Readonly<Record<string, string>>>> = {
  bun: {},
  // whose question for updates would go through the proxy, too
  deno: { DENO_NO_UPDATE_CHECK: "1" },
  node: { NODE_USE_ENV_PROXY: "1" }
}

const run = (runtime: Runtime, folder: string, env: Readonly<Record<string, string>>) =>
  epilogue(runtime, ["run", join(folder, "job.yaml")], { env: { DENO_NO_UPDATE_CHECK: "1", ...env } })

const runScript = (runtime: Runtime, folder: string, env: Readonly<Record<string, string>>) =>
  Effect.promise(() => {
    const [command, ...args] = runtimes[runtime]
    const options = { cwd: root, env: { ...process.env, ...env, ...flags[runtime] } }
    return new Promise<void>((resolve) => {
      execFile(command, [...args, join(folder, "script.ts")], options, () => resolve())
    })
  })

it.live("alerts of a file and of its supervisor go through HTTPS_PROXY, to a server that NODE_EXTRA_CA_CERTS vouches for", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { asked, env, folder, titles } = yield* prepared
      assertExitCode(yield* run(runtime, folder, env), 1)
      assert.deepEqual(
        titles.toSorted(),
        ["nightly crashed", "nightly › fetch failed", "nightly › load crashed"],
        runtime
      )
      assert.deepEqual(new Set(asked), new Set([`${host}:443`]), runtime)
    }))
  ))

it.live("so do those of a script, on Node with NODE_USE_ENV_PROXY=1", () =>
  onEachRuntime((runtime) =>
    Effect.scoped(Effect.gen(function*() {
      const { asked, env, folder, titles } = yield* prepared
      yield* runScript(runtime, folder, { ...env, NODE_EXTRA_CA_CERTS: "" })
      assert.deepEqual(titles, [], `${runtime}: an authority that is not vouched for`)
      assert.deepEqual(new Set(asked.splice(0)), new Set([`${host}:443`]), runtime)
      yield* runScript(runtime, folder, { ...env, NO_PROXY: host })
      assert.deepEqual(asked, [], runtime)
      yield* runScript(runtime, folder, env)
      assert.deepEqual(titles, ["nightly › fetch failed"], runtime)
    }))
  ))

it.live("on Node the address of a proxy that is none is a mistake, which does not repeat it", () =>
  Effect.scoped(Effect.gen(function*() {
    const { env, folder } = yield* prepared
    const ended = yield* run("node", folder, { ...env, HTTPS_PROXY: "proxy-user-s3cret:8080" })
    assertExitCode(ended, 2)
    assert.match(ended.stderr, /HTTPS_PROXY .* expected http:\/\/… or https:\/\/…/)
    assert.ok(!ended.stderr.includes("s3cret"))
  })))
