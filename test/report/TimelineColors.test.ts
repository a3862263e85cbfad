import * as assert from "node:assert/strict"
import { test } from "node:test"
import { type Color, looks, palettes, type Theme } from "../../src/report/internal/timeline/colors.ts"
import { elapsed, ticks } from "../../src/report/internal/timeline/ticks.ts"

/** Returns the relative luminance (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance). */
const luminance = (color: string): number => {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

const contrast = (a: string, b: string): number => {
  const [dark, light] = [luminance(a), luminance(b)].toSorted((a, b) => a - b)
  return (light! + 0.05) / (dark! + 0.05)
}

const backgrounds: ReadonlyArray<Color> = ["back", "raised", "chosen"]

for (const theme of Object.keys(palettes) as ReadonlyArray<Theme>) {
  const palette = palettes[theme]
  const weakest = (colors: Iterable<Color>, least: number) =>
    [...colors].flatMap((color) =>
      backgrounds.flatMap((back) => {
        const found = contrast(palette[color], palette[back])
        return found < least ? [`${color} on ${back}: ${found.toFixed(2)}`] : []
      })
    )

  test(`text has enough contrast in the ${theme} theme`, () => {
    assert.deepEqual(weakest(["text", "quiet", "success", "failure", "interrupt", "cut"], 4.5), [])
  })

  test(`shapes and borders have enough contrast in the ${theme} theme`, () => {
    const used = Object.values(looks).flatMap(({ fill, stroke }) => [fill, stroke])
    const colors = new Set(used.filter((color) => color !== undefined && color !== "back"))
    assert.deepEqual(weakest([...colors, "focus"], 3), [])
    assert.ok(contrast(palette.line, palette.back) >= 3)
  })
}

test("no two looks of shapes differ by colour alone", () => {
  const shapes = Object.entries(looks).map((
    [look, { dash, stripes, stroke }]
  ) => [look, stripes, dash, stroke !== undefined])
  const bars = shapes.filter(([look]) => ["success", "failure", "retry", "interrupt", "cut"].includes(String(look)))
  assert.equal(new Set(bars.map(([, ...form]) => form.join())).size, bars.length)
})

const hour = 3_600_000
const day = 24 * hour

test("an axis has marks at round times, at most as many as asked for", () => {
  assert.deepEqual(ticks(0, 95, 10).at, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
  assert.deepEqual(ticks(500, 61_000, 5), { step: 15_000, at: [15_000, 30_000, 45_000, 60_000] })
  // midnight at UTC+05:30
  assert.deepEqual(ticks(0, 2 * day, 2, () => 5.5 * 3_600_000).at, [66_600_000, 66_600_000 + day])
  assert.ok(ticks(1e300, 1e300, 10).at.length <= 12)
  for (const length of [1, 1e3, 1e6, 1e9, 1e12, 1e15]) assert.ok(ticks(0, length, 10).at.length <= 11, String(length))
})

test("each mark of an axis is at a round time by its own offset, also where the clock is set", () => {
  const berlin = Date.UTC(2026, 9, 25, 1)
  const offset = (millis: number) => (millis < berlin ? 2 : 1) * 3_600_000
  const at = (from: number, to: number, most: number, way = offset) =>
    ticks(from, to, most, way).at.map((time) => new Date(time + way(time)).toISOString().slice(8, 16))
  // midnight on each day, before and after
  assert.deepEqual(at(berlin - 2 * day, berlin + 3 * day, 5), [
    "24T00:00",
    "25T00:00",
    "26T00:00",
    "27T00:00",
    "28T00:00"
  ])
  // 02:00 is there twice
  assert.deepEqual(at(berlin - 2.5 * hour, berlin + 2.5 * hour, 5), [
    "25T01:00",
    "25T02:00",
    "25T02:00",
    "25T03:00",
    "25T04:00"
  ])
  const spring = Date.UTC(2026, 2, 29, 1)
  const forward = (millis: number) => (millis < spring ? 1 : 2) * hour
  assert.deepEqual(at(spring - 2.5 * hour, spring + 1.5 * hour, 5, forward), [
    "29T00:00",
    "29T01:00",
    "29T03:00",
    "29T04:00"
  ])
})

test("times since the start are as exact as the distance of their marks", () => {
  const told: ReadonlyArray<readonly [number, number]> = [
    [0, 1],
    [250, 50],
    [1500, 500],
    [1005, 5],
    [45_000, 15_000],
    [90_000, 30_000],
    [61_500, 500],
    [3_661_000, 1000],
    [90_000_000, 3_600_000],
    [-500, 100]
  ]
  const expected = "0, 250 ms, 1.5 s, 1.005 s, 45 s, 1:30, 1:01.5, 1:01:01, 1 d 1:00, −500 ms"
  assert.equal(told.map(([millis, step]) => elapsed(millis, step)).join(", "), expected)
})
