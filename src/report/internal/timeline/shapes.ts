/** Draws a row of a timeline as shapes. */
import type { Look } from "./colors.ts"
import type { Attempt, Ending, Hook, Row } from "./data.ts"

/** @internal */
export interface Shape {
  /** The `d` of an SVG path. */
  readonly d: string
  readonly look: Look
  /** The attempt or hook, by its index, that the shape stands for. */
  readonly part?: { readonly of: "attempt" | "hook"; readonly index: number }
}

/** @internal */
export interface Drawn {
  readonly shapes: ReadonlyArray<Shape>
  /** Where a label may begin, in pixels from the left. */
  readonly end: number
  /** The base line of a label, in pixels from the top. */
  readonly base: number
}

/** In pixels, as are all numbers below. */
export const rowHeight = 32
/** The middle of the bar in a row without hooks, from its top; with hooks, the middle of the bar and of their lane. */
const middle = 16
const withHooks = { middle: 11, lane: 24 }
const barHeight = { step: 12, run: 6 }

/** The least width of a bar, however short the step was. */
const least = 3

/** How far shapes are drawn beyond the visible part. What lies further out is cut off. */
const margin = 40

/**
 * Draws the visible part of a row on a chart that is `width` pixels wide.
 *
 * @param x converts a time to pixels from the left of the chart
 */
export const draw = (row: Row, x: (time: number) => number, width: number): Drawn => {
  const seen = (from: number, to: number): boolean => to >= -margin && from <= width + margin
  const shapes: Array<Shape> = []
  const center = row.hooks.length === 0 ? middle : withHooks.middle
  const height = barHeight[row.kind]
  const box = (from: number, to: number): string => {
    const [left, right] = [Math.max(from, -margin), Math.min(to, width + margin)]
    return rounded(left, center - height / 2, Math.max(right - left, least), height)
  }
  const place = (time: number): number => round(x(time))
  const attempts: ReadonlyArray<Attempt> = row.attempts.length > 1 ? row.attempts : [row]
  let end = place(row.start) + least
  for (const [index, attempt] of attempts.entries()) {
    const [from, to] = [place(attempt.start), place(attempt.end)]
    const before = attempts[index - 1]
    if (before !== undefined) {
      // if the step was cut off during the wait, the wait ends at its last event
      const [left, right] = [place(before.end) + 1, Math.min(from, place(row.end)) - 1]
      if (right > left && seen(left, right)) {
        const d = `M${Math.max(left, -margin)} ${center}H${Math.min(right, width + margin)}`
        shapes.push({ d, look: "delay", part: { of: "attempt", index: index - 1 } })
      }
      if (attempt.start > row.end) break
    }
    const last = index === attempts.length - 1
    end = Math.max(to, from + least)
    if (!seen(from, end)) continue
    const look: Look = !last && attempt.ending === "failure" ? "retry" : attempt.ending
    shapes.push({ d: box(from, to), look, ...(before || !last ? { part: { of: "attempt" as const, index } } : {}) })
  }
  if (row.overdue !== undefined) {
    const at = place(row.overdue.at)
    const top = center - height / 2
    if (seen(at, at)) shapes.push({ d: `M${round(at - 3.5)} ${top - 4.5}h7l-3.5 4.5Z`, look: "overdue" })
  }
  const mark = marks[row.ending]
  if (mark !== undefined) {
    if (seen(end, end + 12)) shapes.push({ d: mark.d(end + 7, center), look: mark.look })
    end += 12
  }
  shapes.push(...hooks(row.hooks, place, seen))
  return { shapes, end: end + 5, base: center + 4 }
}

/** The mark after a bar, since the stripes of a short bar can't be seen. */
const marks: Readonly<
  Record<Ending, { readonly look: Look; readonly d: (x: number, y: number) => string } | undefined>
> = {
  success: undefined,
  failure: { look: "cross", d: (x, y) => cross(x, y, 3.5) },
  interrupt: { look: "pause", d: (x, y) => `M${x - 2} ${y - 4}v8M${x + 2} ${y - 4}v8` },
  skip: { look: "past", d: (x, y) => `M${x - 4} ${y + 1}c2 -5 6 -5 8 0M${x + 4} ${y - 3}v4h-4` },
  cut: { look: "open", d: (x, y) => `M${x - 4} ${y - 4}l4 4l-4 4M${x + 1} ${y - 4}l4 4l-4 4` }
}

/**
 * Draws each hook as a line, as long as the hook took, and a sign for its outcome. Overlapping signs move to the right.
 */
const hooks = (
  hooks: ReadonlyArray<Hook>,
  place: (time: number) => number,
  seen: (from: number, to: number) => boolean
): ReadonlyArray<Shape> => {
  const { lane } = withHooks
  let free = -Infinity
  return hooks
    .map((hook, index) => ({ hook, index }))
    .toSorted((a, b) => a.hook.end - b.hook.end || a.index - b.index)
    .flatMap(({ hook, index }): ReadonlyArray<Shape> => {
      const [from, to] = [place(hook.start), place(hook.end)]
      const x = round(Math.max(to + 3, free))
      free = x + 9
      if (!seen(Math.min(from, x), x)) return []
      const { d, look } = signs[hook.outcome]
      const long = to - from > 2 ? `M${Math.max(from, -margin)} ${lane}H${x - 3}` : ""
      return [{ d: `${long}${d(x, lane)}`, look, part: { of: "hook", index } }]
    })
}

const signs: Readonly<
  Record<Hook["outcome"], { readonly look: Look; readonly d: (x: number, y: number) => string }>
> = {
  ended: { look: "hook", d: (x, y) => `M${x - 2.5} ${y}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0Z` },
  failed: { look: "hook-failed", d: (x, y) => cross(x, y, 3) },
  skipped: { look: "hook-skipped", d: (x, y) => `M${x - 3.5} ${y}l3.5 -3.5l3.5 3.5l-3.5 3.5Z` },
  cut: { look: "hook-cut", d: (x, y) => `M${x - 3} ${y - 3.5}l6 3.5l-6 3.5Z` }
}

const cross = (x: number, y: number, size: number): string =>
  `M${round(x - size)} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`

const rounded = (x: number, y: number, width: number, height: number): string => {
  const r = Math.min(2.5, width / 2)
  return `M${round(x + r)} ${y}h${round(width - 2 * r)}a${r} ${r} 0 0 1 ${r} ${r}v${height - 2 * r}` +
    `a${r} ${r} 0 0 1 ${-r} ${r}h${round(2 * r - width)}a${r} ${r} 0 0 1 ${-r} ${-r}v${2 * r - height}` +
    `a${r} ${r} 0 0 1 ${r} ${-r}Z`
}

const round = (n: number): number => Math.round(n * 10) / 10

/** The icons beside names, which tell the outcome without the chart: paths of 16 by 16 pixels. */
export const icons: Readonly<Record<Ending, string>> = {
  success: "M3 8.5l3.5 3.5L13 4.5",
  failure: "M4 4l8 8m0 -8l-8 8",
  interrupt: "M5.5 4v8M10.5 4v8",
  skip: "M3 10c2.5 -7 7.5 -7 10 0M13 5v5h-5",
  cut: "M3 4l4 4l-4 4M8.5 4l4 4l-4 4"
}
