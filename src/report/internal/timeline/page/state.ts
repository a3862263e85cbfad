/** Which rows are to be seen, and which stretch of time. */
import { areApart, isTrouble, type Row } from "../data.ts"

/** In milliseconds: since 1970, or since a run's start. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** No less time is shown than this. */
const shortest = 2

export class State {
  readonly rows: ReadonlyArray<Row>
  /** Where rows are on the axis, less their own times. */
  readonly #starts: ReadonlyArray<number>
  readonly #folded: Set<number> = new Set()
  /** Whether times are told from each run's start on, and not by the clock. */
  fromStart: boolean
  troublesOnly = false
  search = ""
  /** All there is. */
  whole: Range = { from: 0, to: 1 }
  range: Range = this.whole
  /** By their places among all rows. */
  visible: ReadonlyArray<number> = []
  /** Of each of these, which it is of how many in the same row. */
  #positions: ReadonlyMap<number, { readonly place: number; readonly siblings: { count: number } }> = new Map()
  /** By its place among all rows. */
  chosen: number | undefined

  constructor(rows: ReadonlyArray<Row>) {
    this.rows = rows
    let start = 0
    this.#starts = rows.map((row) => row.kind === "run" ? (start = row.start) : start)
    this.fromStart = areApart(rows)
    this.measure()
    this.filter()
  }

  /** What is to be taken off a row's times. */
  shift(index: number): number {
    return this.fromStart ? this.#starts[index] ?? 0 : 0
  }

  measure(): void {
    let [from, to] = [Infinity, -Infinity]
    for (const [index, row] of this.rows.entries()) {
      const shift = this.shift(index)
      from = Math.min(from, row.start - shift)
      to = Math.max(to, row.end - shift)
      for (const { end } of row.hooks) to = Math.max(to, end - shift)
    }
    if (from > to) [from, to] = [0, 1]
    // labels need room to the right of what ends last
    const extra = Math.max(to - from, shortest) * 0.015
    // far from 1970 so little would change nothing
    this.whole = { from: from - extra, to: Math.max(to + extra * 7, from + 1) }
    this.range = this.whole
  }

  filter(): void {
    const words = this.search.trim().toLowerCase()
    const wanted = (row: Row) =>
      (!this.troublesOnly || isTrouble(row)) && (words === "" || row.name.toLowerCase().includes(words))
    const all = words === "" && !this.troublesOnly
    // what a wanted row is in is shown as well
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

  /** What it is in, if that is to be seen. */
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

  /** Whether a row has rows in it that folding would hide. */
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

  /** All steps that have steps in them. */
  foldAll(folded: boolean): void {
    this.#folded.clear()
    if (folded) {
      for (const [index, row] of this.rows.entries()) {
        if (row.kind === "step" && row.size > 0) this.#folded.add(index)
      }
    }
    this.filter()
  }

  /**
   * Shows what is around a time `factor` times as large. The time stays where it is: the chosen row's, if it is in
   * sight.
   */
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

  /** When a row was. */
  #span(index: number): Range {
    const { end, start } = this.rows[index]!
    const shift = this.shift(index)
    return { from: start - shift, to: end - shift }
  }

  /** Moves to a row that is out of sight. Returns whether it was. */
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

  /** Never more than there is. */
  show({ from, to }: Range): void {
    const { whole } = this
    const length = Math.min(Math.max(to - from, shortest), whole.to - whole.from)
    const left = Math.min(Math.max(from, whole.from), whole.to - length)
    this.range = { from: left, to: left + length }
  }

  /** A row with some time before and after it. */
  showRow(index: number): void {
    const { from, to } = this.#span(index)
    const extra = Math.max(to - from, shortest) * 0.1
    this.show({ from: from - extra, to: to + extra * 3 })
  }

  /**
   * The next row after the chosen one, or before it, that tells of trouble. It may be folded away: then it is unfolded.
   */
  nextTrouble(direction: 1 | -1): number | undefined {
    const { rows } = this
    const shown = this.troublesOnly || this.search !== "" ? new Set(this.visible) : undefined
    const start = this.chosen ?? (direction === 1 ? -1 : rows.length)
    for (let step = 1; step <= rows.length; step++) {
      const index = (start + direction * step + 2 * rows.length) % rows.length
      const row = rows[index]!
      if (row.kind === "run" || !isTrouble(row) || shown?.has(index) === false) continue
      for (let at = row.parent; at >= 0; at = rows[at]!.parent) this.#folded.delete(at)
      this.filter()
      return index
    }
    return undefined
  }
}
