import { Config, ConfigProvider, Context, Duration, Effect, Fiber, Layer, Redacted } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { GitHubIssues } from "../../src/alerters/index.ts"
import { Alert, Alerter, AlerterHooks, Pipeline, Step } from "../../src/index.ts"
import { canary } from "../support/canary.ts"
import { channelContract, sample } from "../support/channelContract.ts"
import type { Reply } from "../support/channelServer.ts"
import { nextTurn } from "../support/eventLoop.ts"
import { alert, at, marker, started } from "../support/gitHubIssues.ts"
import { makeIt } from "../support/it.ts"

const it = makeIt(test)

channelContract(test, {
  channel: "gitHubIssues",
  layer: (url, options) =>
    GitHubIssues.layer({
      ...options,
      token: Redacted.make(`ghp_${canary}0123456789`),
      repository: "acme/etl",
      baseUrl: url
    }),
  accepted: { status: 201, body: { number: 1 } },
  readsBody: true,
  // without a key no other issue is looked for
  alert: sample.with({ dedupeKey: undefined })
})

const recovery = alert.with({
  severity: "success",
  title: "nightly › load recovered",
  body: undefined,
  detail: undefined
})

it.live("the first failure opens an issue, the next are comments, and the recovery closes it", () =>
  Effect.gen(function*() {
    const { issues, post, requests } = yield* started({ label: "job", labels: ["bug", "job"], assignees: ["ada"] })
    yield* post(alert)
    const [first] = requests
    assert.equal(
      `${first?.method} ${first?.path}`,
      "GET /repos/acme/etl/issues?state=open&sort=created&direction=asc&per_page=30&page=1&labels=job"
    )
    assert.deepEqual(
      ["authorization", "accept", "user-agent", "x-github-api-version"].map((name) => first?.headers[name]),
      ["Bearer ghp_1", "application/vnd.github+json", "effect-epilogue", "2022-11-28"]
    )
    const { body, comments, ...issue } = issues[0]!
    assert.deepEqual(issue, {
      number: 1,
      title: "nightly › load failed",
      labels: ["job", "bug"],
      assignees: ["ada"],
      state: "open",
      stateReason: undefined
    })
    assert.match(body, marker)
    assert.equal(
      body.replace(marker, ""),
      [
        "Error: no such bucket",
        "- **pipeline:** nightly\n- **step:** load\n- **rows:** 1461",
        "```\nError: no such bucket\n    at load (etl.ts:12:3)\n```",
        "2026-11-23 13:40:12 Europe/Berlin \\(UTC+01:00\\)"
      ].join("\n\n")
    )
    yield* post(alert.with({ body: "Error: no such bucket, still" }))
    yield* post(alert.with({ severity: "info", title: "Ada has acknowledged it", tags: ["acknowledged"] }))
    yield* post(recovery)
    assert.equal(issues.length, 1)
    assert.deepEqual([issues[0]?.state, issues[0]?.stateReason], ["closed", "completed"])
    assert.deepEqual(comments.map((comment) => comment.split("\n")[0]), [
      "**❌ nightly › load failed**",
      "**ℹ️ Ada has acknowledged it**",
      "**✅ nightly › load recovered**"
    ])
    // closed issues stay closed
    yield* post(alert)
    assert.deepEqual(issues.map(({ state }) => state), ["closed", "open"])
  }))

it.live("a step without a key that is well again closes its issue at the end of the run", () =>
  Effect.gen(function*() {
    const { issues, layer } = yield* started()
    const run = (body: Effect.Effect<void, string>) =>
      Pipeline.make("nightly", Step.make("load", body).pipe(Step.hooks(AlerterHooks.all))).pipe(
        Effect.provide(layer),
        Effect.exit
      )
    yield* run(Effect.fail("disk full"))
    yield* run(Effect.fail("disk still full"))
    assert.deepEqual(issues.map(({ comments, state }) => [state, comments.length]), [["open", 1]])
    yield* run(Effect.void)
    assert.deepEqual(issues.map(({ state }) => state), ["closed"])
  }))

it.live("keys have issues of their own, and what is no alert's issue is left alone", () =>
  Effect.gen(function*() {
    const { add, issues, open, post } = yield* started()
    yield* post(alert)
    const { body } = issues[0]!
    // a quotation, another label, and a pull request
    const others = [
      add({ body: `${body} is what it said`, labels: ["epilogue"] }),
      add({ body, labels: ["bug"] }),
      add({ body, labels: ["epilogue"], pull_request: {} })
    ]
    yield* post(alert.with({ dedupeKey: "nightly/store", detail: body }))
    yield* post(alert.with({ dedupeKey: "nightly/store" }))
    yield* post(recovery.with({ dedupeKey: "nightly/extract" }))
    yield* post(recovery)
    assert.deepEqual(open().map(({ number }) => number), [...others.map(({ number }) => number), 5])
    assert.equal(issues[4]?.comments.length, 1)
    assert.ok(others.every(({ comments }) => comments.length === 0))
  }))

it.live("an issue is found among a hundred, on any page", () =>
  Effect.gen(function*() {
    const { add, issues, post, requests } = yield* started()
    yield* post(alert)
    const [{ body } = { body: "" }] = issues.splice(0)
    for (let i = 0; i < 100; i++) add({ body: "x".repeat(60_000), labels: ["epilogue"] })
    const last = add({ body: `${body}\n`, labels: ["epilogue"] })
    requests.splice(0)
    yield* post(alert)
    assert.equal(last.comments.length, 1)
    assert.equal(issues.length, 101)
    assert.equal(requests.filter(({ method }) => method === "GET").length, 4)
  }))

it.live("of issues that two processes open at once the earlier one stays, with both alerts", () =>
  Effect.gen(function*() {
    const github = yield* started()
    const other = yield* Layer.build(Layer.fresh(github.layer))
    // both look before either opens one
    let looks = 0
    const both = new Promise<void>((resolve) => {
      github.on(({ method }) => {
        if (method === "GET" && ++looks === 2) resolve()
        return looks <= 2 && method === "GET" ? { body: [] } : undefined
      })
    })
    yield* Effect.all([
      github.post(alert.with({ body: "from here" })),
      Context.get(other, Alerter).post(alert.with({ body: "from there" })),
      Effect.promise(() => both)
    ], { concurrency: "unbounded" })
    const [first, second] = github.issues
    assert.deepEqual(github.issues.map(({ state, stateReason }) => [state, stateReason]), [
      ["open", undefined],
      ["closed", "not_planned"]
    ])
    assert.equal(first?.comments.length, 1)
    const texts = [first?.body, first?.comments[0]].map((text) => /from \w+/.exec(text ?? "")?.[0])
    assert.deepEqual(texts.toSorted(), ["from here", "from there"])
    assert.match(second?.body ?? "", new RegExp(String(texts[1])))
  }))

it.live("an issue whose answer was lost is opened once", () =>
  Effect.gen(function*() {
    const { add, issues, on, open, post } = yield* started()
    let lost = false
    on((request) => {
      if (request.method !== "POST" || lost) return undefined
      lost = true
      add(request.json)
      return "reset"
    })
    yield* post(alert)
    assert.deepEqual(issues.map(({ state }) => state), ["open", "closed"])
    // without a dedupeKey, the key of the post tells it
    yield* post(alert.with({ dedupeKey: undefined, idempotencyKey: "run-1/load" }))
    yield* post(alert.with({ dedupeKey: undefined, idempotencyKey: "run-1/load" }))
    assert.equal(open().length, 2)
  }))

it.live("one look tells of many steps that are well, and not of an issue that was opened since", () =>
  Effect.gen(function*() {
    const { issues, open, post, requests } = yield* started()
    yield* Effect.forEach(
      Array.from({ length: 200 }, (_, i) => recovery.with({ quiet: true, dedupeKey: `step ${i}` })),
      post
    )
    assert.equal(requests.length, 1)
    yield* post(alert)
    yield* post(recovery)
    assert.deepEqual([issues.length, open().length], [1, 0])
  }))

it.live("alerts about no problem are dropped where no issue is open, unless notes are wanted", () =>
  Effect.gen(function*() {
    const note = Alert.make({ title: "loaded", at })
    const { issues, post, requests } = yield* started()
    for (const one of [note, note.with({ idempotencyKey: "1" }), note.with({ dedupeKey: "a" }), recovery]) {
      yield* post(one)
    }
    yield* post(recovery.with({ resolves: false }))
    yield* post(recovery.with({ quiet: true }))
    assert.equal(issues.length, 0)
    assert.ok(requests.every(({ method }) => method === "GET"))
    const noted = yield* started({ notes: true })
    for (const one of [note, note.with({ idempotencyKey: "1" }), note.with({ dedupeKey: "a" }), recovery]) {
      yield* noted.post(one)
    }
    assert.deepEqual(noted.issues.map(({ title }) => title), ["loaded", "loaded", "loaded"])
  }))

// -----------------------------------------------------------------------------
// limits and refusals
// -----------------------------------------------------------------------------

it.effect("a second lies between requests that create content, a pace that is set takes effect, and reading is not paced", () =>
  Effect.gen(function*() {
    const times = (options: Partial<GitHubIssues.GitHubIssuesOptions>) =>
      Effect.gen(function*() {
        const writes: Array<number> = []
        const began = yield* Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))
        const client = HttpClient.make((request) =>
          Effect.clockWith((clock) =>
            Effect.sync(() => {
              if (request.method !== "GET") writes.push(clock.currentTimeMillisUnsafe() - began)
              return HttpClientResponse.fromWeb(request, Response.json(request.method === "GET" ? [] : { number: 1 }))
            })
          )
        )
        const layer = GitHubIssues.layer({ token: Redacted.make("t"), repository: "acme/etl", ...options })
        const fiber = yield* Effect.flatMap(Alerter, ({ post }) =>
          Effect.forEach([recovery, recovery, recovery, alert, alert, alert], post)).pipe(
            Effect.provide(Layer.provide(layer, Layer.succeed(HttpClient.HttpClient, client))),
            Effect.forkChild
          )
        // digests are made outside of the clock, which goes on in steps until all is posted
        while (fiber.pollUnsafe() === undefined) {
          yield* TestClock.adjust("1 second")
          yield* nextTurn
        }
        yield* Fiber.join(fiber)
        return writes
      })
    const [first = NaN, second = NaN, third = NaN] = yield* times({})
    assert.ok(second - first >= 1000 && third - second >= 1000 && third - first < 30_000, `${first} ${second} ${third}`)
    const slow = yield* times({ pace: [{ count: 2, per: "1 minute" }] })
    assert.ok(slow.length === 3 && slow[1]! - slow[0]! < 30_000 && slow[2]! - slow[0]! >= 60_000, slow.join(" "))
    assert.equal((yield* times({ pace: [] })).length, 3)
  }))

it.live("answers that refuse the rate say how long to wait, and others are told as GitHub says them", () =>
  Effect.gen(function*() {
    const refusal = (reply: Reply) =>
      Effect.gen(function*() {
        const { on, post } = yield* started({ retries: 0 })
        on(({ method }) => method === "POST" ? reply : undefined)
        return { ...(yield* Effect.flip(post(alert))).reason }
      })
    const seconds = (reply: Reply) =>
      Effect.map(
        refusal(reply),
        (reason) =>
          reason._tag === "RateLimited" && reason.retryAfter
            ? Math.round(Duration.toSeconds(reason.retryAfter))
            : reason
      )
    const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    const reset = String(Math.floor(Date.now() / 1000) + 1800)
    const used = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }
    assert.equal(yield* seconds({ status: 403, headers: { "retry-after": "17" }, body: { message } }), 17)
    assert.equal(yield* seconds({ status: 429, headers: { ...used, "retry-after": "17" } }), 17)
    assert.ok(Math.abs(Number(yield* seconds({ status: 403, headers: used })) - 1800) <= 2)
    assert.ok(Math.abs(Number(yield* seconds({ status: 429, headers: used })) - 1800) <= 2)
    assert.equal(yield* seconds({ status: 403, body: { message } }), 60)
    const forbidden = "Resource not accessible by personal access token"
    assert.deepEqual(
      yield* refusal({ status: 403, headers: { "x-ratelimit-remaining": "4999" }, body: { message: forbidden } }),
      {
        _tag: "Unauthorized",
        detail: forbidden
      }
    )
    const errors = [
      { resource: "Issue", code: "invalid", field: "assignees", value: "x" },
      { message: "no label" },
      "odd"
    ]
    assert.deepEqual(yield* refusal({ status: 422, body: { message: "Validation Failed", errors } }), {
      _tag: "Rejected",
      status: 422,
      detail: "Validation Failed: assignees invalid: no label: odd"
    })
  }))

it.live("a list that is none, and a token that can't be sent, are errors", () =>
  Effect.gen(function*() {
    const { on, post } = yield* started({ retries: 0 })
    on(({ method }) => method === "GET" ? { body: "<html>log in</html>" } : undefined)
    assert.deepEqual({ ...(yield* Effect.flip(post(alert))).reason }, {
      _tag: "Rejected",
      status: 200,
      detail: "this is no answer of the API of GitHub"
    })
    const unsendable = yield* started({ token: Redacted.make(`${canary}\n1`) })
    assert.deepEqual({ ...(yield* Effect.flip(unsendable.post(alert))).reason }, {
      _tag: "Rejected",
      detail: "its token can't be sent in a header"
    })
  }))

it.live("an issue that was opened is delivered, though what follows fails", () =>
  Effect.gen(function*() {
    const { issues, on, post, requests } = yield* started({ retries: 0 })
    on(({ method }) => method === "GET" && requests.length > 1 ? { status: 500 } : undefined)
    yield* post(alert)
    assert.equal(issues.length, 1)
  }))

it.live("layerConfig reads token, repository and URL from the environment, or from a config", () =>
  Effect.gen(function*() {
    const { issues, url } = yield* started()
    const post = (layer: Layer.Layer<Alerter, Config.ConfigError>, env: Record<string, string>) =>
      Effect.flatMap(Alerter, (alerter) => alerter.post(alert)).pipe(
        Effect.provide(Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      )
    yield* post(GitHubIssues.layerConfig(), { GITHUB_TOKEN: "t", GITHUB_REPOSITORY: "acme/etl", GITHUB_API_URL: url })
    const given = GitHubIssues.layerConfig({
      token: Config.Redacted("TOKEN"),
      repository: Config.String("REPOSITORY"),
      baseUrl: Config.succeed(url)
    })
    yield* post(given, { TOKEN: "t", REPOSITORY: "acme/etl" })
    assert.deepEqual(issues.map(({ comments }) => comments.length), [1])
    assert.match(
      String(yield* Effect.flip(post(GitHubIssues.layerConfig(), { GITHUB_TOKEN: "t" }))),
      /GITHUB_REPOSITORY/
    )
  }))
