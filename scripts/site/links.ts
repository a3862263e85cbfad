/** Checks the links of the built site. */
import { posix } from "node:path"

interface Found {
  readonly ids: ReadonlySet<string>
  readonly links: ReadonlyArray<string>
  /** What the page asks for when it is opened. */
  readonly parts: ReadonlyArray<string>
  /** Ids that stand twice. */
  readonly repeated: ReadonlyArray<string>
}

const read = (html: string): Found => {
  const ids = new Set<string>()
  const [links, parts, repeated]: [Array<string>, Array<string>, Array<string>] = [[], [], []]
  new HTMLRewriter()
    .on("[id]", {
      element(element) {
        const id = element.getAttribute("id")!
        if (ids.has(id)) repeated.push(id)
        ids.add(id)
      }
    })
    .on("a[href]", { element: (element) => void links.push(decode(element.getAttribute("href")!)) })
    .on("link[href]", { element: (element) => void parts.push(decode(element.getAttribute("href")!)) })
    .on("[src]", { element: (element) => void parts.push(decode(element.getAttribute("src")!)) })
    .transform(html)
  return { ids, links, parts, repeated }
}

const decode = (attribute: string): string => attribute.replaceAll("&quot;", "\"").replaceAll("&amp;", "&")

const schemes = ["http:", "https:", "mailto:"]

/** Says what is wrong with an address of another site, which is not asked for. */
export const externalFault = (href: string): string | undefined => {
  if (!URL.canParse(href)) return "is no URL"
  const { hostname, protocol } = new URL(href)
  if (!schemes.includes(protocol)) return `has the scheme ${protocol}`
  return protocol !== "mailto:" && !hostname.includes(".") && hostname !== "localhost" ? "has no host" : undefined
}

/** Returns what is wrong with the links of a site, given as its files by their paths. */
export const brokenLinks = (files: ReadonlyMap<string, string | Uint8Array>): ReadonlyArray<string> => {
  const pages = new Map(
    [...files].flatMap(([path, content]) =>
      typeof content === "string" && path.endsWith(".html") ? [[path, read(content)]] : []
    )
  )
  const faultOf = (from: string, href: string, isPart: boolean): string | undefined => {
    if (/^[a-z][a-z+.-]*:/i.test(href)) return isPart ? "is of another site" : externalFault(href)
    if (href.startsWith("/")) return "does not work in a folder"
    const [path = "", id] = href.split("#")
    const target = path === "" ? from : posix.join(posix.dirname(from), path)
    if (!files.has(target)) return "is no file of the site"
    return id === undefined || id === "" || pages.get(target)?.ids.has(decodeURIComponent(id))
      ? undefined
      : "has no such heading"
  }
  return [...pages].flatMap(([from, { links, parts, repeated }]) => {
    const check = (isPart: boolean) => (href: string) => {
      const fault = faultOf(from, href, isPart)
      return fault === undefined ? [] : [`${from}: ${href} ${fault}`]
    }
    return [
      ...new Set([
        ...links.flatMap(check(false)),
        ...parts.flatMap(check(true)),
        ...repeated.map((id) => `${from}: the id ${id} stands twice`)
      ])
    ]
  })
}
