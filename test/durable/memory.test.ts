import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Durable } from "../../src/durable/index.ts"
import * as SqliteClient from "../../src/durable/internal/engine/sqliteClient.ts"
import { durableSuite } from "./suites/all.ts"

durableSuite({
  name: "memory",
  storage: Effect.succeed(Layer.merge(Durable.layerMemory, Layer.orDie(SqliteClient.layer({ filename: ":memory:" })))),
  survives: false,
  tables: [],
  runs: 60,
  concurrency: 1
})
