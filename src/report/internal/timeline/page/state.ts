/** Keeps which rows are visible, and which range of time. */
import { areApart, isTrouble, type Row } from "../data.ts"

/** A range of time in milliseconds since 1970, or since the start of a run. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** The shortest range that can be shown, in milliseconds. */
const shortest = 2

const startsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<number> => {
  let start = 0
  return rows.map((row) => row.kind === "run" ? (start = row.start) : start)
}

/** Returns a key for each row, by which it is known again among the rows of a later time. */
const keysOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const seen = new Map<string, number>()
  return rows.map(({ depth, name, start }) => {
    const key = `${depth} ${start} ${name}`
    const count = seen.get(key) ?? 0
    seen.set(key, count + 1)
    return `${count} ${key}`
  })
}

export class State {
  rows: ReadonlyArray<Row>
  /** The start of the run of each row. */
  #starts: ReadonlyArray<number>
  #folded: Set<number> = new Set()
  /** Whether times are relative to the start of each run, instead of on the clock. */
  fromStart: boolean
  troublesOnly = false
  /** Whether the run goes on, so that steps without an end are running. */
  goesOn = false
  search = ""
  /** The range of all rows. */
  whole: Range = { from: 0, to: 1 }
  range: Range = this.whole
  /** When the first row begins. */
  begin = 0
  /** The indexes of the visible rows. */
  visible: ReadonlyArray<number> = []
  /** The place of each visible row among the visible rows with the same parent. */
  #positions: ReadonlyMap<number, { readonly place: number; readonly siblings: { count: number } }> = new Map()
  /** The index of the chosen row. */
  chosen: number | undefined

  constructor(rows: ReadonlyArray<Row>) {
    this.rows = rows
    this.#starts = startsOf(rows)
    this.fromStart = areApart(rows)
    this.measure()
    this.filter()
  }

  /** Shows the rows of a later time: what was folded or chosen stays so, and so does the range, unless it was the whole. */
  replace(rows: ReadonlyArray<Row>): void {
    const keys = keysOf(this.rows)
    const places = new Map(keysOf(rows).map((key, index) => [key, index]))
    const placeOf = (index: number): number | undefined => places.get(keys[index]!)
    this.#folded = new Set([...this.#folded].flatMap((index) => placeOf(index) ?? []))
    this.chosen = this.chosen === undefined ? undefined : placeOf(this.chosen)
    this.rows = rows
    this.#starts = startsOf(rows)
    const { range, whole } = this
    this.measure()
    if (range.from !== whole.from || range.to !== whole.to) this.show(range)
    this.filter()
  }

  /** Returns what to subtract from the times of a row. */
  shift(index: number): number {
    return this.fromStart ? this.#starts[index] ?? 0 : 0
  }

  /** Sets the whole range, and shows it. */
  measure(): void {
    let [from, to] = [Infinity, -Infinity]
    for (const [index, row] of this.rows.entries()) {
      const shift = this.shift(index)
      from = Math.min(from, row.start - shift)
      to = Math.max(to, row.end - shift)
      for (const { end } of row.hooks) to = Math.max(to, end - shift)
    }
    if (from > to) [from, to] = [0, 1]
    this.begin = from
    // room for labels after the last bars
    const extra = Math.max(to - from, shortest) * 0.015
    // at least a millisecond: far from 1970, adding less would not change the number
    this.whole = { from: from - extra, to: Math.max(to + extra * 7, from + 1) }
    this.range = this.whole
  }

  /** Sets the visible rows, by search, filter and folding. */
  filter(): void {
    const words = this.search.trim().toLowerCase()
    const wanted = (row: Row) =>
      (!this.troublesOnly || isTrouble(row, this.goesOn)) && (words === "" || row.name.toLowerCase().includes(words))
    const all = words === "" && !this.troublesOnly
    // with each row that matches, the rows that it is inside of
    const kept = new Set<number>()
    if (!all) {
      for (const [index, row] of this.rows.entries()) {
        if (row.kind === "run" || !wanted(row)) continue
        for (let at = index; at >= 0 && !kept.has(at); at = this.rows[at]!.parent) kept.add(at)
      }
    }
    const visible: Array<number> = []
    for (let index = 0; index < this.rows.length; index++) {
      if (!all && !kept.has(index)) continue
      visible.push(index)
      if (all && this.#folded.has(index)) index += this.rows[index]!.size
    }
    this.visible = visible
    const families = new Map<number, { count: number }>()
    this.#positions = new Map(visible.map((index) => {
      const { parent } = this.rows[index]!
      const siblings = families.get(parent) ?? { count: 0 }
      families.set(parent, siblings)
      return [index, { place: ++siblings.count, siblings }]
    }))
    if (this.chosen !== undefined && !visible.includes(this.chosen)) this.chosen = this.#nearest(this.chosen)
  }

  /** Returns the innermost visible row that a row is inside of. */
  #nearest(index: number): number | undefined {
    for (let at = this.rows[index]!.parent; at >= 0; at = this.rows[at]!.parent) {
      if (this.visible.includes(at)) return at
    }
    return undefined
  }

  position(index: number): { readonly place: number; readonly count: number } {
    const { place, siblings } = this.#positions.get(index)!
    return { place, count: siblings.count }
  }

  /** Returns whether a row has rows inside that folding would hide. */
  foldable(index: number): boolean {
    return this.rows[index]!.size > 0 && !this.troublesOnly && this.search.trim() === ""
  }

  folded(index: number): boolean {
    return this.#folded.has(index) && this.foldable(index)
  }

  fold(index: number, folded: boolean): void {
    if (folded) this.#folded.add(index)
    else this.#folded.delete(index)
    this.filter()
  }

  /** Makes a row visible, whatever is folded or filtered. */
  unfoldTo(index: number): void {
    this.search = ""
    this.troublesOnly = false
    for (let at = this.rows[index]!.parent; at >= 0; at = this.rows[at]!.parent) this.#folded.delete(at)
    this.filter()
  }

  /** Folds or unfolds all steps that have steps inside. */
  foldAll(folded: boolean): void {
    this.#folded.clear()
    if (folded) {
      for (const [index, row] of this.rows.entries()) {
        if (row.kind === "step" && row.size > 0) this.#folded.add(index)
      }
    }
    this.filter()
  }

  /** Zooms in by `factor`. `around` stays in place: the middle of the chosen row, if it is visible, or of the range. */
  zoom(factor: number, around: number = this.#middle()): void {
    const { from, to } = this.range
    const length = to - from
    const wanted = Math.min(Math.max(length / factor, shortest), this.whole.to - this.whole.from)
    const left = around - (around - from) * (wanted / length)
    this.show({ from: left, to: left + wanted })
  }

  #middle(): number {
    const { from, to } = this.range
    const chosen = this.chosen === undefined ? undefined : this.#span(this.chosen)
    const [start, end] = [Math.max(from, chosen?.from ?? from), Math.min(to, chosen?.to ?? to)]
    return start > end ? (from + to) / 2 : (start + end) / 2
  }

  /** Returns the range of a row. */
  #span(index: number): Range {
    const { end, start } = this.rows[index]!
    const shift = this.shift(index)
    return { from: start - shift, to: end - shift }
  }

  /** Moves the range to a row that is outside of it. Returns whether it was. */
  bringIntoSight(index: number): boolean {
    const { from, to } = this.#span(index)
    const { range } = this
    if (to >= range.from && from <= range.to) return false
    this.pan(from - range.from - (range.to - range.from) / 4)
    return true
  }

  pan(by: number): void {
    this.show({ from: this.range.from + by, to: this.range.to + by })
  }

  /** Shows a range, moved and cut so that it lies within the whole range. */
  show({ from, to }: Range): void {
    const { whole } = this
    const length = Math.min(Math.max(to - from, shortest), whole.to - whole.from)
    const left = Math.min(Math.max(from, whole.from), whole.to - length)
    this.range = { from: left, to: left + length }
  }

  /** Shows the range of a row, with some time before and after it. */
  showRow(index: number): void {
    const { from, to } = this.#span(index)
    const extra = Math.max(to - from, shortest) * 0.1
    this.show({ from: from - extra, to: to + extra * 3 })
  }

  /**
   * Returns the next row with trouble after the chosen row, or before it, and unfolds the rows that it is inside of.
   */
  nextTrouble(direction: 1 | -1): number | undefined {
    const { rows } = this
    const shown = this.troublesOnly || this.search !== "" ? new Set(this.visible) : undefined
    const start = this.chosen ?? (direction === 1 ? -1 : rows.length)
    for (let step = 1; step <= rows.length; step++) {
      const index = (start + direction * step + 2 * rows.length) % rows.length
      const row = rows[index]!
      if (row.kind === "run" || !isTrouble(row, this.goesOn) || shown?.has(index) === false) continue
      for (let at = row.parent; at >= 0; at = rows[at]!.parent) this.#folded.delete(at)
      this.filter()
      return index
    }
    return undefined
  }
}
