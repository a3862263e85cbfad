/** A stranger at the port of a worker, who knows the code of the pipeline and has no access to the database. */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as EntityAddress from "effect/cluster/EntityAddress"
import * as EntityId from "effect/cluster/EntityId"
import * as EntityType from "effect/cluster/EntityType"
import * as Envelope from "effect/cluster/Envelope"
import * as Message from "effect/cluster/Message"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as Runners from "effect/cluster/Runners"
import * as ShardId from "effect/cluster/ShardId"
import * as Snowflake from "effect/cluster/Snowflake"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Hash from "effect/Hash"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { assertExitCode, epilogue, start } from "../../support/command.ts"
import { freePort } from "../../support/freePort.ts"
import { makeIt } from "../../support/it.ts"
import { postgres, required } from "../../support/postgres.ts"
import { module } from "./workspace.ts"

const it = makeIt((name, run) => test(name, { timeout: 120_000 }, run))

const AnyOrVoid = Schema.Union([Schema.Undefined, Schema.Any])
const ExitUnknown = Schema.Exit(AnyOrVoid, AnyOrVoid, Schema.Any)

/** The request with which the engine completes what a run waits for. */
const DeferredRpc = Rpc.make("deferred", { payload: { name: Schema.String, exit: ExitUnknown }, success: ExitUnknown })

/** The shard of a run, which its id and the default number of shards tell. */
const shardOf = (runId: string): ShardId.ShardId => ShardId.make("default", Math.abs(Hash.string(runId) % 300) + 1)

/** Sends completions of deferreds with these names to a run. Returns how many the worker took. */
const attack = (port: number, runId: string, names: ReadonlyArray<string>): Effect.Effect<number> =>
  Effect.gen(function*() {
    const connect = yield* Runners.RpcClientProtocol
    const protocol = yield* connect.make(RunnerAddress.make("127.0.0.1", port))
    const client = yield* Effect.provideService(Runners.makeRpcClient, RpcClient.Protocol, protocol)
    yield* client.Ping()
    const generator = yield* Snowflake.makeGenerator
    const approved = { _tag: "Approved", by: { id: "Ada", name: "Ada" }, at: Date.now() }
    const send = (name: string) =>
      Effect.gen(function*() {
        const envelope = Envelope.makeRequest<typeof DeferredRpc>({
          requestId: generator.nextUnsafe(),
          tag: "deferred",
          headers: Headers.empty,
          address: EntityAddress.make({
            entityType: EntityType.make("Workflow/asking"),
            entityId: EntityId.make(runId),
            shardId: shardOf(runId)
          }),
          payload: { name, exit: Exit.succeed(approved) }
        })
        const message = new Message.OutgoingRequest<typeof DeferredRpc>({
          envelope,
          context: Context.empty(),
          lastReceivedReply: Option.none(),
          rpc: DeferredRpc,
          respond: () => Effect.void,
          annotations: Context.empty()
        })
        const request = yield* Message.serializeRequest(message, protocol.codecFor)
        return Exit.isSuccess(
          yield* Effect.exit(Effect.timeout(client.Effect({ request, persisted: false }), "2 seconds"))
        )
      })
    const taken = yield* Effect.forEach(names, send, { concurrency: 8 })
    return taken.filter((taken) => taken).length
  }).pipe(
    Effect.scoped,
    Effect.provide(NodeClusterSocket.layerClientProtocol),
    Effect.provide(RpcSerialization.layerSchemaBinary()),
    Effect.orDie
  )

if (required("an attack on the port of a worker")) {
  it.live("whoever reaches the port of a worker can't approve, and an approver still can", () =>
    Effect.gen(function*() {
      const cwd = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "epilogue-attack-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const url = yield* Effect.flatMap(postgres, ({ database }) => database)
      const env = { EPILOGUE_DATABASE: "", DATABASE_URL: url }
      const port = yield* freePort
      const worker = yield* start("bun", ["worker", `${module}#asking`, "--port", String(port)], { cwd, env })
      yield* worker.wrote("worker ready")
      const payload = `{"approvers":["Ada"]}`
      const run = yield* start("bun", ["run", `${module}#asking`, "--durable", "--payload", payload], { cwd, env })
      yield* worker.wrote("--deny")
      yield* run.wrote(": run ")
      const runId = /: run ([0-9a-f]+)\n/.exec(run.output.stdout)?.[1] ?? ""
      const token = /epilogue answer (\S+) --approve/.exec(worker.output.stdout + worker.output.stderr)?.[1] ?? ""
      const question = "step/ask/ask/1/Deploy?"
      const names = ["", "raceAll/", "question/", "DurableClock/"].flatMap((prefix) =>
        [question, `${question}/posted`, `${question}/heard`, token].map((name) => prefix + name)
      )
      assert.ok((yield* attack(port, runId, names)) > 0, "the worker took none of the messages")
      yield* Effect.sleep("1 second")
      assert.equal(run.output.stdout, `asking: run ${runId}\n`)
      assertExitCode(yield* epilogue("bun", ["answer", token, "--approve", "--by", "Mallory"], { cwd, env }), 2)
      assertExitCode(yield* epilogue("bun", ["answer", token, "--approve", "--by", "Ada"], { cwd, env }), 0)
      const ended = yield* run.ended
      assertExitCode(ended, 0)
      assert.match(ended.stdout, /\nasking succeeded: \{"by":"Ada"\}\n$/)
      worker.kill("SIGINT")
      yield* worker.ended
    }))
}
