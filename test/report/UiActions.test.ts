/** Tests what the page of runs may change, and what it refuses. */
import { Context, Effect, Layer } from "effect"
import { WorkflowEngine } from "effect/workflow/WorkflowEngine"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { Durable } from "../../src/durable/index.ts"
import { newFile } from "../durable/support/engine.ts"
import { awaitStatus, makePipelines } from "../support/durableRuns.ts"
import { makeIt } from "../support/it.ts"
import { tempFolder } from "../support/record.ts"
import { hasEvent, served } from "../support/uiServer.ts"

const it = makeIt((name, run) => test(name, { timeout: 60_000 }, run))

/** Starts an engine with the pipelines, and serves its runs for somebody to act on, or for all to look at. */
const acting = (actionsAs?: string) =>
  Effect.gen(function*() {
    const pipelines = makePipelines()
    const context = yield* Layer.build(
      Layer.provideMerge(pipelines.layer, Durable.layerSqlite({ filename: yield* newFile, drain: "100 millis" }))
    )
    const engine = Layer.succeed(WorkflowEngine, Context.get(context, WorkflowEngine))
    const person = actionsAs === undefined ? undefined : { id: actionsAs, name: actionsAs }
    const server = yield* served(yield* tempFolder, Layer.provide(Durable.layerUi({ actionsAs: person }), engine))
    const { cookie, get, origin } = server
    const token = /data-actions="([^"]*)"/.exec((yield* get("/questions")).body)?.[1]
    const headers = { cookie, origin, "content-type": "application/json", "x-epilogue-actions": token ?? "" }
    /** Sends a request as the page does, but for some headers. */
    const post = (
      target: string,
      body: unknown,
      others: Readonly<Record<string, string | undefined>> = {},
      method = "POST"
    ) => {
      const sent = Object.entries({ ...headers, ...others }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const]
      )
      return Effect.map(
        get(target, Object.fromEntries(sent), {
          method,
          body: typeof body === "string" ? body : JSON.stringify(body)
        }),
        (reply) => {
          const isJson = String(reply.headers["content-type"]).startsWith("application/json")
          const { message = "", reason = "" }: { message?: string; reason?: string } = isJson
            ? JSON.parse(reply.body)
            : {}
          return { ...reply, message, reason }
        }
      )
    }
    const here = <A, E>(effect: Effect.Effect<A, E, WorkflowEngine>) => Effect.provide(effect, engine)
    /** Starts a run that asks, and returns its id and that of its question. */
    const asked = (id: string) =>
      here(Effect.gen(function*() {
        yield* pipelines.asks.workflow.execute({ id }, { discard: true })
        const { runId } = yield* awaitStatus("asks", "waiting")
        const { questions } = yield* Durable.show(runId)
        return { runId, question: questions[0]!.id }
      }))
    const failed = here(Effect.gen(function*() {
      yield* pipelines.loads.workflow.execute({ id: "1" }, { discard: true })
      return (yield* awaitStatus("loads", "failure")).runId
    }))
    return { ...server, asked, failed, here, pipelines, post, token }
  })

it.live("a request that lacks anything of those of the page changes nothing, and is told why", () =>
  Effect.gen(function*() {
    const { asked, cookie, get, here, pipelines, port, post, token } = yield* acting("ada")
    assert.match(token ?? "", /^[\w-]{22}$/)
    // another secret than the one of the link, which every request of the browser has
    assert.ok(!cookie.includes(token!))
    const { question, runId } = yield* asked("1")
    const other = `${token!.slice(0, -1)}${token!.endsWith("A") ? "B" : "A"}`
    const paths = [
      [`/api/durable/questions/${question}/answer`, { approve: true, values: { percent: "10", ring: "all" } }],
      [`/api/durable/runs/${runId}/interrupt`, {}],
      [`/api/durable/runs/${runId}/retry`, {}]
    ] as const
    const cases: ReadonlyArray<readonly [Readonly<Record<string, string | undefined>>, number, string?]> = [
      [{ "x-epilogue-actions": undefined }, 403, "Token"],
      [{ "x-epilogue-actions": "" }, 403, "Token"],
      [{ "x-epilogue-actions": other }, 403, "Token"],
      // the token of the link opens the page, and nothing more
      [{ "x-epilogue-actions": cookie.split("=")[1] }, 403, "Token"],
      [{ origin: undefined }, 403, "Origin"],
      [{ origin: "null" }, 403],
      [{ origin: "http://evil.example" }, 403],
      [{ origin: `https://127.0.0.1:${port}` }, 403],
      [{ origin: "http://127.0.0.1:1" }, 403],
      [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, 403, "Origin"],
      [{ "sec-fetch-site": "same-site" }, 403],
      [{ host: "evil.example" }, 421],
      [{ cookie: undefined }, 401],
      [{ cookie: `epilogue_ui_${port}=${token}` }, 401],
      [{ "content-type": "text/plain" }, 415, "Type"],
      [{ "content-type": "application/x-www-form-urlencoded" }, 415, "Type"],
      [{ "content-type": undefined }, 415, "Type"]
    ]
    for (const [path, body] of paths) {
      for (const [headers, status, reason = ""] of cases) {
        const reply = yield* post(path, body, headers)
        assert.deepEqual([reply.status, reply.reason], [status, reason], `${path} ${JSON.stringify(headers)}`)
        assert.ok(!reply.body.includes(token!))
      }
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
        const reply = yield* post(path, "", {}, method)
        assert.deepEqual([reply.status, reply.headers["allow"]], [405, "POST"], method)
      }
      // a link that has the token of the page does nothing, either
      assert.equal((yield* get(`${path}?token=${cookie.split("=")[1]}`, {})).status, 401)
    }
    for (const path of ["/", "/questions", "/api/durable", `/api/durable/${runId}`]) {
      assert.equal((yield* post(path, {})).status, 405, path)
    }
    assert.deepEqual(pipelines.seen, [])
    assert.equal((yield* here(Durable.show(runId))).status, "waiting")
  }))

it.live("a page that only shows has no token, and refuses with a reason whatever it is sent", () =>
  Effect.gen(function*() {
    const { asked, failed, here, post, token } = yield* acting()
    assert.equal(token, undefined)
    const { question, runId } = yield* asked("1")
    for (
      const path of [
        `/api/durable/questions/${question}/answer`,
        `/api/durable/runs/${runId}/interrupt`,
        `/api/durable/runs/${yield* failed}/retry`
      ]
    ) {
      for (const guess of ["", "undefined", "null"]) {
        const { message, reason, status } = yield* post(path, { approve: true }, { "x-epilogue-actions": guess })
        assert.deepEqual([status, reason], [403, "ReadOnly"])
        assert.match(message, /--allow-actions/)
      }
    }
    assert.equal((yield* here(Durable.list())).length, 2)
  }))

it.live("a question is answered in the name of the person, by the same rules as by the command", () =>
  Effect.gen(function*() {
    const { asked, get, here, pipelines, post } = yield* acting("ada")
    const { question, runId } = yield* asked("1")
    const before = yield* get(`/api/durable/${runId}`, undefined, { isEnough: hasEvent })
    assert.match(before.body, /"mayAnswer":true/)
    const path = `/api/durable/questions/${question}/answer`
    const secret = "hunter2-hunter2"
    const wrong: ReadonlyArray<readonly [unknown, number, string, string]> = [
      ["", 400, "Body", "the body of the request: expected an object"],
      ["[]", 400, "Body", "the body of the request: expected an object"],
      [{}, 400, "Body", "the body of the request: expected approve: true or false"],
      [{ approve: "yes" }, 400, "Body", "the body of the request: expected approve: true or false"],
      [
        { approve: true, by: "eve" },
        400,
        "Body",
        "the body of the request: expected the keys approve, comment and values alone"
      ],
      [
        { approve: true, values: { percent: 10 } },
        400,
        "Body",
        "the body of the request: expected values: texts by the names of fields"
      ],
      [
        { approve: true, values: { percent: secret, ring: "all" } },
        422,
        "Values",
        "percent: expected a whole number from 1 to 100"
      ],
      [
        { approve: true, values: { percent: "10", ring: "all", other: "1" } },
        422,
        "Values",
        "other: expected one of the fields percent, ring, ticket"
      ]
    ]
    for (const [body, status, reason, message] of wrong) {
      const reply = yield* post(path, body)
      assert.deepEqual([reply.status, reply.reason, reply.message], [status, reason, message])
      assert.ok(!reply.body.includes(secret))
    }
    const long = yield* post(path, { approve: true, comment: "x".repeat(200_000) })
    assert.deepEqual([long.status, long.reason], [413, "Length"])
    const values = { percent: "10", ring: "all", ticket: "OPS-7" }
    const given = yield* post(path, { approve: true, comment: "go ahead", values })
    assert.deepEqual([given.status, given.message], [200, "approved by ada"])
    yield* here(awaitStatus("asks", "success"))
    assert.deepEqual(pipelines.seen, ["1: 10 all OPS-7"])
    const [answered] = (yield* here(Durable.show(runId))).questions
    assert.deepEqual([answered?.status, answered?.by], ["approved", { id: "ada", name: "ada" }])
    const again = yield* post(path, { approve: false })
    assert.deepEqual([again.status, again.reason], [409, "Over"])
    const none = yield* post("/api/durable/questions/none/answer", { approve: true })
    assert.deepEqual([none.status, none.reason], [404, "Token"])
    const restricted = yield* asked("restricted")
    const shown = yield* get(`/api/durable/${restricted.runId}`, undefined, {
      isEnough: hasEvent
    })
    assert.match(shown.body, /"mayAnswer":false/)
    const refused = yield* post(`/api/durable/questions/${restricted.question}/answer`, { approve: false })
    assert.deepEqual(
      [refused.status, refused.reason, refused.message],
      [403, "Approver", "ada is not one of the question's approvers"]
    )
  }))

it.live("a run is interrupted and retried, with the errors of the commands", () =>
  Effect.gen(function*() {
    const { asked, failed, here, pipelines, post } = yield* acting("ada")
    const { runId } = yield* asked("1")
    const path = `/api/durable/runs/${runId}`
    const odd = yield* post(`${path}/interrupt`, { now: 1 })
    assert.deepEqual([odd.status, odd.reason], [400, "Body"])
    const early = yield* post(`${path}/retry`, {})
    assert.deepEqual([early.status, early.reason], [409, "NotEnded"])
    const interrupted = yield* post(`${path}/interrupt`, { now: true })
    assert.deepEqual([interrupted.status, interrupted.message], [200, `interrupting run ${runId}`])
    yield* here(awaitStatus("asks", "interrupt"))
    const late = yield* post(`${path}/interrupt`, {})
    assert.deepEqual([late.status, late.reason, late.message], [409, "Ended", `run ${runId} has ended already`])
    const first = yield* failed
    pipelines.state.broken = false
    const noStep = yield* post(`/api/durable/runs/${first}/retry`, { from: "none" })
    assert.deepEqual([noStep.status, noStep.reason], [422, "NoStep"])
    const retried = yield* post(`/api/durable/runs/${first}/retry`, {})
    assert.equal(retried.status, 200)
    assert.match(retried.message, new RegExp(`^run ${first}~2, a retry of ${first}: `))
    yield* here(awaitStatus("loads", "success"))
    assert.deepEqual(pipelines.seen, ["extract", "load"])
    const none = yield* post("/api/durable/runs/none/retry", {})
    assert.deepEqual([none.status, none.reason], [404, "NotFound"])
  }))
