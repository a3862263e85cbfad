import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Durable, SqliteClient } from "../../src/durable/index.ts"
import { durableSuite } from "./suites/all.ts"

durableSuite({
  name: "memory",
  place: Effect.succeed(Layer.merge(Durable.layerMemory, Layer.orDie(SqliteClient.layer({ filename: ":memory:" })))),
  survives: false,
  runs: 60,
  atOnce: 1
})
