import * as Effect from "effect/Effect"
import * as path from "node:path"
import { killSuite } from "./suites/kills.ts"
import { temporaryFolder } from "./support/engine.ts"

killSuite("SQLite", Effect.map(temporaryFolder, (folder) => path.join(folder, "durable.db")))
