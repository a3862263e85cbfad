import { DateTime, Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { quietHours, type QuietHoursOptions, type Weekday } from "../../src/delivery/index.ts"
import { Alert, Alerter } from "../../src/index.ts"
import { TestAlerter } from "../../src/testing/index.ts"
import { makeIt } from "../support/it.ts"
import { logs } from "../support/observe.ts"
import { memoryStore } from "../support/policies.ts"
import { forAll } from "../support/property.ts"
import { listed, open, readOnly, utc } from "./support.ts"

const it = makeIt(test)

const berlin = DateTime.zoneMakeNamedUnsafe("Europe/Berlin")

const nights = { from: "22:00", to: "07:00", timeZone: utc } as const

const clockTo = (iso: string) => TestClock.setTime(Date.parse(iso))

/** Returns the time, to the minute, and the title of each alert. */
const timed = (alerts: ReadonlyArray<Alert>): ReadonlyArray<string> =>
  alerts.map(({ at, title }) => `${DateTime.formatIso(at!).slice(0, 16)} ${title}`)

it.effect("alerts within the quiet hours are posted as one at their end", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open(quietHours(nights))
    yield* clockTo("2026-11-23T21:59:59Z")
    yield* post("before")
    yield* clockTo("2026-11-23T22:00:00Z")
    yield* post(Alert.make({ title: "load", severity: "error", body: "no\nfile" }))
    yield* clockTo("2026-11-24T06:59:59Z")
    yield* post("save")
    assert.deepEqual(timed(yield* sent), ["2026-11-23T21:59 before"])
    yield* clockTo("2026-11-24T07:00:00Z")
    yield* post("after")
    assert.deepEqual(timed(yield* sent).toSorted(), [
      "2026-11-23T21:59 before",
      "2026-11-24T07:00 2 alerts in quiet hours: 1 failed, 1 info",
      "2026-11-24T07:00 after"
    ])
    const digest = (yield* sent).find(({ detail }) => detail !== undefined)!
    assert.equal(digest.severity, "error")
    assert.equal(digest.detail, "2026-11-23 22:00:00 ✗ load – no\n2026-11-24 06:59:59 i save")
  }))

it.effect("a single alert is posted unchanged, and urgent ones at once", () =>
  Effect.gen(function*() {
    const { post, sent } = yield* open((self) => quietHours(self, { ...nights, except: "error" }))
    yield* post(Alert.make({ title: "load", severity: "error" }))
    const alert = Alert.make({ title: "slow", severity: "warning", detail: "1 s", at: DateTime.makeUnsafe(1) })
    yield* post(alert)
    yield* TestClock.adjust("419 minutes")
    assert.deepEqual((yield* sent).map(({ title }) => title), ["load"])
    yield* TestClock.adjust("1 minute")
    assert.deepEqual((yield* sent)[1], alert)
  }))

it.effect("`days` are the days on which the hours begin, and adjoining hours are one", () =>
  Effect.gen(function*() {
    // 2026-11-27 is a Friday
    const nightly = yield* open(quietHours({ ...nights, days: ["friday"] }))
    const weekend = yield* open(quietHours({ from: "00:00", to: "24:00", days: ["saturday", "sunday"], timeZone: utc }))
    for (const time of ["27T05:00", "27T23:00", "28T05:00", "28T23:00", "29T05:00", "29T23:30", "30T00:00"]) {
      yield* clockTo(`2026-11-${time}:00Z`)
      yield* nightly.post(time)
      yield* weekend.post(time)
    }
    yield* TestClock.adjust("1 day")
    const posted = (sent: ReadonlyArray<Alert>) => sent.map((alert) => listed(alert).join(" "))
    assert.deepEqual(posted(yield* nightly.sent), [
      "27T05:00",
      "27T23:00 28T05:00",
      "28T23:00",
      "29T05:00",
      "29T23:30",
      "30T00:00"
    ])
    assert.deepEqual((yield* weekend.sent).map(listed).toSorted(), [
      ["27T05:00"],
      ["27T23:00"],
      ["28T05:00", "28T23:00", "29T05:00", "29T23:30"],
      ["30T00:00"]
    ])
    assert.equal(
      (yield* weekend.sent).find(({ detail }) => detail !== undefined)!.at!.epochMilliseconds,
      Date.parse("2026-11-30T00:00Z")
    )
  }))

const changes: ReadonlyArray<
  readonly [
    name: string,
    hours: Pick<QuietHoursOptions, "from" | "to">,
    posts: ReadonlyArray<string>,
    arrivals: ReadonlyArray<string>
  ]
> = [
  ["a night is an hour shorter", { from: "22:00", to: "07:00" }, ["03-28T21:00"], ["03-29T05:00"]],
  ["a night is an hour longer", { from: "22:00", to: "07:00" }, ["10-24T20:00"], ["10-25T06:00"]],
  ["the end is in the skipped hour", { from: "01:00", to: "02:30" }, ["03-29T00:10"], ["03-29T01:30"]],
  ["the beginning is in the skipped hour", { from: "02:30", to: "04:00" }, ["03-29T01:10", "03-29T01:40"], [
    "03-29T01:10",
    "03-29T02:00"
  ]],
  ["the end is in the repeated hour", { from: "01:00", to: "02:30" }, ["10-25T00:40", "10-25T01:31"], [
    "10-25T01:30",
    "10-25T01:31"
  ]],
  ["the beginning is in the repeated hour", { from: "02:30", to: "03:00" }, ["10-25T00:20", "10-25T01:10"], [
    "10-25T00:20",
    "10-25T02:00"
  ]]
]

for (const [name, hours, posts, arrivals] of changes) {
  it.effect(`when clocks are changed, alerts arrive at the end of the hours if ${name}`, () =>
    Effect.gen(function*() {
      const arrived: Array<number> = []
      const inner = Alerter.layer(() =>
        Effect.clockWith((clock) => Effect.sync(() => arrived.push(clock.currentTimeMillisUnsafe())))
      )
      const { post } = yield* open((self) => quietHours(Layer.provide(inner, self), { ...hours, timeZone: berlin }))
      for (const time of posts) {
        yield* clockTo(`2026-${time}Z`)
        yield* post(time)
      }
      yield* TestClock.adjust("12 hours")
      assert.deepEqual(arrived, arrivals.map((time) => Date.parse(`2026-${time}Z`)))
    }))
}

it.effect("a delivery that fails is tried again every ten minutes, except in quiet hours", () =>
  Effect.gen(function*() {
    const { attempts, post, sent } = yield* open(
      quietHours({ from: "22:00", to: "21:45", timeZone: utc }),
      TestAlerter.layerFailing({ times: 3 })
    )
    yield* post("a")
    const attemptsAt: Array<number> = []
    for (
      const time of ["01T21:44", "01T21:45", "01T21:54", "01T21:55", "01T22:05", "02T21:44", "02T21:45", "02T21:55"]
    ) {
      yield* clockTo(`1970-01-${time}Z`).pipe(Effect.provide(logs().layer))
      attemptsAt.push(yield* attempts)
    }
    assert.deepEqual(attemptsAt, [0, 1, 1, 2, 2, 2, 3, 4])
    assert.deepEqual((yield* sent).map(({ title }) => title), ["a"])
  }))

it.effect("when the scope closes, held alerts are posted", () =>
  Effect.gen(function*() {
    const { close, post, titles } = yield* open(quietHours(nights))
    yield* post("a")
    yield* post("b")
    yield* close
    assert.deepEqual(yield* titles, ["2 alerts in quiet hours: 2 info"])
  }))

it.effect("with a store, a process that runs outside of the hours posts the held alerts", () =>
  Effect.gen(function*() {
    const kept = yield* memoryStore
    const layer = (self: Layer.Layer<Alerter>) =>
      quietHours(self, { ...nights, persist: "etl" }).pipe(Layer.provide(kept.layer))
    for (const night of ["01", "02"]) {
      yield* clockTo(`1970-01-${night}T03:00Z`)
      const run = yield* open(layer)
      yield* run.post(night)
      yield* TestClock.adjust("1 hour")
      yield* run.close
      assert.equal(yield* run.attempts, 0)
    }
    yield* clockTo("1970-01-02T12:00Z")
    const day = yield* open(layer)
    yield* TestClock.adjust("0 millis")
    assert.deepEqual((yield* day.sent).map(listed), [["01", "02"]])
    yield* day.close
    const broken = yield* open((self) =>
      quietHours(self, { ...nights, to: "21:00", persist: "x" }).pipe(Layer.provide(readOnly))
    )
    yield* Effect.andThen(broken.post("c"), broken.close).pipe(Effect.provide(logs().layer))
    assert.deepEqual(yield* broken.titles, ["c"])
  }))

const wrong: ReadonlyArray<readonly [Partial<QuietHoursOptions>, RegExp]> = [
  [{ from: "25:00" }, /"from" is "25:00", not a time between 00:00 and 23:59/],
  [{ from: "24:00" }, /"from" is "24:00"/],
  [{ to: "24:01" }, /"to" is "24:01", not a time between 00:00 and 24:00/],
  [{ to: "7:5" }, /"to" is "7:5"/],
  [{ to: "-1:30" }, /"to" is "-1:30"/],
  [{ to: "1e1:30" }, /"to" is "1e1:30"/],
  [{ to: "22:00" }, /"from" and "to" are both 22:00/],
  [{ from: "00:00", to: "24:00" }, /all hours of all days/]
]

for (const [options, message] of wrong) {
  it.effect(`${JSON.stringify(options)} is a defect when the layer is built`, () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(open(quietHours({ ...nights, ...options })))
      assert.match(String(exit), message)
      assert.match(String(exit), /Die/)
    }))
}

const weekdays: ReadonlyArray<Weekday> = [
  "sunday",
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday"
]

/** Returns the local weekday and minute of a time, computed by `Intl` instead of the code under test. */
const wall = (timeZone: string) => {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "long",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23"
  })
  return (millis: number) => {
    const parts = new Map(format.formatToParts(millis).map(({ type, value }) => [type, value]))
    const day = weekdays.findIndex((name) => name === parts.get("weekday")!.toLowerCase())
    return { day, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) }
  }
}

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

// In these zones no clock is changed after four, so the local time alone decides what is quiet.
const Boundary = between(4 * 60, 24 * 60 - 1)

const Scenario = Schema.Struct({
  zone: Schema.Literals(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
  from: Boundary,
  to: Boundary,
  days: Schema.Array(Schema.Literals(weekdays)),
  start: between(0, 365 * 24 * 60),
  waits: Schema.Array(between(0, 30 * 60)).check(Schema.isMaxLength(12)),
  failures: between(0, 2)
})

const pad = (n: number) => `${n}`.padStart(2, "0")
const time = (minute: number): `${number}:${number}` =>
  `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}` as `${number}:${number}`

test("in any time zone no alert is posted within the hours, held outside of them, or lost", () =>
  Effect.runPromise(
    forAll(Scenario, ({ days, failures, from, start, to, waits, zone }) =>
      from === to ? Effect.void : Effect.gen(function*() {
        const at = wall(zone)
        const on = (day: number) =>
          days.includes(weekdays[(day + 7) % 7]!)
        const isQuiet = (millis: number) => {
          const { day, minute } = at(millis)
          return from < to
            ? on(day) && from <= minute && minute < to
            : (on(day) && minute >= from) || (on(day - 1) && minute < to)
        }
        const arrived: Array<readonly [title: string, at: number]> = []
        const tooEarly: Array<string> = []
        let attempts = 0
        let fails = false
        const inner = Alerter.layer((alert) =>
          Effect.clockWith((clock) =>
            Effect.suspend(() => {
              const now = clock.currentTimeMillisUnsafe()
              if (isQuiet(now)) tooEarly.push(alert.title)
              if (fails && ++attempts <= failures) {
                return Effect.fail("down")
              }
              for (const title of listed(alert)) arrived.push([title, now])
              return Effect.void
            })
          )
        )
        const { close, post } = yield* open((self) =>
          quietHours(Layer.provide(inner, self), {
            from: time(from),
            to: time(to),
            timeZone: DateTime.zoneMakeNamedUnsafe(zone),
            days
          })
        )
        let now = Date.parse("2026-01-01T00:00Z") + start * 60_000
        yield* TestClock.setTime(now)
        const posted = new Map<string, number>()
        for (const [i, wait] of waits.entries()) {
          yield* TestClock.adjust(wait * 60_000)
          now += wait * 60_000
          posted.set(`t${i}`, now)
          yield* post(`t${i}`)
        }
        fails = true
        yield* TestClock.adjust("3 days")
        yield* close
        assert.deepEqual(tooEarly, [])
        assert.deepEqual(arrived.map(([title]) => title).toSorted(), [...posted.keys()].toSorted())
        for (const [title, time] of arrived) {
          const since = posted.get(title)!
          if (!isQuiet(since)) assert.equal(time, since)
          else if (failures === 0) assert.equal(at(time).minute, to)
        }
      }).pipe(Effect.scoped, Effect.provide([TestClock.layer(), logs().layer])), 150)
  ))
