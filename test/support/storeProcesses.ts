/** Starts processes that share a store, on the runtime of the test, and reads what they have noted. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { digest, Store } from "../../src/delivery/index.ts"
import { listed } from "../delivery/support.ts"
import { inner } from "./policies.ts"

const fixture = path.join(import.meta.dirname, "..", "delivery", "fixtures", "storeProcess.ts")

const runtimeArgs = (): ReadonlyArray<string> =>
  "deno" in process.versions
    ? ["run", "-A"]
    : "bun" in process.versions
    ? []
    : ["--conditions=@effect-epilogue/source"]

export interface StoreProcess {
  readonly child: ChildProcess
  /** Resolves with what it has printed, once it has ended. */
  readonly ended: Promise<string>
}

/** Starts a process that posts `count` alerts named after `id`. */
export const startPosting = (
  folder: string,
  id: string,
  { count, pause = 0, window }: { readonly count: number; readonly window: number; readonly pause?: number }
): StoreProcess => {
  const args = [path.join(folder, "alerts.db"), path.join(folder, "log"), id, count, window, pause].map(String)
  const child = spawn(process.execPath, [...runtimeArgs(), fixture, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  let printed = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text
    })
  }
  return { child, ended: new Promise((resolve) => child.on("close", () => resolve(printed))) }
}

/** Returns what processes have noted: the alerts that were accepted, and those that have arrived, in digests too. */
export const noted = (folder: string) => {
  const file = path.join(folder, "log")
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : ""
  const lines = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
  const titles = (line: { readonly arrived: string }) =>
    /^\d{4}-/.test(line.arrived) ? listed({ detail: line.arrived, title: "" } as never) : [line.arrived]
  return {
    accepted: lines.flatMap(({ accepted }): ReadonlyArray<string> => accepted === undefined ? [] : [accepted]),
    arrived: lines.filter((line) => line.arrived !== undefined).flatMap(titles),
    fields: lines.flatMap(({ fields }): ReadonlyArray<{ readonly name: string; readonly value: string }> =>
      fields ?? []
    )
  }
}

/** Posts what the store holds, as a process that starts later does, and returns the titles. Needs the test clock. */
export const collect = (folder: string, later: "8 days" | "0 millis") =>
  Effect.scoped(Effect.gen(function*() {
    const channel = yield* inner()
    yield* TestClock.setTime(Date.now())
    yield* TestClock.adjust(later)
    yield* Layer.build(Layer.fresh(channel.layer.pipe(
      digest({ window: "7 days", persist: "shared" }),
      Layer.provide(Store.layerSqlite({ filename: path.join(folder, "alerts.db") }))
    )))
    yield* TestClock.adjust("1 second")
    return (yield* channel.sent).flatMap(listed)
  }))
