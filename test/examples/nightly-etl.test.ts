import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { expect, test } from "bun:test"
import { Cause, Effect, Exit, Fiber, FileSystem, Latch, Layer, PlatformError } from "effect"
import { type Alert, Alerter } from "effect-epilogue"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { EtlParams, nightlyEtl } from "../../examples/nightly-etl.ts"
import * as Weather from "../../examples/nightly-etl/Weather.ts"
import { makeIt } from "../support/it.ts"
import { someRuntimes } from "../support/runtimes.ts"
import { inFolder, root, run } from "./support.ts"

const it = makeIt(test)

const source = join(root, "examples", "data", "seattle-weather.csv")

/** Returns the expected row of a month, computed in whole tenths rather than with the example's code. */
const expectedRow = async (month: string): Promise<string> => {
  const rows = (await readFile(source, "utf8")).split("\n").filter((line) => line.startsWith(month))
    .map((line) => line.split(",").slice(1, 5).map((cell) => Math.round(Number(cell) * 10)))
  const column = (index: number) => rows.map((row) => row[index]!)
  const total = (index: number) => column(index).reduce((a, b) => a + b, 0)
  const tenths = (n: number) => (n / 10).toFixed(1)
  const mean = (index: number) => tenths(total(index) / rows.length)
  const wet = column(0).filter((rain) => rain > 0).length
  const extremes = [tenths(Math.max(...column(1))), tenths(Math.min(...column(2)))]
  return `| ${[month, rows.length, wet, tenths(total(0)), mean(1), mean(2), ...extremes, mean(3)].join(" | ")} |`
}

test.each(someRuntimes())(
  "the script writes the report and posts a success, on %s",
  (runtime) =>
    inFolder(async (folder) => {
      const out = join(folder, "new", "report.md")
      const { code, stderr, stdout } = await run(runtime, "nightly-etl", "--out", out)
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(stdout).toStartWith("✓ SUCCESS nightly-etl succeeded")
      expect(stdout).toMatch(/^ +rows +1461$/m)
      expect(stdout).toMatch(/^ +months +48$/m)
      expect(stdout.match(/SUCCESS|ERROR|CRITICAL/g)).toEqual(["SUCCESS"])

      expect(await readdir(join(folder, "new"))).toEqual(["report.md"])
      const rows = (await readFile(out, "utf8")).split("\n").filter((line) => /^\| \d{4}-/.test(line))
      expect(rows).toHaveLength(48)
      expect(rows.map((row) => Number(row.split(" | ")[1])).reduce((a, b) => a + b)).toBe(1461)
      for (const month of ["2012-01", "2013-02", "2015-12"]) expect(rows).toContain(await expectedRow(month))
      // computed once with awk
      expect(rows[0]).toStartWith("| 2012-01 | 31 | 22 | 173.3 |")
    }),
  60_000
)

test.each(someRuntimes())(
  "bad rows post an alert, fail the script and write nothing, on %s",
  (runtime) =>
    inFolder(async (folder) => {
      const { code, stdout } = await run(runtime, "nightly-etl", "--corrupt", "--out", join(folder, "report.md"))
      expect(code).toBe(1)
      const file = join("examples", "data", "seattle-weather.csv")
      expect(stdout).toStartWith("✗✗ CRITICAL nightly-etl › validate failed")
      expect(stdout).toContain(`7 of 1461 rows of ${file} are bad`)
      expect(stdout).toContain(`${file}:60: precipitation: Expected a number, got "trace"`)
      expect(stdout).toContain(`${file}:120: date: Expected a date, got "2012-02-30"`)
      expect(stdout).toContain(`${file}:180: 4 columns in place of 6`)
      expect(stdout).toContain("… and 2 more")
      // the step's own failure hook replaces the pipeline's, and no success is posted
      expect(stdout.match(/^[✓✗]+ [A-Z]+ /gm)).toEqual(["✗✗ CRITICAL "])
      expect(await readdir(folder)).toEqual([])
    }),
  60_000
)

test("bad rows leave an earlier report unchanged", () =>
  inFolder(async (folder) => {
    const out = join(folder, "report.md")
    await writeFile(out, "an earlier report\n")
    expect((await run("bun", "nightly-etl", "--corrupt", "--out", out)).code).toBe(1)
    expect(await readdir(folder)).toEqual(["report.md"])
    expect(await readFile(out, "utf8")).toBe("an earlier report\n")
  }), 60_000)

test("an unknown option fails the script", async () => {
  const { code, stderr } = await run("bun", "nightly-etl", "--nope")
  expect(code).toBe(1)
  expect(stderr).toContain("Unknown option '--nope'")
}, 60_000)

// -----------------------------------------------------------------------------
// in process
// -----------------------------------------------------------------------------

const posting = (alerts: Array<Alert>) => Alerter.layer((alert) => Effect.sync(() => alerts.push(alert)))

const params = (source: string, out: string) => EtlParams.layer({ source, out, corrupt: false })

it.live("a failing disk keeps the earlier report, and leaves no temporary file", () =>
  Effect.promise(() =>
    inFolder(async (folder) => {
      const out = join(folder, "report.md")
      await writeFile(out, "an earlier report\n")
      const full = Layer.effect(
        FileSystem.FileSystem,
        Effect.map(FileSystem.FileSystem, (fs) => ({
          ...fs,
          rename: (from: string) =>
            Effect.fail(PlatformError.systemError({
              _tag: "Unknown",
              module: "FileSystem",
              method: "rename",
              pathOrDescriptor: from,
              description: "the disk is on fire"
            }))
        }))
      ).pipe(Layer.provide(NodeFileSystem.layer))
      const alerts: Array<Alert> = []
      const error = await Effect.runPromise(
        nightlyEtl.pipe(Effect.flip, Effect.provide([posting(alerts), full, params(source, out)]))
      )
      expect(error._tag).toBe("PlatformError")
      expect(await readdir(folder)).toEqual(["report.md"])
      expect(await readFile(out, "utf8")).toBe("an earlier report\n")
      expect(alerts).toMatchObject([{ severity: "error", title: "nightly-etl › write failed" }])
      expect(alerts[0]!.detail).toContain("the disk is on fire")
      expect(alerts[0]!.fields).toContainEqual({
        name: "EtlParams",
        value: JSON.stringify({ source, out, corrupt: false })
      })
    })
  ))

it.live("an interruption during the writing waits until the report is complete", () =>
  Effect.promise(() =>
    inFolder(async (folder) => {
      const out = join(folder, "report.md")
      const alerts: Array<Alert> = []
      const exit = await Effect.runPromise(Effect.gen(function*() {
        const writing = yield* Latch.make()
        const interrupted = yield* Latch.make()
        const slow = Layer.effect(
          FileSystem.FileSystem,
          Effect.map(FileSystem.FileSystem, (fs) => ({
            ...fs,
            writeFileString: (path: string, text: string) =>
              writing.open.pipe(Effect.andThen(interrupted.await), Effect.andThen(fs.writeFileString(path, text)))
          }))
        ).pipe(Layer.provide(NodeFileSystem.layer))
        const fiber = yield* Effect.forkChild(
          nightlyEtl.pipe(Effect.provide([posting(alerts), slow, params(source, out)]))
        )
        yield* writing.await
        fiber.interruptUnsafe()
        yield* interrupted.open
        return yield* Fiber.await(fiber)
      }))
      expect(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)).toBe(true)
      expect(await readdir(folder)).toEqual(["report.md"])
      expect((await readFile(out, "utf8")).match(/^\| \d{4}-/gm)).toHaveLength(48)
      expect(alerts).toEqual([])
    })
  ))

it.live("a missing source fails the first step, and the pipeline's hook posts the alert", () =>
  Effect.gen(function*() {
    const alerts: Array<Alert> = []
    const error = yield* nightlyEtl.pipe(
      Effect.flip,
      Effect.provide([posting(alerts), NodeFileSystem.layer, params("/no/such.csv", "/no/such.md")])
    )
    expect(error).toMatchObject({ _tag: "PlatformError", reason: { _tag: "NotFound" } })
    expect(alerts.map(({ title }) => title)).toEqual(["nightly-etl › load failed"])
  }))

it.effect("each bad row is reported with its line and reason", () =>
  Effect.gen(function*() {
    const text = yield* Effect.promise(() => readFile(source, "utf8"))
    const error = yield* Effect.flip(Weather.parse("w.csv", Weather.corrupt(text)))
    expect(error).toMatchObject({ file: "w.csv", total: 1461 })
    expect(error.rows).toEqual([
      { line: 60, reason: `precipitation: Expected a number, got "trace"` },
      { line: 120, reason: `date: Expected a date, got "2012-02-30"` },
      { line: 180, reason: "4 columns in place of 6" },
      { line: 240, reason: "temp_max: Expected a value between -40 and 50, got -9999" },
      { line: 300, reason: `weather: Expected "drizzle" | "fog" | "rain" | "snow" | "sun", got "hail"` },
      { line: 360, reason: "temp_min 5.6 is above temp_max 2.8" },
      { line: 420, reason: `wind: Expected a number, got ""` }
    ])
  }))

it.effect("a wrong header and a repeated date are bad rows", () =>
  Effect.gen(function*() {
    const row = "2012-01-01,0.0,12.8,5.0,4.7,drizzle"
    const error = yield* Effect.flip(Weather.parse("w.csv", `day,rain\n${row}\n${row}\n`))
    expect(error.rows).toEqual([
      { line: 1, reason: `the header is not "date,precipitation,temp_max,temp_min,wind,weather"` },
      { line: 3, reason: "a second row for 2012-01-01" }
    ])
  }))
