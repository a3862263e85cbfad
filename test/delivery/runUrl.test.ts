import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { dedupe, runUrl } from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { inner } from "../support/policies.ts"

const it = makeIt(test)

const source = { pipeline: "nightly/eu", runId: "r 1", runName: "nightly & co", stepPath: ["load", "page 7"] }

const urls = (policy: (self: Layer.Layer<Alerter>) => Layer.Layer<Alerter>, ...alerts: ReadonlyArray<Alert>) =>
  Effect.gen(function*() {
    const { layer, sent } = yield* inner()
    const post = Effect.flatMap(Alerter, (alerter) => Effect.forEach(alerts, (alert) => alerter.post(alert)))
    yield* Effect.provide(post, policy(layer))
    return (yield* sent).map(({ url }) => url)
  })

it.effect("the address of a run is made of a template, with names encoded for URLs", () =>
  Effect.gen(function*() {
    const policy = runUrl("https://logs.example/{pipeline}?run={runId}&name={runName}&step={step}&{other}")
    const found = yield* urls(
      policy,
      Alert.make({ title: "a", source }),
      Alert.make({ title: "b", source: { ...source, stepPath: [] } })
    )
    assert.deepEqual(found, [
      "https://logs.example/nightly%2Feu?run=r%201&name=nightly%20%26%20co&step=load%2Fpage%207&{other}",
      "https://logs.example/nightly%2Feu?run=r%201&name=nightly%20%26%20co&step=&{other}"
    ])
  }))

it.effect("a template takes names with half a surrogate pair and names like those of methods", () =>
  Effect.gen(function*() {
    const policy = runUrl("https://x.example/{pipeline}/{constructor}")
    const found = yield* urls(policy, Alert.make({ title: "a", source: { ...source, pipeline: "\ud83d" } }))
    assert.deepEqual(found, ["https://x.example/%EF%BF%BD/{constructor}"])
  }))

it.effect("an alert keeps an address of its own, and one without a source gets none", () =>
  Effect.gen(function*() {
    const policy = runUrl(({ runId }) => runId === "r 1" ? undefined : `https://x.example/${runId}`)
    const found = yield* urls(
      policy,
      Alert.make({ title: "a", source: { ...source, runId: "2" }, url: "https://own.example/" }),
      Alert.make({ title: "b", source: { ...source, runId: "2" } }),
      Alert.make({ title: "c", source }),
      Alert.make("d")
    )
    assert.deepEqual(found, ["https://own.example/", "https://x.example/2", undefined, undefined])
  }))

it.effect("an alert is posted without an address if the function for it throws", () =>
  Effect.gen(function*() {
    const policy = runUrl(() => {
      throw new Error("no such run")
    })
    assert.deepEqual(yield* urls(policy, Alert.make({ title: "a", source })), [undefined])
  }))

/** Evaluates with variables of the environment, and without those of the services. */
const within = <A, E, R>(variables: Readonly<Record<string, string>>, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = { ...process.env }
      for (const name of ["GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "JENKINS_URL", "EPILOGUE_URL"]) {
        delete process.env[name]
      }
      Object.assign(process.env, variables)
      return before
    }),
    () => effect,
    (before) =>
      Effect.sync(() => {
        for (const name of Object.keys(process.env)) delete process.env[name]
        Object.assign(process.env, before)
      })
  )

const services: ReadonlyArray<
  readonly [name: string, variables: Readonly<Record<string, string>>, url: string | undefined]
> = [
  ["GitHub Actions", {
    GITHUB_ACTIONS: "true",
    GITHUB_SERVER_URL: "https://github.com",
    GITHUB_REPOSITORY: "acme/etl",
    GITHUB_RUN_ID: "16",
    GITHUB_RUN_ATTEMPT: "2"
  }, "https://github.com/acme/etl/actions/runs/16/attempts/2"],
  [
    "GitLab",
    { GITLAB_CI: "true", CI_JOB_URL: "https://gitlab.example/acme/-/jobs/7" },
    "https://gitlab.example/acme/-/jobs/7"
  ],
  [
    "Buildkite",
    { BUILDKITE: "true", BUILDKITE_BUILD_URL: "https://buildkite.com/acme/etl/builds/3" },
    "https://buildkite.com/acme/etl/builds/3"
  ],
  [
    "CircleCI",
    { CIRCLECI: "true", CIRCLE_BUILD_URL: "https://circleci.com/gh/acme/etl/9" },
    "https://circleci.com/gh/acme/etl/9"
  ],
  [
    "Jenkins",
    { JENKINS_URL: "https://ci.example/", BUILD_URL: "https://ci.example/job/etl/4/" },
    "https://ci.example/job/etl/4/"
  ],
  [
    "a machine that serves the page of its runs",
    {
      EPILOGUE_URL: "http://etl.internal:4680/",
      GITLAB_CI: "true",
      CI_JOB_URL: "https://gitlab.example/acme/-/jobs/7"
    },
    "http://etl.internal:4680/runs/r%201#step=load/page%207"
  ],
  [
    "a machine whose page is named by the link that was printed, with its token",
    { EPILOGUE_URL: "http://me:secret@127.0.0.1:4680/etl/?token=YjhZ4YdnLXiuUMxniRzr-Q#top" },
    "http://127.0.0.1:4680/etl/runs/r%201#step=load/page%207"
  ],
  [
    "a machine with no address in its variable",
    { EPILOGUE_URL: "4680", BUILDKITE: "true", BUILDKITE_BUILD_URL: "https://buildkite.com/acme/etl/builds/3" },
    "https://buildkite.com/acme/etl/builds/3"
  ],
  ["no service", { BUILD_URL: "https://ci.example/job/etl/4/" }, undefined]
]

it.effect("the address of a step on the page of runs has its keys, and that of a run leads to no step", () => {
  const found: Array<string | undefined> = []
  const channel = Alerter.layer(({ url }) => Effect.sync(() => void found.push(url)))
  return Effect.gen(function*() {
    const alerter = yield* Alerter
    const keyed = { ...source, stepPath: ["load", "fetch"], stepLabels: ["load", "fetch[a/b]"], stepKey: "a/b" }
    for (const about of [keyed, { ...source, stepPath: [] }, { ...source, stepPath: Array(9_999).fill("load") }]) {
      yield* alerter.post(Alert.make({ title: "a", source: about }))
    }
    const run = "https://etl.example/runs/r%201"
    assert.deepEqual(found, [`${run}#step=load/fetch%5Ba%2Fb%5D`, run, run])
  }).pipe(
    Effect.provide(channel),
    (test) => within({ EPILOGUE_URL: "https://etl.example" }, test)
  )
})

it.effect("the address of a run on the page of runs is made of any identifier", () => {
  const found: Array<string | undefined> = []
  const channel = Alerter.layer(({ url }) => Effect.sync(() => void found.push(url)))
  return Effect.gen(function*() {
    const alerter = yield* Alerter
    for (const runId of ["a/b?c#d", "%2F", "\ud800"]) {
      yield* alerter.post(Alert.make({ title: "a", dedupeKey: runId, source: { ...source, runId } }))
    }
    assert.deepEqual(
      found,
      ["a%2Fb%3Fc%23d", "%252F", "%EF%BF%BD"].map((id) => `https://etl.example/runs/${id}#step=load/page%207`)
    )
  }).pipe(
    Effect.provide(dedupe(channel, { window: "1 hour" })),
    (test) => within({ EPILOGUE_URL: "https://etl.example" }, test)
  )
})

for (const [name, variables, url] of services) {
  it.effect(`an alert from ${name} has ${url === undefined ? "no address" : "the address of its job or run"}, unless there is one of the run`, () => {
    const found: Array<string | undefined> = []
    const channel = Alerter.layer(({ url }) => Effect.sync(() => void found.push(url)))
    const post = Effect.flatMap(Alerter, (alerter) => alerter.post(Alert.make({ title: "a", source })))
    return Effect.gen(function*() {
      yield* Effect.provide(post, dedupe(channel, { window: "1 hour" }))
      yield* Effect.provide(post, channel.pipe(runUrl("https://x.example/{runId}"), dedupe({ window: "1 hour" })))
      assert.deepEqual(found, [url, "https://x.example/r%201"])
    }).pipe((test) => within(variables, test))
  })
}
