/** Scrolls through rows of which only those in sight have elements, so that ten thousand cost no more than dozens. */
import { useLayoutEffect, useRef, useState } from "preact/hooks"

/** How many rows beyond those in sight have elements, so that fast scrolling shows no gaps. */
const spare = 8

/**
 * Returns which rows of a height in pixels have elements, and the handlers of the element that scrolls. Arrow keys move the
 * focus between elements with `data-index`, the index of their row, of the same tag.
 */
export const useRows = (count: number, rowHeight: number) => {
  const scroller = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, height: 800 })
  /** What to focus once its row has elements. */
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
