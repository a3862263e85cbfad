/** The job with this library, on the engine of effect/cluster with SQLite. */
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as Digest from "effect/crypto/Digest"
import * as Layer from "effect/Layer"
import process from "node:process"
import { Durable } from "../../src/durable/index.ts"
import * as SqliteClient from "../../src/durable/internal/engine/sqliteClient.ts"
import { runOn } from "./ours.mjs"

await runOn(Durable.layerCluster.pipe(
  Layer.provide(SingleRunner.layer({ runnerStorage: "memory" })),
  Layer.provide(Digest.layerWebCrypto),
  Layer.provideMerge(SqliteClient.layer({ filename: process.env.FILE }))
))
