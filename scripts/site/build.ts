/** Builds the site in memory. */
import * as esbuild from "esbuild"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, extname, join, posix } from "node:path"
import { codeBlock, escape, highlighted, relativeTo } from "./html.ts"
import { pageHtml } from "./layout.ts"
import { linkTo, type Rendered, renderPage, type Targets } from "./markdown.ts"
import { pages, pathOfPage, root } from "./pages.ts"
import type { Reference } from "./reference.ts"

export type Site = ReadonlyMap<string, string | Uint8Array>

const languages: Readonly<Record<string, string>> = {
  ".ts": "typescript",
  ".js": "javascript",
  ".json": "json",
  ".yaml": "yaml",
  ".yml": "yaml",
  ".sh": "bash"
}

const noReference: Reference = { groups: [], pages: new Map(), addressOf: () => undefined }

const read = (file: string): string => readFileSync(join(root, file), "utf8")

/** A file of the repository to which a page links, shown as a page of the site. */
const sourcePage = (file: string): Rendered => ({
  title: file,
  html: `<h1><code>${escape(file)}</code></h1>\n${codeBlock(highlighted(read(file), languages[extname(file)] ?? ""))}`,
  headings: [],
  sections: []
})

/** Collects the pages that are reached from those of the navigation, and the images in them. */
class Builder {
  readonly rendered = new Map<string, Rendered>()
  readonly assets = new Map<string, Uint8Array>()
  readonly broken: Array<string> = []
  readonly #waiting: Array<string>
  readonly #reference: Reference

  constructor(files: ReadonlyArray<string>, reference: Reference) {
    this.#waiting = [...files]
    this.#reference = reference
  }

  /** Returns the path of the page that shows a file or a folder of the repository. */
  #pathOf(file: string): string {
    if (file.endsWith(".md")) return pathOfPage(file)
    return statSync(join(root, file)).isDirectory() ? posix.join("files", file, "index.html") : `files/${file}.html`
  }

  /** Returns where the links of a file lead to. Those of a folder's page are relative to the folder. */
  #targets(file: string, folder = posix.dirname(file)): Targets {
    const from = this.#pathOf(file)
    return {
      link: (href) => {
        if (/^[a-z][a-z+.-]*:/i.test(href)) return href
        const [path = "", hash] = href.split("#")
        const fragment = hash === undefined ? "" : `#${hash}`
        if (path === "") return fragment
        const target = posix.join(folder, path).replace(/\/$/, "")
        if (target.startsWith("..") || !existsSync(join(root, target))) {
          this.broken.push(`${file}: ${href} is no file of the repository`)
          return href
        }
        this.#waiting.push(target)
        return relativeTo(from, `${this.#pathOf(target)}${fragment}`)
      },
      image: (href) => {
        const target = posix.join(folder, href)
        const dark = target.replace(/-light(\.\w+)$/, "-dark$1")
        const files = dark !== target && existsSync(join(root, dark))
          ? [[target, "light"], [dark, "dark"]] as const
          : [[target]] as const
        return files.map(([image, theme]) => {
          if (existsSync(join(root, image))) this.assets.set(image, readFileSync(join(root, image)))
          const src = relativeTo(from, image)
          return theme === undefined ? { src } : { src, theme }
        })
      },
      code: (name) => {
        const address = this.#reference.addressOf(name)
        return address === undefined ? undefined : relativeTo(from, address)
      }
    }
  }

  #folderPage(folder: string): Rendered {
    const { link } = this.#targets(folder, folder)
    const items = readdirSync(join(root, folder)).filter((name) => name !== "node_modules").toSorted().map((name) =>
      `<li>${linkTo(link(name), `<code>${escape(name)}</code>`)}</li>`
    )
    return {
      title: folder,
      html: `<h1><code>${escape(folder)}</code></h1>\n<ul>${items.join("\n")}</ul>`,
      headings: [],
      sections: []
    }
  }

  run(): void {
    for (let file = this.#waiting.shift(); file !== undefined; file = this.#waiting.shift()) {
      const path = this.#pathOf(file)
      if (this.rendered.has(path)) continue
      const page = file.endsWith(".md")
        ? renderPage(read(file), this.#targets(file))
        : statSync(join(root, file)).isDirectory()
        ? this.#folderPage(file)
        : sourcePage(file)
      this.rendered.set(path, page)
    }
  }
}

const bundled = async (file: string): Promise<string> => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(import.meta.dirname, "page", file)],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    write: false,
    logLevel: "warning"
  })
  return outputFiles[0]!.text
}

/** Returns the script with the texts that the search looks through. As a script it can be read from a file, too. */
const searchIndex = (pages: ReadonlyMap<string, Rendered>): string => {
  const entries = [...pages].flatMap(([path, { sections, title }]) =>
    sections.map(({ heading, id, text }) => [`${path}#${id}`, title, heading === title ? "" : heading, text])
  )
  return `globalThis.searchIndex=${JSON.stringify(entries)}\n`
}

/** Writes the files of a site into a folder. */
export const write = (site: Site, folder: string): void => {
  for (const [path, content] of site) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** Builds the site and returns its files by their paths, with links of the Markdown that lead nowhere. */
export const build = async (
  reference: Reference = noReference
): Promise<{ readonly site: Site; readonly broken: ReadonlyArray<string> }> => {
  const { files, groups } = pages()
  const builder = new Builder(files, reference)
  builder.run()
  const all = new Map([...builder.rendered, ...reference.pages])
  const [theme, script, style] = await Promise.all(["theme.ts", "main.ts", "style.css"].map(bundled))
  const site = new Map<string, string | Uint8Array>([
    ...[...all].map(([path, page]) =>
      [path, pageHtml(page, { path, groups: path.startsWith("api/") ? reference.groups : groups })] as const
    ),
    ...builder.assets,
    ["theme.js", theme!],
    ["site.js", script!],
    ["style.css", style!],
    ["icon.svg", readFileSync(join(import.meta.dirname, "page", "icon.svg"), "utf8")],
    ["search-index.js", searchIndex(all)],
    // GitHub Pages would leave out files whose names begin with an underscore, and look for Markdown
    [".nojekyll", ""]
  ])
  return { site, broken: builder.broken }
}
