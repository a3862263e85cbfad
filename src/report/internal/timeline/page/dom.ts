/** Makes elements. Text gets into the page as text nodes only: the page's policy forbids markup from scripts. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

const setAll = (element: Element, attributes: Attributes): void => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    element.setAttribute(name, value === true ? "" : String(value))
  }
}

export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag)
  setAll(element, attributes)
  element.append(...children)
  return element
}

export const svg = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Node | string>
): SVGElementTagNameMap[K] => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag)
  setAll(element, attributes)
  element.append(...children)
  return element
}

/** Returns an element of the static page by its id. */
export const get = <E extends Element = HTMLElement>(id: string): E => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`no #${id}`)
  // a cast: html.ts defines which id has which kind of element
  return element as Element as E
}
