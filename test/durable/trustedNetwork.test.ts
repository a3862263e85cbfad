import type { MessageStorage } from "effect/cluster/MessageStorage"
import type { Sharding } from "effect/cluster/Sharding"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

interface Reached {
  readonly _tag: "Reached"
  readonly hosts: ReadonlyArray<string>
}

/** Stands for a cluster, which would open the port: fails with the hosts that it gets. */
const reached = (hosts: ReadonlyArray<string>): Layer.Layer<Sharding | MessageStorage, Reached> =>
  Layer.unwrap(Effect.fail<Reached>({ _tag: "Reached", hosts }))

/** Builds an engine at an address, up to its cluster. Returns the hosts that the cluster gets, or the one refused. */
const build = (address: Durable.RunnerOptions): Effect.Effect<ReadonlyArray<string>, unknown> => {
  const engine = Durable.layerClusterAt(
    address,
    ({ runnerAddress, runnerListenAddress }) =>
      reached([runnerAddress, runnerListenAddress].flatMap(Option.toArray).map(({ host }) => host))
  )
  return Effect.map(
    Effect.flip(Effect.scoped(Layer.build(engine))),
    (error) => error._tag === "Reached" ? error.hosts : [`refused ${error.host}`]
  )
}

it.effect("a runner's host that others than this machine can reach is refused, unless the network is trusted", () =>
  Effect.gen(function*() {
    for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "::1", "[::1]"]) {
      assert.deepEqual(yield* build({ host, port: 1 }), [host, host])
    }
    const others = ["0.0.0.0", "::", "10.0.0.7", "example.com", "127.0.0.1.example.com", "localhost.example.com"]
    for (const host of [...others, " 127.0.0.1", "127.0.0.1\n", "fe80::1", "::ffff:10.0.0.7", "1270.0.0.1"]) {
      assert.deepEqual(yield* build({ host, port: 1 }), [`refused ${host}`])
      assert.deepEqual(yield* build({ host: "127.0.0.1", listenHost: host, port: 1 }), [`refused ${host}`])
      assert.deepEqual(yield* build({ host, port: 1, trustedNetwork: true }), [host, host])
    }
  }))

it.effect("an empty host is refused before it is looked at", () =>
  Effect.gen(function*() {
    const exit = yield* Effect.exit(build({ host: "", port: 1, trustedNetwork: true }))
    assert.match(String(exit), /host must be a text that is not empty, got \\?""/)
  }))
