/** A runner of a cluster, like that of `NodeClusterSocket.layer({ storage: "sql" })`, but with any free port. */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import type { MessageStorage } from "effect/cluster/MessageStorage"
import { RunnerAddress } from "effect/cluster/RunnerAddress"
import * as RunnerHealth from "effect/cluster/RunnerHealth"
import * as Runners from "effect/cluster/Runners"
import type { Sharding } from "effect/cluster/Sharding"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as SocketRunner from "effect/cluster/SocketRunner"
import * as SqlMessageStorage from "effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "effect/cluster/SqlRunnerStorage"
import type { ConfigError } from "effect/Config"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { SocketServer, type SocketServerError } from "effect/socket/SocketServer"
import type { SqlClient } from "effect/sql/SqlClient"
import { check, type UntrustedNetwork } from "../../durable/internal/engine/trustedNetwork.ts"

/** The address of a runner; port 0 stands for any free port. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly trustedNetwork: boolean
}

type Settings = Partial<ShardingConfig.ShardingConfig["Service"]>

/**
 * Runs shards of the cluster at an address. The server starts first, so that the port is known when the runner
 * registers. The environment variables `LISTEN_HOST` and `LISTEN_PORT` set an address to listen at that differs from
 * the one at which others reach the runner.
 */
export const runnerLayer = (
  { host, port, trustedNetwork }: Address,
  settings: Settings
): Layer.Layer<Sharding | MessageStorage, ConfigError | SocketServerError | UntrustedNetwork, SqlClient> => {
  const server = Layer.unwrap(
    Effect.flatMap(ShardingConfig.configFromEnv, ({ runnerListenAddress }) => {
      const listening = Option.getOrElse(runnerListenAddress, () => ({ host, port }))
      return Effect.as(check([host, listening.host], trustedNetwork), NodeSocketServer.layer(listening))
    })
  )
  const config = Layer.effect(
    ShardingConfig.ShardingConfig,
    Effect.gen(function*() {
      const { address } = yield* SocketServer
      const ownPort = port === 0 && "port" in address ? address.port : port
      const runnerAddress = Option.some(RunnerAddress.make({ host, port: ownPort }))
      return { ...(yield* ShardingConfig.configFromEnv), ...settings, runnerAddress }
    })
  )
  return SocketRunner.layer.pipe(
    Layer.provide(RunnerHealth.layerPing.pipe(Layer.provide(Runners.layerRpc))),
    Layer.provideMerge(SqlMessageStorage.layer),
    Layer.provide([
      NodeClusterSocket.layerClientProtocol,
      Layer.orDie(SqlRunnerStorage.layer),
      Digest.layerWebCrypto
    ]),
    Layer.provide(config),
    Layer.provide([server, RpcSerialization.layerSchemaBinary()])
  )
}
