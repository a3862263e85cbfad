/** Runs the page: the script that `scripts/page.ts` bundles. */
import { applyParts, type Content, isTrouble, type Part, place, type Timeline } from "../data.ts"
import { rowHeight } from "../shapes.ts"
import { endings, sayGoesOn, took, totals } from "../words.ts"
import { Chart } from "./chart.ts"
import { details, tip } from "./details.ts"
import { get, h } from "./dom.ts"
import { legendItems } from "./legend.ts"
import { fragmentOf, linkedRow } from "./link.ts"
import { print } from "./paper.ts"
import { receive } from "./source.ts"
import { State } from "./state.ts"
import { switchTheme } from "./theme.ts"
import { timeElement } from "./time.ts"

// a cast: html.ts writes this data
const state = new State((JSON.parse(get("data").textContent ?? "") as Timeline).rows)
for (const part of ["main", "tools", "legend"]) {
  ;(part === "legend" ? get(part).parentElement! : get(part)).hidden = false
}
/** The address of the timelines of a run that goes on. */
const { events } = document.documentElement.dataset
const setGoesOn = (goesOn: boolean): void => {
  state.goesOn = goesOn
  sayGoesOn(goesOn)
}
setGoesOn(events !== undefined)
const chart = new Chart(state)
const panel = get("details")
const tree = chart.tree

// -----------------------------------------------------------------------------
// the chosen row
// -----------------------------------------------------------------------------

const showDetails = (): void => {
  const row = state.chosen === undefined ? undefined : state.rows[state.chosen]
  if (row === undefined) return hideDetails()
  panel.replaceChildren(
    ...details(row, {
      close: closeDetails,
      zoom: () => change(() => state.showRow(state.chosen!)),
      fragment: fragmentOf(state.rows, state.chosen!)
    })
  )
  panel.scrollTop = 0
  panel.hidden = false
}

const hideDetails = (): void => {
  panel.hidden = true
}

const closeDetails = (): void => {
  hideDetails()
  tree.focus()
}

const choose = (index: number | undefined): void => {
  if (index === undefined) return
  state.chosen = index
  if (state.bringIntoSight(index)) chart.redraw()
  chart.reveal(index)
  if (!panel.hidden) showDetails()
}

/** Chooses the visible row that is `by` rows further down. */
const move = (by: number): void => {
  const { chosen, visible } = state
  const place = chosen === undefined ? (by > 0 ? -1 : visible.length) : visible.indexOf(chosen)
  choose(visible[Math.min(Math.max(place + by, 0), visible.length - 1)])
}

// -----------------------------------------------------------------------------
// the visible rows and the range of time
// -----------------------------------------------------------------------------

/** Changes the range of time. */
const change = (f: () => void): void => {
  f()
  hideTip()
  chart.redraw()
}

/** Changes which rows are visible. */
const refilter = (f: () => void): void => {
  f()
  hideTip()
  chart.rebuild()
  const nothing = get("nothing")
  nothing.hidden = state.visible.length > 0
  nothing.textContent = state.rows.length === 0
    ? "There are no runs here."
    : state.troublesOnly && state.search === ""
    ? "No step failed."
    : "No such step."
  if (!panel.hidden) showDetails()
}

const zoom = (factor: number, around?: number): void => change(() => state.zoom(factor, around))
const pan = (part: number): void => change(() => state.pan((state.range.to - state.range.from) * part))
const fit = (): void => change(() => state.show(state.whole))

const toggle = (id: string, pressed: boolean, f: (pressed: boolean) => void): void => {
  const button = get(id)
  button.setAttribute("aria-pressed", String(pressed))
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true"
    button.setAttribute("aria-pressed", String(now))
    f(now)
  })
}

toggle("troubles", false, (on) =>
  refilter(() => {
    state.troublesOnly = on
    state.filter()
  }))
toggle("fold", false, (on) => refilter(() => state.foldAll(on)))
toggle("clock", state.fromStart, (on) =>
  refilter(() => {
    state.fromStart = on
    state.measure()
  }))
const hideFold = (): void => {
  get("fold").hidden = !state.rows.some(({ kind, size }) => kind === "step" && size > 0)
}
hideFold()
const search = get<HTMLInputElement>("search")
search.addEventListener("input", () =>
  refilter(() => {
    state.search = search.value
    state.filter()
  }))
get("in").addEventListener("click", () => zoom(1.5))
get("out").addEventListener("click", () => zoom(1 / 1.5))
get("fit").addEventListener("click", fit)

switchTheme(get("theme"))

// -----------------------------------------------------------------------------
// keys
// -----------------------------------------------------------------------------

/** Folds or unfolds as in other trees (https://www.w3.org/WAI/ARIA/apg/patterns/treeview/#keyboardinteraction). */
const fold = (folded: boolean): void => {
  const { chosen } = state
  if (chosen === undefined) return move(1)
  if (state.foldable(chosen) && state.folded(chosen) !== folded) return refilter(() => state.fold(chosen, folded))
  if (!folded && state.foldable(chosen)) move(1)
  if (folded && state.rows[chosen]!.parent >= 0) choose(state.rows[chosen]!.parent)
}

const open = (): void => {
  if (state.chosen === undefined) move(1)
  showDetails()
  panel.focus()
}

const treeKeys: Readonly<Record<string, () => void>> = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  ArrowRight: () => fold(false),
  ArrowLeft: () => fold(true),
  PageDown: () => move(chart.page),
  PageUp: () => move(-chart.page),
  Home: () => move(-state.rows.length),
  End: () => move(state.rows.length),
  Enter: open,
  " ": open
}

const shiftKeys: Readonly<Record<string, () => void>> = {
  ArrowLeft: () => pan(-0.2),
  ArrowRight: () => pan(0.2)
}

const goToTrouble = (direction: 1 | -1): void => {
  let index: number | undefined
  refilter(() => {
    index = state.nextTrouble(direction)
  })
  choose(index)
}

const pageKeys: Readonly<Record<string, () => void>> = {
  "+": () => zoom(1.5),
  "=": () => zoom(1.5),
  "-": () => zoom(1 / 1.5),
  "0": fit,
  n: () => goToTrouble(1),
  p: () => goToTrouble(-1),
  "/": () => search.focus()
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "Escape") {
    hideTip()
    if (event.target !== search && !panel.hidden) closeDetails()
    return
  }
  if (event.target === search) {
    if (event.key === "Enter") tree.focus()
    return
  }
  const inTree = event.target === tree
  const action = event.shiftKey && shiftKeys[event.key] !== undefined
    ? shiftKeys[event.key]
    : inTree && treeKeys[event.key] !== undefined
    ? treeKeys[event.key]
    : pageKeys[event.key]
  if (action === undefined) return
  event.preventDefault()
  action()
})

tree.addEventListener("focus", () => {
  // a click that focuses the tree chooses a row by its own handler
  if (state.chosen === undefined && tree.matches(":focus-visible")) move(1)
})

// -----------------------------------------------------------------------------
// pointer
// -----------------------------------------------------------------------------

const rowOf = (event: Event): number | undefined => {
  const element = event.target instanceof Element ? event.target.closest("[data-row]") : null
  return element === null ? undefined : Number(element.getAttribute("data-row"))
}

tree.addEventListener("click", (event) => {
  const index = rowOf(event)
  if (index === undefined || dragged) return
  if (event.target instanceof Element && event.target.closest(".twisty:not(.none)") !== null) {
    return refilter(() => state.fold(index, !state.folded(index)))
  }
  state.chosen = index
  chart.render()
  showDetails()
})

tree.addEventListener("dblclick", (event) => {
  const index = rowOf(event)
  if (index !== undefined) change(() => state.showRow(index))
})

/** Where a drag began, in pixels, and the range of time then. */
let drag: { readonly x: number; readonly from: number; readonly to: number } | undefined
/** Whether the pointer was dragged since it was pressed: the click that ends a drag must choose no row. */
let dragged = false

const box = get("chart")
box.addEventListener("pointerdown", (event) => {
  dragged = false
  if (event.button !== 0 || event.pointerType === "touch") return
  if (event.target instanceof Element && event.target.closest(".bars, #axis") !== null) {
    drag = { x: event.clientX, ...state.range }
  }
})
document.addEventListener("pointermove", (event) => {
  if (drag === undefined) return
  const { from, to, x } = drag
  if (!dragged && Math.abs(event.clientX - x) < 4) return
  dragged = true
  const by = (x - event.clientX) * chart.millisPerPixel
  change(() => state.show({ from: from + by, to: to + by }))
})
document.addEventListener("pointerup", () => {
  drag = undefined
})

box.addEventListener("wheel", (event) => {
  const onAxis = event.target instanceof Element && event.target.closest("#head") !== null
  if (event.ctrlKey || event.metaKey || onAxis) {
    event.preventDefault()
    // lines are about 16 pixels high
    const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : 16)
    return zoom(Math.exp(-Math.max(-200, Math.min(200, pixels)) * 0.004), chart.timeAt(event.clientX))
  }
  const across = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX
  if (!event.shiftKey && Math.abs(across) <= Math.abs(event.deltaY)) return
  event.preventDefault()
  change(() => state.pan(across * chart.millisPerPixel))
}, { passive: false })

const bubble = get("tip")
const hideTip = (): void => {
  bubble.hidden = true
}

tree.addEventListener("pointermove", (event) => {
  const index = rowOf(event)
  // a cast: the targets of events in the tree are elements
  const target = event.target as Element
  const label = target.closest(".name")?.querySelector(".label")
  // a name that is not cut off needs no tip
  const told = label instanceof HTMLElement && label.scrollWidth <= label.clientWidth
  if (index === undefined || told || dragged || event.pointerType === "touch") return hideTip()
  const part = target.getAttribute("data-part") ?? undefined
  bubble.replaceChildren(...tip(state.rows[index]!, part))
  bubble.hidden = false
  const { offsetHeight, offsetWidth } = bubble
  const left = Math.min(event.clientX + 14, innerWidth - offsetWidth - 8)
  const below = event.clientY + rowHeight * 0.75
  bubble.style.left = `${Math.max(8, left)}px`
  bubble.style.top = `${below + offsetHeight > innerHeight ? event.clientY - offsetHeight - 12 : below}px`
})
tree.addEventListener("pointerleave", hideTip)
chart.scroller.addEventListener("scroll", hideTip, { passive: true })

print(state, chart, hideTip)

for (const element of document.querySelectorAll("time")) element.replaceWith(timeElement(Date.parse(element.dateTime)))
const showLegend = (): void => get("legend").replaceChildren(...legendItems(state.rows))
showLegend()
refilter(() => {})

// -----------------------------------------------------------------------------
// the step that the address names
// -----------------------------------------------------------------------------

/** Whether the step of the address was not found yet. It may be one that is still to begin. */
let isAwaited = true

const goToLinked = (): void => {
  const index = linkedRow(state.rows, location.hash)
  if (index === undefined) return
  isAwaited = false
  refilter(() => state.unfoldTo(index))
  choose(index)
  showDetails()
}
addEventListener("hashchange", () => {
  isAwaited = true
  search.value = ""
  get("troubles").setAttribute("aria-pressed", "false")
  goToLinked()
})
goToLinked()

// -----------------------------------------------------------------------------
// a run that goes on
// -----------------------------------------------------------------------------

/** Replaces the time and the outcome below the title. */
const showSubtitle = (): void => {
  const [run] = state.rows
  if (run === undefined) return
  get("subtitle").replaceChildren(
    timeElement(run.start),
    " · ",
    h("strong", { class: `ending ${run.ending}` }, endings[run.ending]),
    ` · ${took(run)} · ${totals(state.rows)}`
  )
  get("troubles").querySelector(".count")!.textContent = String(
    state.rows.filter((row) => row.kind === "step" && isTrouble(row, state.goesOn)).length
  )
}

const showRows = (): void => {
  refilter(() => state.replace(place(contents)))
  hideFold()
  showLegend()
  showSubtitle()
  if (isAwaited) goToLinked()
}

let contents: ReadonlyArray<Content> = []
if (events !== undefined) {
  receive(events, {
    onData: (data) => {
      // a cast: timelines.ts writes this data
      contents = applyParts(contents, JSON.parse(data) as ReadonlyArray<Part>)
      setGoesOn(contents.some(({ ending, kind }) => kind === "run" && ending === "cut"))
      showRows()
    },
    // the process has let go of the run, say
    onEnd: () => {
      setGoesOn(false)
      showRows()
    }
  })
}
