/** Makes the links between the pages. */
import { h } from "preact"

/** Returns the address of the page of a run or a pipeline. */
export const link = (folder: "/durable" | "/pipelines" | "/runs", id: string): string =>
  `${folder}/${encodeURIComponent(id)}`

const hasDurable = document.documentElement.dataset["durable"] !== undefined

const pages: ReadonlyArray<readonly [path: string, name: string]> = [
  ["/", "Runs"],
  ...(hasDurable ? [["/durable", "Durable runs"], ["/questions", "Questions"]] as const : [])
]

export const Nav = () =>
  pages.length === 1 ? null : h(
    "nav",
    { "aria-label": "Pages" },
    ...pages.map(([path, name]) =>
      h("a", { href: path, key: path, "aria-current": location.pathname === path ? "page" : undefined }, name)
    )
  )
