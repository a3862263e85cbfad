/** What a page does in the browser: the search, the theme, and what a narrow window shows of the navigation. */
import { excerpt, marked, search, type Section } from "./search.ts"
import { chosenTheme, keepTheme, themes } from "./themes.ts"

declare global {
  var searchIndex: ReadonlyArray<Section> | undefined
}

const find = <E extends Element>(selector: string): E => document.querySelector<E>(selector)!

// -----------------------------------------------------------------------------
// theme
// -----------------------------------------------------------------------------

const button = find<HTMLButtonElement>("button.theme")
const label = () => void (find(".theme b").textContent = chosenTheme())
button.hidden = false
button.addEventListener("click", () => {
  keepTheme(themes[(themes.indexOf(chosenTheme()) + 1) % themes.length]!)
  label()
})
label()

// -----------------------------------------------------------------------------
// narrow windows
// -----------------------------------------------------------------------------

/** Closes what stands above the text in a narrow window, and opens it beside the text in a wide one. */
const fold = (selector: string, width: string) => {
  const narrow = matchMedia(`(max-width: ${width})`)
  const apply = () => {
    for (const details of document.querySelectorAll<HTMLDetailsElement>(selector)) details.open = !narrow.matches
  }
  narrow.addEventListener("change", apply)
  apply()
}
fold(".pages > details", "60rem")
fold(".contents > details", "72rem")
find(".pages [aria-current=page]")?.scrollIntoView({ block: "nearest" })

/** Takes what fits into the page out of the order of the Tab key. */
const unfocus = () => {
  for (const box of document.querySelectorAll<HTMLElement>("pre, .table")) {
    box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1
  }
}
addEventListener("resize", unfocus)
unfocus()

// -----------------------------------------------------------------------------
// search
// -----------------------------------------------------------------------------

const box = find<HTMLElement>("search")
const input = find<HTMLInputElement>("search input")
const list = find<HTMLUListElement>("#results")
const status = find<HTMLElement>("search .status")
box.hidden = false

/** The folder of the site as seen from the page, which is also where the index is. */
const index = document.body.dataset["index"]!
const base = new URL(index, location.href)

let loading: Promise<ReadonlyArray<Section>> | undefined
/** Loads the index with the first search. It is a script: a page that is a file can't read others. */
const sections = (): Promise<ReadonlyArray<Section>> =>
  loading ??= new Promise((resolve) => {
    const script = document.createElement("script")
    script.src = index
    script.addEventListener("load", () => resolve(globalThis.searchIndex ?? []))
    script.addEventListener("error", () => {
      status.textContent = "The search index can't be loaded."
      loading = undefined
    })
    document.head.append(script)
  })

const withMarks = (element: HTMLElement, text: string): HTMLElement => {
  for (const [part, isMatch] of marked(text, input.value)) {
    if (!isMatch) element.append(part)
    else element.append(Object.assign(document.createElement("mark"), { textContent: part }))
  }
  return element
}

const option = ([address, title, heading, text]: Section, id: number): HTMLElement => {
  const item = Object.assign(document.createElement("li"), { id: `result-${id}` })
  item.setAttribute("role", "option")
  item.setAttribute("aria-selected", "false")
  item.dataset["href"] = new URL(address, base).href
  const name = document.createElement("b")
  const place = document.createElement("small")
  const about = document.createElement("span")
  withMarks(name, heading === "" ? title : heading)
  if (heading !== "") place.textContent = title
  item.append(name, " ", place, withMarks(about, excerpt(text, input.value)))
  return item
}

let selected = -1
const select = (at: number) => {
  const options = [...list.children]
  selected = options.length === 0 ? -1 : (at + options.length) % options.length
  options.forEach((option, index) => option.setAttribute("aria-selected", String(index === selected)))
  const current = options[selected]
  if (current === undefined) input.removeAttribute("aria-activedescendant")
  else {
    input.setAttribute("aria-activedescendant", current.id)
    current.scrollIntoView({ block: "nearest" })
  }
}

const show = (isOpen: boolean) => {
  list.hidden = !isOpen
  input.setAttribute("aria-expanded", String(isOpen))
  if (!isOpen) select(-1)
}

const update = async () => {
  const query = input.value
  const all = query.trim() === "" ? [] : await sections()
  // another letter was typed meanwhile
  if (query !== input.value) return
  const hits = search(all, query)
  list.replaceChildren(...hits.map(({ section }, index) => option(section, index)))
  selected = -1
  input.removeAttribute("aria-activedescendant")
  status.textContent = query.trim() === "" ? "" : hits.length === 0 ? "Nothing found" : `${hits.length} results`
  status.classList.toggle("shown", query.trim() !== "" && hits.length === 0)
  show(hits.length > 0)
}

const close = () => {
  show(false)
  status.classList.remove("shown")
}

const open = (option: Element | undefined) => {
  const href = option instanceof HTMLElement ? option.dataset["href"] : undefined
  if (href === undefined) return
  close()
  location.href = href
}

input.addEventListener("input", () => void update())
input.addEventListener("focus", () => void sections())
input.addEventListener("keydown", (event) => {
  const moves: Record<string, () => void> = {
    ArrowDown: () => select(selected + 1),
    ArrowUp: () => select(selected < 0 ? -1 : selected - 1),
    Enter: () => open(list.children[Math.max(0, selected)]),
    Escape: () => list.hidden ? input.value = "" : close()
  }
  const move = moves[event.key]
  if (move === undefined) return
  event.preventDefault()
  move()
})
list.addEventListener("click", (event) => {
  if (event.target instanceof Element) open(event.target.closest("[role=option]") ?? undefined)
})
document.addEventListener("click", (event) => {
  if (event.target instanceof Node && !box.contains(event.target)) close()
})
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement
  if ((event.key === "/" && !isTyping) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
    event.preventDefault()
    input.focus()
  }
})
