/**
 * Measures a durable job against peers: 200 steps with a hook each, of which one in ten fails after two retries and posts
 * an alert.
 *
 *     npm install --prefix bench/peers && bun bench/durable-peers.ts [CANDIDATE…]
 *
 * Each round runs each candidate once, as a process of Node with a fresh database; every second round in the other order.
 * The output is the median of the time of a step, that of the ratio to the embedded engine in the same round, and whether
 * each hook ran once and each alert arrived once. `BENCH_ROUNDS` (default 5) is the number of rounds. Peers that are not
 * installed are left out, and DBOS without Postgres.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as Postgres from "../test/support/postgres.ts"
import { median } from "./statistics.ts"

// a server that is started here waits for the disk
process.env["EPILOGUE_POSTGRES_SYNC"] = "1"

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5)
const steps = 200
const jobs = join(import.meta.dirname, "peers")
const node = join(import.meta.dirname, "../node_modules/.bin/node")
const installed = (name: string) => existsSync(join(jobs, "node_modules", name))

const all: Readonly<Record<string, boolean>> = {
  embedded: true,
  bare: true,
  cluster: true,
  openworkflow: installed("openworkflow"),
  dbos: installed("@dbos-inc/dbos-sdk") && Postgres.available
}
const asked = process.argv.slice(2)
const candidates = Object.keys(all).filter((name) =>
  all[name] === true && (asked.length === 0 || asked.includes(name) || name === "embedded")
)
for (const [name, can] of Object.entries(all)) if (!can) console.log(`without ${name}, which is not installed here`)

/** The steps of which alerts have arrived, by run. */
const posts = new Map<string, Array<number>>()
const server = createServer((request, response) => {
  let text = ""
  request.setEncoding("utf8").on("data", (chunk: string) => text += chunk).on("end", () => {
    const json = JSON.parse(text)
    const fields: ReadonlyArray<{ readonly name: string; readonly value: string }> = json.fields ?? []
    const field = (name: string) => fields.find((field) => field.name === name)?.value
    const run: string = json.run ?? json.source?.runName ?? field("run") ?? ""
    const step = Number(json.step ?? /step-(\d+)/.exec(text)?.[1])
    posts.set(run, [...posts.get(run) ?? [], step])
    response.end("ok")
  })
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
const { port } = server.address() as AddressInfo

interface Taken {
  readonly micros: number
  readonly once: boolean
}

const folder = mkdtempSync(join(tmpdir(), "epilogue-peers-"))
let nth = 0

const run = (name: string, database: string): Promise<Taken> =>
  new Promise((resolve, reject) => {
    const id = `${name}-${process.pid}-${nth++}`
    const child = spawn(node, ["--conditions=@effect-epilogue/source", join(jobs, `${name}.mjs`)], {
      env: {
        ...process.env,
        NODE_NO_WARNINGS: "1",
        HOOK_URL: `http://127.0.0.1:${port}/hook`,
        STEPS: String(steps),
        RUN: id,
        FILE: join(folder, `${id}.db`),
        DATABASE_URL: database
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk) => out += String(chunk))
    child.stderr.on("data", (chunk) => err += String(chunk))
    child.on("close", (code) => {
      if (code !== 0) return reject(new Error(`${name} ended with ${code}:\n${out}\n${err}`))
      const { micros, succeeded } = JSON.parse(out.trim().split("\n").at(-1) ?? "")
      const arrived = posts.get(id) ?? []
      resolve({
        micros,
        once: succeeded === steps * 0.9 && arrived.length === steps / 10 && new Set(arrived).size === steps / 10
      })
    })
  })

const measure = async (database: string): Promise<void> => {
  const taken = new Map<string, Array<Taken>>(candidates.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? candidates : candidates.toReversed()) {
      taken.get(name)!.push(await run(name, database))
    }
  }
  console.log(`${"".padEnd(14)}ms/step  × embedded  once   (${steps} steps, ${rounds} rounds)`)
  const base = taken.get("embedded")!
  for (const [name, all] of taken) {
    const time = (median(all.map(({ micros }) => micros)) / 1000).toFixed(2)
    const ratio = median(all.map(({ micros }, round) => micros / base[round]!.micros)).toFixed(2)
    console.log(name.padEnd(14), time.padStart(6), ratio.padStart(11), all.every(({ once }) => once) ? "  yes" : "  no")
  }
}

/** Makes commits wait for the disk, also on a server for tests that `DATABASE_URL` names. */
const synced = Effect.gen(function*() {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ name: string }>`SELECT current_database() AS name`
  yield* sql`ALTER DATABASE ${sql(row!.name)} SET synchronous_commit = on`
})

await Effect.runPromise(
  candidates.includes("dbos")
    ? Effect.scoped(Effect.gen(function*() {
      const { database } = yield* Postgres.postgres
      const url = yield* database
      yield* Effect.provide(synced, PgClient.layer({ url: Redacted.make(url) }))
      yield* Effect.promise(() => measure(url))
    }))
    : Effect.promise(() => measure(""))
)
rmSync(folder, { recursive: true })
process.exit()
