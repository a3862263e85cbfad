/**
 * Tests what each service gets of the same runs, against the files in `goldens/`, of which docs/monitors.md shows one.
 * `UPDATE=1 bun test` writes them anew: look at what changed.
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { alertsOf, type Death } from "../../src/cli/supervise/alerts.ts"
import { Pings } from "../../src/cli/supervise/pings.ts"
import type { Message } from "../../src/cli/supervise/protocol.ts"
import { State } from "../../src/cli/supervise/state.ts"
import { Pipeline, Step, StepContext } from "../../src/index.ts"
import { english } from "../../src/internal/text/alertWords.ts"
import {
  BetterStack,
  Cronitor,
  Healthchecks,
  type MonitorError,
  Ping,
  Sentry,
  UptimeKuma
} from "../../src/monitors/index.ts"
import { monitorAt } from "../../src/monitors/internal/known.ts"
import { channelServer } from "../support/channelServer.ts"
import { makeIt } from "../support/it.ts"
import { pass, recordingClient, type Sent } from "../support/monitors.ts"

const it = makeIt(test)

class HttpError extends Data.TaggedError("HttpError")<{ readonly status: number; readonly url: string }> {}

/** Stacks differ by runtime and by checkout. */
const error = Object.assign(new HttpError({ status: 503, url: "/prices" }), {
  stack: "HttpError: \n    at load (/app/nightly.ts:12:3)\n    at run (node:internal/main:1:2)"
})

const extract = Step.make("extract", Effect.andThen(Effect.sleep("4 minutes"), Effect.log("1461 rows")))

const fetchPage = (page: number) =>
  Step.make("fetch-page", Effect.andThen(Effect.logWarning("no answer from /prices, again"), Effect.fail(error))).pipe(
    Step.key(page)
  )

const nightly = (body: Effect.Effect<unknown, unknown, StepContext>) =>
  Pipeline.make("nightly", Effect.andThen(extract, body)).pipe(Pipeline.runName("nightly-2026-11-29"))

const runs = {
  succeeds: nightly(Effect.andThen(StepContext.annotate("rows", 1461), Effect.sleep("8 minutes"))),
  fails: nightly(Step.make("load", fetchPage(7))),
  "is interrupted": nightly(Effect.interrupt)
}

const common = { every: "5 minutes" } as const

const uuid = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"

const services: Readonly<Record<string, (url: string) => Layer.Layer<never, MonitorError>>> = {
  healthchecks: (url) => Healthchecks.layer({ url: Redacted.make(`${url}/${uuid}`), ...common }),
  cronitor: (url) =>
    Cronitor.layer({
      apiKey: Redacted.make("8f14e45fceea167a"),
      monitor: "nightly-job",
      metrics: ["rows"],
      ...common,
      baseUrl: url
    }),
  sentry: (url) =>
    Sentry.layer({
      dsn: Redacted.make(`${url.replace("//", "//b7645b8eb47d4398@")}/42`),
      schedule: "0 3 * * *",
      timeZone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"),
      maxRuntime: "2 hours",
      ...common
    }),
  betterStack: (url) => BetterStack.layer({ url: Redacted.make(`${url}/api/v1/heartbeat/Xn3vQ7kTz1`), ...common }),
  uptimeKuma: (url) => UptimeKuma.layer({ url: Redacted.make(`${url}/api/push/4Gdp9cHeNu`), ...common }),
  ping: (url) =>
    Ping.layer({
      success: Redacted.make(`${url}/done`),
      failure: Redacted.make(`${url}/failed`),
      method: "POST"
    })
}

/** Shows a request as it reads on the wire, without what differs from run to run. */
const shown = ({ body, method, path }: Sent): string => {
  const readable = path.includes("msg=") || path.includes("message=")
    ? path.replace(/[?&]/g, (sign) => `\n    ${sign}`).replaceAll("+", " ")
    : path
  const text = `${method} ${readOr(readable)}${body === "" ? "" : `\n${body.replace(/^(?=.)/gm, "    ")}`}`
  return text.replaceAll(
    /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b/g,
    (id) => id === uuid ? id : "<id of the run>"
  )
}

const readOr = (path: string): string => decodeURIComponent(path)

const golden = (name: string, text: string): void => {
  const file = `${import.meta.dirname}/goldens/${name}.txt`
  if (process.env["UPDATE"] === "1") writeFileSync(file, text)
  assert.equal(text, readFileSync(file, "utf8"))
}

for (const [name, layerAt] of Object.entries(services)) {
  it.effect(`${name} gets the pings of a run that succeeds, that fails, and that is interrupted`, () =>
    Effect.gen(function*() {
      const parts: Array<string> = []
      yield* TestClock.setTime(Date.UTC(2026, 10, 29, 3))
      for (const [what, run] of Object.entries(runs)) {
        const { layer, requests } = recordingClient()
        const monitored = Effect.provide(run, layerAt("http://127.0.0.1:1"))
        const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(monitored, layer)))
        yield* pass(13)
        yield* Fiber.join(fiber)
        parts.push(`# A run ${what}\n\n${requests.map(shown).join("\n\n")}\n`)
      }
      golden(name, parts.join("\n"))
    }))
}

it.effect("the supervisor's ping of a crash has the signal or the exit code, and the end of standard error", () =>
  Effect.gen(function*() {
    const at = Date.UTC(2026, 10, 29, 3)
    const info = {
      pipelineName: "nightly",
      runId: "7f6c2b9e-3c55-4a4e-9d6b-0b6a3c1d2e4f",
      runName: "nightly-2026-11-29"
    }
    const messages: ReadonlyArray<Message> = [
      { _tag: "RunStarted", ...info, at },
      { _tag: "StepStarted", ...info, at, stepName: "load", stepPath: ["load"], index: 0 }
    ]
    const death: Death = {
      code: undefined,
      signal: "SIGKILL",
      at: at + 754_000,
      since: at,
      stderr: "\u001b[31mallocating 40 GB\u001b[0m\nKilled\n",
      outOfMemory: true
    }
    const parts: Array<string> = []
    for (
      const [what, given, end, stoppedBy] of [
        ["dies in a run", messages, death, undefined],
        [
          "ends in a run with an exit code",
          messages,
          { ...death, signal: undefined, code: 137, outOfMemory: false },
          undefined
        ],
        [
          "is stopped before it listens to signals",
          messages,
          { ...death, signal: "SIGTERM", outOfMemory: false },
          "SIGTERM"
        ],
        ["ends before a run", [], { ...death, signal: undefined, code: 1, outOfMemory: false }, undefined]
      ] as const
    ) {
      const server = yield* channelServer({ body: "OK" })
      const made = monitorAt(`${server.url}/ping/${uuid}`)
      assert.ok(made._tag === "Success")
      const state = new State()
      const pings = new Pings([made.success])
      for (const message of given) {
        state.receive(message)
        pings.receive(message)
      }
      // what an alert says of it is another matter
      assert.ok(alertsOf(state, "nightly.yaml", end, english).length > 0)
      yield* pings.send(state, "nightly.yaml", { death: end, stoppedBy })
      parts.push(`# A process ${what}\n\n${server.requests.map(shown).join("\n\n")}\n`)
    }
    golden("crash", parts.join("\n"))
  }))

test("docs/monitors.md shows what Healthchecks.io gets of a run that fails, and of one that crashes", () => {
  const docs = readFileSync(new URL("../../docs/monitors.md", import.meta.url), "utf8")
  for (const [name, part] of [["healthchecks", "# A run fails"], ["crash", "# A process dies in a run"]] as const) {
    const text = readFileSync(`${import.meta.dirname}/goldens/${name}.txt`, "utf8")
    const [, section = ""] = text.split(`${part}\n\n`)
    const requests = section.split("\n\n# ")[0]!.trimEnd()
    assert.ok(requests.length > 100 && docs.includes(`\`\`\`text\n${requests}\n\`\`\`\n`), `${name}: ${requests}`)
  }
})
