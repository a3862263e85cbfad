/** Monitors of durable runs, which are evaluated anew, and go on in other processes. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as DurableDeferred from "effect/workflow/DurableDeferred"
import * as assert from "node:assert/strict"
import * as path from "node:path"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { Step } from "../../src/index.ts"
import { Healthchecks } from "../../src/monitors/index.ts"
import {
  awaitExit,
  awaitSuspended,
  inProcess,
  job,
  recorder,
  sqliteStorage,
  suspendRun,
  temporaryFolder,
  until
} from "../durable/support/engine.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt((title, run) => test(title, { timeout: 60_000 }, run))

it.live("a durable run that goes on in another process is told once to have begun, and once to have ended, with one id", () =>
  Effect.gen(function*() {
    const server = yield* channelServer({ body: "OK" })
    const storage = sqliteStorage(path.join(yield* temporaryFolder, "durable.db"))
    const seen = recorder()
    const go = DurableDeferred.make("go")
    const { layer, workflow } = job(() =>
      Effect.gen(function*() {
        yield* Durable.step(Step.make("first", Effect.log("1461 rows")))
        yield* suspendRun("soon", "50 millis")
        yield* Durable.step(Step.make("second", seen.note("second")))
        yield* DurableDeferred.await(go)
        yield* Durable.step(Step.make("third", Effect.log("done")))
      })
    )
    const monitored = layer.pipe(
      Layer.provide(Layer.orDie(Healthchecks.layer({ url: Redacted.make(`${server.url}/5bf66975`) }))),
      Layer.provide(seen.layer)
    )
    const moves = () => server.requests.map(({ path }) => path.replace(/\?.*/, ""))
    const id = yield* workflow.executionId({ id: "1" })
    // the process ends while the run waits for the second time
    yield* inProcess(
      storage,
      monitored,
      Effect.gen(function*() {
        yield* workflow.execute({ id: "1" }, { discard: true })
        yield* until("it goes on", () => seen.list.includes("second"))
        yield* awaitSuspended(workflow, id)
      })
    )
    assert.deepEqual(moves(), ["/5bf66975/start"])
    const token = DurableDeferred.tokenFromExecutionId(go, { workflow, executionId: id })
    yield* inProcess(
      storage,
      monitored,
      Effect.andThen(DurableDeferred.succeed(go, { token, value: undefined }), awaitExit(workflow, id))
    )
    assert.deepEqual(moves(), ["/5bf66975/start", "/5bf66975"])
    const rids = server.requests.map(({ path }) => new URL(path, server.url).searchParams.get("rid"))
    assert.equal(new Set(rids).size, 1)
    assert.match(rids[0]!, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.match(server.requests.at(-1)!.body, /^job succeeded after [^]*INFO done$/)
  }))
