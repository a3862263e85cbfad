import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "node:assert/strict"
import { test } from "node:test"
import { formatDuration, formatRunningTime } from "../src/internal/text/duration.ts"
import { makeIt } from "./support/it.ts"
import { forAll } from "./support/property.ts"

const it = makeIt(test)

const check = <A>(property: (input: A) => void) => (input: A): Effect.Effect<void> => Effect.sync(() => property(input))

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]
const unitMillis: Readonly<Record<string, number>> = { ms: 1, s: second, min: minute, h: hour, d: day }

const parse = (text: string): number => {
  const [sign, rest] = text.startsWith("-") ? [-1, text.slice(1)] : [1, text]
  const parts = rest.split(" ")
  let millis = 0
  for (let i = 0; i < parts.length; i += 2) millis += Number(parts[i]) * unitMillis[parts[i + 1]!]!
  return sign * millis
}

/** Up to a hundred days, as many of them short as long: the exponent is uniform, not the duration. */
const Millis = Schema.Finite.check(Schema.isBetween({ minimum: -3, maximum: Math.log10(100 * day) }))
const millisOf = (exponent: number): number => 10 ** exponent

test("durations are shown in one or two units, rounded, without a part that is zero", () => {
  const cases: ReadonlyArray<readonly [millis: number, text: string]> = [
    [0, "0 ms"],
    [0.4, "0 ms"],
    [12, "12 ms"],
    [999.4, "999 ms"],
    [999.5, "1 s"],
    [1000, "1 s"],
    [1449, "1.4 s"],
    [1450, "1.5 s"],
    [2190, "2.2 s"],
    [59_949, "59.9 s"],
    [59_950, "1 min"],
    [72_400, "1 min 12 s"],
    [3_599_499, "59 min 59 s"],
    [3_599_500, "1 h"],
    [90 * minute, "1 h 30 min"],
    [day - 30_001, "23 h 59 min"],
    [day - 30_000, "1 d"],
    [53 * hour, "2 d 5 h"],
    [8 * day - 10, "8 d"],
    [Infinity, "Infinity"],
    [-0.3, "0 ms"],
    [-2190, "-2.2 s"]
  ]
  assert.deepEqual(cases.map(([millis]) => formatDuration(millis)), cases.map(([, text]) => text))
})

test("running times keep one decimal below a minute, so that what follows them stays in place", () => {
  const cases: ReadonlyArray<readonly [millis: number, text: string]> = [
    [-5, "0.0 s"],
    [40, "0.0 s"],
    [450, "0.5 s"],
    [2000, "2.0 s"],
    [59_950, "1 min"],
    [71_000, "1 min 11 s"]
  ]
  assert.deepEqual(cases.map(([millis]) => formatRunningTime(millis)), cases.map(([, text]) => text))
})

/** Half of the last unit that is shown. */
const tolerance = (millis: number): number =>
  millis < second ? 0.5 : millis < minute ? 50 : millis < hour ? second / 2 : millis < day ? minute / 2 : hour / 2

it.effect("what is shown differs from the duration by no more than half of its last unit", () =>
  forAll(
    Millis,
    check((exponent) => {
      const millis = millisOf(exponent)
      const text = formatDuration(millis)
      assert.match(text, /^(\d+ ms|\d+(\.\d)? s|\d+ min( \d+ s)?|\d+ h( \d+ min)?|\d+ d( \d+ h)?)$/)
      assert.ok(Math.abs(parse(text) - millis) <= tolerance(millis) + 1e-6 * millis, `${millis}: ${text}`)
    })
  ))

it.effect("a longer duration is never shown as less", () =>
  forAll(
    Schema.Struct({ exponent: Millis, more: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 })) }),
    check(({ exponent, more }) => {
      const shorter = millisOf(exponent)
      const longer = shorter * (1 + more)
      assert.ok(
        parse(formatDuration(shorter)) <= parse(formatDuration(longer)),
        `${shorter} and ${longer}: ${formatDuration(shorter)} and ${formatDuration(longer)}`
      )
    })
  ))

it.effect("a duration that was shown and read back is shown the same", () =>
  forAll(
    Millis,
    check((exponent) => {
      const text = formatDuration(millisOf(exponent))
      assert.equal(formatDuration(parse(text)), text)
    })
  ))
