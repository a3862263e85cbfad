import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Config, ConfigProvider, DateTime, Effect, FileSystem, Layer, PlatformError } from "effect"
import * as assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { test } from "node:test"
import { JsonLines } from "../../src/alerters/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { alertOf, AnyAlert, hugeDetail } from "../support/anyAlert.ts"
import { canary, leaks } from "../support/canary.ts"
import { sample, sampleJson } from "../support/channelContract.ts"
import { makeIt } from "../support/it.ts"
import { forAll } from "../support/property.ts"

const it = makeIt(test)

const alert = sample.with({ at: DateTime.makeUnsafe("2026-11-23T12:40:12.345Z") })

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "alerts-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const started = (options: JsonLines.JsonLinesOptions, files = NodeFileSystem.layer) =>
  Effect.map(
    Layer.build(Layer.provide(JsonLines.layer(options), files)),
    (services) => (alert: Alert | string) =>
      Effect.provide(Effect.flatMap(Alerter, (alerter) => alerter.post(alert)), services)
  )

/** Reads the lines of the file. Throws if a line is no JSON, or the last one is not ended. */
// oxlint-disable-next-line no-explicit-any -- tests look into it as they like
const linesOf = (file: string): ReadonlyArray<any> => {
  const text = fs.readFileSync(file, "utf8")
  assert.ok(text.endsWith("\n"))
  return text.slice(0, -1).split("\n").map((line) => JSON.parse(line))
}

it.live(
  "JsonLines makes a folder .epilogue and all in it private, and follows no link there",
  () =>
    Effect.gen(function*() {
      const root = yield* folder
      const own = path.join(root, ".epilogue")
      const file = path.join(own, "alerts.jsonl")
      fs.mkdirSync(own)
      fs.writeFileSync(file, "")
      fs.chmodSync(own, 0o777)
      fs.chmodSync(file, 0o666)
      yield* (yield* started({ path: file }))(alert)
      assert.deepEqual([own, file].map((at) => fs.statSync(at).mode & 0o777), [0o700, 0o600])
      const linked = path.join(own, "linked.jsonl")
      fs.symlinkSync("alerts.jsonl", linked)
      const { reason } = yield* Effect.flip((yield* started({ path: linked }))(alert))
      assert.ok(reason._tag === "Rejected" && /symbolic link/.test(reason.detail), JSON.stringify(reason))
      assert.equal(linesOf(file).length, 1)
    })
)

it.live("JsonLines appends each alert as a line", () =>
  Effect.gen(function*() {
    const file = path.join(yield* folder, "alerts.jsonl")
    const post = yield* started({ path: file })
    yield* post(alert)
    yield* post("good\nmorning")
    yield* post(Alert.make({ title: "t", idempotencyKey: "nightly/load\ud800" }))
    const [first, second, third, ...others] = linesOf(file)
    assert.deepEqual(first, { ...sampleJson, at: "2026-11-23T12:40:12.345Z" })
    assert.equal(second.title, "good morning")
    assert.ok(Math.abs(Date.parse(second.at) - Date.now()) < 60_000)
    assert.ok(!("idempotencyKey" in second))
    assert.equal(third.idempotencyKey, "nightly/load\ufffd")
    assert.deepEqual(others, [])
  }))

it.live("an existing file is kept, and a missing file or folder is created for its owner only", () =>
  Effect.gen(function*() {
    const root = yield* folder
    const file = path.join(root, "a", "b", "alerts.jsonl")
    const post = yield* started({ path: file })
    yield* post(alert)
    if (os.platform() !== "win32") {
      assert.equal(fs.statSync(file).mode & 0o777, 0o600)
      assert.equal(fs.statSync(path.dirname(file)).mode & 0o777, 0o700)
    }
    const another = yield* started({ path: file })
    yield* another(alert)
    assert.equal(linesOf(file).length, 2)
    // as a log rotation does
    fs.rmSync(path.join(root, "a"), { recursive: true })
    yield* post(alert)
    assert.equal(linesOf(file).length, 1)
  }))

it.live("lines of concurrent alerters do not mix", () =>
  Effect.gen(function*() {
    const file = path.join(yield* folder, "alerts.jsonl")
    const posts = yield* Effect.all([started({ path: file }), started({ path: file })])
    const detail = "🔥".repeat(50_000)
    yield* Effect.forEach(
      Array.from({ length: 60 }, (_, i) => i),
      (i) => posts[i % 2]!(alert.with({ title: `${i}`, detail })),
      { concurrency: "unbounded" }
    )
    const lines = linesOf(file)
    assert.deepEqual(lines.map(({ title }) => Number(title)).toSorted((a, b) => a - b), lines.map((_, i) => i))
    assert.ok(lines.every((line) => line.detail === detail))
  }))

it.live("each line is one write", () =>
  Effect.gen(function*() {
    const writes: Array<{ readonly text: string; readonly flag: unknown; readonly mode: unknown }> = []
    const files = FileSystem.layerNoop({
      writeFileString: (_, text, options) =>
        Effect.sync(() => void writes.push({ text, flag: options?.flag, mode: options?.mode }))
    })
    const post = yield* started({ path: "alerts.jsonl" }, files)
    yield* post(alert.with({ detail: hugeDetail() }))
    assert.equal(writes.length, 1)
    const [{ flag, mode, text }] = writes as [typeof writes[number]]
    assert.deepEqual([flag, mode], ["a", 0o600])
    const size = Buffer.byteLength(text)
    assert.ok(size <= 512 * 1024 && size > 511 * 1024, `${size}`)
    assert.match(JSON.parse(text).detail, /^Error: BEGINNING\n[\s\S]*… \d{7} characters left out …[\s\S]*at END$/)
  }))

it.live("half a line that another process left is ended before the next line", () =>
  Effect.gen(function*() {
    const file = path.join(yield* folder, "alerts.jsonl")
    fs.writeFileSync(file, "{\"title\":\"whole\"}\n{\"title\":\"ha")
    const post = yield* started({ path: file })
    yield* post(alert)
    yield* post(alert)
    const [whole, half, ...ours] = fs.readFileSync(file, "utf8").split("\n")
    assert.deepEqual([whole, half], ["{\"title\":\"whole\"}", "{\"title\":\"ha"])
    assert.equal(ours.pop(), "")
    assert.deepEqual(ours.map((line) => JSON.parse(line).title), [alert.title, alert.title])
  }))

it.live("half a line that its own failed write left is ended before the next line", () =>
  Effect.gen(function*() {
    const file = path.join(yield* folder, "alerts.jsonl")
    const real = yield* Effect.provide(FileSystem.FileSystem, NodeFileSystem.layer)
    let full = false
    const files = Layer.succeed(FileSystem.FileSystem, {
      ...real,
      writeFileString: (path, text, options) =>
        full
          ? Effect.andThen(
            real.writeFileString(path, text.slice(0, 20), options),
            Effect.fail(
              PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "writeFileString" })
            )
          )
          : real.writeFileString(path, text, options)
    })
    const post = yield* started({ path: file }, files)
    yield* post(alert)
    full = true
    yield* Effect.flip(post(alert))
    full = false
    yield* post(alert)
    const [first, half, second, end] = fs.readFileSync(file, "utf8").split("\n")
    assert.deepEqual([first, second, end], [first, first, ""])
    assert.equal(half, first!.slice(0, 20))
  }))

it.live("any alert becomes a line within maxBytes", () =>
  Effect.gen(function*() {
    const file = path.join(yield* folder, "alerts.jsonl")
    const post = yield* started({ path: file, maxBytes: 2000 })
    yield* forAll(AnyAlert, (input) =>
      Effect.gen(function*() {
        fs.rmSync(file, { force: true })
        const posted = alertOf(input)
        yield* post(posted)
        const [line, ...others] = linesOf(file)
        assert.equal(others.length, 0)
        assert.ok(fs.statSync(file).size <= 2000)
        assert.equal(line.severity, posted.severity)
        assert.equal(line.at, "2026-11-23T12:40:12.000Z")
        for (const { value } of line.fields) assert.ok(value.isWellFormed())
      }), 60)
  }))

it.live("an alert that can't be shortened enough is an error", () =>
  Effect.gen(function*() {
    const file = path.join(yield* folder, "alerts.jsonl")
    const post = yield* started({ path: file, maxBytes: 1000 })
    const { reason } = yield* Effect.flip(post(alert.with({ dedupeKey: "k".repeat(3000) })))
    assert.deepEqual({ ...reason }, { _tag: "InvalidAlert", detail: "it has more than 1000 bytes" })
    assert.equal(fs.existsSync(file), false)
  }))

it.live("errors of the file system show their code, and not the path", () =>
  Effect.gen(function*() {
    const root = path.join(yield* folder, canary)
    fs.mkdirSync(root)
    fs.writeFileSync(path.join(root, "file"), "")
    const failure = (options: JsonLines.JsonLinesOptions, files = NodeFileSystem.layer) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Effect.flatMap(started(options, files), (post) => post(alert)))
        assert.equal(error.channel, "file")
        assert.deepEqual(leaks([error]), [])
        const { _tag, detail } = { detail: undefined, ...error.reason }
        return [_tag, detail]
      })
    assert.deepEqual((yield* failure({ path: root }))[1], "EISDIR")
    assert.deepEqual((yield* failure({ path: path.join(root, "file", "alerts.jsonl") }))[1], "ENOTDIR")
    const failing = (tag: PlatformError.SystemErrorTag, code?: string) =>
      FileSystem.layerNoop({
        writeFileString: (path) =>
          Effect.fail(PlatformError.systemError({
            _tag: tag,
            module: "FileSystem",
            method: "writeFileString",
            pathOrDescriptor: path,
            description: `${path} failed`,
            cause: code === undefined ? undefined : Object.assign(new Error(`${code}: ${path}`), { code })
          }))
      })
    const file = path.join(root, "alerts.jsonl")
    assert.deepEqual(yield* failure({ path: file }, failing("PermissionDenied", "EACCES")), ["Rejected", "EACCES"])
    assert.deepEqual(yield* failure({ path: file }, failing("Unknown", "ENOSPC")), ["Unreachable", "ENOSPC"])
    assert.deepEqual(yield* failure({ path: file }, failing("Busy")), ["Unreachable", "Busy"])
    assert.deepEqual(yield* failure({ path: file }, failing("Busy", `${file} is busy`)), ["Unreachable", "Busy"])
  }))

it.live("layerConfig reads the path from ALERT_FILE", () =>
  Effect.gen(function*() {
    const file = path.join(yield* folder, "alerts.jsonl")
    const post = (
      layer: Layer.Layer<Alerter, Config.ConfigError, FileSystem.FileSystem>,
      env: Record<string, string>
    ) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(
          Layer.provide(layer, [NodeFileSystem.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))])
        )
      )
    yield* post(JsonLines.layerConfig(), { ALERT_FILE: file })
    yield* post(JsonLines.layerConfig({ path: Config.String("TEAM_ALERTS") }), { TEAM_ALERTS: file })
    assert.equal(linesOf(file).length, 2)
    assert.match(String(yield* Effect.flip(post(JsonLines.layerConfig(), {}))), /ALERT_FILE/)
  }))

if (os.platform() !== "win32") {
  it.live("JsonLines posts to a pipe that somebody reads, and waits for no reader of another", () =>
    Effect.gen(function*() {
      const pipe = path.join(yield* folder, "pipe")
      execFileSync("mkfifo", [pipe])
      const post = yield* started({ path: pipe })
      const { message, reason } = yield* Effect.flip(post(alert))
      assert.deepEqual([reason._tag, message.includes("it is a pipe that nobody reads")], ["Unreachable", true])
      const reader = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
      yield* post(alert)
      const read = new Uint8Array(4096)
      assert.match(new TextDecoder().decode(read.subarray(0, fs.readSync(reader, read))), /^\{"title".*\}\n$/)
      fs.closeSync(reader)
      assert.equal((yield* Effect.flip(post(alert))).reason._tag, "Unreachable")
    }))
}
