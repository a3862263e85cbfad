/** The errors of databases as the command prints them. */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { databaseText } from "../../../src/cli/durable/session.ts"
import { Durable } from "../../../src/durable/index.ts"
import { makeIt } from "../../support/it.ts"
import { temporaryFolder } from "../../support/temporaryFolder.ts"

const it = makeIt(test)

it.live("the message of an error of the database tells nothing twice", () =>
  Effect.gen(function*() {
    const filename = join(yield* temporaryFolder("database"), "text.db")
    writeFileSync(filename, "no database, but a text that is longer than the header of one: ".repeat(10))
    const error = yield* Effect.flip(Effect.provide(Effect.void, Durable.layerSqlite({ filename })))
    assert.equal(databaseText(error), `can't open the database ${filename}: file is not a database`)
  }))
