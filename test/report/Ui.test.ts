/** Tests the server of the page with recorded runs. */
import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { createServer } from "node:http"
import * as path from "node:path"
import { test } from "node:test"
import { Report } from "../../src/report/index.ts"
import { headerLine } from "../../src/report/internal/record/format.ts"
import { applyParts, type Content, type Part } from "../../src/report/internal/timeline/data.ts"
import { type Change, watchRuns } from "../../src/report/internal/ui/runs.ts"
import { until } from "../support/eventLoop.ts"
import { makeIt } from "../support/it.ts"
import { tempFolder } from "../support/record.ts"
import { ended, idOf, start, stepEnded, writeRecord, writeShared } from "../support/recordFiles.ts"
import { served, streamed, valuesIn } from "../support/uiServer.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

const folderWithRun = Effect.map(tempFolder, (folder) => {
  writeRecord(folder, { id: "a", lines: [ended("success", 83)] })
  return folder
})

it.live("the link leads to the page, and takes its token out of the address", () =>
  Effect.gen(function*() {
    const { cookie, get, port, token } = yield* served(yield* folderWithRun)
    assert.match(token, /^[\w-]{22}$/)
    const entered = yield* get(`/runs/${idOf("a")}?token=${token}`, {})
    assert.deepEqual([entered.status, entered.headers["location"]], [303, `/runs/${idOf("a")}`])
    assert.deepEqual(entered.headers["set-cookie"], [`epilogue_ui_${port}=${token}; Path=/; HttpOnly; SameSite=Lax`])
    assert.equal((yield* get(`/.//evil.example?token=${token}`, {})).headers["location"], "/evil.example")
    const page = yield* get("/", { cookie })
    assert.equal(page.status, 200)
    assert.match(page.body, /^<!DOCTYPE html>[^]*<div id="app"><\/div>/)
    const policy = String(page.headers["content-security-policy"])
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; connect-src 'self'; /
    )
    assert.match(policy, /require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'$/)
    assert.equal(page.headers["cache-control"], "no-store")
    const run = yield* get(`/runs/${idOf("a")}`)
    assert.match(run.body, /<a href="\/">All runs<\/a>/)
    assert.doesNotMatch(run.body, /data-events/)
  }))

it.live("nobody else gets an answer: without the token, by another name, or from another site", () =>
  Effect.gen(function*() {
    const { cookie, get, origin, port, token } = yield* served(yield* folderWithRun)
    const other = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`
    const cases: ReadonlyArray<readonly [string, Readonly<Record<string, string>>, number, string?]> = [
      ["/", {}, 401],
      ["/api/runs", {}, 401],
      [`/runs/${idOf("a")}`, {}, 401],
      ["/?token=", {}, 401],
      [`/?token=${other}`, {}, 401],
      ["/", { cookie: `epilogue_ui_${port}=${other}` }, 401],
      ["/", { cookie, host: "evil.example" }, 421],
      ["/", { cookie, host: `evil.example:${port}` }, 421],
      ["/", { cookie, host: "127.0.0.1" }, 421],
      ["/api/runs", { cookie, origin: "http://evil.example" }, 403],
      ["/api/runs", { cookie, origin: "null" }, 403],
      ["/api/runs", { cookie, "sec-fetch-site": "cross-site" }, 403],
      ["/api/runs", { cookie, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }, 403],
      ["/", { cookie }, 405, "POST"],
      ["/", { cookie }, 405, "DELETE"],
      ["/missing", { cookie }, 404],
      ["/runs/none", { cookie }, 404],
      ["/runs/%ff", { cookie }, 404],
      ["/runs/..%2f..%2fsecret", { cookie }, 404],
      ["//[", { cookie }, 404]
    ]
    for (const [target, headers, status, method = "GET"] of cases) {
      const reply = yield* get(target, headers, { method })
      assert.equal(reply.status, status, `${method} ${target} ${JSON.stringify(headers)}`)
      assert.ok(!reply.body.includes(token))
      assert.ok(!reply.body.includes("nightly"))
    }
    // a link in a chat leads here, too
    const navigated = { cookie, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }
    assert.equal((yield* get("/", navigated)).status, 200)
    assert.equal((yield* get("/", { cookie, host: `localhost:${port}`, origin })).status, 200)
  }))

it.live("the list gives all runs, and then what is new, changes or is removed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const first = writeRecord(folder, { id: "a", lines: [] })
    const { get } = yield* served(folder)
    const all = yield* get("/api/runs", undefined, { isEnough: (body) => /^data: .*\n\n/m.test(body) })
    assert.equal(all.headers["content-type"], "text/event-stream; charset=utf-8")
    assert.deepEqual(
      valuesIn<Change>(all.body).map(({ all, runs }) => [all, runs.map(({ pipeline, status }) => [pipeline, status])]),
      [[true, [["nightly", "running"]]]]
    )
    let told = 0
    const changes = yield* Effect.forkChild(
      get("/api/runs", undefined, {
        isEnough: (body) => {
          told = valuesIn<Change>(body).length
          return told === 4
        }
      })
    )
    yield* until(() => told === 1)
    fs.appendFileSync(first, `${JSON.stringify(ended("failure", 83))}\n`)
    yield* until(() => told === 2)
    writeRecord(folder, { id: "b", at: start + 1_000, lines: [ended("success", 5, start + 1_000)] })
    yield* until(() => told === 3)
    fs.rmSync(first)
    const { body } = yield* Fiber.join(changes)
    assert.deepEqual(
      valuesIn<Change>(body).map(({ removed, runs }) => [runs.map(({ id, status }) => [id[0], status]), removed]),
      [
        [[["a", "running"]], []],
        [[["a", "failure"]], []],
        [[["b", "success"]], []],
        [[], [idOf("a")]]
      ]
    )
  }))

it.live("the page of a run that goes on is told of its steps until it ends", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const step = { stepName: "load", stepPath: ["load"], index: 0 }
    const now = Date.now()
    const file = writeRecord(folder, { id: "a", at: now, lines: [{ _tag: "StepStarted", at: now, ...step }] })
    const { get } = yield* served(folder)
    const page = yield* get(`/runs/${idOf("a")}`)
    assert.match(page.body, new RegExp(`<html lang="en" data-events="/api/runs/${idOf("a")}">`))
    assert.match(page.body, /<strong class="ending cut">running<\/strong>/)
    const [told, began] = yield* streamed(get, `/api/runs/${idOf("a")}`)
    yield* began
    const line = { _tag: "StepLogged", at: now + 1, ...step, logLevel: "Info", message: "412 <rows>" }
    fs.appendFileSync(file, `${JSON.stringify(line)}\n${JSON.stringify(ended("failure", 83, now))}\n`)
    const { body } = yield* Fiber.join(told)
    const values = valuesIn<ReadonlyArray<Part>>(body)
    assert.ok(values.length >= 2)
    assert.deepEqual(rowsOf(values.slice(0, 1)).map(({ ending }) => ending), ["cut", "cut"])
    const [run, load] = rowsOf(values)
    assert.equal(run!.ending, "failure")
    assert.deepEqual(load!.logs!.map(({ message }) => message), ["412 <rows>"])
    // else the browser would ask for all of it again
    assert.ok(body.endsWith("event: end\ndata: end\n\n"))
  }))

/** Returns the rows after these changes. */
const rowsOf = (changes: ReadonlyArray<ReadonlyArray<Part>>): ReadonlyArray<Content> =>
  changes.reduce<ReadonlyArray<Content>>(applyParts, [])

it.live("of a run with thousands of steps, its page is told only of those that have changed", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const now = Date.now()
    const event = (tag: string, index: number, of: number | undefined, more: object = {}) => {
      const stepPath = of === undefined ? [`step${index}`] : [`step${of}`, `step${index}`]
      return { _tag: tag, at: now, stepName: `step${index}`, stepPath, index, parent: of, ...more }
    }
    const end = { outcome: "success", attempts: 1, durationMillis: 0 }
    // two open steps, and the steps of the first stand before the second
    const lines = [event("StepStarted", 0, undefined), event("StepStarted", 1, undefined)]
    for (let i = 2; i < 3_000; i++) lines.push(event("StepStarted", i, i % 2), event("StepEnded", i, i % 2, end))
    const file = writeRecord(folder, { id: "a", at: now, lines })
    const { get } = yield* served(folder)
    const [told, began] = yield* streamed(get, `/api/runs/${idOf("a")}`)
    yield* began
    const more = [event("StepStarted", 3_000, 0), event("StepEnded", 3_000, 0, end), ended("success", 83, now)]
    fs.appendFileSync(file, more.map((line) => `${JSON.stringify(line)}\n`).join(""))
    const values = valuesIn<ReadonlyArray<Part>>((yield* Fiber.join(told)).body)
    const isNew = (part: Part) => "kind" in part
    assert.ok(values.length >= 2)
    // a busy machine may not have read the whole record before the first of them
    const again = values.flat().filter(isNew).length - 3_001
    assert.ok(again <= 4 * values.length, `${again} rows were sent again`)
    const names = rowsOf(values).map(({ name }) => name)
    const of = (parity: number, to: number) =>
      Array.from({ length: to }, (_, i) => i).filter((i) => i >= 2 && i % 2 === parity).map((i) => `step${i}`)
    assert.deepEqual(names.slice(1), ["step0", ...of(0, 3_001), "step1", ...of(1, 3_000)])
  }))

it.live("a tab that is slow to receive misses no change, and nobody looks at the folder where there is no tab", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const looked = { times: 0 }
    const { readdir } = fs.promises
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        Object.assign(fs.promises, {
          readdir: (...args: Parameters<typeof readdir>) => {
            looked.times++
            return readdir(...args)
          }
        })
      }),
      () => Effect.sync(() => Object.assign(fs.promises, { readdir }))
    )
    const { changes } = yield* watchRuns(folder, "2 millis")
    yield* Effect.sleep("50 millis")
    assert.equal(looked.times, 1)
    const ids = new Set<string>()
    let received = 0
    yield* changes.pipe(
      Stream.takeUntil(({ runs }) => {
        for (const { id } of runs) ids.add(id)
        return ids.size === 100
      }),
      Stream.runForEach(() =>
        Effect.gen(function*() {
          if (received++ > 0) return
          for (let i = 0; i < 100; i++) {
            writeRecord(folder, { id: crypto.randomUUID(), at: start + i, lines: [ended("success", 5, start + i)] })
            const before = looked.times
            while (looked.times < before + 2) yield* Effect.sleep("1 millis")
          }
        })
      ),
      Effect.timeout("20 seconds")
    )
    assert.ok(received < 10, `received ${received} changes`)
    yield* Effect.sleep("10 millis")
    const before = looked.times
    yield* Effect.sleep("50 millis")
    assert.equal(looked.times, before)
  }))

it.live("a record that can't be read is said, and one that is missing is not there", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const { get } = yield* served(path.join(folder, "none"))
    assert.deepEqual(
      valuesIn<Change>((yield* get("/api/runs", undefined, { isEnough: (body) => /^data: .*\n\n/m.test(body) })).body),
      [
        { all: true, runs: [], removed: [] }
      ]
    )
    assert.equal((yield* get(`/runs/${idOf("a")}`)).status, 404)
  }))

it.live("an address that other machines reach is refused, and a server that closes ends its streams", () =>
  Effect.gen(function*() {
    const folder = yield* folderWithRun
    const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.provide(
      Report.layerUi({ folder, onLink: () => assert.fail("no link") }),
      NodeHttpServer.layer(createServer, { host: "0.0.0.0", port: 0 })
    ))))
    assert.equal(error._tag, "UiError")
    assert.match(error.message, /other machines may reach: expected an address such as 127\.0\.0\.1$/)
    const scope = yield* Scope.make()
    const { get } = yield* Scope.provide(served(folder), scope)
    const [stream, began] = yield* streamed(get, "/api/runs")
    yield* began
    yield* Scope.close(scope, Exit.void)
    yield* Effect.timeout(Fiber.await(stream), "10 seconds")
  }))

it.live("two runs are compared by their addresses, and the reason is told where they can't be", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const step = (stepName: string, durationMillis: number) => ({
      _tag: "StepEnded",
      at: start + durationMillis,
      stepName,
      stepPath: [stepName],
      index: 0,
      outcome: "success",
      attempts: 1,
      durationMillis
    })
    writeRecord(folder, { id: "a", lines: [step("load", 100), ended("success", 100)] })
    writeRecord(folder, { id: "b", at: start + 1000, lines: [step("load", 900), ended("success", 900)] })
    writeRecord(folder, { id: "c", name: "training", lines: [ended("success", 900)] })
    fs.writeFileSync(
      path.join(folder, `20261123T180000001Z.nightly.${idOf("d")}.jsonl`),
      headerLine({ pipelineName: "nightly", runId: idOf("d"), runName: "d", at: start })
    )
    const { get } = yield* served(folder)
    const page = yield* get(`/compare/${idOf("a")}/${idOf("b")}`)
    assert.match(page.body, /^<!DOCTYPE html>[^]*<div id="app"><\/div>/)
    const { body, headers } = yield* get(`/api/compare/${idOf("a")}/${idOf("b")}`)
    assert.equal(headers["content-type"], "application/json; charset=utf-8")
    const { after, before, run, steps } = JSON.parse(body)
    assert.deepEqual([before.runId, after.runId, run.changes], [idOf("a"), idOf("b"), ["slower"]])
    assert.deepEqual(
      steps.map((
        { changes, differenceMillis, fragment, name }: Record<string, unknown>
      ) => [name, differenceMillis, changes, fragment]),
      [["load", 800, ["slower"], "#step=load"]]
    )
    for (
      const [ids, status, message] of [
        [["a", "c"], 400, /runs of two pipelines/],
        [["a", "e"], 404, /no such run/],
        [["a", "d"], 404, /Nothing is recorded/]
      ] as const
    ) {
      const reply = yield* get(`/api/compare/${ids.map(idOf).join("/")}`)
      assert.equal(reply.status, status)
      assert.match(JSON.parse(reply.body).error, message)
    }
    assert.equal((yield* get(`/api/compare/${idOf("a")}/%E0%A4%A`)).status, 404)
    assert.equal((yield* get(`/api/compare/${idOf("a")}/${idOf("b")}`, {})).status, 401)
  }))

it.live("the page of a pipeline gets the slowest steps of its last runs, and leaves out records that are too large", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    const step = (durationMillis: number, stepName = "load") => ({
      _tag: "StepEnded",
      at: start,
      stepName,
      stepPath: [stepName],
      index: 0,
      outcome: "success",
      attempts: 1,
      durationMillis
    })
    for (let i = 0; i < 25; i++) {
      writeRecord(folder, {
        id: `${String(i).padStart(8, "0")}-0000-4000-8000-000000000000`,
        at: start + i,
        lines: [step(i), ended("success", i, start + i)]
      })
    }
    writeRecord(folder, {
      id: "a",
      at: start + 100,
      lines: [step(1), " ".repeat(9_000_000) + "\n", ended("success", 1)]
    })
    writeRecord(folder, { id: "b", at: start + 101, lines: [step(999)], touchedAt: Date.now() })
    writeRecord(folder, { id: "c", name: "other", at: start + 102, lines: [step(7, "other"), ended("success", 1)] })
    const { get } = yield* served(folder)
    assert.match((yield* get("/pipelines/nightly")).body, /<div id="app"><\/div>/)
    const { omitted, runs, steps } = JSON.parse((yield* get("/api/pipelines/nightly?some")).body)
    assert.deepEqual([runs.length, omitted, runs.at(-1).at], [19, 1, start + 24])
    assert.deepEqual(steps, [{
      path: ["load"],
      medianMillis: 15,
      p95Millis: 24,
      millis: Array.from({ length: 19 }, (_, i) => i + 6)
    }])
    const other = JSON.parse((yield* get("/api/pipelines/oth%65r")).body)
    assert.deepEqual(other.steps.map(({ path }: { readonly path: unknown }) => path), [["other"]])
    assert.deepEqual(JSON.parse((yield* get("/api/pipelines/none")).body), { runs: [], omitted: 0, steps: [] })
  }))

it.live("each run of one file has a page, a comparison and a share in the trends of its pipeline", () =>
  Effect.gen(function*() {
    const folder = yield* tempFolder
    writeShared(path.join(folder, "all.jsonl"), [
      { id: "a", lines: [stepEnded(0, "load", 100), ended("success", 100)] },
      { id: "b", at: start + 1000, lines: [stepEnded(0, "load", 900), ended("success", 900)] }
    ])
    for (const place of [folder, path.join(folder, "all.jsonl")]) {
      const { get } = yield* served(place)
      const page = yield* get(`/runs/${idOf("a")}`)
      assert.equal(page.status, 200)
      assert.ok(page.body.includes(idOf("a")) && !page.body.includes(idOf("b")))
      const { run } = JSON.parse((yield* get(`/api/compare/${idOf("a")}/${idOf("b")}`)).body)
      assert.deepEqual([run.changes, run.differenceMillis], [["slower"], 800])
      const { omitted, runs, steps } = JSON.parse((yield* get("/api/pipelines/nightly")).body)
      assert.deepEqual([omitted, runs.map(({ id }: { readonly id: string }) => id[0])], [0, ["a", "b"]])
      assert.deepEqual(steps.map(({ millis }: { readonly millis: unknown }) => millis), [[100, 900]])
    }
  }))
