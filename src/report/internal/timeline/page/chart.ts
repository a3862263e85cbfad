/** Draws the rows and the axis. Only visible rows have elements, so that thousands of rows cost no more than dozens. */
import type { Row } from "../data.ts"
import { draw, type Drawn, icons, rowHeight } from "../shapes.ts"
import { elapsed, isSetWithin, type Ticks, ticks } from "../ticks.ts"
import { summary, took } from "../words.ts"
import { get, h, svg } from "./dom.ts"
import type { State } from "./state.ts"
import { date, offset, tickLabel, zoneName } from "./time.ts"

/** How many rows beyond the visible ones have elements, so that fast scrolling shows no gaps. */
const spare = 6

/** The depth from which on steps are no longer indented further. */
const deepest = 12

/** The width of a printed chart in pixels, which fits on A4 and Letter beside the names, and its most rows. */
const paper = { width: 650, rows: 2000 }

/** The width of a letter of a label, in pixels. */
const letter = 6.7

interface Shown {
  readonly element: HTMLElement
  readonly bars: SVGSVGElement
  drawn: number
}

export class Chart {
  readonly #state: State
  readonly scroller = get("scroll")
  readonly tree = get("rows")
  readonly axis = get<SVGSVGElement>("axis")
  readonly #shown: Map<number, Shown> = new Map()
  /** Incremented when all rows have to be drawn again, because the range of time or the width has changed. */
  #version = 0
  #printing = false
  #scheduled = false
  #width = 1

  constructor(state: State) {
    this.#state = state
    this.scroller.addEventListener("scroll", () => this.#schedule(), { passive: true })
    new ResizeObserver(() => this.redraw()).observe(this.scroller)
  }

  /** Returns the time at a horizontal position on the screen. */
  timeAt(clientX: number): number {
    const { from, to } = this.#state.range
    return from + (clientX - this.axis.getBoundingClientRect().left) * (to - from) / this.#width
  }

  get millisPerPixel(): number {
    const { from, to } = this.#state.range
    return (to - from) / this.#width
  }

  /** Returns how many rows fit on the screen. */
  get page(): number {
    return Math.max(1, Math.floor(this.scroller.clientHeight / rowHeight) - 1)
  }

  /** Draws all rows again, after the range of time has changed. */
  redraw(): void {
    this.#version++
    this.#schedule()
  }

  /** Builds all rows again, after the set of rows or their state has changed. */
  rebuild(): void {
    for (const { element } of this.#shown.values()) element.remove()
    this.#shown.clear()
    this.redraw()
  }

  /** Scrolls a row into view. */
  reveal(index: number): void {
    const top = this.#state.visible.indexOf(index) * rowHeight
    const { clientHeight, scrollTop } = this.scroller
    if (top < scrollTop) this.scroller.scrollTop = top
    else if (top + rowHeight > scrollTop + clientHeight) this.scroller.scrollTop = top + rowHeight - clientHeight
    this.render()
  }

  /** Builds all rows for print, one under another, or ends that. Returns how many rows are left out. */
  print(printing: boolean): number {
    this.#printing = printing
    this.rebuild()
    this.render()
    return printing ? Math.max(0, this.#state.visible.length - paper.rows) : 0
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    requestAnimationFrame(() => {
      this.#scheduled = false
      this.render()
    })
  }

  render(): void {
    const state = this.#state
    const { visible } = state
    this.#width = this.#printing ? paper.width : Math.max(1, this.axis.clientWidth)
    this.tree.hidden = visible.length === 0
    this.tree.style.height = this.#printing ? "auto" : `${visible.length * rowHeight}px`
    const { clientHeight, scrollTop } = this.scroller
    const first = this.#printing ? 0 : Math.max(0, Math.floor(scrollTop / rowHeight) - spare)
    const last = this.#printing
      ? Math.min(visible.length, paper.rows)
      : Math.min(visible.length, Math.ceil((scrollTop + clientHeight) / rowHeight) + spare)
    const wanted = new Set(visible.slice(first, last))
    for (const [index, { element }] of this.#shown) {
      if (wanted.has(index)) continue
      element.remove()
      this.#shown.delete(index)
    }
    const marks = this.#ticks()
    const lines = marks.at.map((time) => `M${Math.round(this.#x(time)) + 0.5} 0V${rowHeight}`).join("")
    const highest = Math.min(...this.#shown.keys())
    const [before, after]: [Array<HTMLElement>, Array<HTMLElement>] = [[], []]
    for (let place = first; place < last; place++) {
      const index = visible[place]!
      let shown = this.#shown.get(index)
      if (shown === undefined) {
        shown = this.#row(index, place)
        this.#shown.set(index, shown) // screen readers go by the order of elements
        ;(index < highest ? before : after).push(shown.element)
      }
      shown.element.setAttribute("aria-selected", String(index === state.chosen))
      if (shown.drawn !== this.#version) this.#bars(shown, index, lines)
    }
    this.tree.prepend(...before)
    this.tree.append(...after)
    const { chosen } = state
    if (chosen !== undefined && this.#shown.has(chosen)) {
      this.tree.setAttribute("aria-activedescendant", `row-${chosen}`)
    } else this.tree.removeAttribute("aria-activedescendant")
    this.#drawAxis(marks)
  }

  #x(time: number): number {
    const { from, to } = this.#state.range
    return (time - from) * this.#width / (to - from)
  }

  #ticks(): Ticks {
    const { fromStart, range } = this.#state
    return ticks(range.from, range.to, this.#width / 95, fromStart ? undefined : offset)
  }

  #row(index: number, place: number): Shown {
    const state = this.#state
    const row = state.rows[index]!
    const foldable = state.foldable(index)
    const folded = state.folded(index)
    const position = state.position(index)
    const name = h(
      "div",
      { class: "name" },
      h(
        "span",
        { class: foldable ? "twisty" : "twisty none", "aria-hidden": "true" },
        foldable ? folded ? "▸" : "▾" : ""
      ),
      icon(row),
      h("span", { class: "label", dir: "auto" }, row.name),
      h("span", { class: "spoken" }, summary(row))
    )
    name.style.paddingLeft = `${6 + Math.min(row.depth, deepest) * 14}px`
    const bars = svg("svg", { class: "bars", "aria-hidden": "true" })
    const element = h(
      "div",
      {
        role: "treeitem",
        id: `row-${index}`,
        class: `row ${row.kind}`,
        "data-row": index,
        "aria-level": row.depth + 1,
        "aria-posinset": position.place,
        "aria-setsize": position.count,
        "aria-expanded": foldable ? String(!folded) : undefined
      },
      name,
      bars
    )
    if (!this.#printing) element.style.transform = `translateY(${place * rowHeight}px)`
    return { element, bars, drawn: -1 }
  }

  #bars(shown: Shown, index: number, lines: string): void {
    const row = this.#state.rows[index]!
    const shift = this.#state.shift(index)
    const x = (time: number) => this.#x(time - shift)
    const drawn = draw(row, x, this.#width)
    const paths = drawn.shapes.map(({ d, look, part }) =>
      svg("path", { class: look, d, "data-part": part === undefined ? undefined : `${part.of}:${part.index}` })
    )
    shown.bars.replaceChildren(
      svg("path", { class: "grid", d: lines }),
      ...paths,
      ...this.#label(row, x(row.start), drawn)
    )
    shown.drawn = this.#version
  }

  /**
   * Labels a bar, to its right, or to its left if only that side has room. For a bar out of sight, an arrow says where it
   * is.
   */
  #label(row: Row, start: number, { base, end }: Drawn): ReadonlyArray<Node> {
    if (end < 0) return [svg("text", { x: 4, y: base, class: "took" }, "‹")]
    if (start > this.#width) return [svg("text", { x: this.#width - 4, y: base, class: "took before" }, "›")]
    const text = took(row)
    const room = text.length * letter
    if (end + room < this.#width) return [svg("text", { x: end, y: base, class: "took" }, text)]
    if (start - 6 < room) return []
    return [svg("text", { x: start - 6, y: base, class: "took before" }, text)]
  }

  #drawAxis({ at, step }: Ticks): void {
    const { fromStart, range } = this.#state
    // there is room before the first bar, which may be on the day before
    const first = Math.min(range.to, Math.max(range.from, this.#state.begin))
    get("zone").textContent = fromStart ? "From start" : `${date(first)}, ${zoneName()}`
    const isSet = isSetWithin(range.from, range.to, offset)
    const label = (time: number) => fromStart ? elapsed(time, step) : tickLabel(time, step, isSet)
    this.axis.replaceChildren(...at.flatMap((time) => {
      const x = Math.round(this.#x(time)) + 0.5
      const text = label(time)
      return [
        svg("path", { class: "grid", d: `M${x} 22V30` }),
        ...(x + text.length * letter < this.#width ? [svg("text", { x: x + 3, y: 20 }, text)] : [])
      ]
    }))
  }
}

const icon = ({ ending }: Row): SVGSVGElement =>
  svg(
    "svg",
    { class: `icon ${ending}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { d: icons[ending] })
  )
