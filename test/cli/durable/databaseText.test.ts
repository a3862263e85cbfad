/** The errors of databases as the command prints them. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { databaseText } from "../../../src/cli/durable/database.ts"
import { Durable } from "../../../src/durable/index.ts"
import { makeIt } from "../../support/it.ts"
import { temporaryFolder } from "../../support/temporaryFolder.ts"

const it = makeIt(test)

it.live("the message of an error of the database tells nothing twice", () =>
  Effect.gen(function*() {
    const filename = join(yield* temporaryFolder("database"), "runs.db")
    const read = Effect.flatMap(SqlClient, (sql) => sql`SELECT * FROM gone`)
    const error = yield* Effect.flip(Effect.provide(read, Durable.layerSqliteClient({ filename })))
    assert.equal(databaseText(error), "can't run the statement: no such table: gone")
  }))
