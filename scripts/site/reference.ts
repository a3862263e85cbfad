/** The API reference: a page for each public module, made of its docstrings and signatures. */
import type ts from "typescript-6"
import manifest from "../../package.json" with { type: "json" }
import type { Docstring } from "./comments.ts"
import { codeBlock, escape, highlighted, relativeTo, signatureBlock, textOf } from "./html.ts"
import { type Heading, linkTo, type Rendered, renderText, type Section, type Targets } from "./markdown.ts"
import { type Export, type Library, library, type Module } from "./modules.ts"
import type { Group } from "./pages.ts"
import { signatureHtml } from "./signature.ts"

export interface Reference {
  readonly groups: ReadonlyArray<Group>
  readonly pages: ReadonlyMap<string, Rendered>
  /** The address in the site that a name stands for, such as `Step.retry` or `Slack.layerBot`. */
  readonly addressOf: (name: string) => string | undefined
}

const anchorOf = (name: string): string => name.replace(/[^\w.]/g, "")

/** Puts a name among the addresses. One that stands for two things is no address. */
const put = (addresses: Map<string, string | undefined>, name: string, address: string): void => {
  const other = addresses.get(name)
  addresses.set(name, addresses.has(name) && other !== address ? undefined : address)
}

/** Returns the addresses of a module's exports and their members by their names inside of it. */
const namesIn = (module: Module): ReadonlyMap<string, string> => {
  const names = new Map<string, string>()
  const add = ({ inner, members, name }: Export): void => {
    names.set(name, `${module.path}#${anchorOf(name)}`)
    for (const member of members) {
      names.set(`${name}.${member.name}`, `${module.path}#${anchorOf(`${name}.${member.name}`)}`)
    }
    inner.forEach(add)
  }
  module.exports.forEach(add)
  return names
}

/** Returns the addresses of everything, by the names that docs call it by. */
const addressesOf = (modules: ReadonlyArray<Module>): ReadonlyMap<string, string | undefined> => {
  const addresses = new Map<string, string | undefined>()
  for (const module of modules) {
    put(addresses, module.name === manifest.name ? module.name : `${manifest.name}/${module.name}`, module.path)
    const namespace = module.name.split("/").at(-1)!
    const names = namesIn(module)
    // `Alert` is the class in the module `Alert`, while `Step` is the module
    if (/^[A-Z]/.test(namespace) && !names.has(namespace)) put(addresses, namespace, module.path)
    for (const [name, address] of names) {
      if (/^[A-Z]/.test(namespace)) put(addresses, `${namespace}.${name}`, address)
      put(addresses, name, address)
    }
  }
  return addresses
}

const firstSentence = (text: string): string => /^[\s\S]*?[.:](?=\s|$)/.exec(text)?.[0].replace(/:$/, ".") ?? text

/** Returns code that imports the module. */
const importOf = (module: Module): string => {
  const { exports, name, specifier } = module
  const last = name.split("/").at(-1)!
  if (specifier === manifest.name) return `import { Alerter, AlerterHooks, Pipeline, Step } from "${specifier}"`
  if (specifier !== `${manifest.name}/${name}`) return `import { ${last} } from "${specifier}"`
  if (exports.some((entry) => entry.name === last)) return `import { ${last} } from "${specifier}"`
  if (/^[A-Z]/.test(last)) return `import * as ${last} from "${specifier}"`
  const names = [...module.namespaces.keys(), ...exports.map(({ name }) => name)].slice(0, 3)
  return `import { ${names.join(", ")}${names.length < exports.length ? ", …" : ""} } from "${specifier}"`
}

/** The order of categories that all modules have; others stand between, in the order of the source. */
const order = ["services", "constructors", "", "models", "errors", "guards", "utility types"]

const rank = (category: string): number => order.indexOf(order.includes(category) ? category : "")

const title = (category: string): string => category.charAt(0).toUpperCase() + category.slice(1)

/** What the pages of all modules look things up in. */
interface Lookup {
  readonly checker: ts.TypeChecker
  readonly addresses: ReadonlyMap<string, string | undefined>
  readonly symbols: ReadonlyMap<ts.Symbol, string>
}

class Page {
  readonly headings: Array<Heading> = []
  readonly sections: Array<Section> = []
  html = ""
  readonly #module: Module
  readonly #names: ReadonlyMap<string, string>
  readonly #lookup: Lookup

  constructor(module: Module, lookup: Lookup) {
    this.#module = module
    this.#names = namesIn(module)
    this.#lookup = lookup
  }

  #resolve(name: string): string | undefined {
    const address = this.#names.get(name) ?? this.#lookup.addresses.get(name)
    return address === undefined ? undefined : relativeTo(this.#module.path, address)
  }

  /** Returns a text of a docstring as HTML. A link to what is not there is an error. */
  text(markdown: string): string {
    const linked = markdown.replace(
      /\{@link (\S+?)(?: ([^}]*))?\}/g,
      (tag, name: string, label: string | undefined) => {
        const href = this.#resolve(name)
        if (href === undefined) throw new Error(`${this.#module.name}: ${tag} leads nowhere`)
        return `[${label ?? `\`${name}\``}](${href})`
      }
    )
    const targets: Targets = { link: (href) => href, image: () => [], code: (name) => this.#codeTarget(name) }
    return renderText(linked, targets)
  }

  /** What is a word of English, too, is linked only as a member. */
  #codeTarget(name: string): string | undefined {
    return /^[A-Z]|[./]/.test(name) ? this.#resolve(name) : undefined
  }

  doc({ tags, text }: Docstring): string {
    const examples = (tags["example"] ?? []).map((example) => this.text(example)).join("")
    const see = (tags["see"] ?? []).map((text) => `<li>${this.text(text).replace(/^<p>|<\/p>\s*$/g, "")}</li>`).join("")
    const deprecated = (tags["deprecated"] ?? []).map((text) => this.text(`**Deprecated.** ${text}`)).join("")
    return this.text(text) + deprecated + examples +
      (see === "" ? "" : `<p class="see">See also</p>\n<ul>${see}</ul>\n`)
  }

  signature(node: ts.Node): string {
    return signatureHtml(node, this.#lookup.checker, (symbol) => {
      const address = this.#lookup.symbols.get(symbol)
      return address === undefined ? undefined : relativeTo(this.#module.path, address)
    })
  }

  heading(depth: number, id: string, html: string): void {
    this.headings.push({ depth, id, html })
    this.html +=
      `<h${depth} id="${id}">${html} <a class="anchor" href="#${id}" aria-label="Link to this section">#</a></h${depth}>\n`
  }

  export({ doc, inner, members, name, nodes }: Export): void {
    const id = anchorOf(name)
    this.heading(3, id, `<code>${escape(name)}</code>`)
    this.html += signatureBlock(nodes.map((node) => this.signature(node)).join("\n"))
    this.html += this.doc(doc)
    const words = [textOf(this.text(doc.text)), ...members.map(({ doc, name }) => `${name}: ${doc.text}`)]
    this.sections.push({ id, heading: name, text: words.join(" ").replace(/\s+/g, " ").trim() })
    if (members.length > 0) {
      const seen = new Set<string>()
      this.html += `<dl class="members">\n`
      for (const member of members) {
        const anchor = anchorOf(`${name}.${member.name}`)
        // overloads have the same name
        const attribute = seen.has(anchor) ? "" : ` id="${anchor}"`
        seen.add(anchor)
        this.html += `<dt${attribute}><code>${this.signature(member.node)}</code></dt>\n<dd>${
          this.doc(member.doc)
        }</dd>\n`
      }
      this.html += "</dl>\n"
    }
    for (const entry of inner) this.export(entry)
  }
}

const table = (rows: ReadonlyArray<readonly [html: string, text: string]>): string =>
  `<div class="table" tabindex="0" role="group" aria-label="table"><table>\n<tbody>\n${
    rows.map(([name, text]) => `<tr><th scope="row">${name}</th><td>${text}</td></tr>`).join("\n")
  }\n</tbody>\n</table></div>\n`

/** Makes the reference. */
export const reference = (from: Library = library()): Reference => {
  const { checker, modules } = from
  const addresses = addressesOf(modules)
  const symbols = new Map<ts.Symbol, string>()
  const note = (module: Module) => ({ inner, name, symbol }: Export): void => {
    symbols.set(symbol, `${module.path}#${anchorOf(name)}`)
    inner.forEach(note(module))
  }
  for (const module of modules) module.exports.forEach(note(module))
  const byName = new Map(modules.map((module) => [module.name, module]))

  const render = (module: Module): Rendered => {
    const page = new Page(module, { checker, addresses, symbols })
    const isRoot = module.specifier === manifest.name && module.name === manifest.name
    const heading = isRoot ? "API reference" : module.name
    page.headings.push({ depth: 1, id: "top", html: escape(heading) })
    page.sections.push({ id: "top", heading, text: textOf(page.text(module.doc.text)) })
    page.html = `<h1 id="top">${escape(heading)}</h1>\n${page.doc(module.doc)}${
      codeBlock(highlighted(importOf(module), "typescript"))
    }`
    const link = (to: Module, name: string) => linkTo(relativeTo(module.path, to.path), `<code>${escape(name)}</code>`)
    const summary = (to: Module) => page.text(firstSentence(to.doc.text)).replace(/<\/?p>/g, "")
    const listed = isRoot
      ? modules.filter((other) => other !== module).map((other) => [link(other, other.name), summary(other)] as const)
      : [...module.namespaces].map(([name, at]) => [link(byName.get(at)!, name), summary(byName.get(at)!)] as const)
    if (listed.length > 0) {
      page.heading(2, "modules", "Modules")
      page.html += table(listed)
    }
    const elsewhere = [...module.elsewhere].flatMap(([name, symbol]) => {
      const address = symbols.get(symbol)
      return address === undefined
        ? []
        : [linkTo(relativeTo(module.path, address), `<code>${escape(name)}</code>`)]
    })
    if (elsewhere.length > 0) {
      page.heading(2, "also-exported", "Also exported")
      page.html += `<p>${elsewhere.join(", ")}</p>\n`
    }
    const categories = Map.groupBy(module.exports, ({ doc }) => doc.tags["category"]?.[0] ?? "others")
    for (const [category, exports] of [...categories].toSorted(([a], [b]) => rank(a) - rank(b))) {
      page.heading(2, `category-${category.replaceAll(" ", "-")}`, escape(title(category)))
      for (const entry of exports) page.export(entry)
    }
    return { title: heading, html: page.html, headings: page.headings, sections: page.sections }
  }

  const entry = ({ name, path }: Module) => ({ title: name.replace(/^[a-z]+\//, ""), path })
  const areas = Map.groupBy(
    modules,
    ({ name }) => name === manifest.name || /^[A-Z]/.test(name) ? "" : name.split("/")[0]!
  )
  return {
    groups: [...areas].toSorted(([a], [b]) => a.localeCompare(b, "en")).map(([area, modules]) => ({
      title: area === "" ? "API reference" : area,
      entries: modules.map((module) =>
        module.name === manifest.name ? { title: "All modules", path: module.path } : entry(module)
      ).toSorted((a, b) => Number(b.title === "All modules") - Number(a.title === "All modules"))
    })),
    pages: new Map(modules.map((module) => [module.path, render(module)])),
    addressOf: (name) => /^[A-Z]|^effect-epilogue/.test(name) ? addresses.get(name) : undefined
  }
}
