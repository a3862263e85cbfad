/** Scrolls through rows of which only those in sight have elements, so that ten thousand cost no more than dozens. */
import { type ComponentChild, h } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"

/** How many rows beyond those in sight have elements, so that fast scrolling shows no gaps. */
const spare = 8

/**
 * Returns which rows of a height in pixels have elements, and the handlers of the element that scrolls. Arrow keys move the
 * focus between elements with `data-index`, the index of their row, of the same tag.
 */
const useRows = (count: number, rowHeight: number) => {
  const scroller = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, height: 800 })
  /** The selector of the element to focus once its row has elements. */
  const [wanted, setWanted] = useState<string | undefined>(undefined)
  const measure = () => {
    const { clientHeight = 0, scrollTop = 0 } = scroller.current ?? {}
    setSight({ top: scrollTop, height: clientHeight })
  }
  useLayoutEffect(() => {
    const observer = new ResizeObserver(measure)
    observer.observe(scroller.current!)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    if (wanted === undefined) return
    const element = scroller.current!.querySelector<HTMLElement>(wanted)
    element?.focus()
    if (element !== null) setWanted(undefined)
  })
  const go = (index: number, tag: string) => {
    const to = Math.min(Math.max(index, 0), count - 1)
    const { current } = scroller
    if (current === null || to < 0) return
    const top = to * rowHeight
    if (top < current.scrollTop) current.scrollTop = top
    else if (top + rowHeight > current.scrollTop + current.clientHeight) {
      current.scrollTop = top + rowHeight - current.clientHeight
    }
    measure()
    setWanted(`${tag}[data-index="${to}"]`)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const { target } = event
    const from = target instanceof HTMLElement ? target.dataset["index"] : undefined
    if (!(target instanceof HTMLElement) || from === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    const page = Math.max(1, Math.floor(sight.height / rowHeight) - 1)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -count,
      End: count
    }
    const by = moves[event.key]
    if (by === undefined) return
    event.preventDefault()
    go(Number(from) + by, target.tagName)
  }
  return {
    first: Math.max(0, Math.floor(sight.top / rowHeight) - spare),
    last: Math.min(count, Math.ceil((sight.top + sight.height) / rowHeight) + spare),
    scroll: { ref: scroller, onScroll: measure, onKeyDown, tabIndex: -1 }
  }
}

interface Props {
  readonly label: string
  readonly columns: ReadonlyArray<string>
  readonly count: number
  /** The height of a row in pixels. */
  readonly height: number
  readonly look: string
  /** Returns the row at an index, which places itself by `rowProps`. */
  readonly row: (index: number) => ComponentChild
}

/** Returns the properties of a row's element that place it. */
export const rowProps = (index: number, height: number) => ({
  role: "row" as const,
  "aria-rowindex": index + 2,
  style: { transform: `translateY(${index * height}px)` }
})

/** Shows a table of any number of rows. */
export const RowsTable = ({ columns, count, height, label, look, row }: Props) => {
  const { first, last, scroll } = useRows(count, height)
  return h(
    "div",
    { role: "table", "aria-label": label, "aria-rowcount": count + 1, class: look },
    h(
      "div",
      { role: "rowgroup" },
      h(
        "div",
        { role: "row", class: "head", "aria-rowindex": 1 },
        ...columns.map((name) => h("span", { role: "columnheader", key: name }, name))
      )
    ),
    h(
      "div",
      { role: "rowgroup", class: "scroll", ...scroll },
      h(
        "div",
        { class: "rows", role: "presentation", style: { height: `${count * height}px` } },
        ...Array.from({ length: Math.max(0, last - first) }, (_, i) => row(first + i))
      )
    )
  )
}
