/** The job with this library, on the embedded engine. */
import process from "node:process"
import { Durable } from "../../src/durable/index.ts"
import { runOn } from "./ours.mjs"

await runOn(Durable.layerSqlite({ filename: process.env.FILE }))
