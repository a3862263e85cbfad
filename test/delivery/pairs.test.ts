/** Compares the table of `docs/delivery.md` with what every pair of policies does. `UPDATE=1` writes the table. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as assert from "node:assert/strict"
import * as fs from "node:fs"
import { test } from "node:test"
import * as D from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { failure } from "../support/policies.ts"
import { open, utc } from "./support.ts"

const it = makeIt(test)

type Name = "chat" | "mail" | "push"
type Wrap = (self: Layer.Layer<Alerter>, other: Layer.Layer<Alerter>) => Layer.Layer<Alerter>

const policies: Record<string, Wrap> = {
  afterConsecutive: (self) => D.afterConsecutive(self, 2, { timeZone: utc }),
  dedupe: (self) => D.dedupe(self, { window: "1 hour", timeZone: utc }),
  digest: (self) => D.digest(self, { window: "10 minutes", timeZone: utc }),
  escalate: (self, other) => D.escalate(self, { after: "30 seconds", to: other, timeZone: utc }),
  fallback: (self, other) => D.fallback(self, other),
  fanOut: (self, other) => D.fanOut([self, other]),
  mailbox: (self) => D.mailbox(self),
  minSeverity: (self) => D.minSeverity(self, "warning"),
  quietHours: (self) => D.quietHours(self, { from: "22:00", to: "07:00", timeZone: utc }),
  remind: (self) => D.remind(self, { every: "45 seconds", until: 2, timeZone: utc }),
  recovered: (self) => D.recovered(self, { successes: "drop", timeZone: utc }),
  route: (self, other) => D.route([{ when: { atLeast: "error" }, to: self }], { otherwise: other }),
  throttle: (self) => D.throttle(self, { limit: 1, window: "10 minutes", timeZone: utc })
}

const about = (title: string, severity: "error" | "success") =>
  Alert.make({ title, severity, dedupeKey: "load", body: severity === "error" ? "no such file" : undefined })

/** Two failures, a third while the chat is down, and a success, a minute each; then a day. */
const story = (outer: string, inner: string) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(Date.parse("2026-11-23T23:00:00Z"))
    const state = { down: false }
    const got: Record<Name, Array<Alert>> = { chat: [], mail: [], push: [] }
    const channel = (name: Name) =>
      Alerter.layer((alert) =>
        Effect.suspend(() =>
          state.down && name === "chat"
            ? Effect.fail(failure(name))
            : Effect.sync(() => got[name].push(alert))
        ), { channel: name })
    const run = yield* open(() => policies[outer]!(policies[inner]!(channel("chat"), channel("mail")), channel("push")))
    const refused: Array<string> = []
    const post = (title: string, severity: "error" | "success") =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(run.post(about(title, severity)))
        if (exit._tag === "Failure") refused.push(title)
        yield* TestClock.adjust("1 minute")
      })
    yield* post("failed 1", "error")
    yield* post("failed 2", "error")
    state.down = true
    yield* post("failed 3", "error")
    state.down = false
    yield* post("succeeded", "success")
    yield* TestClock.adjust("1 day")
    yield* run.close
    return { got, refused }
  }).pipe(Effect.provide(logs().layer))

/** Returns the lines that a channel showed, without times. */
const shown = (alerts: ReadonlyArray<Alert>): string => {
  const texts = alerts.map((alert) => {
    const held = alert.fields.find(({ name }) => name === "held back")?.value
    return [
      alert.title.replace("Recovered: succeeded", "recovered"),
      ...(held === undefined
        ? []
        : [`(held back: ${held.replace(/ since [^:]*?( UTC)?(:.*)?$/, "").replace(/ since .*/, "")})`])
    ].join(" ")
  })
  return texts.length === 0 ? "–" : texts.join("; ")
}

const file = new URL("../../docs/delivery.md", import.meta.url)
const marks = ["<!-- pairs -->\n", "\n<!-- end of pairs -->"] as const

it.effect("the documented table equals what each pair of policies does, and no pair loses or invents an alert", () =>
  Effect.gen(function*() {
    const rows: Array<string> = []
    for (const outer of Object.keys(policies)) {
      for (const inner of Object.keys(policies)) {
        if (outer === inner) continue
        const { got, refused } = yield* Effect.provide(Effect.scoped(story(outer, inner)), TestClock.layer())
        const pair = `${inner}, ${outer}`
        for (const [name, alerts] of Object.entries(got)) {
          const titles = alerts.map(({ title }) => title)
          assert.deepEqual(titles, [...new Set(titles)], `${pair}: ${name} was told twice`)
          const failed = alerts.findIndex(({ severity }) => severity === "error")
          const well = alerts.findIndex(({ combines, tags }) => tags.includes("recovered") && combines.length === 0)
          if (well >= 0) assert.ok(failed >= 0 && failed < well, `${pair}: ${name} was told of a recovery alone`)
        }
        const all = Object.values(got).flat()
        assert.ok(all.some(({ severity }) => severity === "error"), `${pair}: the failure was not told`)
        if (pair.includes("recovered")) {
          // a combined alert lists the success after the failures
          const told = all.some(({ combines, tags }) =>
            tags.includes("recovered") || combines.at(-1)?.severity === "success"
          )
          assert.ok(told, `${pair}: the recovery was not told`)
        }
        rows.push(
          `| ${
            [`\`${inner}\``, `\`${outer}\``, ...Object.values(got).map(shown), refused.join(", ") || "–"].join(" | ")
          } |`
        )
      }
    }
    const table = [
      "| piped first | piped next | chat | mail | push | failed to its caller |",
      "|---|---|---|---|---|---|",
      ...rows
    ]
    const text = fs.readFileSync(file, "utf8")
    const [before, rest = ""] = text.split(marks[0])
    const [written = "", after = ""] = rest.split(marks[1])
    const cells = (line: string) => line.split("|").map((cell) => cell.trim()).filter((cell) => !/^-*$/.test(cell))
    if (process.env["UPDATE"] === "1") {
      fs.writeFileSync(file, `${before}${marks[0]}\n${table.join("\n")}\n${marks[1]}${after}`)
    } else {
      assert.deepEqual(
        written.split("\n").filter((line) => line.startsWith("|")).map(cells),
        table.map(cells),
        "run UPDATE=1 bun test test/delivery/pairs.test.ts"
      )
    }
  }))
