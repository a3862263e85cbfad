/** Makes pages of Markdown. */
import { marked, type Token, type TokensList } from "marked"
import { anchors } from "./anchors.ts"
import { codeBlock, escape, highlighted, textOf } from "./html.ts"

export interface Heading {
  readonly depth: number
  readonly id: string
  /** The heading as HTML, without links. */
  readonly html: string
}

/** A part of a page from one heading to the next, as the search finds it. */
export interface Section {
  readonly id: string
  readonly heading: string
  readonly text: string
}

export interface Rendered {
  readonly title: string
  readonly html: string
  readonly headings: ReadonlyArray<Heading>
  readonly sections: ReadonlyArray<Section>
}

/** Says where the links and images of a text lead to. */
export interface Targets {
  readonly link: (href: string) => string
  readonly image: (href: string) => ReadonlyArray<{ readonly src: string; readonly theme?: "light" | "dark" }>
  /** The address that a name in code leads to, if it is one of the library. */
  readonly code: (name: string) => string | undefined
}

const isExternal = (href: string): boolean => /^[a-z][a-z+.-]*:/i.test(href)

/** Turns a token into HTML that is done. */
const become = (token: Token, html: string, block = false): void => {
  Object.assign(token, { type: "html", raw: html, text: html, block, pre: false })
}

/** Returns a link of the page. What leads elsewhere does not tell the other site where the reader comes from. */
export const linkTo = (href: string, html: string): string =>
  `<a href="${escape(href)}"${isExternal(href) ? ` rel="noreferrer"` : ""}>${html}</a>`

const inline = (tokens: ReadonlyArray<Token>): string => marked.Parser.parseInline([...tokens])

const codeOf = (token: Token): string => "text" in token ? String(token.text) : ""

/** Returns an image, or one for each theme of which only that of the theme in use is shown. */
const picture = (href: string, alt: string, targets: Targets): string =>
  targets.image(href).map(({ src, theme }) => {
    const only = theme === undefined ? "" : ` class="only-${theme}"`
    return `<img src="${escape(src)}" alt="${escape(alt)}" loading="lazy"${only}>`
  }).join("")

const attribute = (tag: string, name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? ""

/** Returns markup in a page with the addresses of the site: images, and what Markdown has no sign for. */
const markup = (html: string, targets: Targets): string =>
  html.replace(/<!--[\s\S]*?-->/g, "").replace(/<\/?([a-z0-9]+)[^>]*>/gi, (tag, name: string) => {
    switch (name.toLowerCase()) {
      case "img":
        return picture(attribute(tag, "src"), attribute(tag, "alt"), targets)
      case "picture":
      case "source":
        return ""
      case "br":
      case "details":
      case "kbd":
      case "sub":
      case "summary":
      case "sup":
        return tag
      default:
        throw new Error(`the site does not show <${name}>: ${tag}`)
    }
  })

/** Replaces links, images and code in place. */
const resolve = (tokens: TokensList | Array<Token>, targets: Targets): void => {
  const linked = new Set<Token>()
  marked.walkTokens(tokens, (token) => {
    if (token.type === "link" || token.type === "heading") { for (const inner of token.tokens ?? []) linked.add(inner) }
  })
  marked.walkTokens(tokens, (token) => {
    switch (token.type) {
      case "link":
        return become(token, linkTo(targets.link(token.href), inline(token.tokens ?? [])))
      case "image":
        return become(token, picture(token.href, token.text, targets))
      case "codespan": {
        const text = `<code>${escape(codeOf(token))}</code>`
        // a call stands for its function
        const href = linked.has(token) ? undefined : targets.code(codeOf(token).replace(/\(.*\)$/, ""))
        return become(token, href === undefined ? text : linkTo(href, text))
      }
      case "code": {
        return become(token, codeBlock(highlighted(codeOf(token), token.lang ?? "")), true)
      }
      case "html":
        return become(token, markup(codeOf(token), targets), token["block"] === true)
    }
  })
}

/** Renders a text without headings, such as a docstring. */
export const renderText = (markdown: string, targets: Targets): string => {
  const tokens = marked.lexer(markdown)
  resolve(tokens, targets)
  return tables(marked.parser(tokens))
}

/** Tables that are wider than the page can be scrolled, by the keyboard, too. */
const tables = (html: string): string =>
  html
    .replaceAll("<table>", `<div class="table" tabindex="0" role="group" aria-label="table"><table>`)
    .replaceAll("</table>", "</table></div>")

/** Renders a page. Its first heading is its title. */
export const renderPage = (markdown: string, targets: Targets): Rendered => {
  const tokens = marked.lexer(markdown)
  resolve(tokens, targets)
  const anchor = anchors()
  const headings: Array<Heading> = []
  const sections: Array<{ id: string; heading: string; text: string }> = []
  for (const token of tokens) {
    if (token.type === "heading") {
      const html = inline(token.tokens ?? [])
      const id = anchor(textOf(html))
      const depth = Number(token["depth"])
      // a heading of the table of contents is a link itself
      headings.push({ depth, id, html: html.replace(/<\/?a\b[^>]*>/g, "") })
      sections.push({ id, heading: textOf(html), text: "" })
      const link = depth === 1 ? "" : ` <a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`
      become(token, `<h${depth} id="${id}">${html}${link}</h${depth}>\n`, true)
    } else {
      const section = sections.at(-1)
      if (section !== undefined) section.text += ` ${textOf(marked.parser([token]))}`
    }
  }
  return {
    title: headings[0] === undefined ? "" : textOf(headings[0].html),
    html: tables(marked.parser(tokens)),
    headings,
    sections: sections.map((section) => ({ ...section, text: section.text.replace(/\s+/g, " ").trim() }))
  }
}
